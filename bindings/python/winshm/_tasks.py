# SPDX-License-Identifier: MIT
"""The lock for coroutines."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from . import _errors
from ._abi import Status
from ._errors import raise_after
from ._lock import Held, warn_of_unused
from ._waiting import seconds

if TYPE_CHECKING:
    from ._region import Region
    from ._turns import Turns


class AsyncLock(Held):
    """One use of a region's lock by a coroutine, made by Region.lock_async().

    Cancelling the coroutine, which is what Ctrl-C does under asyncio.run() from Python
    3.11 on, loses nothing at any moment. An exception that a handler of signal.signal()
    raises into a running event loop may come in the midst of the queue's work, and leave
    the lock held: use loop.add_signal_handler().
    """

    __slots__ = ("_taken", "_turns")

    def __init__(
        self, region: Region, shared: bool, timeout: float | None, recover: bool, turns: Turns
    ) -> None:
        super().__init__(region, shared, timeout, recover)
        #: How many blocks hold it, as readers may share this object.
        self._taken = 0
        self._turns = turns

    async def __aenter__(self) -> AsyncLock:
        timeout = seconds(self._timeout)
        died = self._turns.take_now(self._use, self._recover, timeout == 0)
        if died is None:
            if timeout != 0:
                self._region._refuse_in_fill("region.lock_async()")
            died = await self._turns.take(self._use, self._recover, timeout)
        self._taken += 1
        self._turns.entered()
        self.owner_died = died
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        body: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Release the lock; as the end of a with block on Region.lock()."""
        failure: _errors.Error | None
        if self._taken:
            self._taken -= 1
            self._turns.left()
            failure = self._turns.release(self._use.mode)
        else:
            message = "the lock is not held any more [WINSHM_E_NOT_OWNER]"
            failure = _errors.Error(Status.NOT_OWNER, message)
        if failure is not None:
            raise_after(failure, body)


class UnusedAsyncLock(AsyncLock):
    """What Region.lock_async() returns; dropped before it is entered, it warns."""

    __slots__ = ()

    async def __aenter__(self) -> AsyncLock:
        self.__class__ = AsyncLock  # type: ignore[assignment]
        return await self.__aenter__()

    def __del__(self) -> None:
        warn_of_unused(self, "async with region.lock_async()")
