# shellcheck shell=sh
# What all packages say of this release, for the scripts that make them: to be read in the
# checkout's root.
#
#   version             as winshm.h has it
#   SOURCE_DATE_EPOCH   the date of every file: the time of the commit, which is that of
#                       winshm.h in a source archive. Compilers, strip and packers heed it.

version=$(awk '/^#define WINSHM_VERSION_(MAJOR|MINOR|PATCH) [0-9]+$/ { printf "%s%s", dot, $3; dot = "." }' \
    include/winshm.h)
[ -n "${SOURCE_DATE_EPOCH:-}" ] ||
    { [ -e .git ] && SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null); } ||
    SOURCE_DATE_EPOCH=$(stat -c %Y include/winshm.h)
export version SOURCE_DATE_EPOCH
