#!/bin/sh
# Data races: the library and its tests under ThreadSanitizer.
#
# Usage: sh tests/race/run.sh [--full SECONDS] [--seed SEED]
#
# Without options it takes some seconds once it is built. --full runs every test that
# can be run so, gives SECONDS to the stress of all functions by many threads, and then
# breaks the library in one place after another, which must be told. Needs Debian's
# clang, libclang-rt-14-dev and llvm-14 (status 77 without).
#
# What this build does not see: fences. ThreadSanitizer lets them order nothing, so it
# would at most report what they do order; as nothing but the copies in suppressions.txt
# is reported, no plain datum is handed over by a fence alone. That the fences order
# what they have to, stores before later loads, is searched in tests/model.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

usage() {
    echo "usage: sh tests/race/run.sh [--full SECONDS] [--seed SEED]" >&2
    exit 2
}

full='' seconds=3 seed=$(($(date +%s) % 1000000 + 1))
while [ $# -gt 0 ]; do
    case ${2-} in '' | 0* | *[!0-9]*) usage ;; esac
    case $1 in
    --full) full=yes seconds=$2 ;;
    --seed) seed=$2 ;;
    *) usage ;;
    esac
    shift 2
done

cd "$root" && mkdir -p build || exit 1
echo 'int main(void) { return 0; }' >build/probe.c
if ! clang -fsanitize=thread build/probe.c -o build/probe 2>build/probe.log ||
    ! build/probe; then
    echo "no clang with ThreadSanitizer: apt-get install clang libclang-rt-14-dev"
    exit 77
fi
# Without it no function has a name, and so nothing is suppressed.
symbolizer=$(command -v llvm-symbolizer-14 || command -v llvm-symbolizer) || {
    echo "no llvm-symbolizer, which names the functions: apt-get install llvm-14"
    exit 77
}

# Faults are wanted here and there, threads still run when a process ends, and forked
# children start some.
export TSAN_OPTIONS="suppressions=$here/suppressions.txt exitcode=66 history_size=4
    handle_segv=0 handle_sigbus=0 atexit_sleep_ms=0 die_after_fork=0
    external_symbolizer_path=$symbolizer"

# It prints the seed.
stress() {
    build/thread/tests/test_race_static "$seconds" "$seed" &&
        build/thread/tests/test_sharing_static "$seconds" "$seed"
}

cmake --preset thread || exit
if [ -z "$full" ]; then
    cmake --build build/thread --target test_race_static test_sharing_static \
        test_threads test_change || exit
    ctest --test-dir build/thread --no-tests=error --output-on-failure \
        -R '^(threads|change)$' && stress
    exit
fi

# fork: ThreadSanitizer does not go with a fork() of several threads.
# ends: counts what is mapped, which is another number here.
# view, attacks: here a part that is mapped read-only may be part of a mapping that is not.
# process: sends SIGBUS at any moment, which ThreadSanitizer takes for its own doing.
# hostile, holding: here whoever takes one handle's control block away takes it from all.
# check: sanitizers bring names and libraries of their own.
cmake --build build/thread &&
    ctest --test-dir build/thread --no-tests=error --output-on-failure -j 2 \
        -E '^(fork|view|ends|attacks|hostile|holding|process|check)' && stress &&
    /usr/bin/python3 "$here/mutants.py" "$root" build "$seed"
