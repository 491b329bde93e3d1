#!/bin/sh
# The Windows tests in C under Wine 10, which answers some questions otherwise than
# Debian 12's Wine 8.
#
# Usage: sh tests/wine10.sh [-- COMMAND...]
#
# Wine 10 is Debian 13's. It is kept with the system that it needs in
# ~/.cache/winshm/debian13 (1.6 GB, some minutes, once), which takes root's rights to
# make and to enter. With a command, that is run instead of the tests: WINSHM_WINE
# names that Wine, as in
#
#     sh tests/wine10.sh -- sh tests/campaign.sh --windows --only kill
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/env.sh
. "$root/tests/env.sh"
cd "$root" || exit

# That system has only the usual folder, and its Wine stops where another is named and
# XDG_RUNTIME_DIR is not.
unset TMPDIR
debian=$WINSHM_CACHE/debian13
[ "$(id -u)" -eq 0 ] || die "only root can enter another system"

make_debian() {
    rm -rf "$debian" "$debian.part"
    debootstrap --variant=minbase trixie "$debian.part" http://deb.debian.org/debian &&
        chroot "$debian.part" sh -c '
            dpkg --add-architecture i386 && apt-get update &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
                wine64 wine32:i386 && apt-get clean' &&
        mkdir -p "$debian.part$root" "$debian.part$WINSHM_CACHE" "$debian.part/wine" &&
        make_loader >"$debian.part/wine/wine64" &&
        chmod +x "$debian.part/wine/wine64" &&
        ln -s wine64 "$debian.part/wine/wineserver" &&
        mv "$debian.part" "$debian"
}

# A program that runs the one of its name in there, with the same files and processes,
# and with Debian 12's pytest, as windows_pytest has it.
make_loader() {
    cat <<'END'
#!/bin/sh
debian=$(cd "$(dirname "$0")/.." && pwd)
export debian
exec unshare --mount sh -c '
    for folder in /proc /dev /tmp /usr/lib/python3 "$WINSHM_ROOT" "$WINSHM_CACHE"; do
        mkdir -p "$debian$folder" && mount --rbind "$folder" "$debian$folder" || exit
    done
    exec chroot "$debian" sh -c "cd \"\$1\" && shift && exec \"\$@\"" sh "$@"
' sh "$PWD" "/usr/lib/wine/$(basename "$0")" "$@"
END
}

if [ ! -d "$debian" ]; then
    need_packages debootstrap
    say "fetching Debian 13 and its Wine 10 (some minutes, once)"
    quietly debian13 make_debian || die "there is no Debian 13 to be had"
fi
export WINSHM_WINE="$debian/wine/wine64" WINSHM_ROOT="$root"

if [ "${1-}" = -- ]; then
    shift
    exec "$@"
fi
need native windows
wine_ready
export WINE
say "this is $wine_version"
for preset in win64 win32; do
    [ "$preset" = win64 ] || [ "$WINE32" = yes ] || continue
    step "build the library and its tests, $preset" sh -c "cmake --preset $preset \
        '-DCMAKE_CROSSCOMPILING_EMULATOR=sh;$root/tests/harness/wine.sh' &&
        cmake --build build/$preset" &&
        step "library tests, $preset" ctest --test-dir "build/$preset" --no-tests=error \
            --output-on-failure -j 2
done
summary
