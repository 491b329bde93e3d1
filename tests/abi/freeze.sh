#!/bin/sh
# Keeps the header of a release, and a client that was built with it, for good:
#
#   sh tests/abi/freeze.sh
#
# Run it when a version is released, after the libraries are built (presets linux,
# win64, win32). It writes tests/abi/MAJOR.MINOR. Until 1.0 the folder of a minor
# version that nobody has released yet may be written again.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
part() {
    sed -n "s/^#define WINSHM_VERSION_$1 //p" "$root/include/winshm.h"
}
into=$root/tests/abi/$(part MAJOR).$(part MINOR)
mkdir -p "$into"
cp "$root/include/winshm.h" "$into"
# client COMPILER NAME LIBRARY OPTION...: nothing of the machine or the day is left in it.
client() {
    compiler=$1 name=$2 library=$3
    shift 3
    "$compiler" -std=c11 -Os -s -Wall -Wextra -Werror "$@" -I "$into" -o "$into/$name" \
        "$root/tests/abi/client.c" "$root/build/$library"
}
client gcc client-linux-x86_64 linux/libwinshm.so
client x86_64-w64-mingw32-gcc client-win64.exe win64/libwinshm.dll.a -Wl,--no-insert-timestamp
client i686-w64-mingw32-gcc client-win32.exe win32/libwinshm.dll.a -Wl,--no-insert-timestamp
ls -l "$into"
