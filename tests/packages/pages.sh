#!/bin/sh
# The pages of the bindings, followed from the first line to the last by somebody who has
# what tests/package.sh makes, and nothing else.
#
# Usage: sh tests/packages/pages.sh [LANGUAGE...]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
exec sh tests/harness/own_shm.sh /usr/bin/python3 -B tests/checks/docs_install.py "$@"
