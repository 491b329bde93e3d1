#!/bin/sh
# All packages, built into build/packages and used from there by a program in an empty
# folder, never from the checkout.
#
# Usage: sh tests/package.sh [--without csharp]
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/env.sh
. "$root/tests/env.sh"
options csharp "$@"
cd "$root" || exit

# package NAME: built and tried by a script of its own, which anybody can repeat.
package() {
    step "package for $1" sh "tests/packages/$1.sh" || [ $? -eq 77 ] ||
        say "to repeat it: sh tests/packages/native.sh && sh tests/packages/$1.sh"
}

need native windows nim
need_packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross clang clang-tools lld llvm git
need_packages g++-mingw-w64-x86-64-win32 unzip zip # for C
need_packages python3-hatchling python3-venv mypy
need_packages doxygen # for the reference
if [ -z "${WINSHM_WINDOWS_PYTHON:-}" ]; then
    need windows-python
    step "build a Windows Python" sh tests/windows-python/build.sh "$WINSHM_CACHE/windows-python"
    export WINSHM_WINDOWS_PYTHON="$WINSHM_CACHE/windows-python/python.exe"
fi
wine_ready
export WINE WINE32
[ "$WINE32" = yes ] || skip "32-bit Windows programs" "this Wine does not run them"

step "the library for each system" sh tests/packages/native.sh || { summary; exit; }
package c
package python
package nim
languages='c nim python'
if wanted csharp; then
    if dotnet_ready; then
        languages="$languages csharp"
        package nuget
    else
        skip "package, reference and page of C#" "$why"
    fi
fi
# The pages are followed with all packages, so they come last.
# shellcheck disable=SC2086  # This is a list of words.
step "the reference" sh tests/packages/reference.sh $languages
# shellcheck disable=SC2086
step "the pages, followed by a new user" sh tests/packages/pages.sh $languages && sed -n 's/^[a-z]*: first/        &/p' "$log"
summary
