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
    step "package for $1" sh "tests/packages/$1.sh" ||
        say "to repeat it: sh tests/packages/native.sh && sh tests/packages/$1.sh"
}

need native windows
need_packages gcc-aarch64-linux-gnu clang lld llvm
need_packages g++-mingw-w64-x86-64-win32 unzip zip # for C
wine_ready
export WINE WINE32
[ "$WINE32" = yes ] || skip "32-bit Windows programs" "this Wine does not run them"

step "the library for each system" sh tests/packages/native.sh || { summary; exit; }
package c
summary
