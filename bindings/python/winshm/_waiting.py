# SPDX-License-Identifier: MIT
"""Waiting in short slices, and waiting on behalf of coroutines."""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from . import _errors
from ._abi import Status

#: Python handles signals, and ends, only between two calls: so none may last long.
SLICE_MS = 200


def slices(timeout: float | None) -> Iterator[int]:
    """Yield the milliseconds of one call after another until timeout seconds are up."""
    timeout = seconds(timeout)
    if timeout is None:
        while True:
            yield SLICE_MS
    deadline = time.monotonic() + timeout
    left = timeout
    while left * 1000 > SLICE_MS:
        yield SLICE_MS
        left = deadline - time.monotonic()
    yield max(math.ceil(left * 1000), 0)


def seconds(timeout: float | None) -> float | None:
    """Refuse what is neither None nor a number of seconds; NaN is none.

    Give it as what time.monotonic() counts in: not every number can be added to that.
    """
    if timeout is None:
        return None
    try:
        valid = timeout >= 0
        number = float(timeout)
    except OverflowError:
        number = math.inf
    except TypeError:
        message = f"timeout must be None or a number of seconds, not {timeout!r}"
        raise TypeError(message) from None
    except ArithmeticError:  # what is no number has no order, either
        valid = False
    if not valid:
        raise ValueError(f"timeout must be None or at least 0 seconds, not {timeout!r}")
    return number


def served(threads: Iterable[threading.Thread]) -> bool:
    """Whether somebody can still need a thread of ours that serves these threads.

    The interpreter waits for threads that are no daemons, ours among them, after the
    main thread has ended.
    """
    return threading.main_thread().is_alive() or any(
        thread.is_alive() and not thread.daemon for thread in threads
    )


class Watcher:
    """Waits for the changes of one region in one thread, for any number of coroutines.

    The thread starts with the first coroutine and ends some slices after the last, so
    that a loop of waits does not start one each time. It is no daemon, which at exit
    would be frozen with a handle in its hands, but it ends with those that it serves.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiters: dict[asyncio.Future[int], tuple[int, threading.Thread]] = {}
        self._running = False

    def add(
        self,
        future: asyncio.Future[int],
        seen: int,
        wait: Callable[[int, int], tuple[int, int]],
    ) -> None:
        """Complete future, in its loop, once the counter differs from seen.

        wait(seen, milliseconds) returns a status and the counter. It is the same one at
        each call, and not kept: it refers to the region.
        """
        with self._lock:
            self._waiters[future] = seen, threading.current_thread()
            if self._running:
                return
            self._running = True
        try:
            threading.Thread(
                target=self._run, args=(seen, wait), name="winshm-wait", daemon=False
            ).start()
        except BaseException:
            self._running = False
            raise

    def discard(self, future: asyncio.Future[int]) -> None:
        """Forget future."""
        with self._lock:
            self._waiters.pop(future, None)

    def _run(self, now: int, wait: Callable[[int, int], tuple[int, int]]) -> None:
        needed = time.monotonic()
        while True:
            failure = None
            try:
                status, now = wait(now, SLICE_MS)
                if status not in (Status.OK, Status.TIMEOUT):
                    failure = _errors.error(status)
            except _errors.Error as error:
                failure = error
            with self._lock:
                for future, (seen, _) in list(self._waiters.items()):
                    if failure is not None or seen != now:
                        del self._waiters[future]
                        # A loop that is closed has nobody left who waits.
                        with contextlib.suppress(RuntimeError):
                            future.get_loop().call_soon_threadsafe(
                                _complete, future, now, failure
                            )
                if self._waiters:
                    needed = time.monotonic()
                unneeded = time.monotonic() - needed > SLICE_MS / 1000
                needing = [thread for _, thread in self._waiters.values()]
                if failure is not None or unneeded or not served(needing):
                    self._running = False
                    return


def _complete(future: asyncio.Future[int], now: int, failure: Exception | None) -> None:
    if future.done():
        return
    if failure is None:
        future.set_result(now)
    else:
        future.set_exception(failure)
