#!/bin/sh
# Runs a test with a /dev/shm of its own, where the system lets it.
#
# Usage: sh tests/own_shm.sh PROGRAM [ARGUMENT]...
#
# Every process that creates a region tidies up after crashes: what one test lays out
# for itself would not stay beside others. And a test that fails leaves nothing behind.
if [ "$1" = --inside ]; then
    shift
    mount -t tmpfs -o mode=1777 winshm-test /dev/shm || exit 125
    exec "$@"
fi
if unshare --mount sh -c 'mount -t tmpfs winshm-test /dev/shm' 2>/dev/null; then
    exec unshare --mount sh "$0" --inside "$@"
fi
exec "$@"
