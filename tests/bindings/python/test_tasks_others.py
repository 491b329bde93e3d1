# SPDX-License-Identifier: MIT
"""Coroutines that hand the lock to each other, beside others who want it or the region."""

import asyncio
import threading

import pytest
import winshm
from conftest import enter, free, run, turns, until
from winshm import _turns

#: Takes the lock again and again for a second; the longest time that took.
OTHER = (
    "import time\n"
    "r = winshm.open(sys.argv[1]); worst = 0; end = time.monotonic() + 1\n"
    "while time.monotonic() < end:\n"
    "  start = time.monotonic()\n"
    "  try:\n"
    "    with r.lock(timeout=3): pass\n"
    "  except winshm.TimeoutError: pass\n"
    "  worst = max(worst, time.monotonic() - start)\n"
    "  time.sleep(0.001)\n"
    "r.close(); print(worst)"
)


@pytest.mark.parametrize(("section", "number"), [(0.03, 1), (0.03, 3), (0.1, 3)])
def test_others_come_in(child, tasks, section, number):
    """However long the sections are, nobody waits for many of them."""

    async def work():
        while other.process.poll() is None:
            async with tasks.lock_async():
                await asyncio.sleep(section)

    async def main():
        await asyncio.gather(*(work() for _ in range(number)))

    other = child(OTHER, tasks.name)
    run(main())
    assert float(other.end()) < 0.9


def test_coroutines_come_in(child, tasks):
    """The other way round: giving way is not giving up."""

    async def main():
        done = 0
        while other.process.poll() is None:
            async with tasks.lock_async():
                done += 1
                await asyncio.sleep(0.005)
        return done

    other = child(OTHER.replace("pass\n  except", "time.sleep(0.005)\n  except"), tasks.name)
    assert run(main()) > 10
    other.end()


@pytest.fixture
def slow_thread(monkeypatch):
    """The thread that waits for the lock takes its time to say that it has got it."""
    real = _turns.lock_slowly
    slow_thread = threading.Event()
    slow_thread.asks = threading.Event()
    slow_thread.got = threading.Event()

    def lock_slowly(*arguments):
        slow_thread.asks.set()
        # However slow the test is, it does not come too late for this.
        while (status := real(*arguments)) == winshm.Status.TIMEOUT:
            pass
        if not status:
            slow_thread.got.set()
            assert slow_thread.wait(20)
        return status

    monkeypatch.setattr(_turns, "lock_slowly", lock_slowly)
    yield slow_thread
    slow_thread.set()


async def cancelled_wait(tasks, slow_thread):
    waiting = asyncio.ensure_future(enter(tasks))
    while not slow_thread.asks.is_set():
        await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


@pytest.mark.parametrize("in_use", [False, True], ids=["free", "in_use"])
def test_close_while_the_thread_has_the_lock_for_nobody(region, slow_thread, in_use):
    tasks = winshm.open(region.name, tasks=True)
    with region.lock():
        run(cancelled_wait(tasks, slow_thread))
    assert slow_thread.got.wait(20)
    if in_use:
        tasks.data[0] = 1
    threading.Timer(0.05, slow_thread.set).start()
    tasks.close()
    assert tasks.closed
    assert free(region)


def test_close_before_a_cancelled_coroutine_has_run(region, slow_thread):
    """It has got the lock, and does not want it any more."""
    slow_thread.set()

    async def main():
        tasks = winshm.open(region.name, tasks=True)
        region.acquire()
        waiting = asyncio.ensure_future(enter(tasks))
        await asyncio.sleep(0.02)
        region.release()
        until(lambda: tasks._turns._holders)
        waiting.cancel()
        tasks.close()
        with pytest.raises((asyncio.CancelledError, winshm.ClosedError)):
            await waiting

    run(main())
    assert free(region)


def test_last_release_closes_what_was_left(region, slow_thread):
    """By the thread, which got the lock after the end of the with block."""
    region.acquire()

    async def main():
        with winshm.open(region.name, tasks=True) as tasks:
            view = tasks.data[:1]
            await cancelled_wait(tasks, slow_thread)
        return view

    view = run(main())
    region.release()
    assert slow_thread.got.wait(20)
    view.release()
    assert len(region.participants) == 2
    slow_thread.set()
    until(lambda: len(region.participants) == 1)
    assert free(region)


def test_second_release(tasks):
    """It releases nothing, not even what somebody else holds."""

    async def main():
        lock = tasks.lock_async()
        async with lock:
            pass
        with pytest.raises(winshm.Error, match="NOT_OWNER"):
            await lock.__aexit__()
        async with tasks.lock_async(timeout=1):
            with pytest.raises(winshm.Error, match="NOT_OWNER"):
                await lock.__aexit__()
            with pytest.raises(winshm.TimeoutError):
                await enter(tasks, timeout=0)
        await enter(tasks, timeout=1)

    run(main())


def test_readers_that_share_one_object(tasks):
    async def main():
        lock = tasks.lock_async(shared=True)

        async def read():
            async with lock:
                await turns()

        await asyncio.gather(read(), read(), read())
        await enter(tasks, timeout=1)

    run(main())
