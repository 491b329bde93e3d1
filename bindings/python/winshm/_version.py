# SPDX-License-Identifier: MIT
"""The version, which is written in winshm.h only.

A checkout reads it there. What is built from it has the number itself in place of this.
"""

import re
from pathlib import Path

_HEADER = Path(__file__).resolve().parents[3] / "include" / "winshm.h"

try:
    _PARTS = re.findall(
        r"^#define WINSHM_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)$",
        _HEADER.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
except FileNotFoundError as _error:
    raise ImportError(
        f"{_HEADER} has the version of this package and is missing; install the package "
        f"with pip, or use it where it lies in the project's files"
    ) from _error

VERSION = ".".join(_PARTS)
