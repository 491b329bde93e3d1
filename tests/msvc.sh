#!/bin/sh
# The library and its C tests as Visual C++ would have them, without Windows: Clang in
# its mode for that compiler, with Microsoft's own headers and libraries.
#
# Usage: sh tests/msvc.sh [--without csharp]
#
# Downloads Microsoft's SDK by NuGet (1.6 GB, once), under Microsoft's licence, and keeps
# it in ~/.cache/winshm, or in WINSHM_CACHE. The headers and the start-up code of the
# run-time, which come with Visual C++ alone, have stand-ins in tests/msvc. What is built
# for x86-64 is tested under Wine, with the bindings; what is built for ARM64 is linked and
# looked at; for 32 bits the SDK has nothing to link with.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/env.sh
. "$root/tests/env.sh"
# shellcheck source=tests/interop/programs.sh
. "$root/tests/interop/programs.sh"
# shellcheck source=tests/bindings/suites.sh
. "$root/tests/bindings/suites.sh"
options csharp "$@"
cd "$root" || exit

sdk=$WINSHM_CACHE/msvc

# fetch_sdk DIRECTORY
fetch_sdk() (
    rm -rf "$1"
    mkdir -p "$1/packages" && cp tests/msvc/sdk.csproj "$1" || exit
    dotnet restore "$1/sdk.csproj" --packages "$1/packages"
)

# sdk_links: Windows does not tell capitals from small letters.
sdk_links() (
    cd "$sdk/packages" || exit
    rm -rf ../include ../links ../x64 ../arm64
    ln -s "$PWD"/microsoft.windows.sdk.cpp/*/c/Include/* ../include &&
        "$PYTHON" "$root/tests/msvc/links.py" ../include ../links || exit
    for arch in x64 arm64; do
        "$PYTHON" "$root/tests/msvc/links.py" "microsoft.windows.sdk.cpp.$arch"/*/c/um/$arch \
            "microsoft.windows.sdk.cpp.$arch"/*/c/ucrt/$arch ../$arch || exit
    done
)

# runtime ARCH TARGET MACHINE: what takes the place of Visual C++'s own libraries.
runtime() (
    mkdir -p "build/msvc-$1" && cd "build/msvc-$1" || exit
    for file in start_program start_dll; do
        clang --driver-mode=cl "--target=$2" -fms-compatibility-version=19.40 /c /W4 /O2 /GS- \
            /X "/imsvc$root/tests/msvc" "/imsvc$sdk/include/ucrt" "/imsvc$sdk/links" \
            "/imsvc$sdk/include/um" "/imsvc$sdk/include/shared" \
            "$root/tests/msvc/$file.c" || exit
    done
    for dll in vcruntime140 ntdll; do
        llvm-dlltool -m "$3" -d "$root/tests/msvc/$dll.def" -l "$dll.lib" || exit
    done
    lld-link /lib /out:runtime.lib vcruntime140.lib ntdll.lib start_program.obj start_dll.obj
)

configure() {
    cmake --fresh -S . -B "build/msvc-$1" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
        -DCMAKE_TOOLCHAIN_FILE="$root/tests/msvc/toolchain.cmake" -DWINSHM_MSVC="$sdk" \
        -DWINSHM_MSVC_ARCH="$1" -DCMAKE_COMPILE_WARNING_AS_ERROR=ON -DPython3_EXECUTABLE="$PYTHON" \
        "-DCMAKE_CROSSCOMPILING_EMULATOR=sh;$root/tests/harness/wine.sh"
}

compiled() {
    configure "$1" && cmake --build "build/msvc-$1"
}

# linked ARCH TARGET MACHINE
linked() {
    runtime "$@" && compiled "$1"
}

# checked ARCH OPTION...
checked() {
    build=build/msvc-$1
    shift
    ctest --test-dir "$build" --no-tests=error --output-on-failure -j 2 "$@"
}

dotnet_ready || die "$why"
need native windows nim python windows-python
need_packages clang lld llvm
if [ ! -d "$sdk" ]; then
    say "fetching Microsoft's SDK (1.6 GB, once)"
    quietly sdk fetch_sdk "$sdk.part" || die "there is no SDK"
    mv "$sdk.part" "$sdk"
fi
quietly links sdk_links || die "the SDK is not as it was"
wine_ready
export WINE

step "compile the library and its tests for x86" compiled x86
step "build the library and its tests for ARM64" linked arm64 aarch64-pc-windows-msvc arm64
tests "what it exports and imports, ARM64" checked arm64 -R '^check\.'
step "build the library and its tests for x86-64" linked x64 x86_64-pc-windows-msvc i386:x86-64
tests "library tests, x86-64" checked x64

# shellcheck disable=SC2034  # suites.sh uses it.
win64_build=msvc-x64
tests "tests in Nim, x86-64" nim_tests win64
! wanted csharp || tests "tests in C#, x86-64" csharp_tests win64
if [ -z "${WINSHM_WINDOWS_PYTHON:-}" ]; then
    export WINSHM_WINDOWS_PYTHON="$WINSHM_CACHE/windows-python/python.exe"
    step "build a Windows Python" sh tests/windows-python/build.sh "$WINSHM_CACHE/windows-python"
fi
tests "tests in Python, x86-64" windows_pytest tests/bindings/python

summary
