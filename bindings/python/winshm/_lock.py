# SPDX-License-Identifier: MIT
"""Uses of a region's lock, as context managers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from itertools import repeat, starmap
from operator import index
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

from . import _abi
from ._abi import Status, lib, quick, untyped
from ._buffers import BRIEF, readable, word, writable
from ._errors import error, raise_after
from ._fields import Fields
from ._plain import check_ctype
from ._waiting import seconds

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from ._region import Region

T = TypeVar("T")

# Looking up a member of an enum takes about as long as taking the lock.
SHARED = _abi.SHARED
EXCLUSIVE = _abi.EXCLUSIVE

_TIMEOUT = int(Status.TIMEOUT)
_OWNER_DEAD = int(Status.OWNER_DEAD)

# See _copying.py for which calls keep the GIL.
lock_now = untyped(quick, "winshm_lock")
lock_slowly = untyped(lib, "winshm_lock")
unlock = untyped(quick, "winshm_unlock")
copy_out = untyped(quick, "winshm_copy_out")
copy_in = untyped(quick, "winshm_copy_in")
copy_out_slowly = untyped(lib, "winshm_copy_out")
copy_in_slowly = untyped(lib, "winshm_copy_in")


class Use:
    """A handle and a mode, and what takes the lock so."""

    __slots__ = ("argument", "attempts", "mode", "releases")

    def __init__(self, argument: Any, mode: int) -> None:
        self.argument = argument
        self.mode = mode
        #: Without end; each step tries to take the lock at once, and gives the status.
        #: A call may be followed by an exception of a signal handler before anybody knows
        #: what it has returned. A step of an iterator and its assignment are not.
        self.attempts: Iterator[int] = starmap(lock_now, repeat((argument, mode, 0)))
        #: The same for releasing it, which makes it faster, too.
        self.releases: Iterator[int] = starmap(unlock, repeat((argument, mode)))


class Held:
    """A lock that is held in a with block, and the copies that can be made under it.

    The copies take no lock, whichever thread or coroutine makes them. So they are for
    the coroutine that holds the lock, and for a thread to which the holder has given
    work. Nobody may let the lock go meanwhile.

    They raise Error with status NOT_OWNER where nobody holds the lock through the
    region object.
    """

    __slots__ = (
        "_recover",
        "_region",
        "_timeout",
        "_use",
        "owner_died",
    )

    def __init__(self, region: Region, shared: bool, timeout: float | None, recover: bool):
        if shared and recover:
            raise ValueError("a reader cannot repair: recover needs the exclusive lock")
        # Kept for the end of the block, which may come after that of the region's own.
        self._use = region._shared if shared else region._exclusive
        self._timeout = timeout
        self._recover = recover
        #: Whether the last owner died in its section, so that the data need repair.
        self.owner_died = False
        # The last one: where an exception has come before, there is nothing to warn of.
        self._region = region

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a lock can be neither copied nor pickled; ask the region again")

    def read(self, offset: int = 0, length: int | None = None) -> bytes:
        """Copy length bytes (None: the rest) from offset on.

        Raises RangeError, and Error with status NOT_OWNER.
        """
        # The handle may be open still when the region is left.
        argument = self._use.argument
        length = self._region._length(offset, length, argument)
        while True:
            buffer = self._region._buffer(length, argument)
            self._copy(copy_out, copy_out_slowly, offset, buffer, len(buffer))
            if len(buffer) == length:
                return buffer

    def read_into(self, offset: int, buffer: Buffer) -> None:
        """Fill a writable buffer with the bytes from offset on; otherwise as read()."""
        self._copy(copy_out, copy_out_slowly, offset, *writable(buffer))

    def read_as(self, ctype: type[T], offset: int = 0) -> T:
        """Copy a ctypes object, such as a Structure, out of the region; as read()."""
        check_ctype(ctype)
        result = ctype()
        self.read_into(offset, cast("Buffer", result))
        return result

    def write(self, offset: int, data: Buffer) -> None:
        """Copy a bytes-like or ctypes object to offset, and notify those who wait.

        Raises RangeError, AccessError for a read-only region, and Error with status
        NOT_OWNER unless the lock is held exclusively.
        """
        self._copy(copy_in, copy_in_slowly, offset, *readable(data))

    @property
    def fields(self) -> Fields:
        """The fields of the region, as Region.fields, read and written under this lock."""
        return Fields(self._region._fields_struct(), self)

    def _copy(
        self,
        quickly: Callable[..., int],
        slowly: Callable[..., int],
        offset: int,
        pointer: Any,
        length: int,
    ) -> None:
        function = slowly if length > BRIEF else quickly
        status = function(self._use.argument, word(index(offset)), pointer, word(length))
        if status:
            raise self._region._failure(status)


def _let_signal_handlers_run() -> None:
    """Do nothing, as the interpreter runs them at the entry of a function."""


class Lock(Held):
    """One use of a region's lock, made by Region.lock() and Region.acquire().

    An exception of a signal handler, such as KeyboardInterrupt, may come at any moment.
    If it ends the entering, the lock is not held, and not lost for others either. If it
    ends the block, the lock is released as after any exception. One gap is left, since
    the end of the block is Python code: where it comes just when the block is done and
    the release has not begun, the lock stays held. Who catches such an exception and
    goes on can look whether release() raises Error with status NOT_OWNER. acquire() and
    release() leave what lies between them to the caller, as those of threading.Lock do.
    """

    __slots__ = ()

    #: What the messages say was called.
    _function = "region.lock()"

    def __enter__(self) -> Lock:
        if self._timeout is not None:
            self._timeout = seconds(self._timeout)
        for status in self._use.attempts:
            if status:
                self._enter_slowly(status)
            else:
                self.owner_died = False
            return self
        raise AssertionError

    def _enter_slowly(self, status: int) -> None:
        timeout = self._timeout
        self.owner_died = False
        try:
            if status == _TIMEOUT and timeout != 0:
                mode = self._use.mode
                slices = self._region._slices(timeout, mode, self._function)
                handles = self._region._arguments()
                for status in map(lock_slowly, handles, repeat(mode), slices):
                    if status != _TIMEOUT:
                        break
            self.owner_died = status == _OWNER_DEAD and self._use.mode == EXCLUSIVE
            if status and not (self.owner_died and self._recover):
                raise self._region._failure(status, function=self._function)
            # What has come during the wait is raised here, and not behind the try.
            _let_signal_handlers_run()
        except BaseException:
            # Of the lock, or of a signal handler.
            if not status or (status == _OWNER_DEAD and self._use.mode == EXCLUSIVE):
                self.__exit__()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        body: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Release the lock.

        Raises Error with status NOT_OWNER if it is not held any more, but not in place
        of an exception of the block, which then has that as a note.
        """
        for status in self._use.releases:
            if status:
                raise_after(error(status), body)
            break
        if self._region._owner is None:
            self._region._close_late()


class AcquiredLock(Lock):
    """What Region.acquire() returns."""

    __slots__ = ()

    _function = "region.acquire()"


class UnusedLock(Lock):
    """What Region.lock() returns; dropped before it is entered, it warns.

    Entering makes it a Lock, which has no finalizer: in one the exception of a signal
    handler would be lost.
    """

    __slots__ = ()

    def __enter__(self) -> Lock:
        self.__class__ = Lock  # type: ignore[assignment]
        return self.__enter__()

    def __aenter__(self) -> NoReturn:
        self.__class__ = Lock  # type: ignore[assignment]
        raise TypeError(
            'this lock is for "with"; coroutines write "async with region.lock_async():", '
            "on a region opened with tasks=True"
        )

    # Without this one Python would not come to the other.
    __aexit__ = __aenter__

    def __del__(self) -> None:
        warn_of_unused(self, "with region.lock()")


def warn_of_unused(lock: Held, statement: str) -> None:
    """Tell whoever drops the lock, in the finalizer of which this is called."""
    region = getattr(lock, "_region", None)
    if region is not None:
        text = f"the lock of region {region.name!r} was asked for but never taken"
        warnings.warn(f'{text}; write "{statement}:"', RuntimeWarning, stacklevel=3)
