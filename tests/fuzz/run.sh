#!/bin/sh
# Hostile memory: fuzz targets, exhaustive sweeps and the scribbler, all built with
# clang's AddressSanitizer and UndefinedBehaviorSanitizer.
#
# Usage: sh tests/fuzz/run.sh [--full SECONDS | --executions N] [--scribble SECONDS]
#                             [--seed SEED]
#
#   parse    the parser of names, alone
#   layout   the parser of layout texts, alone, and their comparison
#   names    names, options, handles and ranges as callers pass them
#   control  opening, creating and using a region whose control block lies, beside
#            participants that live or as what an earlier life has left
#   slots    every call on open handles while lock words and slots change, at once or
#            between any two loads of a call
#   load     files that lie, and change while they are loaded
#
# The last four run with all of the library that is above src/platform.h, and with that
# contract kept in memory (world_memory.c): no system call, no file, and a clock that
# does not wait. NAME-linux is the same target with the Linux backend on real files,
# some ten times slower; executions are counted apart.
#
#   fetch          how often a call loads each word of a header, and what comes of one
#                  that is another one at the second look
#   sweep-bytes    each value of each byte of the header, real files
#   sweep-control  each length of the control file, when opening
#   sweep-data     each length of the data file, under open handles
#   scribble       random words in everything, four workers, real processes
#   scribble-cut   the same, and both files are cut short and made whole again
#
# Without options it takes about a minute. --full gives SECONDS to each target;
# --executions divides N inputs among them, most of them to the fast ones; both sweep
# the words behind the header as well. --scribble gives SECONDS to each scribbler. Needs
# Debian's clang and libclang-rt-14-dev (status 77 without). FUZZ_BUILD names the folder
# for programs, logs and failing inputs; the inputs that a campaign has found are kept
# there and used again. To see a failure again:
#
#   build/fuzz/fuzz_TARGET build/fuzz/failures/TARGET-crash-...
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${FUZZ_BUILD:-$root/build/fuzz}

usage() {
    echo "usage: sh tests/fuzz/run.sh [--full SECONDS | --executions N]" \
        "[--scribble SECONDS] [--seed SEED]" >&2
    exit 2
}

# 0 would mean "without end" or "another each time" to libFuzzer.
seconds=3 executions='' scribble=4 last_byte=108 seed=$(($(date +%s) % 1000000 + 1))
while [ $# -gt 0 ]; do
    case ${2-} in '' | 0* | *[!0-9]*) usage ;; esac
    case $1 in
    --full) seconds=$2 last_byte=396 ;;
    --executions) executions=$2 last_byte=396 ;;
    --scribble) scribble=$2 ;;
    --seed) seed=$2 ;;
    *) usage ;;
    esac
    shift 2
done

CC=${CLANG:-clang}
mkdir -p "$out/core" "$out/linux" "$out/plain" "$out/failures" || exit 1
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

# A coverage that costs little: what comparisons are about is in the inputs already.
coverage=-fsanitize-coverage=inline-8bit-counters,pc-table

# program NAME KIND OBJECT...
program() {
    into=$1 kind=$2
    shift 2
    "$CC" -fsanitize="$kind",address,undefined -pthread "$@" -o "$into"
}

# The library twice: with what stands between it and the system, and as it is.
build() {
    rm -f ./*.o core/*.o linux/*.o plain/*.o
    for source in "$root"/src/*.c; do
        name=$(basename "$source" .c)
        compile "$source" "core/$name.o" "$coverage" -include "$here/strike.h" &&
            compile "$source" "plain/$name.o" || return
    done
    for source in "$root"/src/posix/*.c; do
        name=$(basename "$source" .c)
        case $name in
        life) set -- -Dwshm_posix_open=bench_posix_open ;;
        time) set -- -Dclock_gettime=bench_clock_gettime -Dsyscall=bench_syscall ;;
        *) set -- ;;
        esac
        compile "$source" "linux/$name.o" "$coverage" "$@" &&
            compile "$source" "plain/posix-$name.o" || return
    done
    for name in bench calls fuzz_parse fuzz_layout fuzz_names fuzz_control fuzz_slots fuzz_load \
        fetch sweep scribble world_linux world_memory world_memory_file world_memory_wait; do
        compile "$here/$name.c" "$name.o" || return
    done
    memory='bench.o calls.o world_memory.o world_memory_file.o world_memory_wait.o'
    files='bench.o calls.o world_linux.o -Wl,--wrap=mmap64,--wrap=munmap'
    # shellcheck disable=SC2086  # These are lists of words.
    for name in names control slots; do
        program "fuzz_$name" fuzzer "fuzz_$name.o" $memory core/*.o &&
            program "fuzz_$name-linux" fuzzer "fuzz_$name.o" $files core/*.o linux/*.o || return
    done
    # shellcheck disable=SC2086
    program fuzz_parse fuzzer fuzz_parse.o $memory core/*.o &&
        program fuzz_load fuzzer fuzz_load.o $memory core/*.o &&
        program fuzz_layout fuzzer fuzz_layout.o $memory core/*.o &&
        program fetch fuzzer-no-link fetch.o $memory core/*.o &&
        program sweep fuzzer-no-link sweep.o $files core/*.o linux/*.o &&
        program scribble fuzzer-no-link scribble.o plain/*.o
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

# target NAME SHARE LENGTH: SHARE of a thousand executions, inputs of up to LENGTH bytes.
target() {
    mkdir -p "found/$1"
    limit=-max_total_time=$seconds
    [ -z "$executions" ] || limit=-runs=$((executions * $2 / 1000 + 1))
    # A new input goes to the first folder; the corpus in the tree is only read.
    measure "$1" "./fuzz_$1" -seed="$seed" "$limit" -max_len="$3" -timeout=20 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="failures/$1-" \
        "found/$1" "$here/corpus/${1%-linux}"
}

echo "seed $seed"
target parse 200 256
target layout 150 512
target names 194 256
target control 200 64
target slots 230 64
target load 20 64
target names-linux 2 256
target control-linux 2 256
target slots-linux 2 256
measure fetch ./fetch
measure sweep-bytes ./sweep bytes "$last_byte"
measure sweep-control ./sweep control
measure sweep-data ./sweep data
measure scribble ./scribble "$scribble" "$seed"
measure scribble-cut ./scribble "$scribble" "$seed" cut

printf '%-16s %12s %8s %9s  %s\n' target executions seconds coverage result
printf '%s' "$table"
[ "$result" -eq 0 ] || echo "failing inputs are in $out/failures"
exit "$result"
