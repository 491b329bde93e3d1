# SPDX-License-Identifier: MIT
"""The version, and the program that tells what is loaded.

What is built of the package is tested by tests/packages/python.sh.
"""

import os
import re
import runpy
import shutil
import subprocess
import sys

import pytest
import winshm
from conftest import PACKAGE, ROOT

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


def test_program_says_which_library_is_loaded():
    env = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    command = [sys.executable, "-m", "winshm"]
    said = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
    package, library, _ = said.splitlines()
    assert package == f"winshm {winshm.__version__} in {PACKAGE / 'winshm'}"
    path = re.fullmatch(r"library [\d.]+ from (.*), named by WINSHM_LIBRARY", library).group(1)
    assert os.path.samefile(path, os.environ["WINSHM_LIBRARY"])
