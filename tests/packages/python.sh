#!/bin/sh
# The packages of Python: a wheel for each system, and an archive of the sources.
#
# Usage: sh tests/packages/python.sh
#
# Takes the library from build/packages/native, and puts the packages into
# build/packages/python. They are built once more, in a folder that has nothing but the
# unpacked archive, and have to be the same. Then each is installed and used in an empty
# folder. WINE runs WINSHM_WINDOWS_PYTHON and 32-bit programs.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
# shellcheck source=tests/packages/release.sh
. "$root/tests/packages/release.sh"
# Another python3 on PATH may lack hatchling.
python=/usr/bin/python3
native=$root/build/packages/native
packages=$root/build/packages/python

# manylinux FILE: N of manylinux_2_N, whose glibc has all that the library asks for. Of the
# libraries that this platform promises it may need the C library alone.
manylinux() {
    readelf --dynamic --version-info --wide "$1" | awk -v file="$1" '
        /\(NEEDED\)/ && !/\[(libc\.so\.6|ld-linux-[^]]*)\]/ { wrong = wrong " " $NF }
        /^Version / { needs = $2 == "needs" }
        needs && / Name: / {
            sub(/.* Name: /, "")
            if ($1 !~ /^GLIBC_2\.[0-9.]+$/) { wrong = wrong " " $1; next }
            split($1, part, ".")
            if (part[2] + 0 > newest) newest = part[2] + 0
        }
        END {
            if (wrong != "") { print file " may not need" wrong > "/dev/stderr"; exit 1 }
            print newest
        }'
}

# wheel RID FILE MACHINE PLATFORM
wheel() {
    library=$native/$1/$2
    llvm-readobj --file-headers "$library" | grep -q "^Arch: $3\$" || {
        echo "$library is not for $3, which llvm-readobj tells" >&2
        return 1
    }
    WINSHM_WHEEL_LIBRARY=$library WINSHM_WHEEL_PLATFORM=$4 \
        "$python" -B -m hatchling build -t wheel -d "$to"
}

# build FROM TO: all packages, from the folder that has pyproject.toml.
build() (
    to=$2
    cd "$1"
    "$python" -B -m hatchling build -t sdist -d "$to"
    wheel linux-x64 lib/libwinshm.so.0 x86_64 "manylinux_2_${n_x64}_x86_64"
    wheel linux-arm64 lib/libwinshm.so.0 aarch64 "manylinux_2_${n_arm64}_aarch64"
    wheel win-x64 bin/winshm.dll x86_64 win_amd64
    wheel win-x86 bin/winshm.dll i386 win32
    wheel win-arm64 bin/winshm.dll aarch64 win_arm64
)

n_x64=$(manylinux "$native/linux-x64/lib/libwinshm.so.0")
n_arm64=$(manylinux "$native/linux-arm64/lib/libwinshm.so.0")
rm -rf "$packages"
build bindings/python "$packages"

again=$(mktemp -d)
trap 'rm -rf "$again"' EXIT
tar -xzf "$packages/winshm-$version.tar.gz" -C "$again"
build "$again/winshm-$version" "$again/packages"
diff -r "$packages" "$again/packages"
chmod 644 "$packages"/*

# consumer WORD...
consumer() {
    sh tests/harness/own_shm.sh "$python" -B tests/packages/python/consumer.py "$@"
}

name=$packages/winshm-$version-py3-none
consumer venv "$name-manylinux_2_${n_x64}_x86_64.whl"
consumer sources "$packages/winshm-$version.tar.gz"
consumer windows "$name-win_amd64.whl"
consumer win32 "$name-win32.whl"
consumer unpacked "$name-win_arm64.whl"
consumer unpacked "$name-manylinux_2_${n_arm64}_aarch64.whl"
