#!/bin/sh
# Counts the instructions of the fast paths with callgrind, so that a slow-down is seen
# without timing. Run it after the library is built (cmake --build build/linux).
#
# Usage: sh tests/bench/instructions.sh [--record]
#
# Compares with instructions.txt beside it: 5 % more fails, 5 % less asks for a new
# record, which --record writes. The numbers are those of Debian 12's gcc at -O2.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
record=$root/tests/bench/instructions.txt
library=$root/build/linux
out=$root/build/instructions
rm -rf "$out"
mkdir -p "$out" || exit

gcc -std=gnu11 -O2 -Wall -Wextra -I "$root/include" -o "$out/instructions" \
    "$root/tests/bench/instructions.c" "$library/libwinshm.so" -Wl,-rpath,"$library" || exit
valgrind --tool=callgrind --instr-atstart=no --callgrind-out-file="$out/counts" \
    "$out/instructions" 2>"$out/valgrind.log" || {
    cat "$out/valgrind.log" >&2
    exit 1
}
# One file for each dump, with 1,000 operations in it.
awk '/^desc: Trigger: Client Request: / { sub(/^.*Request: /, ""); name = $0 }
    /^totals: / && name != "" { printf "%d %s\n", $2 / 1000, name; name = "" }' \
    "$out"/counts.* >"$out/instructions.txt"

if [ "${1-}" = --record ]; then
    cp "$out/instructions.txt" "$record" && cat "$record"
    exit
fi
awk 'NR == FNR { name = $0; sub(/^[0-9]+ /, "", name); was[name] = $1; next }
    {
        now = $1
        name = $0
        sub(/^[0-9]+ /, "", name)
        verdict = ""
        if (!(name in was)) { verdict = "not recorded"; bad = 1 }
        else if (now > was[name] * 1.05) { verdict = "SLOWER"; bad = 1 }
        else if (now < was[name] * 0.95) verdict = "[FASTER] record it: instructions.sh --record"
        printf "%-18s %4d instructions, recorded %4d  %s\n", name, now, was[name], verdict
        delete was[name]
    }
    END {
        for (name in was) { print name ": not counted any more"; bad = 1 }
        exit bad
    }' "$record" "$out/instructions.txt"
