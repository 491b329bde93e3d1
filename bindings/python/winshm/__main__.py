# SPDX-License-Identifier: MIT
"""python -m winshm: which library this package has loaded, and from where.

Where there is none to load, the import of the package has ended the program before.
"""

import ctypes
import os
import platform
import sys
import sysconfig
from pathlib import Path

from . import __version__, _abi, library_version


class _Place(ctypes.Structure):
    """Dl_info of dlfcn.h."""

    _fields_ = [
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("symbol", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    ]


def loaded_file() -> str:
    """The file from which the system has taken the library."""
    if sys.platform == "win32":
        path = ctypes.create_unicode_buffer(32768)
        handle = ctypes.c_void_p(_abi.lib._handle)
        ctypes.windll.kernel32.GetModuleFileNameW(handle, path, len(path))
        return path.value
    place = _Place()
    function = ctypes.cast(_abi.lib.winshm_version, ctypes.c_void_p)
    ctypes.CDLL(None).dladdr(function, ctypes.byref(place))
    return os.path.realpath(os.fsdecode(place.file or b""))


def main() -> None:
    chosen = ", named by WINSHM_LIBRARY" if os.environ.get("WINSHM_LIBRARY") else ""
    print(f"winshm {__version__} in {Path(__file__).resolve().parent}")
    print(f"library {library_version()} from {loaded_file()}{chosen}")
    python = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{python} for {sysconfig.get_platform()} on {platform.platform()}")


if __name__ == "__main__":
    main()
