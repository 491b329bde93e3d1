#!/bin/sh
# All tests, on Linux and under Wine.
#
# Usage: sh tests/run.sh [--without csharp] [--long]
#
# Installs what it needs from Debian's packages (as root or with sudo) and keeps what
# takes long to make in ~/.cache/winshm; WINSHM_CACHE names another folder. An installed
# Windows Python to be used instead of one that is built: WINSHM_WINDOWS_PYTHON.
# --long repeats the tests that depend on timing, and runs all campaigns in full: some hours.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/env.sh
. "$root/tests/env.sh"
# shellcheck source=tests/interop/programs.sh
. "$root/tests/interop/programs.sh"
# shellcheck source=tests/bindings/suites.sh
. "$root/tests/bindings/suites.sh"

long=''
for word; do
    shift
    case $word in
    --long) long=yes ;;
    *) set -- "$@" "$word" ;;
    esac
done
options csharp "$@"
cd "$root" || exit

python_build=''
finish() {
    # The build has children, so it has a process group of its own.
    [ -z "$python_build" ] || kill -- "-$python_build" 2>/dev/null
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# build PRESET OPTION...: the library and its C tests.
build() {
    preset=$1
    shift
    cmake --preset "$preset" -DPython3_EXECUTABLE="$PYTHON" "$@" &&
        cmake --build "build/$preset"
}

# library_tests PRESET OPTION...
library_tests() {
    preset=$1
    shift
    step "build the library and its tests, $preset" build "$preset" "$@" || return
    tests "library tests, $preset" ctest --test-dir "build/$preset" --no-tests=error \
        --output-on-failure -j 2 ${long:+--repeat until-fail:10}
}

# For this there is nothing to run it on.
arm64_library() {
    cmake --preset winarm64 -DPython3_EXECUTABLE="$PYTHON" &&
        cmake --build build/winarm64 --target winshm winshm_static &&
        ctest --test-dir build/winarm64 --no-tests=error --output-on-failure -R '^check\.'
}

python_is_built() {
    wait "$python_build"
    status=$?
    cat "$logs/windows-python.log"
    return "$status"
}

# programs_between PLATFORM LANGUAGES: the table of pairs is shown.
programs_between() {
    for turn in 1 ${long:+2 3}; do
        step "between programs, $1${long:+, turn $turn}" pytest --tb=short tests/interop \
            --platform "$1" --languages "$2" &&
            sed -n "/^=* $1: /,\$s/^/        /p" "$log"
    done
}

# campaign OPTION...: its figures are shown.
campaign() {
    step "campaign $*" sh tests/campaign.sh "$@"
    status=$?
    sed -n '/^        /p' "$log"
    return "$status"
}

need native windows nim python
need_packages python3-numpy
csharp=''
if wanted csharp; then
    if dotnet_ready; then
        csharp=csharp
    else
        skip "everything in C#" "$why"
    fi
fi

if [ -z "${WINSHM_WINDOWS_PYTHON:-}" ]; then
    need windows-python
    [ -d "$WINSHM_CACHE/windows-python" ] ||
        say "building a Windows Python in the background (90 s, once)"
    setsid sh tests/windows-python/build.sh "$WINSHM_CACHE/windows-python" \
        >"$logs/windows-python.log" 2>&1 </dev/null &
    python_build=$!
    export WINSHM_WINDOWS_PYTHON="$WINSHM_CACHE/windows-python/python.exe"
fi
wine_ready
export WINE
windows_languages=c,python${csharp:+,csharp},nim
if [ "$WINE32" = yes ]; then
    windows_languages=$windows_languages,c32
else
    skip "32-bit Windows programs" "this Wine does not run them"
fi

library_tests linux
library_tests sanitize
library_tests win64 "-DCMAKE_CROSSCOMPILING_EMULATOR=sh;$root/tests/harness/wine.sh"
[ "$WINE32" = no ] || library_tests win32 "-DCMAKE_CROSSCOMPILING_EMULATOR=sh;$root/tests/harness/wine.sh"
if [ -n "$long" ]; then
    campaign --long
    campaign --windows --long
else
    campaign --windows --only kill
fi
if [ "$WINE32" = yes ]; then
    step "saved regions go from system to system" sh tests/interop/saved.sh linux win64 win32
else
    step "saved regions go from system to system" sh tests/interop/saved.sh linux win64
fi

tests "tests in Nim, Linux" nim_tests linux
tests "tests in Nim, win64" nim_tests win64
[ "$WINE32" = no ] || tests "tests in Nim, win32" nim_tests win32
if [ -n "$csharp" ]; then
    tests "tests in C#, Linux" csharp_tests linux
    tests "tests in C#, win64" csharp_tests win64
fi
tests "tests in Python, Linux" with_library linux pytest tests/bindings/python
if [ -n "$python_build" ]; then
    step "build a Windows Python" python_is_built
    python_build=''
fi
tests "tests in Python, win64" windows_pytest tests/bindings/python

need_packages valgrind
tests "instructions of the fast paths" sh tests/bench/instructions.sh

need_packages clang libclang-rt-14-dev lld llvm g++
step "build the library for Windows on ARM64, which is not run" arm64_library
step "hostile memory" sh tests/fuzz/run.sh ${long:+--executions 100000000 --scribble 600}
step "data races" sh tests/race/run.sh ${long:+--full 60}
[ -z "$long" ] || step "hints that are broken" "$PYTHON" tests/hints/mutants.py . build
step "models of the protocols" sh tests/model/run.sh ${long:+--full} build/model

all="share watch peer outsider layouts"
step "programs in C" build_c "$all $c_examples" linux win64 win32
step "the examples in C are C++, too" examples_are_cpp
step "the header is clean C and C++" header_is_clean
step "programs in Nim" build_nim "$all handover frames" linux win64
[ -z "$csharp" ] || step "programs in C#" build_csharp "$all handover" linux win64
programs_between linux "c,python${csharp:+,csharp},nim"
programs_between windows "$windows_languages"

need_packages libboost-dev g++-mingw-w64-x86-64-win32
tests "the documents are right" sh tests/harness/own_shm.sh "$PYTHON" tests/checks/check_docs.py \
    c nim python ${csharp:+"$csharp"}

# Each with the steps of its own script.
# shellcheck disable=SC2046  # Without C# there is one word more.
step "packages" sh tests/package.sh $([ -n "$csharp" ] || echo --without=csharp)
sed -n 's/^\[/        &/p' "$log"

if [ -n "$long" ]; then
    for platform in '' --windows; do
        step "coverage${platform:+ under Wine}" sh tests/coverage.sh $platform
    done
fi

summary
