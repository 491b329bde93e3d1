# shellcheck shell=sh
# What run.sh and demo.sh share: progress lines, packages, Wine, the .NET SDK and
# the final account of what passed, failed or was skipped.
#
#   . "$root/tests/env.sh"
#   options "linux windows csharp" "$@"     # reads --without PART
#   need native windows                     # installs what those groups lack
#   wine_ready                              # then: "$WINE" program.exe
#   step "C tests" ./build/test_c           # runs, logs, counts
#   if wanted csharp; then if dotnet_ready; then ...; else skip C# "$why"; fi; fi
#   summary                                 # its status is the exit status
#
# Call need, wine_ready and summary from the main shell, not inside $( ) or ( ):
# they set variables or end the script.

started=$(date +%s)
checks=0 failures=0 failed='' skips=0 skipped='' declined='' why=''
newline='
'

# Everything kept between runs lives in one directory, which may be deleted.
WINSHM_CACHE=${WINSHM_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/winshm}
mkdir -p "$WINSHM_CACHE" || exit 1
WINSHM_CACHE=$(cd "$WINSHM_CACHE" && pwd) || exit 1
logs=$WINSHM_CACHE/log/$(basename "$0" .sh)
rm -rf "$logs"
mkdir -p "$logs" || exit 1

# The python3 on PATH may be another build without pytest, and a user's own
# packages must not decide whether the tests pass.
# shellcheck disable=SC2034  # The scripts that source this file use PYTHON.
PYTHON=/usr/bin/python3
unset PYTHONHOME PYTHONPATH
export PYTHONNOUSERSITE=1 LC_ALL=C.UTF-8 WINSHM_CACHE

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    escape=$(printf '\033')
    red="${escape}[31m" green="${escape}[32m" yellow="${escape}[33m" plain="${escape}[m"
else
    red='' green='' yellow='' plain=''
fi

# line COLOUR WORD TEXT
line() { printf '[%4ds] %s%-4s%s %s\n' $(($(date +%s) - started)) "$1" "$2" "$plain" "$3"; }

say() { line '' '' "$*"; }

die() {
    line "$red" STOP "$*" >&2
    exit 1
}

# quietly NAME COMMAND...: the output goes to a log, of which a failure shows the end.
quietly() {
    log=$logs/$(printf %s "$1" | tr -cs 'A-Za-z0-9.\n' -).log
    shift
    "$@" >>"$log" 2>&1 </dev/null && return
    status=$?
    tail -n 30 "$log" | sed 's/^/        | /' >&2
    echo "        (exit status $status; all of it is in $log)" >&2
    return "$status"
}

# step NAME COMMAND...: one line, counted by summary; returns the command's status. If that
# is 77, the command could not be tried, and the last line of its log says why.
step() {
    checks=$((checks + 1))
    if quietly "$@"; then
        line "$green" ok "$1"
    else
        set -- "$1" $?
        if [ "$2" -eq 77 ]; then
            checks=$((checks - 1))
            skip "$1" "$(tail -n 1 "$log")"
        else
            failures=$((failures + 1))
            failed="$failed$newline         $1$newline$(tail -n 8 "$log" | sed 's/^/         | /')"
            line "$red" FAIL "$1"
        fi
        return "$2"
    fi
}

# skip NAME REASON: what could not be tried, which summary does not forgive.
skip() {
    skips=$((skips + 1))
    skipped="$skipped$newline         $1: $2"
    line "$yellow" skip "$1: $2"
}

# options "PART PART..." "$@": --without PART (repeatable) leaves a part out knowingly.
options() {
    parts=$1
    shift
    while [ $# -gt 0 ]; do
        case $1 in
        --without=*) part=${1#*=} ;;
        --without) part=${2-} && shift ;;
        *) part='' ;;
        esac
        case " $parts " in
        *" ${part:-/} "*) declined="$declined $part" ;;
        *)
            printf 'usage: sh %s [--without PART]...\nparts: %s\n' "$0" "$parts" >&2
            exit 2
            ;;
        esac
        shift
    done
}

# wanted PART: false, with no further word, when --without named it.
wanted() {
    case " $declined " in *" $1 "*) return 1 ;; esac
}

# summary: what failed once more, for those who see only the end of a long output. Its
# last line is the count of steps, alone.
summary() {
    result=0
    account || result=$?
    printf '%d passed, %d failed, %d skipped\n' $((checks - failures)) "$failures" "$skips"
    return "$result"
}

account() {
    [ -z "$declined" ] || line "$yellow" note "left out on request:$declined"
    [ -z "$skipped" ] || line "$yellow" note "not everything could be tried:$skipped"
    if [ "$failures" -gt 0 ]; then
        line "$red" FAIL "$failures of $checks steps; the logs are in $logs:$failed"
        return 1
    elif [ "$checks" -eq 0 ] || [ -n "$skipped" ]; then
        line "$yellow" FAIL "all $checks steps passed, but that is not everything"
        return 1
    fi
    line "$green" PASS "all $checks steps"
}

# need GROUP...
need() {
    packages=''
    for group; do
        case $group in
        native) packages="$packages gcc g++ libc6-dev cmake ninja-build make pkg-config" ;;
        windows) packages="$packages wine wine64 gcc-mingw-w64-x86-64 gcc-mingw-w64-i686" ;;
        nim) packages="$packages nim gcc libc6-dev" ;;
        python) packages="$packages python3 python3-pytest" ;;
        # What builds a Windows Python, see tests/windows-python.
        windows-python) packages="$packages gcc-mingw-w64-x86-64 clang make python3 ca-certificates" ;;
        dotnet) packages="$packages ca-certificates libssl3" ;;
        *) die "need: there is no group of packages called $group" ;;
        esac
    done
    # shellcheck disable=SC2086  # This is a list of words.
    need_packages $packages
}

# need_packages PACKAGE...: installs only the missing ones.
need_packages() {
    missing=''
    for package; do
        case "$missing " in *" $package "*) continue ;; esac
        case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
        installed*) ;;
        *) missing="$missing $package" ;;
        esac
    done
    [ -n "$missing" ] || return 0

    command -v apt-get >/dev/null ||
        die "this is not a Debian machine; please install what Debian calls:$missing"
    as_root='env'
    if [ "$(id -u)" -ne 0 ]; then
        # Without a terminal sudo cannot ask for a password.
        if sudo -n true 2>/dev/null || { [ -t 0 ] && sudo true; }; then
            as_root='sudo env'
        else
            die "as root, type: apt-get update && apt-get install -y --no-install-recommends$missing"
        fi
    fi
    say "installing$missing"
    if [ -z "${apt_updated:-}" ]; then
        apt_updated=yes
        # One unreachable source must not matter if the others have the packages.
        $as_root apt-get update >>"$logs/apt.log" 2>&1 </dev/null ||
            say "apt-get update complained; trying with what it has"
    fi
    # shellcheck disable=SC2086  # These are lists of words.
    quietly apt $as_root DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
        --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 $missing ||
        die "apt-get could not install:$missing"
}

# Sets WINE, the command that runs a Windows program, and WINE32, which is yes when
# that program may also be a 32-bit one. The user's own ~/.wine is never touched.
# WINSHM_WINE names another Wine than Debian's, with its wineserver beside it.
wine_ready() {
    unset DISPLAY WAYLAND_DISPLAY WINEARCH WINELOADER WINESERVER WINEDLLPATH
    # Debian's wine command is a wrapper that complains about missing i386 packages.
    WINE=${WINSHM_WINE:-/usr/lib/wine/wine64}
    [ -x "$WINE" ] || die "there is no $WINE"
    if [ -n "${WINSHM_WINE:-}" ]; then
        wine_version=$("$WINE" --version) || die "$WINE does not start"
    else
        wine_version=$(dpkg-query -W -f '${Version}' libwine:amd64) || die "libwine is not installed"
    fi
    wine_home=$(dirname "$WINE")
    # A container may forbid it. Then harness/wine.sh and interop/programs.py start again
    # what has not run.
    ! setarch -R true 2>/dev/null || WINE=${root:?}/tests/harness/wine64
    wine_folder
    export WINEPREFIX WINEDEBUG=-all
    # No offer to download Gecko, and no entries in the desktop's menus.
    export WINEDLLOVERRIDES='mshtml,winemenubuilder.exe='
    # .NET maps its code twice, which Wine does not always keep in step: then the
    # runtime stops itself with "Internal CLR error".
    export DOTNET_EnableWriteXorExecute=0
    {
        flock -w 900 9 || die "another run has been preparing Wine for too long"
        # A wineserver that inherited the lock would keep it.
        WINE32=yes
        [ -n "${WINSHM_WINE:-}" ] || wine32_dlls 9>&- || WINE32=no
        wine_prefix 9>&-
    } 9>"$WINSHM_CACHE/lock"
    wine_keep
}

# The first Windows program starts Wine's services, which keep its output open and so
# let it seem endless to those who read it. That one is here, and ends with the script.
wine_keep() {
    keep=$logs/keep
    mkfifo "$keep" || die "there is no named pipe to be made in $logs"
    "$WINE" cmd.exe <"$keep" >/dev/null 2>&1 &
    exec 8>"$keep"
    quietly wine timeout 60 "$WINE" cmd.exe /c exit || die "Wine does not start programs"
}

# Debian's 64-bit Wine runs 32-bit programs by itself once it finds the Windows half of
# the i386 libwine, so that package is unpacked into the cache.
wine32_dlls() {
    dlls=$WINSHM_CACHE/wine32-$wine_version
    export WINEDLLPATH="$dlls"
    [ ! -d "$dlls" ] || return 0
    say "fetching the 32-bit half of Wine (95 MB, once)"
    rm -rf "$WINSHM_CACHE"/wine32-*
    if quietly wine32 fetch_wine32 "$dlls.part"; then
        mv "$dlls.part/wine32" "$dlls"
    else
        unset WINEDLLPATH
        say "32-bit Windows programs cannot run here"
    fi
    rm -rf "$dlls.part"
    [ -d "$dlls" ]
}

# apt_apart ARCHITECTURE FOLDER: goes there, where apt-get then works apart from the
# machine, which keeps its list of architectures.
apt_apart() {
    mkdir -p "$2/lists/partial" "$2/cache/archives/partial" && cd "$2" && : >status || return
    cat >apt.conf <<END
APT::Architecture "$1";
APT::Architectures { "$1"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::State "$2";
Dir::State::status "$2/status";
Dir::Cache "$2/cache";
END
    export APT_CONFIG="$2/apt.conf"
}

fetch_wine32() (
    apt_apart i386 "$1" && mkdir -p wine32 || exit
    # Only the source that holds this one package has to answer.
    apt-get update || :
    apt-get download "libwine=$wine_version" || exit
    dpkg-deb -x libwine_*.deb . || exit
    mv usr/lib/i386-linux-gnu/wine/i386-windows wine32 || exit
    # Debug information is two thirds of it, and every prefix gets a copy.
    ! command -v i686-w64-mingw32-strip || i686-w64-mingw32-strip -S wine32/*/*.dll wine32/*/*.exe || :
)

# The 32-bit system directory is filled only when a prefix is created, so a prefix made
# by another Wine, or before the 32-bit half was there, is made again.
wine_prefix() {
    stamp="wine $wine_version, 32-bit: $WINE32"
    [ "$(cat "$WINEPREFIX/winshm.stamp" 2>/dev/null)" != "$stamp" ] || return 0
    say "preparing Wine (once)"
    wine_stop
    rm -rf "$WINEPREFIX"
    # No offer to download Mono; later on, .NET programs need the mscoree.dll.
    quietly wine env WINEDLLOVERRIDES="mscoree,$WINEDLLOVERRIDES" timeout 300 "$WINE" wineboot -i ||
        die "Wine could not be prepared"
    quietly wine timeout 60 "$wine_home/wineserver" -w || die "Wine does not come to rest"
    # Where they cannot run, 32-bit programs say nothing and yet exit with 0.
    if [ "$WINE32" = yes ] && ! "$WINE" 'c:\windows\syswow64\cmd.exe' /c \
        'echo %PROCESSOR_ARCHITECTURE%' 2>/dev/null </dev/null | grep -q x86; then
        WINE32=no
        say "32-bit Windows programs do not run in this Wine"
        return
    fi
    echo "$stamp" >"$WINEPREFIX/winshm.stamp"
}

# Each Wine has a folder of its own, which another would not understand.
wine_folder() { WINEPREFIX=$WINSHM_CACHE/wine${WINSHM_WINE:+-other}; }

# Ends the Windows processes of this prefix, and no others.
wine_stop() {
    [ ! -d "$WINEPREFIX" ] || "$wine_home/wineserver" -k 2>/dev/null || :
}

# True when there is a .NET SDK; otherwise why says how to get one, as Debian has none.
dotnet_ready() {
    if dotnet --list-sdks 2>/dev/null | grep -Eq '^([89]|[1-9][0-9])\.'; then
        need dotnet
        export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
        # No build server may outlive the run.
        export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false
        # What is built for .NET 8 may run on a newer runtime, and without libicu.
        export DOTNET_ROLL_FORWARD=Major DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
        return
    fi
    sudo=''
    [ "$(id -u)" -eq 0 ] || sudo='sudo '
    # shellcheck disable=SC2034  # The scripts that source this file use why.
    why="no .NET SDK 8 or later is on PATH; this one line installs it:
${sudo}apt-get install -y --no-install-recommends curl ca-certificates libssl3 && curl -sSL https://dot.net/v1/dotnet-install.sh | ${sudo}bash -s -- --channel 10.0 --install-dir /usr/local/dotnet && ${sudo}ln -sf /usr/local/dotnet/dotnet /usr/local/bin/dotnet"
    return 1
}
