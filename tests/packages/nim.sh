#!/bin/sh
# The package for Nim: packed into build/packages, installed with nimble as users do, and
# used by a project in an empty folder.
#
# Usage: sh tests/packages/nim.sh
#
# Takes the libraries from tests/packages/native.sh. Nothing comes from the network: winshm
# needs no other package, so nimble's list of them is an empty one here.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
# shellcheck source=tests/packages/release.sh
. "$root/tests/packages/release.sh"
# shellcheck source=tests/packages/steps.sh
. "$root/tests/packages/steps.sh"
if [ -z "${WINE:-}" ]; then
    # shellcheck source=tests/env.sh
    . "$root/tests/env.sh"
    wine_ready
fi
native=$root/build/packages/native

# The user's machine, and nothing of this one's settings.
export NIMBLE_DIR="$work/nimble" XDG_CACHE_HOME="$work/cache" XDG_CONFIG_HOME="$work/config"
unset WINSHM_LIBRARY LD_LIBRARY_PATH WINEPATH
settings="NIMBLE_DIR='$NIMBLE_DIR'"

# expect TEXT: what the step had to say.
expect() {
    [ "$(tr -d '\r' <"$said")" = "$1" ] || failed "what it should say is: ${1:-nothing}"
}

# pack FOLDER FILE: the folder as an archive, in which neither time nor user is told.
pack() {
    mkdir -p "$work/pack/winshm-$version"
    (cd "$1" && find . -name '*.nim' -o -name '*.nims' -o -name '*.nimble' -o -name '*.md') |
        tar -C "$1" -cf - -T - | tar -C "$work/pack/winshm-$version" -xf -
    cp "$root/LICENSE" "$work/pack/winshm-$version"
    tar -C "$work/pack" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 \
        --numeric-owner --mode=u=rwX,go=rX --format=ustar -cf - "winshm-$version" |
        gzip -9 -n >"$2"
    rm -rf "$work/pack"
}

# a_user: with nothing installed.
a_user() {
    rm -rf "$NIMBLE_DIR"
    mkdir "$NIMBLE_DIR"
    echo '[]' >"$NIMBLE_DIR/packages_official.json"
}

# installed: just what the package has, under the version that winshm.h has.
installed() {
    again="ls '$NIMBLE_DIR'/pkgs*"
    set -- "$NIMBLE_DIR"/pkgs*/*
    case $# in 1) ;; *) failed "$# packages are installed" ;; esac
    case $1 in */winshm-"$version"*) ;; *) failed "$1 is not $version" ;; esac
    diff -r -x README.md -x LICENSE -x examples -x nimblemeta.json "$package" "$1" >"$said" 2>&1 ||
        failed "the installed package is not what was packed"
}

# The package, twice.
packed=build/packages/winshm-nim-$version.tar.gz
pack bindings/nim "$packed"
mkdir "$work/copy"
cp -R bindings/nim "$work/copy"
pack "$work/copy/nim" "$work/again.tar.gz"
try "the package is the same when it is made again" "$root" cmp "$packed" "$work/again.tar.gz"
rm -r "$work/copy"

# From the folder.
package=$work/apart/winshm-$version
mkdir "$work/apart"
tar -C "$work/apart" -xzf "$packed"
a_user
try "nimble install, from the folder" "$package" nimble install -y
installed

# From a clone of the repository as it is now, with the tag that a release has.
mkdir "$work/repository"
tar -cf - --exclude=./build --exclude=./.git . | tar -C "$work/repository" -xf -
rm -rf "$work/repository/bindings/nim"
cp -R "$package" "$work/repository/bindings/nim"
git="git -C $work/repository -c user.name=winshm -c user.email=winshm@localhost"
$git init -q
$git add .
$git commit -q -m "All files"
$git tag "v$version"
try "git clone" "$work" git clone -q "file://$work/repository" "$work/clone"
a_user
try "nimble install, in a clone" "$work/clone/bindings/nim" nimble install -y
installed

# A project that names the repository: nimble makes the clone.
a_user
cp -R tests/packages/nim "$work/by-address"
sed -i "s,\"winshm ,\"file://$work/repository?subdir=bindings/nim ," "$work/by-address/score.nimble"
try "nimble build, with the repository's address" "$work/by-address" nimble build -y
installed

# A project that names the package. The library is loaded, linked, or in the program.
cp -R tests/packages/nim "$work/by-name"
for system in linux-x64 win-x64; do
    case $system in
    linux-x64) flags='' exe='' shared=lib/libwinshm.so.0 ;;
    win-x64) flags='-d:mingw --cpu:amd64' exe=.exe shared=bin/winshm.dll ;;
    esac
    for way in loaded linked static; do
        case $way in
        loaded) bound='' ;;
        linked) bound="-d:winshmLink --passL:-L$native/$system/lib" ;;
        static) bound="-d:winshmStatic --passL:-L$native/$system/lib" ;;
        esac
        place=$work/$system/$way
        mkdir -p "$place"
        # shellcheck disable=SC2086  # The flags are lists of words.
        try "nimble c, $way, $system" "$work/by-name" nimble c -y --hints:off $flags $bound \
            -o:"$place/score$exe" score.nim
        [ "$way" = static ] || cp -L "$native/$system/$shared" "$place"
        # Linux looks beside a program for what is loaded by its path only.
        case $system-$way in
        linux-x64-linked) try "run it" "$place" env LD_LIBRARY_PATH=. ./score ;;
        linux-x64-*) try "run it" "$place" ./score ;;
        *) try "run it" "$place" "$WINE" ./score.exe ;;
        esac
        expect "$version 42"
    done
done

# The static one does not even look for a library; that this would be seen, the other shows.
try "what the program looks for that loads the library" "$work/linux-x64/loaded" \
    env LD_DEBUG=libs ./score
grep -q libwinshm "$said" || failed "it does not look for libwinshm.so"
try "what the static program looks for" "$work/linux-x64/static" env LD_DEBUG=libs ./score
! grep -q libwinshm "$said" || failed "it looks for libwinshm.so"
rm "$work/win-x64/loaded/winshm.dll"
try "the program that loads the library, without it" "$work/win-x64/loaded" \
    sh -c "! '$WINE' ./score.exe"
grep -q 'winshm.dll cannot be loaded' "$said" || failed "it does not say what it lacks"
