# SPDX-License-Identifier: MIT
"""The version, in a checkout and in what is built from it."""

import os
import re
import runpy
import shutil
import subprocess
import sys
import zipfile

import pytest
import winshm
from conftest import PACKAGE, ROOT, WINDOWS

HEADER = ROOT / "include" / "winshm.h"
NUMBERS = re.findall(r"#define WINSHM_VERSION_[A-Z]+ (\d+)", HEADER.read_text("utf-8"))


def test_version_is_that_of_the_header_and_the_library():
    assert len(NUMBERS) == 3
    assert winshm.__version__ == ".".join(NUMBERS) == winshm.library_version()


def test_copy_without_the_header_says_so(tmp_path):
    copy = tmp_path / "_version.py"
    shutil.copy(PACKAGE / "winshm" / "_version.py", copy)
    with pytest.raises(ImportError, match=r"winshm\.h .*install the package with pip"):
        runpy.run_path(str(copy))


@pytest.fixture
def checkout(tmp_path):
    """A copy to build from, of a version that no other file has."""
    ignored = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    root = tmp_path / "checkout"
    shutil.copytree(PACKAGE, root / "bindings" / "python", ignore=ignored)
    (root / "include").mkdir()
    text = re.sub(r"(VERSION_MINOR) \d+", r"\1 77", HEADER.read_text("utf-8"))
    (root / "include" / "winshm.h").write_text(text, "utf-8")
    return root / "bindings" / "python"


def run_setup(folder, *arguments):
    env = {**os.environ, "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "setup.py", "-q", *arguments]
    subprocess.run(command, cwd=folder, env=env, check=True)


@pytest.mark.skipif(WINDOWS, reason="what is built is the same there")
def test_what_is_built_has_the_version_itself(checkout, tmp_path):
    pytest.importorskip("setuptools")
    version = f"{NUMBERS[0]}.77.{NUMBERS[2]}"
    run_setup(checkout, "sdist", "--formats=zip", "-d", str(tmp_path))
    zipfile.ZipFile(tmp_path / f"winshm-{version}.zip").extractall(tmp_path / "else")
    # Far from the header, as on the machine of somebody who installs it.
    sources = tmp_path / "else" / f"winshm-{version}"
    run_setup(sources, "build", "-b", str(tmp_path / "built"))
    run_setup(checkout, "build", "-b", str(tmp_path / "built at once"))
    for folder in (sources, tmp_path / "built" / "lib", tmp_path / "built at once" / "lib"):
        found = runpy.run_path(str(folder / "winshm" / "_version.py"))
        assert found["VERSION"] == version
    assert f"\nVersion: {version}\n" in (sources / "PKG-INFO").read_text()
