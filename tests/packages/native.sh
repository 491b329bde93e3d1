#!/bin/sh
# The library as the packages take it: optimised, without debug information, and byte
# for byte the same wherever and whenever it is built by the same compilers.
#
# Usage: sh tests/packages/native.sh
#
# Installs it in build/packages/native/RID, where RID is what .NET calls a system:
# linux-x64, linux-arm64, win-x64, win-x86 and win-arm64.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
# The linker leaves the time out of a DLL; strip would put it in.
export SOURCE_DATE_EPOCH=0

# native RID PRESET
native() {
    rid=$1 preset=$2
    build=build/packages/build/$rid
    rm -rf "$build" "build/packages/native/$rid"
    CFLAGS="-ffile-prefix-map=$root=." LDFLAGS="" cmake --preset "$preset" -B "$build" \
        -DBUILD_TESTING=OFF -DCMAKE_BUILD_TYPE=Release
    cmake --build "$build"
    cmake --install "$build" --strip --prefix "build/packages/native/$rid"
}

native linux-x64 linux
native linux-arm64 arm64
native win-x64 win64
native win-x86 win32
native win-arm64 winarm64
