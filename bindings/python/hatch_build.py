# SPDX-License-Identifier: MIT
"""Puts the library and the licence into a wheel, and all sources into a source archive.

CMake builds the library for this machine. Whoever has built it already names the file in
WINSHM_WHEEL_LIBRARY and what it is for, such as win_amd64, in WINSHM_WHEEL_PLATFORM.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags

#: What CMake needs; a source archive has it beside pyproject.toml, a checkout at its top.
SOURCES = ("CMakeLists.txt", "LICENSE", "include", "src", "winshm.def")

NEEDS = "CMake 3.22, a C11 compiler and make, such as Debian's packages cmake, gcc and make"

LOADS = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"


class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        if version == "editable":  # It is used where it lies, as with PYTHONPATH.
            return
        here = Path(self.root)
        self.top = here if (here / SOURCES[0]).exists() else here.parents[1]
        self.made = tempfile.TemporaryDirectory()
        included = build_data["force_include"]
        number = self.metadata.version
        written = Path(self.made.name, "_version.py")
        written.write_text(f'VERSION = "{number}"\n', encoding="utf-8")
        included[str(written)] = "winshm/_version.py"
        if self.target_name == "sdist":
            included.update({str(self.top / name): name for name in SOURCES})
            return
        library, platform = self.given() or self.built()
        name = "winshm.dll" if platform.startswith("win") else "libwinshm.so.0"
        included[str(library)] = f"winshm/{name}"
        license_path = f"winshm-{number}.dist-info/licenses/LICENSE"
        included[str(self.top / "LICENSE")] = license_path
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"

    def finalize(self, version, build_data, artifact_path):
        if version != "editable":
            self.made.cleanup()

    def given(self):
        """The library and the platform that the environment names, or None."""
        library = os.environ.get("WINSHM_WHEEL_LIBRARY")
        platform = os.environ.get("WINSHM_WHEEL_PLATFORM")
        if not library and not platform:
            return None
        if not library or not platform or not os.path.isfile(library):
            self.app.abort(
                f"WINSHM_WHEEL_LIBRARY has to name a file, and is {library!r}; "
                f"WINSHM_WHEEL_PLATFORM has to say what it is for, such as win_amd64, and is "
                f"{platform!r}; set both, or none to have the library built here"
            )
        return Path(library).resolve(), platform

    def built(self):
        """The library that CMake builds here, and this platform."""
        if not shutil.which("cmake"):
            self.app.abort(f"there is no cmake to build the library, which takes {NEEDS}")
        build = Path(self.made.name, "build")
        self.cmake("-S", self.top, "-B", build, "-DBUILD_TESTING=OFF", "-DCMAKE_BUILD_TYPE=Release")
        self.cmake("--build", build, "--config", "Release", "--target", "winshm", "--parallel")
        *_, platform = platform_tags()
        name = "winshm.dll" if sys.platform == "win32" else "libwinshm.so.0"
        library = next(build.rglob(name))
        # In another process, as Windows keeps a file that is loaded.
        loads = subprocess.run([sys.executable, "-c", LOADS, library], check=False)
        if loads.returncode != 0:
            self.app.abort(
                f"the library that CMake has built is not for this Python, which is {platform}; "
                f"CC, CMAKE_TOOLCHAIN_FILE and, for Visual Studio, CMAKE_GENERATOR_PLATFORM "
                f"in the environment choose what it builds for"
            )
        return library, platform

    def cmake(self, *arguments):
        command = ["cmake", *map(str, arguments)]
        if subprocess.run(command, check=False).returncode != 0:
            self.app.abort(
                f"CMake could not build the library, and has told why above; this takes {NEEDS}"
            )
