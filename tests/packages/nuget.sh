#!/bin/sh
# The package for .NET: packed into build/packages, and used by a new project in an empty
# folder, in each form in which .NET brings a program to its users.
#
# Usage: sh tests/packages/nuget.sh
#
# Takes the libraries from tests/packages/native.sh. NuGet's server is asked only for what
# is .NET's own, such as the runtime of self-contained programs, and once: from then on it
# is in NuGet's cache. If the server does not answer, this ends with status 77, which step
# of tests/env.sh takes for a test that cannot be tried.
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
    dotnet_ready || die "$why"
    wine_ready
fi
unset WINSHM_LIBRARY LD_LIBRARY_PATH WINEPATH
native=$root/build/packages/native
nupkg=build/packages/Winshm.$version

settings="WINEPREFIX='${WINEPREFIX:-}' DOTNET_EnableWriteXorExecute=0 DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1"

# fetch FOLDER OPTION...: what .NET itself needs for a project goes into NuGet's cache.
fetch() {
    folder=$1
    shift
    (try "dotnet restore $*" "$folder" dotnet restore "$@") && return
    grep -q NU1301 "$said" || exit 1
    echo "NuGet's server does not answer, and its cache lacks what .NET itself needs" >&2
    exit 77
}

# The package, twice: here, and in a folder that has nothing but what it is made of.
# pack FOLDER
pack() {
    artifacts=$1/build/packages/dotnet
    rm -rf "$artifacts"
    fetch "$1/bindings/csharp" --artifacts-path "$artifacts"
    try "dotnet pack" "$1/bindings/csharp" dotnet pack -c Release \
        --artifacts-path "$artifacts" -o "$1/build/packages"
}
rm -f build/packages/Winshm.*pkg
pack "$root"
copy=$work/copy
mkdir -p "$copy/bindings" "$copy/build/packages"
cp -R LICENSE include "$copy"
cp -R bindings/csharp "$copy/bindings"
cp -R "$native" "$copy/build/packages"
[ ! -e .git ] || ln -s "$root/.git" "$copy/.git"
pack "$copy"
for kind in nupkg snupkg; do
    try "the $kind is the same when it is made again" "$root" \
        cmp "$nupkg.$kind" "$copy/$nupkg.$kind"
done
rm -r "$copy"

# A new project, which finds no package of ours but on the local source.
app=$work/app
try "dotnet new" "$work" dotnet new console -o app --no-restore
fetch "$app" -r linux-x64 -p:PublishAot=true
fetch "$app" -r win-x64 -p:SelfContained=true
rm -r "$app/obj"
cache=$(dotnet nuget locals global-packages --list | sed 's/^[^/]*//')
unset NUGET_PACKAGES
cat >"$work/nuget.config" <<END
<configuration>
  <config><add key="globalPackagesFolder" value="packages" /></config>
  <packageSources>
    <clear />
    <add key="local" value="$root/build/packages" />
  </packageSources>
  <fallbackPackageFolders><add key="cache" value="$cache" /></fallbackPackageFolders>
</configuration>
END
try "dotnet add package" "$app" dotnet add package Winshm

# What NuGet has unpacked is what was to be packed, and each library is the one of its system.
package=$work/packages/winshm/$version
libraries='linux-x64/lib/libwinshm.so.0 linux-arm64/lib/libwinshm.so.0
win-x64/bin/winshm.dll win-x86/bin/winshm.dll win-arm64/bin/winshm.dll'
{
    printf '%s\n' LICENSE README.md icon.png winshm.nuspec ref/net8.0/Winshm.NET.dll \
        ref/net8.0/Winshm.NET.xml runtimes/any/lib/net8.0/Winshm.NET.dll
    for library in $libraries; do
        echo "runtimes/${library%%/*}/native/${library##*/}"
    done
} | sort >"$work/expected"
(cd "$package" && find . -type f ! -name '.nupkg.metadata' ! -name '*.nupkg' \
    ! -name '*.nupkg.sha512') | sed 's,^\./,,' | sort >"$work/files"
try "what is in the package" "$work" diff expected files
for library in $libraries; do
    try "the library for ${library%%/*}" "$root" cmp "$native/$library" \
        "$package/runtimes/${library%%/*}/native/${library##*/}"
done
try "the page in the package" "$package" \
    sh -c '! grep -ne "](" -e "^<!--" README.md | grep -v "](\(https:\|#\)"'
try "the symbols' package has symbols" "$root" \
    grep -aq runtimes/any/lib/net8.0/Winshm.NET.pdb "$nupkg.snupkg"

# The first program of the pages.
awk '/^```csharp$/ { program = ""; inside = 1; next }
    /^```$/ { if (inside && program ~ /using Winshm;/) { printf "%s", program; exit } inside = 0 }
    inside { program = program $0 "\n" }' bindings/csharp/README.md README.md >"$app/Program.cs"
try "dotnet run, the first program of the page" "$app" \
    sh "$root/tests/harness/own_shm.sh" dotnet run
[ "$(head -n 1 "$said")" = 1 ] || failed "it does not count to 1"

# A program that needs more of the binding, in each form. The tools that take away what
# seems not to be used must have nothing to warn of.
cp tests/interop/layouts/layouts_csharp/*.cs "$app"
{
    cat tests/interop/layouts/expected.txt
    echo '7 is 7'
    tail -n 1 tests/interop/layouts/expected.txt
    echo WINSHM_E_TAG
} >"$work/layouts"

# publish FORM FILES SYSTEM OPTION...: FILES says how many files the program is, if that counts.
publish() {
    form=$1 files=$2 system=$3
    shift 3
    try "dotnet publish, $form" "$app" dotnet publish -r "$system" -o "../$form" "$@" \
        -p:AllowUnsafeBlocks=true -p:DebugType=none
    case $files in "$(find "$work/$form" -type f | wc -l)" | any) ;; *) failed "it is not $files files" ;; esac
    case $system in
    win-*) try "run what was published, $form" "$work/$form" "$WINE" ./app.exe typed ;;
    *) try "run what was published, $form" "$work/$form" ./app typed ;;
    esac
    tr -d '\r' <"$said" | diff "$work/layouts" - >"$work/differences" || {
        mv "$work/differences" "$said"
        failed "it says something else"
    }
}
trimmed='-p:PublishTrimmed=true -p:TrimmerSingleWarn=false -p:ILLinkTreatWarningsAsErrors=true'
publish framework-dependent any linux-x64 --no-self-contained
publish self-contained any linux-x64 --self-contained
publish single-file 1 linux-x64 --self-contained -p:PublishSingleFile=true \
    -p:IncludeNativeLibrariesForSelfExtract=true
# shellcheck disable=SC2086  # The options are a list of words.
publish trimmed 2 linux-x64 --self-contained -p:PublishSingleFile=true $trimmed
publish ahead-of-time 2 linux-x64 -p:PublishAot=true -p:TrimmerSingleWarn=false \
    -p:IlcTreatWarningsAsErrors=true
publish windows any win-x64 --self-contained

# .NET Framework: NuGet says plainly that there is nothing for it.
try "dotnet restore for .NET Framework" "$app" sh -c \
    '! dotnet restore -p:TargetFramework=net48 -p:AutomaticallyUseReferenceAssemblyPackages=false'
grep -q 'NU1202: Package Winshm' "$said" || failed "it does not say that there is no such package"
