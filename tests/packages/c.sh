#!/bin/sh
# The library for programs in C and C++: an archive for each system, and the sources.
#
# Usage: sh tests/packages/c.sh
#
# Makes these in build/packages, of what native.sh has built, and uses each from an empty
# folder by every way that its users have:
#
#   winshm-VERSION-windows-ARCH.zip    x64, x86, arm64
#   winshm-VERSION-linux-ARCH.tar.gz   x64, arm64
#   winshm-VERSION.tar.gz              the sources
#   winshm-VERSION-recipes.tar.gz      what vcpkg and Conan make packages of them by
#
# WINE is the command that runs Windows programs, as package.sh sets it.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
# shellcheck source=tests/packages/release.sh
. "$root/tests/packages/release.sh"
: "${WINE:?}"
out=$root/build/packages
native=$out/native
work=$(mktemp -d)
name=winshm-$version

# What is packed: the same bytes whoever packs it, whenever and wherever.

# packed_tar FILE FOLDER NAME...: entries in the order of their names.
packed_tar() {
    file=$1 folder=$2
    shift 2
    tar -C "$folder" --sort=name --format=ustar --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 \
        --numeric-owner --mode=u=rwX,go=rX -cf - "$@" | gzip -9n >"$file"
}

# packed_zip FILE FOLDER NAME
packed_zip() (
    cd "$2"
    chmod -R u=rwX,go=rX "$3"
    find "$3" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
    find "$3" | LC_ALL=C sort | TZ=UTC zip -9 -X -q -@ "$1"
)

# The files of the repository, also in a copy that has no history.
packed_sources() {
    if [ -e .git ]; then
        git ls-files
    else
        find . -type f ! -path './build/*' ! -path '*/bin/*' ! -path '*/obj/*' \
            ! -path '*/__pycache__/*' ! -path '*/.pytest_cache/*' ! -path '*.egg-info/*' |
            sed 's,^\./,,'
    fi >"$work/sources"
    tar --sort=name --format=ustar --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 \
        --numeric-owner --mode=u=rwX,go=rX --transform="s,^,$name/," -cf - \
        -T "$work/sources" | gzip -9n >"$1/$name.tar.gz"
}

# packed_recipes FOLDER: for the sources that are there, fetched from WINSHM_URL.
packed_recipes() {
    folder=$name-recipes
    mkdir -p "$1/stage/$folder"
    cp -R bindings/c/packages/* "$1/stage/$folder"
    find "$1/stage/$folder" -name __pycache__ -prune -o -type f ! -name '*.md' -exec sed -i \
        -e "s,@VERSION@,$version,g" -e "s,@URL@,${WINSHM_URL:-file://$out},g" \
        -e "s,@SHA256@,$(sha256sum <"$1/$name.tar.gz" | cut -d ' ' -f 1),g" \
        -e "s,@SHA512@,$(sha512sum <"$1/$name.tar.gz" | cut -d ' ' -f 1),g" {} +
    packed_tar "$1/$folder.tar.gz" "$1/stage" "$folder"
}

# pack FOLDER: all archives.
pack() {
    packed_sources "$1"
    packed_recipes "$1"
    for arch in x64 arm64; do
        folder=$name-linux-$arch
        mkdir -p "$1/stage"
        cp -a "$native/linux-$arch" "$1/stage/$folder"
        cp LICENSE "$1/stage/$folder/"
        packed_tar "$1/$folder.tar.gz" "$1/stage" "$folder"
    done
    for arch in x64 x86 arm64; do
        folder=$name-windows-$arch
        case $arch in
        x64) machine=i386:x86-64 ;;
        x86) machine=i386 ;;
        arm64) machine=arm64 ;;
        esac
        cp -a "$native/win-$arch" "$1/stage/$folder"
        cp LICENSE "$1/stage/$folder/LICENSE.txt"
        # MinGW has libwinshm.dll.a; this is what Visual C++ links.
        llvm-dlltool -m "$machine" -D winshm.dll -d winshm.def -l "$1/stage/$folder/lib/winshm.lib"
        packed_zip "$1/$folder.zip" "$1/stage" "$folder"
    done
    rm -rf "$1/stage"
}

# Everything from here on happens in the empty folder. A step that fails leaves it as it is.

# try NAME COMMAND
try() {
    echo "== $1"
    (cd "$work" && sh -euc "$2") && return
    cat >&2 <<END
c.sh: FAILED: $1
to repeat it:

cd $work
export WINE='$WINE' WINEPREFIX='${WINEPREFIX-}' WINEDEBUG=-all WINEDLLPATH='${WINEDLLPATH-}'
$2
END
    exit 1
}

# consumer FOLDER OPTION...: a command that configures and builds a project of a user's.
consumer() {
    folder=$1
    shift
    echo "cmake -G Ninja -S . -B $folder -DVERSION=$version $*
cmake --build $folder"
}

mkdir "$work/first" "$work/second"
pack "$work/first"
pack "$work/second"
try "the archives are the same, packed twice" "diff -r first second"
cp "$work/first"/* "$out"
rm -r "$work/first" "$work/second"

for file in CMakeLists.txt talk.sh hpp.cpp msvc.c msvc.cmake; do
    cp "tests/packages/c/$file" "$work"
done
cp tests/interop/peer.c "$work"
try "the archives are unpacked" "
for file in $out/$name*.tar.gz; do tar xf \$file; done
for file in $out/$name*.zip; do unzip -q \$file; done"
cat >"$work/clean.sh" <<'END'
# What is installed says nothing of the place where it was made.
! grep -rnE '(/[a-z]+)?/build/|/tmp/|/home/|/root/' "$@"
END
for system in linux-x64 windows-x64; do
    try "an archive remembers no folder, $system" "sh clean.sh $name-$system/lib/cmake $name-$system/lib/pkgconfig"
done

linux=$work/$name-linux-x64
peer="-DSOURCE=peer.c '-DLIBRARIES=winshm;static'"
try "find_package, Linux" "
$(consumer found "-DHOW=find_package -DCMAKE_PREFIX_PATH=$linux" "$peer")
sh talk.sh found/use_winshm
sh talk.sh found/use_static"
try "pkg-config, Linux" "
export PKG_CONFIG_PATH=$linux/lib/pkgconfig
test \"\$(pkg-config --modversion winshm)\" = $version
gcc -o pkg peer.c \$(pkg-config --cflags --libs winshm)
sh talk.sh env LD_LIBRARY_PATH=$linux/lib ./pkg"
try "pkg-config, Linux, static" "
export PKG_CONFIG_PATH=$linux/lib/pkgconfig
gcc -o pkg_static peer.c \$(pkg-config --cflags winshm) $linux/lib/libwinshm.a \$(pkg-config --libs-only-other --static winshm)
sh talk.sh ./pkg_static"
try "a plug-in that has the library inside stays loaded" "
export PKG_CONFIG_PATH=$linux/lib/pkgconfig
gcc -shared -fPIC -o plugin.so peer.c \$(pkg-config --cflags winshm) $linux/lib/libwinshm.a \$(pkg-config --libs-only-other --static winshm)
readelf -d plugin.so | grep NODELETE"
try "winshm.hpp, Linux" "
$(consumer cpp "-DHOW=find_package -DCMAKE_PREFIX_PATH=$linux -DLANGUAGES=CXX" -DSOURCE=hpp.cpp -DLIBRARIES=winshm -DCMAKE_CXX_STANDARD=11)
cpp/use_winshm | grep '^ok'"

# foreign FOLDER: nothing of winshm is built, tested or installed that was not asked for.
cat >"$work/foreign.sh" <<'END'
ctest --test-dir "$1" -N | grep '^Total Tests: 0'
cmake --install "$1" --prefix "$1/installed"
test "$(ls "$1/installed")" = programs
END
try "add_subdirectory, Linux" "
$(consumer sub -DHOW=add_subdirectory -DSOURCE=peer.c -DLIBRARIES=static)
sh talk.sh sub/use_static
sh -eu foreign.sh sub
test ! -e sub/$name/libwinshm.so"
try "FetchContent, Linux" "
$(consumer fetched -DHOW=FetchContent -DSOURCE=peer.c -DLIBRARIES=winshm "-DARCHIVE=file://$out/$name.tar.gz" "-DHASH=$(sha256sum <"$out/$name.tar.gz" | cut -d ' ' -f 1)")
sh talk.sh fetched/use_winshm
sh -eu foreign.sh fetched
test ! -e fetched/_deps/winshm-build/libwinshm.a"

# The sources give what the other archives have, wherever they are.
# from_sources SYSTEM PRESET LIBRARY
from_sources() {
    try "the same library from the sources, $1" "
cd $name
CFLAGS=-ffile-prefix-map=$work/$name=. LDFLAGS= SOURCE_DATE_EPOCH=0
export CFLAGS LDFLAGS SOURCE_DATE_EPOCH
cmake --preset $2 -B ../from-$1 -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF -DWINSHM_STATIC=OFF
cmake --build ../from-$1
cmake --install ../from-$1 --strip --prefix ../installed-$1
cmp ../installed-$1/$3 ../$name-$1/$3"
}
from_sources linux-x64 linux "lib/libwinshm.so.$version"
from_sources windows-x64 win64 bin/winshm.dll

recipes=$name-recipes
try "the recipes for vcpkg and Conan have all they need" "
if grep -rnE '@[A-Z0-9]+@' $recipes/vcpkg $recipes/conan; then exit 1; fi
/usr/bin/python3 -m json.tool $recipes/vcpkg/vcpkg.json | grep '\"version\": \"$version\"'
/usr/bin/python3 -B -c 'import ast, sys; [ast.parse(open(path).read(), path) for path in sys.argv[1:]]' $recipes/conan/conanfile.py $recipes/conan/test_package/conanfile.py
grep -c $(sha512sum <"$out/$name.tar.gz" | cut -d ' ' -f 1) $recipes/vcpkg/portfile.cmake
grep -c $(sha256sum <"$out/$name.tar.gz" | cut -d ' ' -f 1) $recipes/conan/conandata.yml"
try "the static library alone, with the recipes' options" "
for option in BUILD_TESTING WINSHM_SHARED WINSHM_STATIC; do
    grep -q -e -D\$option= $recipes/vcpkg/portfile.cmake
    grep -q cache_variables..\$option $recipes/conan/conanfile.py
done
cmake -G Ninja -S $name -B alone -DBUILD_TESTING=OFF -DWINSHM_SHARED=OFF -DWINSHM_STATIC=ON 2>&1 | tee alone.log
if grep 'not used by the project' alone.log; then exit 1; fi
cmake --build alone
cmake --install alone --prefix alone-installed
cmake -G Ninja -S $recipes/conan/test_package -B recipe -DCMAKE_PREFIX_PATH=$work/alone-installed
cmake --build recipe
recipe/test_package
gcc -o pkg_alone peer.c \$(PKG_CONFIG_PATH=alone-installed/lib/pkgconfig pkg-config --cflags --libs winshm)
sh talk.sh ./pkg_alone"

mingw="-DCMAKE_SYSTEM_NAME=Windows -DCMAKE_C_COMPILER=x86_64-w64-mingw32-gcc"
try "find_package, MinGW" "
$(consumer mingw-x64 "$mingw -DHOW=find_package -Dwinshm_DIR=$work/$name-windows-x64/lib/cmake/winshm" "$peer")
cp $name-windows-x64/bin/winshm.dll mingw-x64
sh talk.sh \"\$WINE\" mingw-x64/use_winshm.exe
sh talk.sh \"\$WINE\" mingw-x64/use_static.exe"
try "pkg-config, MinGW" "
export PKG_CONFIG_PATH=$work/$name-windows-x64/lib/pkgconfig
x86_64-w64-mingw32-gcc -o mingw-x64/pkg.exe peer.c \$(pkg-config --cflags --libs winshm)
sh talk.sh \"\$WINE\" mingw-x64/pkg.exe"
try "add_subdirectory, MinGW" "
$(consumer sub-mingw "$mingw -DCMAKE_RC_COMPILER=x86_64-w64-mingw32-windres -DHOW=add_subdirectory" -DSOURCE=peer.c -DLIBRARIES=winshm)
cp sub-mingw/$name/winshm.dll sub-mingw
sh talk.sh \"\$WINE\" sub-mingw/use_winshm.exe
sh -eu foreign.sh sub-mingw"
try "winshm.hpp, MinGW" "
x86_64-w64-mingw32-g++ -std=c++11 -static -I $name-windows-x64/include -o mingw-x64/hpp.exe hpp.cpp $name-windows-x64/lib/libwinshm.dll.a
\"\$WINE\" mingw-x64/hpp.exe | grep '^ok'"

# msvc ARCH TARGET MACHINE EXIT: a function of the system's by the name that 32 bits want.
msvc() {
    try "find_package, as Visual C++ has it, $1" "
mkdir -p exit-$1
printf 'LIBRARY KERNEL32.dll\nEXPORTS\n%s\n' $4 >exit-$1/kernel32.def
llvm-dlltool -k -m $3 -d exit-$1/kernel32.def -l exit-$1/kernel32.lib
$(consumer "msvc-$1" "-DCMAKE_TOOLCHAIN_FILE=msvc.cmake -DTARGET=$2 -DEXIT=$work/exit-$1 -DHOW=find_package -Dwinshm_DIR=$work/$name-windows-$1/lib/cmake/winshm" -DSOURCE=msvc.c -DLIBRARIES=winshm)
cp $name-windows-$1/bin/winshm.dll msvc-$1
grep -q 'lib/winshm.lib' msvc-$1/build.ninja"
}
msvc x64 x86_64-pc-windows-msvc i386:x86-64 ExitProcess
msvc x86 i686-pc-windows-msvc i386 ExitProcess@4
msvc arm64 aarch64-pc-windows-msvc arm64 ExitProcess
for arch in x64 x86; do
    [ "$arch" = x64 ] || [ "${WINE32:-yes}" = yes ] || continue
    try "a program of Visual C++ runs, $arch" "
code=0
\"\$WINE\" msvc-$arch/use_winshm.exe || code=\$?
test \$code = 42"
done

rm -rf "$work"
echo "made in $out:" && (cd "$out" && ls -l "$name"*.gz "$name"*.zip)
