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
need_packages doxygen nim python3-venv # for the reference and the pages
wine_ready
export WINE

step "the library for each system" sh tests/packages/native.sh || { summary; exit; }
# The pages are followed with all packages, so they come last.
languages='c nim python'
if wanted csharp; then
    if dotnet_ready; then languages="$languages csharp"; else skip "the reference and page of C#" "$why"; fi
fi
# shellcheck disable=SC2086  # This is a list of words.
step "the reference" sh tests/packages/reference.sh $languages
# shellcheck disable=SC2086
step "the pages, followed by a new user" sh tests/packages/pages.sh $languages && sed -n 's/^[a-z]*: first/        &/p' "$log"
summary
