#!/bin/sh
# Hostile memory: fuzz targets, exhaustive sweeps and the scribbler, all built with
# clang's AddressSanitizer and UndefinedBehaviorSanitizer.
#
# Usage: sh tests/fuzz/run.sh [--full SECONDS | --executions N] [--seed SEED]
#
# Without options it takes about a minute. --full gives SECONDS to each fuzz target and
# to the scribbler, --executions makes each target run N inputs; both sweep the words
# behind the header as well. Needs Debian's clang and libclang-rt-14-dev (status 77
# without). FUZZ_BUILD names the folder for programs, logs and failing inputs; the inputs
# that a campaign has found are kept there and used again. To see a failure again:
#
#   build/fuzz/fuzz_TARGET build/fuzz/failures/TARGET-crash-...
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${FUZZ_BUILD:-$root/build/fuzz}

usage() {
    echo "usage: sh tests/fuzz/run.sh [--full SECONDS | --executions N] [--seed SEED]" >&2
    exit 2
}

# 0 would mean "without end" or "another each time" to libFuzzer.
seconds=6 executions='' last_byte=108 seed=$(($(date +%s) % 1000000 + 1))
while [ $# -gt 0 ]; do
    case ${2-} in '' | 0* | *[!0-9]*) usage ;; esac
    case $1 in
    --full) seconds=$2 last_byte=396 ;;
    --executions) executions=$2 last_byte=396 ;;
    --seed) seed=$2 ;;
    *) usage ;;
    esac
    shift 2
done

CC=${CLANG:-clang}
mkdir -p "$out/plain" "$out/failures" || exit 1
cd "$out" || exit 1
echo 'int LLVMFuzzerTestOneInput(const char *d, long n) { return d == 0 && n; }' >probe.c
if ! "$CC" -fsanitize=fuzzer,address,undefined probe.c -o probe >probe.log 2>&1; then
    echo "no clang with libFuzzer: apt-get install clang libclang-rt-14-dev"
    exit 77
fi

# compile FILE OBJECT OPTION...
compile() {
    source=$1 object=$2
    shift 2
    "$CC" -std=c11 -g -O1 -Wall -Wextra -fno-omit-frame-pointer \
        -fsanitize=address,undefined -fno-sanitize-recover=all \
        -I"$root/include" -I"$root/src" -I"$here" "$@" -c "$source" -o "$object"
}

# The library twice: with what stands between it and the system, and as it is.
build() {
    rm -f ./*.o plain/*.o
    for source in "$root"/src/*.c; do
        name=$(basename "$source" .c)
        case $name in
        platform_win32*) continue ;;
        platform_posix) set -- -Dwshm_posix_open=bench_posix_open ;;
        platform_posix_wait)
            set -- -Dclock_gettime=bench_clock_gettime -Dsyscall=bench_syscall
            ;;
        platform_*) set -- ;;
        *) set -- -include "$here/strike.h" ;;
        esac
        compile "$source" "$name.o" -fsanitize=fuzzer-no-link "$@" &&
            compile "$source" "plain/$name.o" || return
    done
    for name in bench calls shim; do
        compile "$here/$name.c" "bench_$name.o" || return
    done
    for name in fuzz_control fuzz_slots fuzz_names sweep; do
        kind=fuzzer
        [ "$name" != sweep ] || kind=fuzzer-no-link
        compile "$here/$name.c" "main_$name" &&
            "$CC" -fsanitize=$kind,address,undefined -pthread \
                -Wl,--wrap=mmap64,--wrap=munmap "main_$name" ./*.o -o "$name" || return
    done
    compile "$here/scribble.c" main_scribble &&
        "$CC" -fsanitize=address,undefined -pthread main_scribble plain/*.o -o scribble
}

if ! build >build.log 2>&1; then
    cat build.log
    exit 1
fi

# Handles are numbers and no memory is allocated, so there is nothing to leak but what
# the targets count themselves.
export ASAN_OPTIONS=detect_leaks=0
result=0
table=''

# Somebody else's files are never removed: names carry the number of the process.
clean() {
    for file in "/dev/shm/wfz$1" "/dev/shm/wfz$1".* "/dev/shm/wfz$1"-* \
        "/dev/shm/wfs$1" "/dev/shm/wfs$1".winshm; do
        [ ! -e "$file" ] || rm -f "$file"
    done
}

child=''
# shellcheck disable=SC2317  # The trap calls it.
stop() {
    [ -z "$child" ] || kill "$child" 2>/dev/null
    [ -z "$child" ] || clean "$child"
    exit 130
}
trap stop INT TERM HUP

# measure NAME COMMAND...: one line of the table.
measure() {
    name=$1
    shift
    began=$(date +%s)
    nice -n 10 "$@" >"$name.log" 2>&1 </dev/null &
    child=$!
    wait "$child"
    status=$?
    clean "$child"
    child=''
    took=$(($(date +%s) - began))
    runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$name.log" | tail -n 1)
    edges=$(sed -n 's/^#.* cov: \([0-9]*\).*/\1/p' "$name.log" | tail -n 1)
    verdict=ok
    if [ "$status" -ne 0 ]; then
        verdict="FAILED ($status)" result=1
        echo "$name failed; seed $seed; all of it is in $out/$name.log:"
        grep -aE '^winshm: |ERROR: |runtime error|Test unit written|^SUMMARY' "$name.log" ||
            tail -n 20 "$name.log"
    fi
    table="$table$(printf '%-16s %12s %8s %9s  %s' "$name" "${runs:--}" "$took" \
        "${edges:--}" "$verdict")
"
}

# target NAME
target() {
    mkdir -p "found/$1"
    if [ -n "$executions" ]; then
        limit=-runs=$executions
    else
        limit=-max_total_time=$seconds
    fi
    # A new input goes to the first folder; the corpus in the tree is only read.
    measure "$1" "./fuzz_$1" -seed="$seed" "$limit" -max_len=256 -timeout=20 \
        -rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix="failures/$1-" \
        "found/$1" "$here/corpus/$1"
}

echo "seed $seed"
target control
target slots
target names
measure sweep-bytes ./sweep bytes "$last_byte"
measure sweep-control ./sweep control
measure sweep-data ./sweep data
measure scribble ./scribble "$seconds" "$seed"

printf '%-16s %12s %8s %9s  %s\n' target executions seconds coverage result
printf '%s' "$table"
[ "$result" -eq 0 ] || echo "failing inputs are in $out/failures"
exit "$result"
