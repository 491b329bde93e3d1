# SPDX-License-Identifier: MIT
"""Copies of the bytes of a region, and of the fields that they are."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from operator import index
from typing import TYPE_CHECKING, Any, TypeVar, cast

from . import _abi
from ._abi import Status, lib, quick, untyped
from ._buffers import BRIEF, new_bytes, readable, unsigned, word, writable
from ._change import Changing
from ._errors import check
from ._fields import Fields
from ._info import Info
from ._layout import Struct, parse
from ._lock import EXCLUSIVE, SHARED, Held
from ._lock import copy_in, copy_in_slowly, copy_out, copy_out_slowly
from ._plain import check_ctype
from ._waiting import seconds, slices

if TYPE_CHECKING:
    from typing_extensions import Buffer

T = TypeVar("T")

# Looking up a member of an enum takes about as long as taking the lock.
_TIMEOUT = int(Status.TIMEOUT)

# None of these waits: notify and unlock wake others by a system call at most, and those
# with a time-out are called with 0. While somebody is in the way they fail with TIMEOUT,
# and only then the call is made again without the GIL, which whoever is in the way needs.
# While another thread closes the region they look out for its decision. That comes within
# a millisecond or so, however long the calls last for which the close waits, and the
# thread does not need the GIL for it.
_size = untyped(quick, "winshm_size", ctypes.c_uint64)
_read = untyped(quick, "winshm_read")
_write = untyped(quick, "winshm_write")

_read_slowly = untyped(lib, "winshm_read")
_write_slowly = untyped(lib, "winshm_write")


def text_of(function: Callable[..., int], room: int, *arguments: Any) -> str:
    """Call what hands out text of at most so many bytes."""
    buffer = ctypes.create_string_buffer(room + 1)
    length = ctypes.c_uint32()
    check(function(*arguments, buffer, len(buffer), ctypes.byref(length)))
    return buffer.raw[: length.value].decode()


class Copying(Changing):
    """What has bytes that can be copied under the lock."""

    #: Makes the copies while fill has the region.
    _filling: Held | None = None
    #: What the layout text says, once it was asked for.
    _struct: Struct | None = None

    def _refuse_deadlock(self, mode: int, function: str) -> None:
        raise NotImplementedError

    def _slices(self, timeout: float | None, mode: int, function: str) -> Iterator[int]:
        """As slices(), and before each of them refuse what would wait for itself: while
        this thread waits, a coroutine that it runs can be given the lock."""
        for milliseconds in slices(timeout):
            self._refuse_deadlock(mode, function)
            yield milliseconds

    @property
    def size(self) -> int:
        """Bytes at this moment: as created, and more after resize().

        A raw region on Windows has whole pages.
        """
        # No region has 0 bytes: this says that the handle is bad, and info says why.
        return _size(self._argument) or self.info.size

    def _export(self) -> memoryview:
        data = super()._export()
        self._can_grow = data.nbytes < self.info.capacity
        return data

    @property
    def info(self) -> Info:
        """What is known of the region, a snapshot."""
        raw = _abi.winshm_info(ctypes.sizeof(_abi.winshm_info))
        check(lib.winshm_get_info(self._handle, ctypes.byref(raw)))
        return Info._from_raw(raw)

    def resize(self, size: int, *, timeout: float | None = None) -> None:
        """Make the region larger, for everybody; it must have been created with capacity.

            with winshm.create("demo", 4096, capacity=1 << 30) as region:
                region.resize(8192)

        size -- bytes, from what it has now up to info.capacity
        timeout -- seconds to wait for others that open, create or resize the region

        The new bytes are zero, and nothing moves: views that exist stay valid, and see
        what they saw. Whatever is made from now on, such as .data, has the new size, also
        in other processes, and those who wait for a change are woken. The lock is not
        needed, and may be held. A region never becomes smaller.

        Raises Error SIZE for less than now or more than the capacity, NO_MEMORY, after
        which nothing has changed, or UNSUPPORTED for a raw region; InvalidError for 0,
        AccessError for a read-only region, and TimeoutError.
        """
        size = unsigned(size, "size")
        self._patiently(
            lambda limit: lib.winshm_resize(self._handle, size, limit), timeout
        )

    def _patiently(
        self, call: Callable[[int], Any], timeout: float | None, mode: int = 0, name: str = ""
    ) -> None:
        """Make a call that has a time-out in milliseconds, in slices.

        mode is how it takes the lock, and name what it is called, where it does.
        """
        timeout = seconds(timeout)
        status = call(0)
        if status == _TIMEOUT and timeout != 0:
            for milliseconds in self._slices(timeout, mode, name) if mode else slices(timeout):
                status = call(milliseconds)
                if status != _TIMEOUT:
                    break
        if status:
            raise self._failure(status)

    @property
    def layout(self) -> str | None:
        """The text that says what the bytes are, or None if the creator has given none.

        It is that of layout_of(), whatever language the creator is written in. Error
        UNSUPPORTED: raw.
        """
        handle = self._handle
        return text_of(quick.winshm_get_layout, _abi.LAYOUT_MAX, handle) or None

    @property
    def fields(self) -> Fields:
        """The fields of the region, by the names that its layout has for them.

            region.fields["boxes"][1].length += 1

        Each read is a consistent copy, and each write is one of write(): see Fields.
        Raises ValueError if the region has no layout.
        """
        return Fields(self._fields_struct(), self)

    def _fields_struct(self) -> Struct:
        struct = self._struct
        if struct is None:
            layout = self.layout
            if layout is None:
                raise ValueError(
                    f"the region {self._name!r} has no layout: its creator gives one, as by "
                    "winshm.create(name, State)"
                )
            struct = self._struct = parse(layout)
        return struct

    def _go_on(
        self, status: int, timeout: float | None, function: Callable[..., int], *arguments: Any
    ) -> int:
        """Wait up to timeout seconds where a call that was not to wait has timed out."""
        if status == _TIMEOUT and timeout != 0:
            if function is _write_slowly:
                mode, name = EXCLUSIVE, "region.write()"
            else:
                mode, name = SHARED, "region.read()"
            for milliseconds in self._slices(timeout, mode, name):
                status = function(self._argument, *arguments, milliseconds)
                if status != _TIMEOUT:
                    break
        return status

    def read(
        self, offset: int = 0, length: int | None = None, *, timeout: float | None = None
    ) -> bytes:
        """Copy length bytes (None: the rest) from offset on, never torn by a writer
        that locks.

        Takes the lock shared, unless this thread holds it or there is none; up to
        4,096 bytes need no lock where no writer is at work. With tasks=True the lock is
        no thread's: whoever holds it reads with Held.read(). Raises RangeError,
        TimeoutError, OwnerDeadError, and Error with status DEADLOCK if a coroutine of
        this thread's event loop holds the lock and this would wait for it.
        """
        if type(length) is int and 0 <= length <= BRIEF:
            buffer = new_bytes(None, length)
            self._copy(_read, _read_slowly, offset, buffer, length, timeout)
            return buffer
        length = self._length(offset, length)
        while True:
            buffer = self._buffer(length)
            self._copy(_read, _read_slowly, offset, buffer, len(buffer), timeout)
            if len(buffer) == length:
                return buffer

    def _length(self, offset: int, length: int | None, argument: Any = None) -> int:
        """Give the length of a copy, None being the rest of the region.

        argument is the handle, where it is not the region's own.
        """
        if length is None:
            return max((_size(argument) or self.size) - index(offset), 0)
        return unsigned(length, "length")

    def _buffer(self, length: int, argument: Any = None) -> bytes:
        """Make room for a copy.

        Too much is still too much by one byte, but need not be allocated. If there is
        such a copy all the same, the region has grown meanwhile: then make another one.
        """
        if length > BRIEF:
            length = min(length, (_size(argument) or self.size) + 1)
        return new_bytes(None, length)

    def read_into(self, offset: int, buffer: Buffer, *, timeout: float | None = None) -> None:
        """Fill a writable buffer with the bytes from offset on; otherwise as read().

        After an exception the contents of the buffer are undefined.
        """
        pointer, length = writable(buffer)
        self._copy(_read, _read_slowly, offset, pointer, length, timeout)

    def _copy(
        self,
        function: Callable[..., int],
        slowly: Callable[..., int],
        offset: int,
        pointer: Any,
        length: int,
        timeout: float | None,
    ) -> None:
        if timeout is not None:
            timeout = seconds(timeout)
        place, size = word(index(offset)), word(length)
        if length > BRIEF:
            function = slowly
        status = function(self._argument, place, pointer, size, 0)
        if status:
            if self._filling is not None:
                # The lock is held for fill, which a region for tasks cannot know.
                writes = slowly is _write_slowly
                copies = (copy_in, copy_in_slowly) if writes else (copy_out, copy_out_slowly)
                self._filling._copy(*copies, offset, pointer, length)
                return
            status = self._go_on(status, timeout, slowly, place, pointer, size)
            if status:
                raise self._failure(status)

    def read_as(self, ctype: type[T], offset: int = 0, *, timeout: float | None = None) -> T:
        """Copy a ctypes object, such as a Structure, out of the region; as read()."""
        check_ctype(ctype)
        result = ctype()
        self.read_into(offset, cast("Buffer", result), timeout=timeout)
        return result

    def write(self, offset: int, data: Buffer, *, timeout: float | None = None) -> None:
        """Copy a bytes-like or ctypes object to offset, and notify those who wait.

        Takes the lock exclusively, unless this thread holds it or there is none. With
        tasks=True the lock is no thread's: whoever holds it writes with Held.write().
        Raises RangeError, AccessError for a read-only region, TimeoutError,
        OwnerDeadError, and Error with status DEADLOCK if this thread holds the lock
        shared, or as read().
        """
        pointer, length = readable(data)
        self._copy(_write, _write_slowly, offset, pointer, length, timeout)
