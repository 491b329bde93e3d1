# SPDX-License-Identifier: MIT
"""The raw layer: winshm.h as ctypes declarations, and the library itself.

Nothing here is public. Names and values are those of winshm.h, without the
prefix where an enum says it already; a test compares them with the header.
"""

from __future__ import annotations

import ctypes
import enum
import os
import sys
from collections.abc import Callable
from ctypes import POINTER, c_char_p, c_int32, c_int64, c_uint8, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any

from ._version import VERSION


class Status(enum.IntEnum):
    """What a call of the library has returned; values are pinned for ever."""

    OK = 0
    INVALID = -1
    NAME = -2
    NOT_FOUND = -3
    EXISTS = -4
    ACCESS = -5
    PRIVILEGE = -6
    KIND = -7
    NOT_MANAGED = -8
    SIZE = -9
    RANGE = -10
    FOREIGN = -11
    LAYOUT = -12
    TAG = -13
    HELD = -14
    REPLACED = -15
    NO_MEMORY = -16
    TOO_MANY = -17
    TIMEOUT = -18
    OWNER_DEAD = -19
    NOT_OWNER = -20
    DEADLOCK = -21
    BUSY = -22
    HANDLE = -23
    CLOSED = -24
    FORKED = -25
    FAULT = -26
    CORRUPT = -27
    UNSUPPORTED = -28
    SYSTEM = -29
    TOKEN = -30
    FORMAT = -31


FOREVER = 0xFFFFFFFF
NAME_MAX = 200
PARTICIPANTS_MAX = 128
LAYOUT_MAX = 8191
TOKEN_MAX = 1000

READ = 0x01
WRITE = 0x02
RAW = 0x04
NO_LOCK = 0x08
NO_MAP = 0x10
TASK = 0x20
CREATE_LOCKED = 0x40

CREATE_NEW = 1
OPEN_EXISTING = 2
OPEN_OR_CREATE = 3

SHARED = 1
EXCLUSIVE = 2

KIND_MANAGED = 1
KIND_RAW = 2

LOCK_NONE = 0
LOCK_ROBUST = 1

STATE_EXCLUSIVE = 1
STATE_SHARED = 2
STATE_INCONSISTENT = 4

ORIGIN_OPENED = 1
ORIGIN_CREATED = 2
ORIGIN_ADOPTED = 3

PARTICIPANT_SELF = 1
PARTICIPANT_CREATOR = 2
PARTICIPANT_EXCLUSIVE = 4
PARTICIPANT_SHARED = 8
PARTICIPANT_WAITING = 16

FIELD_STRUCT = 1
FIELD_U8 = 2
FIELD_I8 = 3
FIELD_U16 = 4
FIELD_I16 = 5
FIELD_U32 = 6
FIELD_I32 = 7
FIELD_U64 = 8
FIELD_I64 = 9
FIELD_F32 = 10
FIELD_F64 = 11
FIELD_BOOL = 12
FIELD_CHAR = 13
FIELD_CHAR16 = 14


class winshm_options(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("disposition", c_uint32),
        ("timeout_ms", c_uint32),
        ("size", c_uint64),
        ("capacity", c_uint64),
        ("layout_tag", c_uint64),
        ("name", c_char_p),
        ("security", c_char_p),
        ("layout", c_char_p),
    ]


class winshm_info(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("kind", c_uint32),
        ("access", c_uint32),
        ("lock_kind", c_uint32),
        ("size", c_uint64),
        ("capacity", c_uint64),
        ("id", c_uint8 * 16),
        ("layout_tag", c_uint64),
        ("member", c_uint64),
        ("creator_start_us", c_int64),
        ("creator_pid", c_uint32),
        ("creator_present", c_uint32),
        ("participants", c_uint32),
        ("lock_state", c_uint32),
        ("owner_pid", c_uint32),
        ("change_count", c_uint32),
        ("origin", c_uint32),
        ("observer", c_uint32),
    ]


class winshm_participant(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("member", c_uint64),
        ("start_us", c_int64),
        ("pid", c_uint32),
        ("slot", c_uint32),
    ]


class winshm_field(ctypes.Structure):
    pass


winshm_field._fields_ = [
    ("name", c_char_p),
    ("fields", POINTER(winshm_field)),
    ("offset", c_uint64),
    ("count", c_uint64),
    ("element", c_uint64),
    ("field_count", c_uint32),
    ("kind", c_uint32),
]


_status = c_int32
_region = c_void_p
_view = c_void_p
_out = POINTER(c_void_p)
_text: list[Any] = [c_char_p, c_uint32, POINTER(c_uint32)]

#: Every function of winshm.h: name, argument types, result type.
FUNCTIONS = [
    ("winshm_version", [], c_uint32),
    ("winshm_version_string", [], c_char_p),
    ("winshm_status_name", [_status], c_char_p),
    ("winshm_status_text", [_status], c_char_p),
    ("winshm_last_message", [], c_char_p),
    ("winshm_last_os_code", [], c_int32),
    ("winshm_create", [c_char_p, c_uint64, c_uint32, _out], _status),
    ("winshm_open", [c_char_p, c_uint32, _out], _status),
    ("winshm_open_or_create", [c_char_p, c_uint64, c_uint32, _out], _status),
    ("winshm_open_with", [POINTER(winshm_options), _out], _status),
    ("winshm_close", [_region], _status),
    ("winshm_data", [_region], c_void_p),
    ("winshm_size", [_region], c_uint64),
    ("winshm_get_info", [_region, POINTER(winshm_info)], _status),
    (
        "winshm_get_participants",
        [_region, POINTER(winshm_participant), c_uint32, POINTER(c_uint32)],
        _status,
    ),
    ("winshm_get_layout", [_region, *_text], _status),
    (
        "winshm_format_layout",
        [POINTER(winshm_field), c_uint32, c_uint64, *_text],
        _status,
    ),
    ("winshm_resize", [_region, c_uint64, c_uint32], _status),
    ("winshm_map", [_region, c_uint64, c_uint64, c_uint32, _out], _status),
    ("winshm_view_data", [_view], c_void_p),
    ("winshm_view_size", [_view], c_uint64),
    ("winshm_unmap", [_view], _status),
    ("winshm_read", [_region, c_uint64, c_void_p, c_uint64, c_uint32], _status),
    ("winshm_write", [_region, c_uint64, c_void_p, c_uint64, c_uint32], _status),
    ("winshm_copy_out", [_region, c_uint64, c_void_p, c_uint64], _status),
    ("winshm_copy_in", [_region, c_uint64, c_void_p, c_uint64], _status),
    ("winshm_save", [_region, c_char_p, c_uint32], _status),
    ("winshm_load", [_region, c_char_p, c_uint32], _status),
    ("winshm_lock", [_region, c_uint32, c_uint32], _status),
    ("winshm_unlock", [_region, c_uint32], _status),
    ("winshm_make_consistent", [_region], _status),
    ("winshm_notify", [_region], _status),
    ("winshm_wait", [_region, c_uint32, c_uint32, POINTER(c_uint32)], _status),
    ("winshm_change_count", [_region, POINTER(c_uint32)], _status),
    ("winshm_wait_fd", [_region, POINTER(c_int32)], _status),
    ("winshm_wait_handle", [_region, POINTER(c_void_p)], _status),
    ("winshm_get_name", [_region, *_text], _status),
    ("winshm_export", [_region, c_uint32, *_text], _status),
    ("winshm_import", [c_char_p, c_uint32, c_uint32, _out], _status),
    ("winshm_link", [_region, c_char_p], _status),
    ("winshm_open_link", [c_char_p, c_uint32, c_uint32, _out], _status),
]


def find() -> str:
    """Tell which library to load: WINSHM_LIBRARY, else the one beside this
    module, else a bare file name for the system's own rules."""
    chosen = os.environ.get("WINSHM_LIBRARY")
    if chosen:
        return chosen
    file_name = "winshm.dll" if sys.platform == "win32" else "libwinshm.so.0"
    beside = Path(__file__).resolve().parent / file_name
    return str(beside) if beside.exists() else file_name


def _chosen(path: str) -> bool:
    return path == os.environ.get("WINSHM_LIBRARY")


def _told(path: str) -> str:
    """Name a library, and who has named it."""
    return f"{path}, from the environment variable WINSHM_LIBRARY," if _chosen(path) else path


def _refused(message: str, path: str) -> ImportError:
    """What the import of this package ends with, and python -m in a single line."""
    return ImportError(message, name=__package__, path=path)


def check_version(loaded: int, path: str) -> None:
    """Refuse a library of another major version or a smaller minor one.

    loaded is what winshm_version() returned. Raises ImportError.
    """
    major, minor = map(int, VERSION.split(".")[:2])
    has_major, has_minor = loaded >> 16, loaded >> 8 & 0xFF
    if has_major != major or has_minor < minor:
        raise _refused(
            f"{_told(path)} is winshm {has_major}.{has_minor}, but this package needs "
            f"{major}.{minor} or a later {major}.x; install matching versions, or "
            f"let WINSHM_LIBRARY name another library",
            path,
        )


def load(path: str) -> tuple[ctypes.CDLL, ctypes.PyDLL]:
    """Load the library twice over: releasing the GIL in calls, and keeping it.

    Raises ImportError if it cannot be loaded or has the wrong version.
    """
    try:
        releasing = ctypes.CDLL(path)
    except OSError as error:
        cure = (
            "let it name the library's full path, or unset it"
            if _chosen(path)
            else "put the library beside this package, where the system looks for libraries, "
            "or let WINSHM_LIBRARY name its full path"
        )
        message = f"{_told(path)} cannot be loaded: {error}; {cure}"
        raise _refused(message, path) from error
    keeping = ctypes.PyDLL(path, handle=releasing._handle)
    try:
        keeping.winshm_version.restype = c_uint32
        keeping.winshm_version.argtypes = []
        # The version is looked at first: another one may lack functions.
        check_version(keeping.winshm_version(), path)
        for name, argtypes, restype in FUNCTIONS:
            for library in (releasing, keeping):
                function = getattr(library, name)
                function.argtypes = argtypes
                function.restype = restype
    except AttributeError as error:
        message = f"{_told(path)} is not a winshm library: {error}"
        raise _refused(message, path) from error
    return releasing, keeping


# Calls that may wait or take long go through lib. Those that never wait go through
# quick: giving up the GIL for them costs more than the call, and getting it back can
# take milliseconds while other threads compute.
lib, quick = load(find())


def untyped(library: ctypes.CDLL, name: str, restype: Any = _status) -> Callable[..., Any]:
    """Give a function of lib or quick that converts no argument, for frequent calls.

    To convert them takes longer than the call. So pass what is as C wants it already: an
    int for what has 32 bits, a c_uint64.from_param() for what has 64, a
    c_void_p.from_param() for a handle, and None, bytes, a ctypes array or a byref() for
    another pointer.
    """
    function = library[name]
    function.restype = restype
    return function
