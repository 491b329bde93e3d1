#!/bin/sh
# All that can be checked before a release, and then what is left for a person to do.
#
# Usage: sh tests/release.sh [--dry] [--without tests] [--without packages] [--without csharp]
#
# It runs tests/run.sh --long, some hours, and tests/package.sh, writes the packages'
# checksums into build/packages/SHA256SUMS and the notes of the release into
# build/packages/NOTES.md. It neither tags nor pushes nor uploads anything.
#
# --dry is for the time before: what is to be released may still be called "Unreleased"
# in the change log, and the tests are not the long ones.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/env.sh
. "$root/tests/env.sh"

dry=''
for word; do
    shift
    case $word in
    --dry) dry=yes ;;
    *) set -- "$@" "$word" ;;
    esac
done
options "tests packages csharp" "$@"
cd "$root" || exit
# shellcheck source=tests/packages/release.sh
. "$root/tests/packages/release.sh"
minor=${version%.*}
frozen=tests/abi/$minor
made=build/packages
changes=.github/CHANGELOG.md

# Nothing that a package could have in it is known to this machine only.
nothing_is_uncommitted() {
    changed=$(git status --porcelain) || return
    [ -z "$changed" ] || {
        printf 'commit or remove this:\n%s\n' "$changed"
        return 1
    }
}

this_is_main() {
    branch=$(git symbolic-ref --short HEAD)
    [ "$branch" = main ] || {
        echo "a release is made of main, and this is ${branch:-no branch}"
        return 1
    }
}

tag_is_free() {
    git rev-parse -q --verify "refs/tags/v$version" || return 0
    echo "there is a tag v$version already: raise the version in include/winshm.h"
    return 1
}

# same WHERE WHAT: another place where the version can be read.
same() {
    [ "$2" = "$version" ] || {
        echo "$1 has version ${2:-none}, include/winshm.h has $version"
        return 1
    }
}

version_of_nim() {
    same bindings/nim/winshm.nimble "$(sed -n 's/^version *= *"\(.*\)"$/\1/p' bindings/nim/winshm.nimble)"
}

version_of_python() {
    same bindings/python "$("$PYTHON" -B -c 'import runpy
print(runpy.run_path("bindings/python/winshm/_version.py")["VERSION"])')"
}

version_of_csharp() {
    same bindings/csharp "$(dotnet msbuild -getProperty:Version bindings/csharp/Winshm.csproj)"
}

# Prints what the change log says under a heading that begins like that.
section() {
    awk -v heading="## [$1]" '
        inside && /^## / { exit }
        inside { print }
        index($0, heading) == 1 { inside = 1 }' $changes
}

# The newest version has a day that has come, or in a dry run may be yet to be named.
change_log() {
    released=$(sed -n 's/^## \[\([0-9].*\)/\1/p' $changes | head -n 1)
    day=${released#"$version] - "}
    if [ -n "$dry" ] && [ "$day" = "$released" ]; then
        said=Unreleased
    elif [ "$day" = "$released" ]; then
        echo "the newest version in $changes has to be: ## [$version] - $(date +%F)"
        return 1
    elif [ "$(date -d "$day" +%F)" != "$day" ] || [ "$(date -d "$day" +%s)" -gt "$(date +%s)" ]; then
        echo "$changes: $day is no day on which $version can have been released"
        return 1
    else
        said=$version
    fi
    section "$said" | grep -q '^- ' || {
        echo "$changes says nothing under $said"
        return 1
    }
    grep -q '^## \[Unreleased\]$' $changes || {
        echo "$changes has no section for what comes after: ## [Unreleased]"
        return 1
    }
}

# Once there is a release, people want to know which ones get fixes.
security_names_versions() {
    ! grep -n 'There is no release yet' .github/SECURITY.md ||
        {
            echo "say in .github/SECURITY.md which versions are mended"
            return 1
        }
}

# A program that was built with the header of this minor version is run by the tests.
client_is_frozen() {
    for file in winshm.h client-linux-x86_64 client-win64.exe client-win32.exe; do
        [ -s "$frozen/$file" ] || {
            echo "there is no $frozen/$file: sh tests/abi/freeze.sh"
            return 1
        }
    done
    # What 0.1.0 has promised, 0.1.1 keeps, but its header may explain more.
    [ "${version##*.}" != 0 ] || cmp include/winshm.h "$frozen/winshm.h" || {
        echo "the header is not the one that was frozen: sh tests/abi/freeze.sh"
        return 1
    }
}

# check_abi.py also compares the header with winshm.def and those of releases.
exports_agree() {
    "$PYTHON" tests/abi/check_abi.py || return
    later=$(sed '/^#/d' tests/abi/exports.txt | while read -r name since; do
        [ "$(printf '%s\n' "$since" "$minor" | sort -V | tail -n 1)" = "$minor" ] || echo "$name"
    done)
    [ -z "$later" ] || {
        printf 'tests/abi/exports.txt has functions of a later version than %s:\n%s\n' "$minor" "$later"
        return 1
    }
}

# The packages' files, beside which lies what they were made of.
files() {
    find $made -maxdepth 2 -type f ! -path "$made/native/*" ! -path "$made/docs/*" \
        | grep -E '\.(deb|gz|nupkg|snupkg|whl|xz|zip)$' | LC_ALL=C sort
}

checksums() {
    [ -n "$(files)" ] || {
        echo "there are no packages: sh tests/package.sh"
        return 1
    }
    others=$(files | grep -Fv "$version")
    [ -z "$others" ] || {
        printf 'these are not called by version %s:\n%s\n' "$version" "$others"
        return 1
    }
    files | (cd $made && sed "s,^$made/,," | tr '\n' '\0' | xargs -0 sha256sum) >$made/SHA256SUMS &&
        (cd $made && sha256sum -c SHA256SUMS)
}

# packages PATTERN: those files of the packages, on a line.
packages() { files | grep -E "$1" | tr '\n' ' '; }

# What nobody but a person should start, in this order.
by_hand() {
    section "$said" >$made/NOTES.md
    cat <<END

What is left to do by hand, for version $version:

    git tag -a v$version -m "winshm $version"
    git push origin main v$version
    gh release create v$version --verify-tag --title "winshm $version" \\
        --notes-file $made/NOTES.md $made/SHA256SUMS $(packages "^$made/[^/]*\$")
END
    nuget=$(packages '\.nupkg$') python=$(packages '/python/')
    [ -z "$nuget" ] || echo "    dotnet nuget push --source https://api.nuget.org/v3/index.json $nuget"
    [ -z "$python" ] || echo "    python3 -m twine upload $python"
    cat <<END

nimble takes the tag. Once, so that it knows the name: a pull request to
https://github.com/nim-lang/packages, which adds winshm to packages.json with the
repository's URL and ?subdir=bindings/nim behind it.
END
}

need python
need_packages git

step "nothing is uncommitted" nothing_is_uncommitted
[ -n "$dry" ] || step "this is the main branch" this_is_main
step "the tag v$version is free" tag_is_free
step "the version of the package for Nim" version_of_nim
step "the version of the package for Python" version_of_python
without_csharp='--without=csharp'
if wanted csharp; then
    without_csharp=''
    if dotnet_ready; then
        step "the version of the package for C#" version_of_csharp
    else
        skip "the version of the package for C#" "$why"
    fi
fi
step "the change log" change_log
[ -n "$dry" ] || step "who gets fixes" security_names_versions
step "a client of $minor is frozen" client_is_frozen
step "the lists of exports agree" exports_agree
# What takes hours is not begun in vain.
[ "$failures" -eq 0 ] || {
    summary
    exit
}

if wanted tests; then
    long=--long
    [ -z "$dry" ] || long=''
    step "all tests" sh tests/run.sh $long $without_csharp
fi
if wanted packages; then
    rm -rf $made
    step "the packages" sh tests/package.sh $without_csharp
fi
step "the packages' checksums" checksums
step "the tests have left nothing behind" nothing_is_uncommitted
summary || exit
by_hand
