# shellcheck shell=sh
# Steps of a script that makes a package and uses it in an empty folder, which is $work:
# to be read in the checkout's root.

work=$(mktemp -d)
finish() {
    case $? in
    0 | 77) rm -rf "$work" ;;
    *) echo "what was made is in $work" ;;
    esac
}
trap finish EXIT

# try WHAT FOLDER COMMAND...: a step. Its output is in $said. $settings, NAME=VALUE..., are
# named to those who repeat it.
said=$work/said
settings=''
try() {
    what=$1 folder=$2
    shift 2
    echo "== $what"
    again="cd '$folder' && env $settings$(printf " '%s'" "$@")"
    (cd "$folder" && exec "$@") >"$said" 2>&1 </dev/null || failed "exit status $?"
}

# failed WHY: ends the script.
failed() {
    {
        cat "$said"
        echo "FAILED: $what: $1"
        echo "to repeat the step by hand:"
        echo "  $again"
    } >&2
    exit 1
}
