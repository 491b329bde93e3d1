# SPDX-License-Identifier: MIT
"""Regions."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from ctypes import byref
from operator import index
from typing import TYPE_CHECKING, Any, TypeVar, cast

from . import _abi, _errors
from ._abi import Status, lib, quick, untyped
from ._change import Changing
from ._errors import check
from ._info import Info, Participant, Roles
from ._lock import EXCLUSIVE, SHARED, Held, Lock, UnusedLock, Use, unlock
from ._lock import copy_in, copy_in_slowly, copy_out, copy_out_slowly
from ._memory import BRIEF, Owner, check_ctype, close_unclaimed, new_bytes
from ._memory import readable, unsigned, word, writable
from ._tasks import AsyncLock, Turns, UnusedAsyncLock
from ._view import View
from ._waiting import check_timeout, slices

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

#: For those who hold the lock across an await, where the thread is that of all tasks.
_COROUTINES = ' Coroutines then use "async with region.lock_async()".'


class Region(Changing):
    """One participant's handle to a region; any number of threads may use it.

    Made by create(), open() and open_or_create(). Use it in a with block, or close() it:
    the region ends with its last participant. Time-outs are seconds, None waits without
    end; Ctrl-C ends any wait. Besides what is said at each method, everything may raise
    ClosedError, and Error with status FORKED in a child made by os.fork(), CORRUPT,
    FAULT or SYSTEM.
    """

    _what = "region"

    def __init__(self, handle: int, name: str, flags: int) -> None:
        owner = Owner(handle, lib.winshm_close, f"region {name!r}")
        super().__init__(owner, quick.winshm_data(handle), not flags & _abi.WRITE)
        self._name = name
        self._flags = flags
        self._make_uses()
        self._turns = Turns(owner, self._argument) if flags & _abi.TASK else None
        #: Makes the copies while fill has the region.
        self._filling: Held | None = None

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        """Pickle the name and the access, for multiprocessing and the like.

        Where it is unpickled the region is opened again, as by open() with the readonly,
        raw, no_map and tasks of this object. So somebody must have it open then, and that
        object is a participant of its own, to be closed there.
        """
        # Not above, as it needs this class.
        from ._open import open_again

        self._handle  # noqa: B018 - raises if it is closed
        return open_again, (self._name, self._flags)

    def _failure(self, status: int, more: str = "") -> _errors.Error:
        return super()._failure(status, _COROUTINES if status == Status.DEADLOCK else more)

    def _close(self, owner: Owner) -> None:
        try:
            self._close_unless_busy(owner)
        finally:
            if owner.open and self._turns is not None:
                self._turns.go_on()

    def _close_unless_busy(self, owner: Owner) -> None:
        # First what a refusal must leave alone.
        in_use = self._data is not None or bool(owner.arrays)
        if in_use and self._holds_lock() and not (self._settle() and not self._holds_lock()):
            message = (
                f"cannot close region {self._name!r}: the lock is held through it "
                "[WINSHM_E_BUSY]"
            )
            raise _errors.Error(Status.BUSY, message)
        try:
            super()._close(owner)
        except _errors.Error as failure:
            if failure.status != Status.BUSY or not self._settle():
                raise
            super()._close(owner)

    def _settle(self) -> bool:
        return self._turns is not None and self._turns.settle()

    def _holds_lock(self) -> bool:
        """Whether the lock is held through this object."""
        try:
            if not self.info.lock_state:
                return False
            ours = (each.roles for each in self.participants if Roles.SELF in each.roles)
            return any(roles & (Roles.EXCLUSIVE | Roles.SHARED) for roles in ours)
        except _errors.Error:
            # Without participants there is no lock; else closing meets the same failure.
            return False

    def _make_uses(self) -> None:
        """Make what takes the lock of the handle, which None has not."""
        self._exclusive = Use(self._argument, EXCLUSIVE)
        self._shared = Use(self._argument, SHARED)

    def _arguments(self) -> Iterator[Any]:
        """Yield the handle, as long as there is one, and None from then on."""
        while True:
            yield self._argument

    def _leave(self) -> None:
        super()._leave()
        self._make_uses()
        if self._turns is not None:
            self._turns.close()

    def _after_fork(self) -> None:
        super()._after_fork()
        if self._turns is not None:
            self._turns.after_fork()

    def _go_on(
        self, status: int, timeout: float | None, function: Callable[..., int], *arguments: Any
    ) -> int:
        """Wait up to timeout seconds where a call that was not to wait has timed out."""
        if status == _TIMEOUT and timeout != 0:
            for milliseconds in slices(timeout):
                status = function(self._argument, *arguments, milliseconds)
                if status != _TIMEOUT:
                    break
        return status

    def _fill(self, fill: Callable[[Region], object]) -> None:
        """Have the new region filled under the lock that it was created with."""
        self._filling = Held(self, False, None, False)
        try:
            fill(self)
            self.make_consistent()
            self.release()
        finally:
            self._filling = None

    def __repr__(self) -> str:
        return f"<winshm.Region {self._name!r}{', closed' if self.closed else ''}>"

    @property
    def name(self) -> str:
        """The name that it was opened with."""
        return self._name

    @property
    def size(self) -> int:
        """Bytes, exactly as created; a raw region on Windows has whole pages."""
        # No region has 0 bytes: this says that the handle is bad, and info says why.
        return _size(self._argument) or self.info.size

    @property
    def info(self) -> Info:
        """What is known of the region, a snapshot."""
        raw = _abi.winshm_info(ctypes.sizeof(_abi.winshm_info))
        check(lib.winshm_get_info(self._handle, byref(raw)))
        return Info._from_raw(raw)

    @property
    def participants(self) -> list[Participant]:
        """The participants that are alive. Error UNSUPPORTED for a raw region."""
        array = (_abi.winshm_participant * _abi.PARTICIPANTS_MAX)()
        array[0].struct_size = ctypes.sizeof(_abi.winshm_participant)
        count = ctypes.c_uint32()
        check(lib.winshm_get_participants(self._handle, array, len(array), byref(count)))
        return [Participant._from_raw(raw) for raw in array[: count.value]]

    def map(self, offset: int, length: int, *, readonly: bool | None = None) -> View:
        """Map length bytes from offset on, which need no alignment.

        readonly=None maps as the region is. Raises RangeError, AccessError for
        readonly=False on a read-only region, InvalidError for length 0, and Error with
        status NO_MEMORY or TOO_MANY.
        """
        if readonly not in (None, True, False):
            raise TypeError(f"readonly must be True, False or None, not {readonly!r}")
        flags = 0 if readonly is None else _abi.READ if readonly else _abi.WRITE
        readonly = self._readonly if readonly is None else readonly
        out = ctypes.c_void_p()
        offset, length = unsigned(offset, "offset"), unsigned(length, "length")
        try:
            check(lib.winshm_map(self._handle, offset, length, flags, byref(out)))
            assert out.value is not None
            return View(out.value, self._name, length, readonly)
        except BaseException:
            close_unclaimed(out.value, lib.winshm_unmap)
            raise

    def read(
        self, offset: int = 0, length: int | None = None, *, timeout: float | None = None
    ) -> bytes:
        """Copy length bytes (None: the rest) from offset on, never torn by a writer
        that locks.

        Takes the lock shared, unless this thread holds it or there is none; up to
        4,096 bytes need no lock where no writer is at work. With tasks=True the lock is
        no thread's: whoever holds it reads with Held.read(). Raises RangeError,
        TimeoutError, OwnerDeadError.
        """
        if type(length) is not int or not 0 <= length <= BRIEF:
            length = self._length(offset, length)
        buffer = new_bytes(None, length)
        self._copy(_read, _read_slowly, offset, buffer, length, timeout)
        return buffer

    def _length(self, offset: int, length: int | None, argument: Any = None) -> int:
        """Give the length of a copy, None being the rest of the region.

        argument is the handle, where it is not the region's own.
        """
        if length is None:
            return max((_size(argument) or self.size) - index(offset), 0)
        length = unsigned(length, "length")
        if length > BRIEF:
            # Too much is still too much by one byte, but need not be allocated.
            length = min(length, (_size(argument) or self.size) + 1)
        return length

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
            check_timeout(timeout)
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
        shared.
        """
        pointer, length = readable(data)
        self._copy(_write, _write_slowly, offset, pointer, length, timeout)

    def lock(
        self, *, shared: bool = False, timeout: float | None = None, recover: bool = False
    ) -> Lock:
        """Return a context manager that holds the lock inside its with block.

            with region.lock():
                ...

        The call alone locks nothing, and the lock is taken when the block begins: so no
        exception of a signal handler can come between and leave it held. If the result
        is never used in a with statement, a RuntimeWarning says so; acquire() locks at
        once.

        If an owner died in its section the block does not run: OwnerDeadError is
        raised, and the data stay marked. To repair them, take the lock with recover:

            with region.lock(recover=True) as held:
                if held.owner_died:
                    ...  # make the data whole
                    region.make_consistent()

        The thread owns the lock: only it may release it, and threads that share the
        object exclude each other. On a region opened with tasks=True the object owns it
        instead, any thread may release it, and a second request waits like anybody's.
        An exception in the block releases the lock, as it does with any lock; nobody is
        told that the data may be half written.

        Do not hold it across an await, where other tasks get the thread, nor wait for it
        in a coroutine, which stops its event loop: lock_async() is for them.

        Entering raises TimeoutError, OwnerDeadError, AccessError for an observer, and
        Error with status DEADLOCK (this thread has the lock) or UNSUPPORTED (no lock).
        """
        return UnusedLock(self, shared, timeout, recover)

    def lock_async(
        self, *, shared: bool = False, timeout: float | None = None, recover: bool = False
    ) -> AsyncLock:
        """Return the lock as lock() does, for coroutines, on a region for tasks.

            region = winshm.open("demo", tasks=True)
            ...
            async with region.lock_async() as held:
                held.write(0, await something())

        It may be held across an await. Coroutines get it in the order in which they
        asked, readers that are neighbours together, whatever their event loops, and
        other processes between them. One that waits may be cancelled, and none holds
        the lock then. Arguments and the rest are those of lock().

        Under it, copy with held.read() and held.write(), or use .data. The region's own
        read(), write(), lock() and acquire() would wait until it is released, and stop
        the event loop meanwhile, so that it never is.

        Raises InvalidError unless the region was opened with tasks=True. Entering raises
        TimeoutError, OwnerDeadError, AccessError for an observer, ClosedError also if
        the region is closed meanwhile, and Error UNSUPPORTED where there is no lock.
        """
        if self._turns is None:
            message = (
                f"lock_async() on {self._name!r}: its lock belongs to threads, of which all "
                "tasks of a loop have one; open it with tasks=True [WINSHM_E_INVALID]"
            )
            raise _errors.InvalidError(Status.INVALID, message)
        return UnusedAsyncLock(self, shared, timeout, recover, self._turns)

    def acquire(
        self, *, shared: bool = False, timeout: float | None = None, recover: bool = False
    ) -> Lock:
        """Take the lock at once, for code without a with block; release() gives it back.

        Raises what entering lock() raises, and never holds the lock then. The result
        says in owner_died what only recover=True lets pass.
        """
        return Lock(self, shared, timeout, recover).__enter__()

    def release(self, *, shared: bool = False) -> None:
        """Release what acquire() has taken, on the thread that has taken it.

        With tasks=True any thread may do so. Raises Error with status NOT_OWNER.
        """
        status = unlock(self._argument, SHARED if shared else EXCLUSIVE)
        if status:
            raise self._failure(status)

    def make_consistent(self) -> None:
        """Declare the data whole again, holding the lock exclusively after a death.

        Without it they stay marked, and the next owner is told again.
        Raises Error with status NOT_OWNER.
        """
        # A wait may have got the lock after the end of the with block.
        left = self._left
        check(quick.winshm_make_consistent(self._handle if left is None else left.handle))
