# SPDX-License-Identifier: MIT
"""The change counter of a region."""

from __future__ import annotations

import asyncio
import ctypes
from ctypes import byref

from . import _errors
from ._abi import Status, lib, quick, untyped
from ._buffers import unsigned
from ._errors import check
from ._memory import Block, Owner
from ._waiting import Watcher, seconds, slices

_TIMEOUT = int(Status.TIMEOUT)

# See _copying.py for which calls keep the GIL.
_notify = untyped(quick, "winshm_notify")
_wait = untyped(quick, "winshm_wait")
_change_count = untyped(quick, "winshm_change_count")
_wait_slowly = untyped(lib, "winshm_wait")

_Counter = ctypes.c_uint32 * 1


class Changing(Block):
    """What has a change counter, and can be waited for."""

    _name: str

    def __init__(self, owner: Owner, address: int | None, readonly: bool) -> None:
        super().__init__(owner, address, readonly)
        self._watcher = Watcher()

    def _after_fork(self) -> None:
        super()._after_fork()
        self._watcher = Watcher()

    def notify(self) -> None:
        """Raise the change counter and wake all who wait; write() does it by itself.

        Raises AccessError for an observer, Error UNSUPPORTED for a raw region.
        """
        status = _notify(self._argument)
        if status:
            raise self._failure(status)

    @property
    def change_count(self) -> int:
        """The change counter, 32 bits wide; it wraps around. Error UNSUPPORTED: raw."""
        now = _Counter()
        status = _change_count(self._argument, now)
        if status:
            raise self._failure(status)
        return now[0]

    def wait(self, *, seen: int | None = None, timeout: float | None = None) -> int:
        """Wait until the change counter differs from seen, and return it.

            seen = region.change_count
            ...  # look at the data
            seen = region.wait(seen=seen)

        No change is missed if change_count is taken first, then the data are looked at,
        then wait() is called with it. seen=None waits for a change from now on. Several
        changes may end one wait.

        Raises TimeoutError; ClosedError also if another thread closes the region.
        """
        seen = self.change_count if seen is None else unsigned(seen, "seen", 32)
        if timeout is not None:
            timeout = seconds(timeout)
        now = _Counter()
        status = _wait(self._argument, seen, 0, now)
        if status == _TIMEOUT and timeout != 0:
            for milliseconds in slices(timeout):
                status = _wait_slowly(self._argument, seen, milliseconds, now)
                if status != _TIMEOUT:
                    break
        if status == _TIMEOUT:
            raise self._no_change(timeout)
        if status:
            raise self._failure(status)
        return now[0]

    def _no_change(self, timeout: float | None) -> _errors.TimeoutError:
        # The library has been told of the last slice of the time-out only.
        message = (
            f"region.wait() {self._name!r}: no change within {timeout:g} s [WINSHM_E_TIMEOUT]. "
            "Nobody has called region.notify() or region.write() meanwhile."
        )
        return _errors.TimeoutError(Status.TIMEOUT, message)

    def _wait_once(self, seen: int, milliseconds: int) -> tuple[int, int]:
        now = ctypes.c_uint32()
        status = lib.winshm_wait(self._handle, seen, milliseconds, byref(now))
        return status, now.value

    async def wait_async(self, *, seen: int | None = None, timeout: float | None = None) -> int:
        """The same as wait(), for a coroutine, which may be cancelled.

        One thread for each region serves all its coroutines; it ends with the last.
        """
        timeout = seconds(timeout)
        count = self.change_count
        seen = count if seen is None else unsigned(seen, "seen", 32)
        future = asyncio.get_running_loop().create_future()
        self._watcher.add(future, seen, self._wait_once)
        try:
            # What changed before add() is seen here, what comes later by the watcher.
            count = self.change_count
            if count != seen:
                # Others get their turn even if the counter never stands still.
                await asyncio.sleep(0)
                return count
            return await asyncio.wait_for(future, timeout)
        except asyncio.TimeoutError:
            raise self._no_change(timeout) from None
        finally:
            self._watcher.discard(future)

    def wait_fd(self) -> int:
        """A file descriptor for select, selectors and the like on Linux.

        It becomes readable at each change from now on. Empty it with os.read(fd, 8), then
        look at change_count: several changes may be one signal. It never blocks, is
        closed on exec and belongs to the region: do not close it, nor use it after
        close(). Coroutines have wait_async().

        Raises Error with status UNSUPPORTED on Windows and for a raw region.
        """
        out = ctypes.c_int32()
        check(quick.winshm_wait_fd(self._handle, byref(out)))
        return out.value

    def wait_handle(self) -> int:
        """A Windows event, as a HANDLE, for loops with WaitForMultipleObjects().

        It is auto-reset and set at each change from now on; look at change_count after
        it fires. It belongs to the region: do not close it, nor wait for it after
        close(). Raises AccessError for an observer, Error UNSUPPORTED elsewhere.
        """
        out = ctypes.c_void_p()
        check(quick.winshm_wait_handle(self._handle, byref(out)))
        assert out.value is not None
        return out.value
