#!/bin/sh
# Runs a Windows test program, and makes sure that it has run.
#
# Usage: WINE=wine64 sh tests/harness/wine.sh PROGRAM [ARGUMENT]...
#
# A program that Wine cannot load, which happens to 32-bit ones on a busy machine, says
# nothing and yet ends with 0; so does one whose wineserver has crashed. So each test
# leaves a file when it begins, and writes to it when it ends (child_win32.c). One that
# has not begun is started again, one that has not ended has failed.
# Programs that are no tests of ours leave none, and print instead that they have run.
[ "${WINSHM_TEST_MARK-}" != none ] || exec "$WINE" "$@"
mark=$(mktemp -u "${TMPDIR:-/tmp}/winshm-mark.XXXXXX")
trap 'rm -f "$mark"' EXIT
export WINSHM_TEST_MARK="Z:$mark"
for turn in 1 2 3; do
    "$WINE" "$@"
    status=$?
    if [ -s "$mark" ] || { [ -e "$mark" ] && [ "$status" -ne 0 ]; }; then
        exit "$status"
    elif [ -e "$mark" ]; then
        echo "$1 has not come to its end" >&2
        exit 1
    fi
    echo "Wine has not started $1 (turn $turn, exit status $status)" >&2
done
exit 1
