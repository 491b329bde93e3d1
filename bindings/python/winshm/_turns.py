# SPDX-License-Identifier: MIT
"""The queue of the coroutines that want a region's lock."""

from __future__ import annotations

import asyncio
import collections
import ctypes
import math
import threading
import time
from typing import TYPE_CHECKING, Any

from . import _abi, _errors
from ._abi import Status, lib
from ._lock import EXCLUSIVE, Use, lock_slowly, unlock
from ._waiting import SLICE_MS, served

if TYPE_CHECKING:
    from ._memory import Owner

_TIMEOUT = int(Status.TIMEOUT)
_OWNER_DEAD = int(Status.OWNER_DEAD)

# Seconds for which coroutines may hand the lock to each other before others come in, and
# for which a lock that nobody asked for here has been left to others.
_LONGEST_RUN = 0.005
_LEFT_ALONE = 0.001


class _Request:
    """A coroutine in the queue."""

    __slots__ = ("future", "mode", "recover", "thread", "use")

    def __init__(self, future: asyncio.Future[bool], use: Use, recover: bool) -> None:
        self.future = future
        self.use = use
        self.mode = use.mode
        self.recover = recover
        #: The thread of its event loop.
        self.thread = threading.current_thread()


class Turns:
    """The queue of all coroutines, of any event loops, that want one region's lock.

    They get it in the order in which they asked, and readers that are neighbours in the
    queue together. The library is asked for one request at a time, the first one, and
    only if no coroutine holds the lock in a mode that excludes it. So 1,000 coroutines
    are one participant to other processes, and after each section those have their turn.

    Who asks does not wait: most of the time nobody else holds the lock. Only if somebody
    does, one thread for the region waits on behalf of the queue, for a slice of time
    after the other. To ask again and again between sleeps would need no thread, but it
    would be late by half a sleep on average, and last: the library lets whoever waits
    inside it go before those who come later, and that a poller never is. A thread of the
    loop's executor would do as well, but that may be busy with functions that wait for
    the very lock, and it is not that of the other loops.

    To ask without waiting goes before those who wait, which is quick, but nobody else
    would come in as long as coroutines hand the lock to each other. So after a run of a
    few milliseconds, unless the lock has been left alone meanwhile, the thread asks: it
    gets the lock after whoever waits already.

    The thread waits for no particular coroutine. So a cancelled one leaves at once. If
    the lock comes too late for it, the next one gets it, or it is given back.

    The thread is no daemon, which at exit would be frozen with the lock in its hands, but
    it ends with the threads that it serves. All fields are guarded by the one lock, under
    which nothing waits. It is reentrant, because a finalizer can run at any allocation.
    """

    def __init__(self, owner: Owner, argument: Any, name: str) -> None:
        self._name = name
        self._owner = owner
        self._argument = argument
        self._closed = False
        self._running = False
        #: Whether the thread is asking, and may have the lock for nobody.
        self._asking = False
        #: When the coroutines began to hand the lock to each other, and when they last
        #: released it.
        self._run_start = self._released = -math.inf
        self._queue: collections.deque[_Request] = collections.deque()
        #: Those who have got the lock, but have not run since then.
        self._granted: set[_Request] = set()
        #: How many coroutines hold the lock shared; -1: one holds it exclusively.
        self._holders = 0
        #: How many of them each event loop runs.
        self._loops: collections.Counter[object] = collections.Counter()
        self._renew()

    def _renew(self) -> None:
        self._guard = threading.RLock()
        self._changed = threading.Condition(self._guard)

    def entered(self) -> None:
        """A coroutine of the running event loop holds the lock."""
        self._loops[_running_loop()] += 1

    def left(self) -> None:
        """It does no more."""
        loop = _running_loop()
        if self._loops[loop] > 1:
            self._loops[loop] -= 1
        elif loop is not None:
            del self._loops[loop]
        else:
            # It was thrown away with its loop, and nobody knows which.
            self._loops.clear()

    def stopped_by_waiting(self, mode: int) -> bool:
        """Whether the lock will not be free for this mode as long as this thread waits:
        its event loop runs a coroutine that is in the way."""
        loop = _running_loop()
        with self._guard:
            if loop is None or self._admits(mode):
                return False
            return loop in self._loops or any(
                each.future.get_loop() is loop for each in list(self._granted)
            )

    def take_now(self, use: Use, recover: bool, once: bool) -> bool | None:
        """Take the lock if nobody is in the way, otherwise return None.

        once tells that nobody will ask again. Returns whether the last owner died in its
        section. Raises an Error.
        """
        mode, taken = use.mode, False
        try:
            with self._guard:
                self._check_open()
                if self._queue or not self._admits(mode) or not (once or self._may_barge()):
                    return None
                for status in use.attempts:
                    if not status:
                        self._holders += -1 if mode == EXCLUSIVE else 1
                        taken = True
                        return False
                    break
                if status == _TIMEOUT:
                    return None
                result = self._result(mode, recover, status)
                taken = not isinstance(result, BaseException)
        except BaseException:
            # Of a signal handler.
            if taken:
                self.release(mode)
            raise
        if isinstance(result, BaseException):
            raise result
        return result

    async def take(self, use: Use, recover: bool, timeout: float | None) -> bool:
        """Wait for the lock for up to timeout seconds; otherwise as take_now()."""
        if timeout == 0:
            raise self._late(timeout)
        loop = asyncio.get_running_loop()
        request = _Request(loop.create_future(), use, recover)
        timer = None
        if timeout is not None:
            timer = loop.call_later(timeout, self._expire, request, timeout)
        try:
            with self._guard:
                # In this order, so that either close() sees it or it sees close().
                self._queue.append(request)
                self._check_open()
                self._advance()
            died = await request.future
            self._granted.discard(request)
            return died
        except BaseException:
            # Cancelled, or thrown away with its loop; otherwise this does nothing.
            self._withdraw(request)
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def release(self, mode: int) -> _errors.Error | None:
        """Release the lock and let the next ones have it; what that has failed with."""
        with self._guard:
            status = self._give_back(mode)
            self._released = time.monotonic()
            failure = _errors.error(status) if status else None
            if self._queue:
                self._advance()
        return failure

    def close(self) -> None:
        """End all waiting with ClosedError."""
        self._closed = True
        # A finalizer at exit must not wait for the lock, as a daemon may be frozen with
        # it; and nobody waits for a region that is being finalized.
        if not self._queue:
            return
        with self._guard:
            while self._queue:
                self._answer(self._queue.popleft(), _errors.closed("region"))
            self._changed.notify()

    def settle(self) -> bool:
        """Give back what is held for those who were cancelled, and let the thread do so
        with what it has got for nobody. Whether there may have been something.
        """
        with self._guard:
            cancelled = [each for each in list(self._granted) if each.future.cancelled()]
            for request in cancelled:
                self._take_back(request)
            if self._holders or not self._asking:
                return bool(cancelled)
            # For no longer than the thread asks, with some time to spare.
            self._changed.wait_for(lambda: not self._asking, SLICE_MS / 1000 * 2)
            return True

    def go_on(self) -> None:
        """Serve the queue again after settle()."""
        with self._guard:
            self._advance()

    def after_fork(self) -> None:
        """Forget, in a child, what is the parent's: its thread and its coroutines."""
        self._renew()
        self._running = self._asking = False
        self._queue.clear()
        self._granted.clear()

    # All below are called with the guard.

    def _check_open(self) -> None:
        # The handle may be open still, for memory that is in use.
        if self._closed:
            raise _errors.closed("region")

    def _admits(self, mode: int) -> bool:
        """Whether no coroutine is in the way of a holder in this mode."""
        return self._holders == 0 or (self._holders > 0 and mode != EXCLUSIVE)

    def _result(self, mode: int, recover: bool, status: int) -> bool | _errors.Error:
        """Note what the library has said to a request, which holds the lock if this
        returns whether the last owner died in its section."""
        died = status == _OWNER_DEAD and mode == EXCLUSIVE
        if status and not (died and recover):
            if self._closed:
                failure: _errors.Error = _errors.closed("region")
            else:
                failure = _errors.error(status, function="region.lock_async()")
            if died:
                self._unlock(mode)
            return failure
        self._holders += -1 if mode == EXCLUSIVE else 1
        return died

    def _give_back(self, mode: int) -> int:
        self._holders -= -1 if mode == EXCLUSIVE else 1
        return self._unlock(mode)

    def _unlock(self, mode: int) -> int:
        status: int = unlock(self._argument, mode)
        # It may be the lock that has kept the handle open after the end of a with block.
        self._owner.close_abandoned()
        return status

    def _may_barge(self) -> bool:
        """Whether to take the lock without regard to those who wait elsewhere."""
        now = time.monotonic()
        if now - self._released >= _LEFT_ALONE and not self._holders:
            self._run_start = now
        return now - self._run_start < _LONGEST_RUN

    def _advance(self) -> None:
        """Give the lock to those whose turn it is, as far as it is to be had now."""
        while self._queue and self._admits(self._queue[0].mode):
            request = self._queue[0]
            status = _TIMEOUT
            if self._may_barge():
                for status in request.use.attempts:
                    break
            result: bool | Exception
            if status != _TIMEOUT:
                result = self._result(request.mode, request.recover, status)
            elif self._running:
                self._changed.notify()
                return
            else:
                self._running = True
                try:
                    threading.Thread(
                        target=self._ask, name="winshm-lock", daemon=False
                    ).start()
                    return
                except RuntimeError as failure:  # No more threads, or none at exit.
                    self._running = False
                    result = failure
                except BaseException:
                    self._running = False
                    raise
            self._queue.popleft()
            self._answer(request, result)

    def _answer(self, request: _Request, result: bool | Exception) -> None:
        if not isinstance(result, Exception):
            self._granted.add(request)
        loop = request.future.get_loop()
        if loop is _running_loop():
            _complete(request.future, result)
            return
        try:
            loop.call_soon_threadsafe(_complete, request.future, result)
        except RuntimeError:  # It is closed: nobody waits any more.
            self._take_back(request)

    def _take_back(self, request: _Request) -> bool:
        """Release the lock if it is held for the request; whether it was."""
        if request not in self._granted:
            return False
        self._granted.discard(request)
        self._released = time.monotonic()
        self._give_back(request.mode)
        return True

    def _expire(self, request: _Request, timeout: float) -> None:
        with self._guard:
            if request in self._queue:
                self._queue.remove(request)
                self._answer(request, self._late(timeout))
                self._advance()

    def _late(self, timeout: float) -> _errors.TimeoutError:
        holder = "somebody else"
        raw = _abi.winshm_info(ctypes.sizeof(_abi.winshm_info))
        if self._holders:
            holder = "another coroutine"
        elif not lib.winshm_get_info(self._owner.handle, ctypes.byref(raw)) and raw.owner_pid:
            holder = f"process {raw.owner_pid}"
        message = (
            f"region.lock_async() {self._name!r}: the lock was not free within {timeout:g} s: "
            f"{holder} holds it [WINSHM_E_TIMEOUT]. Wait for longer; region.participants tells "
            "who is in the way."
        )
        return _errors.TimeoutError(Status.TIMEOUT, message)

    def _withdraw(self, request: _Request) -> None:
        with self._guard:
            if request in self._queue:
                self._queue.remove(request)
                self._advance()
            elif self._take_back(request):
                self._advance()

    def _ask(self) -> None:
        """The thread: wait for the lock as long as the queue needs it."""
        while True:
            with self._guard:
                mode = self._wanted()
                if mode is None:
                    self._running = False
                    return
                self._asking = True
            status = lock_slowly(self._argument, mode, SLICE_MS)
            with self._guard:
                if status != _TIMEOUT:
                    self._run_start = self._released = time.monotonic()
                    self._pass_on(mode, status)
                self._asking = False
                self._changed.notify_all()

    def _wanted(self) -> int | None:
        """Wait until there is something to ask for, but not for long."""
        end = time.monotonic() + SLICE_MS / 1000
        while not self._closed and served(request.thread for request in self._queue):
            if self._queue and self._admits(self._queue[0].mode):
                return self._queue[0].mode
            left = end - time.monotonic()
            if left <= 0:
                break
            self._changed.wait(left)
        return None

    def _pass_on(self, mode: int, status: int) -> None:
        """Give what the thread was told to whoever is the first in the queue by now."""
        request = self._queue[0] if self._queue else None
        if request is not None and request.mode == mode and self._admits(mode):
            result = self._result(mode, request.recover, status)
            self._queue.popleft()
            self._answer(request, result)
        elif status == Status.OK or (status == _OWNER_DEAD and mode == EXCLUSIVE):
            self._unlock(mode)
        self._advance()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _complete(future: asyncio.Future[bool], result: bool | Exception) -> None:
    # If it was cancelled, the request is withdrawn as soon as its coroutine runs.
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
