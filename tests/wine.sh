#!/bin/sh
# Runs a Windows test program, and makes sure that it has run.
#
# Usage: WINE=wine64 sh tests/wine.sh PROGRAM [ARGUMENT]...
#
# A program that Wine cannot load, which happens to 32-bit ones on a busy machine, says
# nothing and yet ends with 0. So each test leaves a file when it begins (child_win32.c),
# and is started again where there is none.
began=$(mktemp -u "${TMPDIR:-/tmp}/winshm-began.XXXXXX")
trap 'rm -f "$began"' EXIT
export WINSHM_TEST_BEGAN="Z:$began"
for turn in 1 2 3; do
    "$WINE" "$@"
    status=$?
    [ ! -e "$began" ] || exit "$status"
    echo "Wine has not started $1 (turn $turn, exit status $status)" >&2
done
exit 1
