#!/bin/sh
# Builds a Windows CPython 3.11.2 from Debian's source packages, for tests under Wine.
#
# Usage: sh build.sh OUTDIR
#
# Needs Debian 12: its Python 3.11 freezes the modules of the one that is built here.
# Installs missing build packages (as root), leaves OUTDIR as it was on failure, and
# prints the path of python.exe as its last line.  OUTDIR.log has all the details.
set -eu
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
# What the caller's environment says about compilers and Pythons is not about these.
unset CC CFLAGS CPPFLAGS LDFLAGS MAKEFLAGS PYTHONHOME PYTHONPATH

packages='gcc-mingw-w64-x86-64 clang make python3 ca-certificates'

# The upstream tarballs of these source packages are the same in every update of
# Debian 12, so their checksums may be fixed here.
sources='python3.11 libffi zlib'
checksums='
2411c74bda5bbcfcddaf4531f66d1adc73f247f529aee981b029513aefdbf849  python3.11_3.11.2.orig.tar.gz
d66c56ad259a82cf2a9dfc408b32bf5da52371500b84745f7fb8b645712df676  libffi_3.4.4.orig.tar.gz
71feb7947e3c00ef125f83b79a4e529bde31171e5babe48b391f06758d1ab0a1  zlib_1.2.13.dfsg.orig.tar.bz2'

[ $# -eq 1 ] || { echo "usage: sh $0 OUTDIR" >&2; exit 2; }
recipe=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$(dirname "$1")"
out=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
case $out in *[[:space:]]*)
    echo "libffi cannot be built in a path with spaces: $out" >&2
    exit 2 ;;
esac
log=$out.log
start=$(date +%s)
recipe_hash=$(cd "$recipe" && cat build.sh build.py edit_sources.py | sha256sum | cut -d' ' -f1)

is_current() {
    [ -f "$out/python.exe" ] && [ "$(cat "$out/recipe.sha256" 2>/dev/null)" = "$recipe_hash" ]
}

step() {
    printf '[%4d s] %s\n' $(($(date +%s) - start)) "$1" | tee -a "$log"
}

stop() {
    echo "$1" >>"$log"
    exit 1
}

# A second call for the same folder waits here and then finds the work done.
exec 9>>"$log"
flock 9
if is_current; then
    echo "$out/python.exe"
    exit 0
fi

work=$(mktemp -d "$out.build.XXXXXX")
finish() {
    status=$?
    trap - EXIT
    rm -rf "$work"
    if [ "$status" -ne 0 ]; then
        printf 'the build failed; these are the last lines of %s:\n' "$log" >&2
        tail -n 30 "$log" >&2
    fi
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
: >"$log"

install_packages() {
    missing=
    for package in $packages; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
            grep -qx installed || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    step "install$missing"
    [ "$(id -u)" -eq 0 ] || stop "installing$missing needs root"
    apt-get update >>"$log" 2>&1
    # shellcheck disable=SC2086
    apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=600 $missing \
        </dev/null >>"$log" 2>&1
}

# Source packages are switched on only in a private copy of the machine's apt sources,
# and only for the entries of Debian itself, in both of the formats apt knows.
configure_apt() {
    apt=$work/apt
    mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$file" ] || continue
        sed -n "/^deb .*[ ]$codename.* main/s/^deb /deb-src /p" "$file"
    done >"$apt/parts/classic.list"
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] || continue
        awk -v RS= -v ORS='\n\n' -v suite="Suites:[^\n]*[ ]$codename" '
            { $0 = "\n" $0 }
            $0 ~ suite && /\nComponents:[^\n]* main/ {
                sub(/\nTypes:[^\n]*/, "\nTypes: deb-src"); print substr($0, 2) }' "$file"
    done >"$apt/parts/deb822.sources"
    cat >"$apt/apt.conf" <<END
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$apt/parts";
Dir::State::lists "$apt/lists";
Dir::Cache "$apt/cache";
APT::Sandbox::User "root";
Acquire::Retries "3";
END
}

download() {
    mkdir "$work/downloads"
    (
        cd "$work/downloads"
        export APT_CONFIG="$work/apt/apt.conf"
        apt-get update
        # The release is named because a backport would be a different version.
        # shellcheck disable=SC2046
        apt-get source --tar-only --download-only $(printf "%s/$codename " $sources)
        echo "$checksums" | sed '/^$/d' | sha256sum -c
    ) >>"$log" 2>&1
}

codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
[ "$codename" = bookworm ] || stop "this recipe is for Debian 12 (bookworm), not for '$codename'"
install_packages
step 'download the sources with apt-get'
configure_apt
download
/usr/bin/python3 -B "$recipe/build.py" \
    "$work/downloads" "$work" "$work/out" "$log" "$start" 2>>"$log"

echo "$recipe_hash" >"$work/out/recipe.sha256"
[ ! -e "$out" ] || mv "$out" "$work/replaced"
mv "$work/out" "$out"
step "done: $(du -sh "$out" | cut -f1) in $out"
echo "$out/python.exe"
