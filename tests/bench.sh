#!/bin/sh
# Measures winshm against what else there is, side by side.
#
# Usage: sh tests/bench.sh [--quick] [--linux | --windows] [--only PART] [--kills N]
#                          [--without PART]... [--keep]
#
# On Linux, and the Windows library under Wine. --quick: 3 pairs of blocks in place of 9,
# shorter ones, and curves measured once. --only: the cases whose name has this in it.
# --only tails: the longest waits for a lock; --only frames: data on the move, or a part of
# that, as --only frames/c-python. What such a run measures takes its place among the rest.
# --kills: how many owners of the lock are killed to see how late a waiter is told.
# --without cases, languages, growth, idle, calls, tails, frames or csharp: not those.
# Prints tables; build/bench/ has the same as JSON, and as pictures, which --keep copies
# to tests/bench/latest, where README.md shows one of them. No figure makes it fail, a wrong
# result does. Nothing else should run on the machine meanwhile: 45 minutes, of which frames
# take 25 and tails 2; --quick 10.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/env.sh
. "$root/tests/env.sh"
cd "$root" || exit

platforms='linux windows' latest='' csharp=yes arguments=''
while [ $# -gt 0 ]; do
    case $1 in
    --quick) arguments="$arguments --quick" ;;
    --linux) platforms=linux ;;
    --windows) platforms=windows ;;
    --keep) latest=tests/bench/latest ;;
    --without)
        case ${2-} in csharp) csharp='' ;; *) arguments="$arguments $1 ${2-}" ;; esac
        shift
        ;;
    --only | --kills) arguments="$arguments $1 ${2-}" && shift ;;
    *)
        echo "usage: see the beginning of $0" >&2
        exit 2
        ;;
    esac
    shift
done

out=$root/build/bench
export PYTHON
mkdir -p "$out" || exit
# A part that is to be kept comes among those that were.
case $arguments in *--only* | *--without*)
    for platform in ${latest:+linux windows}; do
        cp "$latest/$platform.json" "$out" || exit
    done
    ;;
esac

build_c() {
    case $1 in
    linux) set -- linux ;;
    windows)
        set -- win64 -DCMAKE_SYSTEM_NAME=Windows -DCMAKE_SYSTEM_PROCESSOR=AMD64 \
            -DCMAKE_C_COMPILER=x86_64-w64-mingw32-gcc \
            -DCMAKE_RC_COMPILER=x86_64-w64-mingw32-windres
        ;;
    esac
    folder=$1
    shift
    cmake -S tests/bench -B "$out/$folder" -G Ninja "$@" && cmake --build "$out/$folder"
}

build_nim() {
    case $1 in
    linux) set -- linux '' '' ;;
    windows) set -- win64 .exe '-d:mingw --cpu:amd64' ;;
    esac
    # shellcheck disable=SC2086  # The flags are a list of words.
    nim c -d:release --hints:off $3 --nimcache:"$root/build/nimcache/$1-bench" \
        -o:"$out/$1/nim/worker$2" tests/bench/worker.nim
}

build_csharp() {
    case $1 in
    linux) set -- linux '' ;;
    windows) set -- win64 '-r win-x64 --self-contained' ;;
    esac
    # shellcheck disable=SC2086  # The target is a list of words.
    dotnet publish -c Release $2 -o "$out/$1/csharp" tests/bench/csharp
}

need native nim
need_packages libboost-dev libzmq3-dev python3-matplotlib python3-numpy python3-zmq strace
if [ -n "$csharp" ] && ! dotnet_ready; then
    skip "everything in C#" "$why"
    csharp=''
fi
case $platforms in
*windows*)
    need windows
    if [ -z "${WINSHM_WINDOWS_PYTHON:-}" ]; then
        need windows-python
        step "build a Windows Python" sh tests/windows-python/build.sh \
            "$WINSHM_CACHE/windows-python" || exit
        export WINSHM_WINDOWS_PYTHON="$WINSHM_CACHE/windows-python/python.exe"
    fi
    wine_ready
    export WINE WINE_VERSION="$wine_version"
    ;;
esac

# All is built before anything is measured.
for platform in $platforms; do
    step "build in C, -O2, $platform" build_c "$platform" || exit
    step "build in Nim, $platform" build_nim "$platform" || exit
    [ -z "$csharp" ] || step "build in C#, $platform" build_csharp "$platform" || exit
done
[ -n "$csharp" ] || rm -rf "$out"/*/csharp
for platform in $platforms; do
    # shellcheck disable=SC2086  # The arguments are a list of words.
    "$PYTHON" -B tests/bench/bench.py "$platform" "$out/$platform.json" $arguments </dev/null ||
        die "a result was wrong"
done
# A picture shows both platforms, also if one was measured before.
runs=''
for platform in linux windows; do
    [ ! -e "$out/$platform.json" ] || runs="$runs $out/$platform.json"
done
# shellcheck disable=SC2086  # The runs are a list of words.
step "draw the pictures" "$PYTHON" -B tests/bench/plot.py "$out" $runs
say "also in $out: JSON and pictures"
if [ -n "$latest" ]; then
    mkdir -p "$latest"
    # shellcheck disable=SC2086  # The runs are a list of words.
    step "keep them in $latest" cp $runs "$out"/*.svg "$out"/moving.md "$latest"
fi
summary
