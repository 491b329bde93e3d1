"""Follows the pages of the bindings as a new user does, from what sh tests/package.sh made.

Usage: sh tests/harness/own_shm.sh python3 tests/checks/docs_install.py [LANGUAGE...]

In an empty folder for each page, where "winshm" leads to the checkout, each block of sh is
run, in the order of the page. What is "saved as" a file is saved when its turn comes. Each
first program counts the region "demo" up, which is kept open meanwhile: so all of them have
to count on from one to the next. How long it took is told: to the first count of a page, and
to its last.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from docs_blocks import ROOT, blocks_of

LANGUAGES = ["c", "csharp", "nim", "python"]
#: What a first program prints.
COUNT = re.compile(r"^(\d+)(?:, press Enter to leave)?$", re.M)
#: Holds the region open, so that each program finds what the one before it has left.
WITNESS = """
import sys, winshm
region = winshm.create("demo", 4096)
print("ready", flush=True)
sys.stdin.read()
"""


def environment(work):
    """This machine stays as it is: what is installed goes below the folder."""
    tools, installed = work / "tools", work / "installed"
    tools.mkdir()
    library = installed / "usr/local/lib"
    for name, does in {"sudo": 'exec "$@"',
                       "ldconfig": f'exec /sbin/ldconfig -n "{library}"'}.items():
        (tools / name).write_text(f"#!/bin/sh\n{does}\n")
        (tools / name).chmod(0o755)
    nimble = work / "nimble"
    nimble.mkdir()
    # What Nimble fetches at first, a list of all packages, is not needed.
    (nimble / "packages_official.json").write_text("[]\n")
    theirs = Path(os.environ.get("NUGET_PACKAGES") or Path.home() / ".nuget/packages")
    return {**{key: value for key, value in os.environ.items()
               if key not in ("PYTHONPATH", "WINSHM_LIBRARY")},
            "PATH": f"{tools}:/usr/bin:/bin:{os.environ['PATH']}",
            "DESTDIR": str(installed),
            "CMAKE_GENERATOR": "Ninja",
            "CMAKE_PREFIX_PATH": str(installed / "usr/local"),
            "LD_LIBRARY_PATH": str(library),
            "PKG_CONFIG_PATH": str(library / "pkgconfig"),
            "PKG_CONFIG_SYSROOT_DIR": str(installed),
            "NIMBLE_DIR": str(nimble),
            "NUGET_PACKAGES": str(work / "nuget"),
            "NUGET_FALLBACK_PACKAGES": str(theirs),
            "DOTNET_NOLOGO": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def follow(language, work, env):
    """Yields what each command of a page prints, as (seconds, text)."""
    place = work / language
    place.mkdir()
    (place / "winshm").symlink_to(ROOT)
    started = time.monotonic()
    for block in blocks_of(ROOT / "bindings" / language / "README.md"):
        if block.saved_as:
            path = place / block.saved_as
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language == "sh":
            done = subprocess.run(["sh", "-euc", block.text], cwd=place, env=env, text=True,
                                  input="\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=600)
            if done.returncode:
                raise RuntimeError(
                    f"{block.place}: exit status {done.returncode}\n{done.stdout}\n"
                    f"to repeat it by hand, in {place}:\n{block.text}")
            yield time.monotonic() - started, done.stdout


def main():
    wanted = sys.argv[1:] or LANGUAGES
    work = Path(tempfile.mkdtemp())
    env = environment(work)
    witness = subprocess.Popen(
        ["/usr/bin/python3", "-B", "-c", WITNESS], text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "bindings/python"),
             "WINSHM_LIBRARY": str(ROOT / "build/packages/native/linux-x64/lib/libwinshm.so.0")})
    witness.stdout.readline()
    count = 0
    try:
        for language in wanted:
            times = []
            for seconds, text in follow(language, work, env):
                for found in COUNT.findall(text):
                    count += 1
                    times.append(seconds)
                    if int(found) != count:
                        raise RuntimeError(f"bindings/{language}/README.md: the program counts "
                                           f"to {found}, not {count}")
            if not times:
                raise RuntimeError(f"bindings/{language}/README.md: no program has counted")
            print(f"{language}: first success after {times[0]:.0f} s, the last of {len(times)} "
                  f"after {times[-1]:.0f} s", flush=True)
    except RuntimeError as failure:
        print(failure)
        return 1
    finally:
        witness.communicate()
    shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
