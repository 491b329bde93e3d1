# SPDX-License-Identifier: MIT
"""Regions."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Iterator
from ctypes import byref
from typing import Any

from . import _abi, _errors
from ._abi import Status, lib, quick
from ._buffers import unsigned
from ._copying import text_of
from ._errors import check
from ._handover import HandingOver
from ._info import Participant, Roles
from ._lock import EXCLUSIVE, SHARED, AcquiredLock, Held, Lock, UnusedLock, Use, unlock
from ._memory import Owner, close_unclaimed
from ._tasks import AsyncLock, UnusedAsyncLock
from ._turns import Turns
from ._view import View

#: For those who hold the lock across an await, where the thread is that of all tasks.
_COROUTINES = ' Coroutines then use "async with region.lock_async()".'


class Region(HandingOver):
    """One participant's handle to a region; any number of threads may use it.

    Made by create(), open() and open_or_create(). Use it in a with block, or close() it:
    the region ends with its last participant. Time-outs are seconds, None waits without
    end; Ctrl-C ends any wait. Besides what is said at each method, everything may raise
    ClosedError, and Error with status FORKED in a child made by os.fork(), CORRUPT,
    FAULT or SYSTEM.
    """

    _what = "region"

    # What the end of an object needs of which the making was ended by an exception.
    _name = ""
    _turns: Turns | None = None
    #: The thread on which fill runs.
    _filler: int | None = None

    def __init__(
        self, handle: int, name: str | None, flags: int, security: str | None = None
    ) -> None:
        if name is None:
            name = text_of(quick.winshm_get_name, _abi.NAME_MAX + len("Global\\"), handle)
        owner = Owner(handle, lib.winshm_close, f"region {name!r}")
        super().__init__(owner, quick.winshm_data(handle), not flags & _abi.WRITE)
        self._name = name
        self._flags = flags
        self._make_uses()
        # What else is given to create a region says nothing of whom to trust.
        self._security = security if security == "anyone" else None
        if flags & _abi.TASK:
            self._turns = Turns(owner, self._argument, name)

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        """Pickle the name and the access, for multiprocessing and the like.

        Where it is unpickled the region is opened again, as by open() with the readonly,
        raw, no_map and tasks of this object, and with security="anyone" if it was opened so.
        So somebody must have it open then, and that object is a participant of its own, to
        be closed there. A region that has got the name since is refused with Error
        REPLACED; a raw one, whose lives cannot be told apart, is taken as it is.
        """
        # Not above, as it needs this class.
        from ._open import open_again

        return open_again, (self._name, self._flags, self.info.id, self._security)

    def _failure(self, status: int, more: str = "", function: str = "") -> _errors.Error:
        more = _COROUTINES if status == Status.DEADLOCK else more
        return super()._failure(status, more, function)

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
                f"region.close() {self._name!r}: the lock is held through this object "
                "[WINSHM_E_BUSY]. Release it first."
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

    def _fill(self, fill: Callable[[Region], object]) -> None:
        """Have the new region filled under the lock that it was created with."""
        self._filler = threading.get_ident()
        self._filling = Held(self, False, None, False)
        try:
            result = fill(self)
            if isinstance(result, (Awaitable, Generator, AsyncGenerator)):
                if isinstance(result, (Coroutine, Generator)):
                    result.close()  # So that nobody warns of it.
                message = (
                    f"fill has returned {result!r}, which has not run to its end: it must be "
                    "an ordinary function, without async and yield, that fills the region "
                    "before it returns"
                )
                raise TypeError(message)
            self.make_consistent()
            self.release()
        finally:
            self._filling = self._filler = None

    def _refuse_deadlock(self, mode: int, function: str) -> None:
        """Raise Error DEADLOCK if to wait here keeps the holder from ever releasing.

        The library does so for locks of threads. That of a region for tasks is no
        thread's, but this thread must go on for some of its holders to go on.
        """
        self._refuse_in_fill(function)
        if self._turns is not None and self._turns.stopped_by_waiting(mode):
            message = (
                f"{function} {self._name!r}: a coroutine of this thread's event loop holds the "
                "lock, and to wait for it would stop the loop [WINSHM_E_DEADLOCK]. Whoever "
                "holds it copies with held.read() and held.write(); others take it with "
                '"async with region.lock_async()".'
            )
            raise _errors.Error(Status.DEADLOCK, message)

    def _refuse_in_fill(self, function: str) -> None:
        if self._filler == threading.get_ident():
            message = (
                f"{function} {self._name!r}: this thread holds the lock already, for fill "
                "[WINSHM_E_DEADLOCK]. In fill, region.read() and region.write() copy without "
                "taking it."
            )
            raise _errors.Error(Status.DEADLOCK, message)

    def __repr__(self) -> str:
        return f"<winshm.Region {self._name!r}{', closed' if self.closed else ''}>"

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
        the event loop meanwhile, so that it never is: they raise Error DEADLOCK then.

        Raises InvalidError unless the region was opened with tasks=True. Entering raises
        TimeoutError, OwnerDeadError, AccessError for an observer, ClosedError also if
        the region is closed meanwhile, and Error UNSUPPORTED where there is no lock.
        """
        if self._turns is None:
            message = (
                f"region.lock_async() {self._name!r}: its lock belongs to threads, of which "
                "all tasks of a loop have one [WINSHM_E_INVALID]. Open it with tasks=True."
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
        return AcquiredLock(self, shared, timeout, recover).__enter__()

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
