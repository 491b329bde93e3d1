# SPDX-License-Identifier: MIT
"""Arguments and buffers as C wants them."""

from __future__ import annotations

import ctypes
import functools
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._plain import check_plain

if TYPE_CHECKING:
    from typing_extensions import Buffer


def unsigned(value: int, what: str, bits: int = 64) -> int:
    """Refuse what ctypes would cut to size without a word."""
    try:
        value = operator.index(value)
    except TypeError:
        raise TypeError(f"{what} must be an integer, not {value!r}") from None
    if value >> bits:  # which leaves -1 of what is negative
        raise ValueError(f"{what} must be from 0 to 2**{bits} - 1, not {value}")
    return value


@functools.lru_cache(maxsize=1024)
def word(value: int, what: str = "offset") -> Any:
    """Make the 64 bits of an argument for untyped functions.

    Programs read and write at the same places again and again: to remember the arguments
    takes a third of the time of making them.
    """
    return ctypes.c_uint64.from_param(unsigned(value, what))


#: Up to so many bytes are copied in less time than others take to notice a free GIL.
BRIEF = 64 << 10

#: Makes bytes that are to be filled, which C may do as long as nobody else has them.
new_bytes: Callable[[bytes | None, int], bytes] = ctypes.PYFUNCTYPE(
    ctypes.py_object, ctypes.c_char_p, ctypes.c_ssize_t
)(("PyBytes_FromStringAndSize", ctypes.pythonapi))

_first_byte = ctypes.c_char.from_buffer


def _plain(buffer: Buffer) -> memoryview:
    view = memoryview(buffer)
    check_plain(view)
    return view


def writable(buffer: Buffer) -> tuple[Any, int]:
    """Give a pointer to the bytes of a contiguous, writable buffer, and their number.

    The pointer keeps the buffer from being moved, cut or freed.
    """
    if type(buffer) is bytearray and buffer:
        pointer = ctypes.byref(_first_byte(buffer))
        # Only now it cannot be cut any more.
        return pointer, len(buffer)
    return _pointer(_plain(buffer))


def _pointer(view: memoryview) -> tuple[Any, int]:
    return ctypes.byref(_first_byte(view)) if view.nbytes else None, view.nbytes


def readable(buffer: Buffer) -> tuple[Any, int]:
    """The same for any buffer; what ctypes cannot point into is copied."""
    if type(buffer) is bytearray:
        return writable(buffer)
    if not isinstance(buffer, bytes):
        view = _plain(buffer)
        if not view.readonly and view.c_contiguous:
            return _pointer(view)
        buffer = view.tobytes()
    return buffer, len(buffer)
