#!/bin/sh
# Runs a test with a /dev/shm of its own, where the system lets it.
#
# Usage: sh tests/harness/own_shm.sh PROGRAM [ARGUMENT]...
#
# Every process that creates a region tidies up after crashes: what one test lays out
# for itself would not stay beside others. And a test that fails leaves nothing behind.

# As little as can be is changed, so that it works where / is no mount point either.
mounts='mount --make-private /dev/shm && mount -t tmpfs -o mode=1777 winshm-test /dev/shm'
own() { unshare --mount --propagation unchanged sh -c "$mounts"' && exec "$@"' sh "$@"; }

if own true 2>/dev/null; then
    own "$@"
else
    exec "$@"
fi
