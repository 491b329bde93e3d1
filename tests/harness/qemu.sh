#!/bin/sh
# Runs a program for ARM64 Linux.
#
# Usage: sh tests/harness/qemu.sh PROGRAM [ARGUMENT]...
#
# A test that starts its own program again goes by WINSHM_TEST_EMULATOR
# (child_posix.c): this kernel need not know what to do with such programs.
export WINSHM_TEST_EMULATOR="${WINSHM_TEST_EMULATOR:-$(command -v qemu-aarch64-static)}"
export QEMU_LD_PREFIX="${QEMU_LD_PREFIX:-/usr/aarch64-linux-gnu}"
exec "$WINSHM_TEST_EMULATOR" "$@"
