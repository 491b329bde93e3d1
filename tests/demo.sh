#!/bin/sh
# The demonstration: programs in C, Python, C# and Nim share one block of memory.
#
# Usage: sh tests/demo.sh [--native] [--without csharp]
#
# They are Windows programs under Wine, or Linux programs with --native. The same goes
# for what is installed and kept as with run.sh. What is shown: tests/interop/demo.py.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/env.sh
. "$root/tests/env.sh"
# shellcheck source=tests/interop/programs.sh
. "$root/tests/interop/programs.sh"

native=''
for word; do
    shift
    case $word in
    --native) native=yes ;;
    *) set -- "$@" "$word" ;;
    esac
done
options csharp "$@"
cd "$root" || exit

# build PRESET...: the libraries alone.
build() {
    for preset; do
        cmake --preset "$preset" && cmake --build "build/$preset" --target winshm || return
    done
}

# must NAME COMMAND...: a step that the rest needs.
must() {
    step "$@" || {
        summary
        exit 1
    }
}

need native nim python
csharp=''
if wanted csharp; then
    if dotnet_ready; then
        csharp=csharp
    else
        skip "everything in C#" "$why"
    fi
fi
languages=c,python${csharp:+,csharp},nim

if [ -n "$native" ]; then
    platform=linux presets=linux targets=linux
else
    platform=windows presets='win64 win32' targets=win64
    need windows windows-python
    wine_ready
    export WINE
    if [ "$WINE32" = yes ]; then
        languages=$languages,c32
    else
        skip "the 32-bit program" "this Wine does not run it"
    fi
    if [ -z "${WINSHM_WINDOWS_PYTHON:-}" ]; then
        [ -d "$WINSHM_CACHE/windows-python" ] || say "building a Windows Python (90 s, once)"
        must "Windows Python" sh tests/windows-python/build.sh "$WINSHM_CACHE/windows-python"
        export WINSHM_WINDOWS_PYTHON="$WINSHM_CACHE/windows-python/python.exe"
    fi
fi

# shellcheck disable=SC2086  # These are lists of words.
{
    must "build the library" build $presets
    must "programs in C" build_c 'share watch' $presets
    must "program in Nim" build_nim share $targets
    [ -z "$csharp" ] || must "program in C#" build_csharp share $targets
}

say "starting them"
checks=$((checks + 1))
"$PYTHON" -B tests/interop/demo.py --platform "$platform" --languages "$languages" ||
    failures=$((failures + 1))
summary
