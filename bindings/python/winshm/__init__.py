# SPDX-License-Identifier: MIT
"""winshm: one named block of memory shared by processes of any language.

    import winshm

    with winshm.open_or_create("demo", 4096) as region:
        with region.lock():
            region.data[0] += 1
        region.notify()

A region is a block of bytes with a name. A managed region also has a robust lock that
readers can share, a change counter that can be waited for, and a list of its
participants. It exists as long as at least one participant has it open. Time-outs are
seconds, and every failure of the library is an Error.

A region can say what its bytes are, and become larger; it can be handed over without a
name, and saved:

    class State(ctypes.Structure):
        _fields_ = [("score", ctypes.c_uint32), ("name", ctypes.c_char * 12)]

    with winshm.create(None, State, capacity=1 << 20) as region:
        region.value.score += 1             # the shared memory itself
        region.fields["name"] = "somebody"  # also where there is no declaration
        region.resize(4096)
        token = region.export_token()       # for import_token() in another process
        region.save("game.saved")           # for load()

The lock belongs to the thread that has taken it. Coroutines, which share a thread, use a
region opened with tasks=True:

    async with region.lock_async() as held:
        held.write(0, await something())

Sub-interpreters and builds without the GIL have not been tried.
"""

from __future__ import annotations

from . import _abi
from ._abi import LAYOUT_MAX, NAME_MAX, PARTICIPANTS_MAX, TOKEN_MAX, Status
from ._errors import (
    AccessError,
    ClosedError,
    Error,
    ExistsError,
    FormatError,
    InvalidError,
    NotFoundError,
    OwnerDeadError,
    RangeError,
    TimeoutError,
    TokenError,
)
from ._fields import FieldArray, Fields
from ._import import import_token, open_link
from ._info import Info, Kind, LockKind, LockState, Origin, Participant, Roles
from ._lock import Held, Lock
from ._open import create, open, open_or_create
from ._region import Region
from ._tasks import AsyncLock
from ._typed import TypedRegion
from ._types import char16, dtype_of, layout_of, structure_of
from ._version import VERSION
from ._view import View

__all__ = [
    "LAYOUT_MAX",
    "NAME_MAX",
    "PARTICIPANTS_MAX",
    "TOKEN_MAX",
    "AccessError",
    "AsyncLock",
    "ClosedError",
    "Error",
    "ExistsError",
    "FieldArray",
    "Fields",
    "FormatError",
    "Held",
    "Info",
    "InvalidError",
    "Kind",
    "Lock",
    "LockKind",
    "LockState",
    "NotFoundError",
    "Origin",
    "OwnerDeadError",
    "Participant",
    "RangeError",
    "Region",
    "Roles",
    "Status",
    "TimeoutError",
    "TokenError",
    "TypedRegion",
    "View",
    "char16",
    "create",
    "dtype_of",
    "import_token",
    "layout_of",
    "library_version",
    "open",
    "open_link",
    "open_or_create",
    "structure_of",
]

__version__ = VERSION


def library_version() -> str:
    """The version of the library that is loaded, such as "1.0.0"."""
    version: bytes = _abi.quick.winshm_version_string()
    return version.decode()
