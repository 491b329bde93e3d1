#!/bin/sh
# A region that one system's program has saved is loaded by every other one's.
#
# Usage: sh saved.sh PRESET...
#
# The presets, such as linux, win64 and win32, are built; WINE runs Windows programs.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$root/build/saved
mkdir -p "$work"

# run PRESET save|load FILE
run() {
    case $1 in
    linux) sh "$root/tests/harness/own_shm.sh" "$root/build/linux/tests/test_saved" "$2" "$3" ;;
    *) sh "$root/tests/harness/wine.sh" "$root/build/$1/test_saved.exe" "$2" \
        "Z:$(printf %s "$3" | sed 's,/,\\,g')" ;;
    esac
}

for from; do
    run "$from" save "$work/$from"
    for to; do
        run "$to" load "$work/$from"
        echo "$from to $to"
    done
done
