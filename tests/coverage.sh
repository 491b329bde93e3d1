#!/bin/sh
# What of the library the tests run: every line, and 95 of 100 branches.
#
# Usage: sh tests/coverage.sh [--windows]
#
# Builds the library with the sources and options that it ships with, but for -O0 (so
# that what is counted is what is written) and the counting itself, and runs all C tests
# with it: on Linux, or with --windows the 64-bit library under Wine. What was not run
# must be in tests/checks/coverage-linux.txt or tests/checks/coverage-windows.txt with a reason.
#
# A process writes its counts as it ends. What a killed one has run is lost, so none of
# it is counted: all figures are lower bounds. (Where others of its threads are in the
# middle of something then, flows do not add up, and gcov derives a count below 0 here
# and there; gcovr takes these for no count.)
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/env.sh
. "$root/tests/env.sh"
cd "$root" || exit

platform=linux preset=coverage gcov=gcov
case ${1-} in
'') ;;
--windows) platform=windows preset=coverage-win64 gcov=x86_64-w64-mingw32-gcov ;;
*)
    echo "usage: sh $0 [--windows]" >&2
    exit 2
    ;;
esac

# Also where tests that have become another user can write their counts.
out=$(mktemp -d "${TMPDIR:-/tmp}/winshm-coverage.XXXXXX") || exit
chmod 711 "$out"
umask 0
trap 'rm -rf "$out"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

build() {
    cmake --preset "$preset" -B "$out/build" -DPython3_EXECUTABLE="$PYTHON" "$@" &&
        cmake --build "$out/build"
}

# Sanity checks of a binary are not for one that counts.
run() {
    ctest --test-dir "$out/build" --no-tests=error --output-on-failure -j 2 -E '^check' &&
        ! grep -a '^profiling:' "$out/build/Testing/Temporary/LastTest.log"
}

# count REPORT FOLDER
count() {
    gcovr --root "$root" --filter "$root/src/" --gcov-executable "$gcov" \
        --gcov-ignore-parse-errors --json "$1" "$2"
}

need native
need_packages gcovr
set --
if [ "$platform" = windows ]; then
    need windows
    wine_ready
    export WINE
    set -- "-DCMAKE_CROSSCOMPILING_EMULATOR=sh;$root/tests/harness/wine.sh"
    sources=$(find src/win32 -maxdepth 1 -name '*.c') # the rest is for ARM64
else
    sources=$(find src -name '*.[ch]' ! -path '*/win32/*')
fi
step "build with counters, $platform" build "$@" || exit
step "library tests, counted" run
step "counts" count "$out/shipped.json" "$out/build/CMakeFiles" || exit
step "counts of the instrumented copy" count "$out/instrumented.json" "$out/build/tests" || exit
# shellcheck disable=SC2086  # This is a list of words.
step "coverage" "$PYTHON" tests/checks/coverage.py "$out/shipped.json" "$out/instrumented.json" \
    "tests/checks/coverage-$platform.txt" $sources
sed 's/^/        /' "$log"
summary
