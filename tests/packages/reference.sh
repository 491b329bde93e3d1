#!/bin/sh
# The reference of each language as web pages in build/packages/docs, out of what the
# sources say of themselves: by Doxygen, docfx, nim doc and pydoc. A warning is an error, and
# so is a page that differs when it is made again.
#
# Usage: sh tests/packages/reference.sh [LANGUAGE...]
#
# docfx is fetched from NuGet, once: it is kept in ~/.cache/winshm (or in WINSHM_CACHE).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
# shellcheck source=tests/packages/release.sh
. "$root/tests/packages/release.sh" # Nim tells the date.
tools=${WINSHM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/winshm}/docfx-2.81.0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# silent COMMAND...: one that has nothing to say when all is well.
silent() {
    "$@" >"$work/said" 2>&1 && [ ! -s "$work/said" ] && return
    cat "$work/said" >&2
    echo "FAILED, or warned: $*" >&2
    return 1
}

# The headers are written to be read as they are. For Doxygen their beginning becomes the
# first page, and the statuses that a function returns become a list.
reference_c() {
    for header in winshm.h:mainpage winshm.hpp:file; do
        sed -E -e "1s,/\* SPDX.*,/** @${header#*:}," -e 2d \
            -e 's,^ \* {9}((WINSHM_E_[A-Z_]+)( |$)|or ), * - \1,' \
            "include/${header%:*}" >"$work/${header%:*}"
    done
    silent doxygen - <<END
PROJECT_NAME = winshm
PROJECT_NUMBER = $version
INPUT = $work/winshm.h $work/winshm.hpp
STRIP_FROM_PATH = $work
OUTPUT_DIRECTORY = $docs
HTML_OUTPUT = c
GENERATE_LATEX = NO
HTML_TIMESTAMP = NO
HAVE_DOT = NO
OPTIMIZE_OUTPUT_FOR_C = YES
TYPEDEF_HIDES_STRUCT = YES
SORT_MEMBER_DOCS = NO
EXTRACT_ALL = YES
QUIET = YES
WARN_NO_PARAMDOC = YES
WARN_AS_ERROR = FAIL_ON_WARNINGS
ALIASES = "threadsafety=@par Threads^^" "platform=@par Platforms^^"
MACRO_EXPANSION = YES
PREDEFINED = WINSHM_API= WINSHM_CALL= WINSHM_MUST_CHECK= __STDC_VERSION__=201112L
EXCLUDE_SYMBOLS = WINSHM_H WINSHM_HPP WINSHM_API WINSHM_CALL WINSHM_MUST_CHECK \
    WINSHM_STATUS_VALUE WINSHM_C11 WINSHM_LONG WINSHM_ROOM WINSHM_*_IS WINSHM_MEMBER_*
END
}

# The compiler has warned of members without a comment already.
reference_csharp() {
    [ -x "$tools/docfx" ] || dotnet tool install docfx --version 2.81.0 --tool-path "$tools"
    dotnet build -c Release -o "$work/dotnet" bindings/csharp
    cat >"$work/docfx.json" <<'END'
{
  "metadata": [{
    "src": [{ "src": "dotnet", "files": ["Winshm.NET.dll"] }],
    "output": "api",
    "memberLayout": "samePage"
  }],
  "build": {
    "content": [{ "files": ["index.md", "toc.yml", "api/*.yml"] }],
    "output": "site",
    "template": ["default"],
    "globalMetadata": { "_appTitle": "Winshm for .NET" }
  }
}
END
    printf '# Winshm for .NET\n\n[All types](api/Winshm.yml)\n' >"$work/index.md"
    printf -- '- name: Types\n  href: api/\n' >"$work/toc.yml"
    "$tools/docfx" "$work/docfx.json" --warningsAsErrors
    rm "$work/site/manifest.json" # Which has the paths of this machine.
    mv "$work/site" "$docs/csharp"
    rm -r "$work/dotnet" "$work/api"
}

# Whoever needs no tasks imports the first module alone, which then lists the rest.
reference_nim() {
    for module in winshm/asynclock winshm/asyncwait winshm; do
        silent nim doc --project --docRoot:@pkg --threads:on --hints:off \
            --nimcache:"$work/nim" --outdir:"$docs/nim" "bindings/nim/$module.nim"
    done
    find "$docs/nim" -name '*.idx' -exec rm {} +
}

reference_python() {
    mkdir -p "$docs/python"
    (
        export PYTHONPATH="$root/bindings/python" PYTHONWARNINGS=error
        export WINSHM_LIBRARY="$root/build/packages/native/linux-x64/lib/libwinshm.so.0"
        cd "$docs/python"
        /usr/bin/python3 -B -m pydoc -w winshm >"$work/said" 2>&1 &&
            [ "$(cat "$work/said")" = 'wrote winshm.html' ] || { cat "$work/said" >&2; exit 1; }
    )
    # pydoc tells where the sources lie here.
    sed -i "s,<a href=\"file:[^\"]*\">[^<]*</a>,," "$docs/python/winshm.html"
}

[ $# -gt 0 ] || set -- c csharp nim python
for docs in "$work/again" "$root/build/packages/docs"; do
    mkdir -p "$docs"
    for language; do
        rm -rf "${docs:?}/$language"
        "reference_$language"
    done
done
for language; do
    diff -r "$work/again/$language" "$docs/$language"
    echo "$docs/$language"
done
if grep -rlF -e "$root" -e "$work" "$docs"; then
    echo "these pages have a path of this machine" >&2
    exit 1
fi
