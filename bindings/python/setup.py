# SPDX-License-Identifier: MIT
"""Writes the version, which a checkout reads from winshm.h, into what is built."""

import runpy
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

VERSION = runpy.run_path(str(Path(__file__).with_name("winshm") / "_version.py"))["VERSION"]


def write_version(folder):
    path = Path(folder, "winshm", "_version.py")
    path.unlink()  # It may be a hard link to the source.
    path.write_text(f'VERSION = "{VERSION}"\n', encoding="utf-8")


class BuildWithVersion(build_py):
    def run(self):
        super().run()
        if not getattr(self, "editable_mode", False):
            write_version(self.build_lib)


class SourcesWithVersion(sdist):
    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        write_version(base_dir)


setup(version=VERSION, cmdclass={"build_py": BuildWithVersion, "sdist": SourcesWithVersion})
