#!/bin/sh
# Builds and runs programs against an installation of winshm that was moved after it was
# made: one found by CMake, one by pkg-config, both with the shared and the static library.
#
# Usage: sh consumer.sh linux | win64
set -eu
platform=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$root/build/consumer/$platform
rm -rf "$work"
mkdir -p "$work"

cmake --install "$root/build/$platform" --prefix "$work/first"
mv "$work/first" "$work/moved"
if grep -rn "$work/first" "$work/moved" --include='*.cmake' --include='*.pc'; then
    echo "the installation remembers where it was made" >&2
    exit 1
fi

case $platform in
linux) set -- ;;
win64)
    set -- -DCMAKE_SYSTEM_NAME=Windows -DCMAKE_C_COMPILER=x86_64-w64-mingw32-gcc
    export WINEPATH="$work/moved/bin"
    ;;
esac

# try PROGRAM...: a peer that makes a region, and what it has to say.
try() {
    printf 'create consumer-%s 100 0\nsize\nclose\n' $$ | "$@" | tr -d '\r' >"$work/said"
    printf 'ok\nok 100\nok\n' | diff - "$work/said"
}

packages=$(find "$work/moved" -type d -path '*/cmake/winshm')
cmake -G Ninja -S "$root/tests/interop/consumer" -B "$work/cmake" \
    -Dwinshm_DIR="$packages" "$@"
cmake --build "$work/cmake"
for library in winshm static; do
    if [ "$platform" = linux ]; then
        try "$work/cmake/consumer_$library"
    else
        try "$WINE" "$work/cmake/consumer_$library.exe"
    fi
done
[ "$platform" = linux ] || exit 0

PKG_CONFIG_PATH=$(dirname "$(find "$work/moved" -name winshm.pc)")
export PKG_CONFIG_PATH
libraries=$(pkg-config --variable=libdir winshm)
# shellcheck disable=SC2046  # pkg-config prints a list of words.
gcc -o "$work/pkg" "$root/tests/interop/peer.c" $(pkg-config --cflags --libs winshm)
try env LD_LIBRARY_PATH="$libraries" "$work/pkg"
# shellcheck disable=SC2046
gcc -o "$work/pkg_static" "$root/tests/interop/peer.c" $(pkg-config --cflags winshm) \
    "$libraries/libwinshm.a" $(pkg-config --libs-only-other --static winshm)
try "$work/pkg_static"
# A plug-in that has the library inside must stay loaded.
# shellcheck disable=SC2046
gcc -shared -fPIC -o "$work/plugin.so" "$root/tests/interop/peer.c" \
    $(pkg-config --cflags winshm) "$libraries/libwinshm.a" \
    $(pkg-config --libs-only-other --static winshm)
readelf -d "$work/plugin.so" | grep -q NODELETE || {
    echo "pkg-config does not ask for -z nodelete" >&2
    exit 1
}
