# SPDX-License-Identifier: MIT
"""Shared memory as Python objects that cannot outlive its mapping.

Everything that is handed out (memoryviews, their slices, numpy arrays, ctypes objects)
keeps alive a ctypes array over the memory. As long as there is such an array the handle
stays open, so that nothing can ever touch memory that is gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import operator
import os
import sys
import threading
import warnings
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, TypeVar

from . import _errors
from ._abi import Status
from ._plain import check_ctype

T = TypeVar("T")
Self = TypeVar("Self", bound="Block")

#: Owners of open handles. They must not become garbage together with their users, since
#: the collector takes garbage apart in no particular order.
_owners: set[Owner] = set()

# What close() has returned when the handle is closed.
_GONE = (int(Status.OK), int(Status.CLOSED), int(Status.FORKED))


class _End:
    """Calls something when it dies, and then lets others die.

    What it calls is kept in a slot, where the interpreter finds it without running any
    Python code: between two steps of that the exception of a signal handler could come,
    and would be lost in a finalizer, with the rest of its work.
    """

    __slots__ = ("__del__", "_then")

    def __init__(self, call: Callable[[], object], then: object = None) -> None:
        self.__del__ = call
        self._then = then


class Owner:
    """Owns one open handle of the library, on behalf of a block and of its arrays."""

    def __init__(self, handle: int, close: Callable[[int], int], what: str) -> None:
        self.handle = handle
        self.what = what
        #: The arrays that are alive, as their id().
        self.arrays: set[int] = set()
        #: What is to die with each of them.
        self.ends: dict[int, _End] = {}
        #: Whether the handle is open. What else is kept may lag behind this.
        self.open = True
        #: Whether this is a child of the process that opened it.
        self.forked = False
        #: The block, so that a child finds it.
        self.block: Callable[[], Block | None] = lambda: None
        self._close = close
        self._abandoned = False
        #: Dies with the last array, once the handle is abandoned.
        self.late: list[_End] = []
        _owners.add(self)

    def close(self) -> None:
        """Close the handle now. If this raises an Error, or BufferError because of an
        array, it is open still; after any other exception self.open tells."""
        if not self.open:
            return
        statuses = map(self._close, (self.handle,))
        if self.arrays:
            raise BufferError(
                f"cannot close the {self.what}: views of it exist; first release or del the "
                "memoryviews, numpy arrays and ctypes objects that were made of it, or leave "
                "its with block, which closes it after the last of them"
            )
        try:
            # Unlike a call, a step of an iterator lets no signal handler come between it
            # and those before and after it. One that made an array now, or whose exception
            # hid that the memory is gone, would let somebody use that memory.
            for status in statuses:
                # A child has nothing to close but its mapping.
                if status in _GONE:
                    self.open = False
            if self.open:
                raise _errors.error(status)
        finally:
            if not self.open:
                _owners.discard(self)

    def closes_with(self, close: Callable[[int], int]) -> bool:
        """Whether this is how to close the handle."""
        return self._close is close

    def abandon(self) -> None:
        """Close the handle as soon as no array is alive, but not while it holds the
        lock: to unlock might show half-written data to others."""
        self._abandoned = True
        late, self.late = self.late, []
        if self.arrays:
            # An exception may end what this calls, so there is another try.
            late.append(_End(self.close_abandoned, _End(self.close_abandoned)))
        self.close_abandoned()

    def close_abandoned(self) -> None:
        """Close the handle if it is abandoned and nothing is in the way any more."""
        if self._abandoned and not self.arrays:
            with contextlib.suppress(_errors.Error, BufferError):
                self.close()


def close_unclaimed(handle: int | None, close: Callable[[int], int]) -> None:
    """Close a handle that the library has just given, as nobody will get to know it."""
    if handle:
        close(handle)
        for owner in list(_owners):
            if owner.handle == handle and owner.closes_with(close):
                owner.close()


def _after_fork() -> None:
    """Keep this process, which is a child, out of the memory of its parent.

    The library refuses the handles by itself, but not the addresses that are kept here.
    """
    for owner in list(_owners):
        owner.forked = True
        block = owner.block()
        if block is not None:
            block._after_fork()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_after_fork)


@functools.lru_cache
def _array_type(size: int) -> type[ctypes.Array[ctypes.c_ubyte]]:
    members = {
        "_type_": ctypes.c_ubyte,
        "_length_": size,
        "__del__": property(operator.attrgetter("ends")),
        # One that an exception ends before it is known to its owner has nothing to do.
        "ends": bool,
    }
    return type("Memory", (ctypes.Array,), members)


def _make_array(owner: Owner, address: int, size: int) -> Any:
    array: Any = _array_type(size).from_address(address)
    key = id(array)
    # The collector calls all the __del__ methods of its garbage before it takes the first
    # object apart, so others may use the array after its own. What its owner has kept
    # until then is not part of that garbage: its __del__ comes when the array really
    # ends. A weak reference would not do, those of garbage are cleared even earlier.
    place: list[_End | None] = []
    pop: Callable[..., _End | None] = owner.ends.pop
    array.ends = functools.partial(place.extend, map(pop, (key,), (None,)))
    owner.ends[key] = _End(functools.partial(owner.arrays.discard, key), owner.late)
    owner.arrays.add(key)
    return array


class Block:
    """What regions and views have in common: memory, and a handle to close."""

    _what = "block"

    # An exception may end the making of an object at any moment, and its end needs these.
    _owner: Owner | None = None
    #: Abandons the handle if nothing else has.
    _end: _End | None = None
    #: The owner of a handle that stays open after the end of a with block.
    _left: Owner | None = None
    #: The handle for untyped functions; None, which they refuse, once it is closed.
    _argument: Any = None
    _data: memoryview | None = None
    #: Whether the size may be another one the next time.
    _can_grow = False

    def __init__(self, owner: Owner, address: int | None, readonly: bool) -> None:
        #: What .data was before the region grew.
        self._older: list[memoryview] = []
        self._owner = owner
        owner.block = weakref.ref(self)
        self._end = _End(owner.abandon)
        self._argument = ctypes.c_void_p.from_param(owner.handle)
        self._address = address
        self._readonly = readonly
        # Keeps threads from making arrays while another one closes. Reentrant, because
        # a finalizer, which may use this block, can run at any allocation.
        self._guard = threading.RLock()

    @property
    def _handle(self) -> int:
        owner = self._owner
        if owner is None or not owner.open:
            raise _errors.closed(self._what)
        if owner.forked:
            raise _errors.forked(self._what)
        return owner.handle

    def _failure(self, status: int, more: str = "", function: str = "") -> _errors.Error:
        """Make the exception for the call that has just failed; as _errors.error()."""
        # Of what was closed here the library has seen no more than NULL.
        if self.closed:
            return _errors.closed(self._what)
        return _errors.error(status, more, function)

    @property
    def closed(self) -> bool:
        """Whether it has been closed."""
        owner = self._owner
        return owner is None or not owner.open

    @property
    def size(self) -> int:
        """Bytes."""
        raise NotImplementedError

    @property
    def data(self) -> memoryview:
        """The shared bytes themselves, as a memoryview of format "B".

        It is the same object each time, read-only where the mapping is, and released by
        close(). numpy.frombuffer(), struct.unpack_from() and the like take it as it is.
        The bytes change under it whenever another process writes them: lock.

        When the region has grown it is another object, of the present size. The one from
        before stays as it was: it shows the same bytes, at the same address, and close()
        releases it, too.

        In a child made by os.fork() it raises Error with status FORKED. A memoryview
        that the parent has taken before stays as it is in the child, too: the shared
        bytes of the parent's region.

        Raises ClosedError, and ValueError for a region opened with no_map.
        """
        data = self._data
        if data is None or self._can_grow or _is_released(data):
            with self._guard:
                self._handle  # noqa: B018 - raises if it is closed
                data = self._data
                if data is not None and self._can_grow and not _is_released(data):
                    if data.nbytes == self.size:
                        return data
                    self._older.append(data)
                    data = None
                if data is None or _is_released(data):
                    data = self._data = self._export()
        return data

    def _export(self) -> memoryview:
        assert self._owner is not None
        if not self._address:
            raise ValueError("the region was opened with no_map; use map()")
        array = _make_array(self._owner, self._address, self.size)
        data = memoryview(array).cast("B")
        return data.toreadonly() if self._readonly else data

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """The bytes for numpy.asarray(): an array of uint8 over the memory itself.

        It keeps the memory, as slices of .data do, and is read-only where the mapping is.
        """
        # numpy keeps what it is given here. .data would not do: close() releases it.
        data = self.data[:]
        return {"version": 3, "typestr": "|u1", "shape": data.shape, "data": data}

    def __buffer__(self, flags: int) -> memoryview:
        """The bytes for memoryview() and whatever takes a buffer, from Python 3.12 on."""
        return self.data[:]

    def view_as(self, ctype: type[T], offset: int = 0) -> T:
        """Lay a ctypes type (a Structure, an array, c_uint64) over the bytes at offset.

        The result is the shared memory, not a copy: assigning to its fields writes.
        Use types of fixed size, and the alignment that the other languages use.

        Raises ValueError if it does not fit, and TypeError for a type with pointers or
        Python objects in it, which mean nothing to other processes, and for a read-only
        mapping, since ctypes cannot refuse to write: Region.read_as() makes a copy.
        """
        check_ctype(ctype)
        if self._readonly:
            raise TypeError(f"the {self._what} is read-only; use Region.read_as()")
        result: T = ctype.from_buffer(self.data, offset)  # type: ignore[attr-defined]
        return result

    def close(self) -> None:
        """Close it now; if it is closed, do nothing.

        The memoryviews from .data are released. While something else uses the memory
        (slices of .data, numpy arrays, objects from view_as()) BufferError is raised and
        it stays open. Leaving a with block does not raise that: see __exit__().

        Several threads may close it at once; each returns when it is closed. Calls of
        other threads that wait end with ClosedError. In a child made by os.fork() this
        only unmaps the memory, as soon as nothing uses it.

        Raises Error with status BUSY while the lock is held through this object, whether
        or not something uses the memory, and .data stays valid; and if the call of
        another thread does not end within 10 seconds.

        If an exception of a signal handler, such as KeyboardInterrupt, ends this, it is
        open or closed, and .closed says which.
        """
        with self._guard:
            owner = self._owner
            if owner is None:
                return
            try:
                if owner.forked:
                    self._leave()
                    owner.abandon()
                elif owner.open:
                    self._close(owner)
            finally:
                if not owner.open:
                    self._leave()

    def _close(self, owner: Owner) -> None:
        """Close the handle; called with the guard."""
        for data in self._older:
            data.release()
        if self._data is not None:
            self._data.release()
            self._data = None
        owner.close()

    def __enter__(self: Self) -> Self:
        self._handle  # noqa: B018 - raises if it is closed
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        body: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Close it; if views of it exist, as soon as the last of them is gone.

        Raises what close() raises, and it stays open then. But an exception of the block
        goes on instead, which then has that as a note.
        """
        try:
            self.close()
        except BufferError:
            with self._guard:
                owner = self._left = self._owner
                if owner is not None:
                    owner.abandon()
                self._leave()
        except _errors.Error as failure:
            _errors.raise_after(failure, body)

    def _close_late(self) -> None:
        """Close the handle after the with block if it was the lock that kept it open."""
        if self._left is not None:
            self._left.close_abandoned()

    def __del__(self) -> None:
        owner = self._owner
        if owner is not None:
            try:
                if owner.open and not owner.forked:
                    text = f"unclosed {owner.what}"
                    warnings.warn(text, ResourceWarning, source=self, stacklevel=2)
            finally:
                # The warning may be an exception.
                owner.abandon()
                self._leave()

    def __copy__(self) -> NoReturn:
        # It would close the same handle, or be a participant that nobody closes.
        raise TypeError(f"a {self._what} cannot be copied; open the region again")

    def __deepcopy__(self, memo: object) -> NoReturn:
        self.__copy__()

    def __reduce_ex__(self, protocol: object) -> Any:
        message = f"a {self._what} cannot be pickled; pickle its region, and map() it there"
        raise TypeError(message)

    def _leave(self) -> None:
        if self._end is not None:
            self._end.__del__ = bool
        self._owner = self._argument = self._data = None
        self._older = []

    def _after_fork(self) -> None:
        """Forget, in a child, the memory, and locks that no thread will release."""
        self._data = None
        self._older = []
        self._guard = threading.RLock()


def _is_released(view: memoryview) -> bool:
    try:
        return view.nbytes < 0
    except ValueError:
        return True
