# SPDX-License-Identifier: MIT
"""Uses of a region's lock, as context managers."""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from . import _abi
from ._abi import Status, lib, quick, untyped
from ._errors import error, raise_after
from ._memory import BRIEF, new_bytes, readable, word, writable
from ._waiting import check_timeout

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from ._region import Region

T = TypeVar("T")

# Looking up a member of an enum takes about as long as taking the lock.
SHARED = _abi.SHARED
EXCLUSIVE = _abi.EXCLUSIVE

# See _region.py for which calls keep the GIL.
lock_now = untyped(quick, "winshm_lock")
lock_slowly = untyped(lib, "winshm_lock")
unlock = untyped(quick, "winshm_unlock")
_copy_out = untyped(quick, "winshm_copy_out")
_copy_in = untyped(quick, "winshm_copy_in")
_copy_out_slowly = untyped(lib, "winshm_copy_out")
_copy_in_slowly = untyped(lib, "winshm_copy_in")


class Held:
    """A lock that is held in a with block, and the copies that can be made under it.

    The copies take no lock, whichever thread or coroutine makes them. So they are for
    the coroutine that holds the lock, and for a thread to which the holder has given
    work. Nobody may let the lock go meanwhile.

    They raise Error with status NOT_OWNER where nobody holds the lock through the
    region object.
    """

    __slots__ = ("_argument", "_mode", "_recover", "_region", "_timeout", "owner_died")

    def __init__(self, region: Region, shared: bool, timeout: float | None, recover: bool):
        if shared and recover:
            raise ValueError("a reader cannot repair: recover needs the exclusive lock")
        self._region = region
        # Kept for the end of the block, which may come after that of the region's own.
        self._argument = region._argument
        self._mode = SHARED if shared else EXCLUSIVE
        self._timeout = timeout
        self._recover = recover
        #: Whether the last owner died in its section, so that the data need repair.
        self.owner_died = False

    def read(self, offset: int = 0, length: int | None = None) -> bytes:
        """Copy length bytes (None: the rest) from offset on.

        Raises RangeError, and Error with status NOT_OWNER.
        """
        length = self._region._length(offset, length)
        buffer = new_bytes(None, length)
        self._copy(_copy_out, _copy_out_slowly, offset, buffer, length)
        return buffer

    def read_into(self, offset: int, buffer: Buffer) -> None:
        """Fill a writable buffer with the bytes from offset on; otherwise as read()."""
        self._copy(_copy_out, _copy_out_slowly, offset, *writable(buffer))

    def read_as(self, ctype: type[T], offset: int = 0) -> T:
        """Copy a ctypes object, such as a Structure, out of the region; as read()."""
        result = ctype()
        self.read_into(offset, cast("Buffer", result))
        return result

    def write(self, offset: int, data: Buffer) -> None:
        """Copy a bytes-like or ctypes object to offset, and notify those who wait.

        Raises RangeError, AccessError for a read-only region, and Error with status
        NOT_OWNER unless the lock is held exclusively.
        """
        self._copy(_copy_in, _copy_in_slowly, offset, *readable(data))

    def _copy(
        self,
        quickly: Callable[..., int],
        slowly: Callable[..., int],
        offset: int,
        pointer: Any,
        length: int,
    ) -> None:
        function = slowly if length > BRIEF else quickly
        status = function(self._argument, word(index(offset)), pointer, word(length))
        if status:
            raise self._region._failure(status)


class Lock(Held):
    """One use of a region's lock, made by Region.lock() and Region.acquire()."""

    __slots__ = ()

    def __enter__(self) -> Lock:
        self.owner_died = False
        if self._timeout is not None:
            check_timeout(self._timeout)
        status = lock_now(self._argument, self._mode, 0)
        if status:
            self._enter_slowly(status)
        return self

    def _enter_slowly(self, status: int) -> None:
        region = self._region
        status = region._go_on(status, self._timeout, lock_slowly, self._mode)
        if status:
            self.owner_died = status == Status.OWNER_DEAD and self._mode == EXCLUSIVE
            if not (self.owner_died and self._recover):
                failure = region._failure(status)
                if self.owner_died:
                    self.__exit__()
                raise failure

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
        status = unlock(self._argument, self._mode)
        if status:
            raise_after(error(status), body)
        if self._region._owner is None:
            self._region._close_late()
