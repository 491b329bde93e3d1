#!/bin/sh
# Measures winshm against what else there is, side by side.
#
# Usage: sh tests/bench.sh [--quick] [--windows] [--only PART]
#
# Without options: on Linux. --windows: the Windows library, under Wine. --quick: three
# pairs of blocks in place of nine. --only: the cases whose name has this in it.
# Prints a table; build/bench/ has the same as JSON, and as a picture. No figure makes
# it fail, a wrong result does. Nothing else should run on the machine meanwhile.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/env.sh
. "$root/tests/env.sh"
cd "$root" || exit

quick='' platform=linux only=''
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=--quick ;;
    --windows) platform=win64 ;;
    --only) only=${2-} && shift ;;
    *)
        echo "usage: sh $0 [--quick] [--windows] [--only PART]" >&2
        exit 2
        ;;
    esac
    shift
done

out=$root/build/bench
export WINSHM_BENCH="$root/tests/bench" PYTHON
mkdir -p "$out" || exit

build() {
    cmake -S tests/bench -B "$out/$platform" -G Ninja "$@" &&
        cmake --build "$out/$platform"
}

measure() {
    "$@" $quick ${only:+--only "$only"} --system "$system" --json "$json"
}

need native
need_packages python3-matplotlib
json=$out/$platform.json
case $platform in
linux)
    need_packages libboost-dev
    step "build with -O2" build || exit
    system=$(uname -sr)
    measure "$out/linux/bench" || die "a case gave a wrong result"
    ;;
win64)
    need windows
    wine_ready
    step "build with -O2" build -DCMAKE_SYSTEM_NAME=Windows \
        -DCMAKE_SYSTEM_PROCESSOR=AMD64 \
        -DCMAKE_C_COMPILER=x86_64-w64-mingw32-gcc \
        -DCMAKE_RC_COMPILER=x86_64-w64-mingw32-windres || exit
    system="Wine $wine_version on $(uname -sr)"
    measure "$WINE" "$out/win64/winshm/bench.exe" </dev/null ||
        die "a case gave a wrong result"
    ;;
esac
step "draw the picture" "$PYTHON" tests/bench/plot.py "$json" "$out/$platform.svg"
say "also in $out: $platform.json, $platform.svg"
summary
