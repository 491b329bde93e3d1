#!/bin/sh
# The tests in C and in Python on 64-bit ARM Linux, under QEMU's user mode.
#
# Usage: sh tests/arm64.sh [--without c] [--without python]
#
# The wheel that sh tests/package.sh has made is installed and used there, too.
#
# The Python is Debian's for ARM64. It is kept with what it needs in
# ~/.cache/winshm/arm64 (73 MB to fetch, 320 MB, once). Python starts itself again, so
# the kernel has to know what to do with such programs: it is told in a user namespace
# of the run's own, which takes Linux 6.7 and no rights of root, and leaves the machine
# as it was. Kill points and refusals would take hours here, and are left out.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/env.sh
. "$root/tests/env.sh"
# shellcheck source=tests/interop/programs.sh
. "$root/tests/interop/programs.sh"
# shellcheck source=tests/bindings/suites.sh
. "$root/tests/bindings/suites.sh"
options "c python" "$@"
cd "$root" || exit

debian=$WINSHM_CACHE/arm64

# The packages are only unpacked: to set them up, their programs would have to run.
make_debian() (
    apt_apart arm64 "$1" || exit
    apt-get update || :
    apt-get install -y --download-only --no-install-recommends coreutils dash gcc \
        libc6-dev python3-numpy python3-pytest || exit
    for package in cache/archives/*.deb; do
        dpkg-deb -x "$package" system || exit
    done
    # Setting them up would have chosen these, which numpy needs.
    cd system/usr/lib/aarch64-linux-gnu &&
        ln -s blas/libblas.so.3 lapack/liblapack.so.3 .
)

# inside COMMAND...: in that system, with this one's processes, devices and checkout.
# What the kernel takes for an ARM64 program is told by the machine in its ELF header; F
# has it open QEMU now, which is not in there.
inside() {
    unshare --user --map-root-user --mount sh -c '
        debian=$1 emulator=$2 folder=$3
        shift 3
        mount -t binfmt_misc winshm-test /proc/sys/fs/binfmt_misc &&
            printf %s ":arm64:M:18:\xb7\x00::$emulator:F" >/proc/sys/fs/binfmt_misc/register || exit
        mkdir -p "$debian/tmp" && mount -t tmpfs winshm-test "$debian/tmp" || exit
        for each in /proc /dev "$folder"; do
            mkdir -p "$debian$each" && mount --rbind "$each" "$debian$each" || exit
        done
        mount -t tmpfs winshm-test "$debian/dev/shm" || exit
        exec chroot "$debian" sh -c "cd \"\$1\" && shift && exec \"\$@\"" sh "$folder" "$@"
    ' sh "$debian" "$emulator" "$root" "$@"
}

arm64_pytest() {
    with_library arm64 inside env --default-signal=INT "$PYTHON" -B -m pytest -q -rs \
        -p no:cacheprovider "$@"
}

# arm64_wheel FILE: installed and used there, by the pip of this machine's packages.
arm64_wheel() {
    cp /usr/share/python-wheels/pip-*.whl build/arm64/pip.whl || return
    WINSHM_PIP=$root/build/arm64/pip.whl inside "$PYTHON" -B \
        tests/packages/python/consumer.py bare "$1"
}

arm64_build() {
    cmake --preset arm64 -DPython3_EXECUTABLE="$PYTHON" && cmake --build build/arm64
}

need native
need_packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static python3-pip-whl
emulator=$(command -v qemu-aarch64-static) || die "there is no qemu-aarch64-static"
if wanted python && [ ! -d "$debian" ]; then
    say "fetching Debian's Python for ARM64 (73 MB, once)"
    rm -rf "$debian.part"
    quietly arm64 make_debian "$debian.part" || die "there is no Debian for ARM64 to be had"
    mv "$debian.part/system" "$debian" && rm -rf "$debian.part"
fi

step "build the library and its tests" arm64_build || { summary; exit; }
if wanted c; then
    tests "library tests" ctest --test-dir build/arm64 --no-tests=error \
        --output-on-failure -E 'points|fault'
fi
if wanted python; then
    if quietly inside inside true; then
        tests "tests in Python" arm64_pytest tests/bindings/python
        wheel=$(echo build/packages/python/*_aarch64.whl)
        if [ -f "$wheel" ]; then
            step "the wheel for Python" arm64_wheel "$wheel"
        else
            skip "the wheel for Python" "sh tests/package.sh has not made it"
        fi
    else
        skip "tests in Python" "no user namespace with binfmt_misc, which takes Linux 6.7"
    fi
fi
summary
