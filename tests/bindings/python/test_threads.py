# SPDX-License-Identifier: MIT
"""Threads that share a region, while others of them close it."""

import asyncio
import sys
import threading
import time

import pytest
import winshm
from winshm import Status, _memory

#: What closing may fail with while others are at work, and what their calls then may.
REFUSED = (Status.BUSY,)
ENDED = (Status.CLOSED,)


class Crowd:
    """Threads, and the exceptions that they did not expect."""

    def __init__(self):
        self.failures = []
        self.threads = []

    def run(self, function, *arguments):
        def run():
            try:
                function(*arguments)
            except BaseException as failure:
                self.failures.append(failure)

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def join(self):
        for thread in self.threads:
            thread.join(60)
        if self.failures:
            raise self.failures[0]
        assert not any(thread.is_alive() for thread in self.threads)


def locked(region, shared):
    with region.lock(shared=shared) as held:
        held.read(0, 8)
        if not shared:
            held.write(0, b"12345678")


def viewed(region):
    with region.map(8, 8) as view:
        assert len(bytes(view.data)) == 8


def touched(region):
    try:
        region.data[0] = 1
        bytes(region.data)
    except ValueError as error:
        # The memoryview that this thread had in its hands was released.
        if isinstance(error, winshm.Error) or "released" not in str(error):
            raise


def waited(region):
    with pytest.raises(winshm.TimeoutError):
        while True:
            region.wait(timeout=0.0005)


async def entered(region):
    async with region.lock_async(timeout=10):
        await asyncio.sleep(0)


CALLS = [
    lambda region: region.read(0, 64),
    lambda region: region.read(),
    lambda region: region.write(0, bytes(64)),
    lambda region: locked(region, shared=False),
    lambda region: locked(region, shared=True),
    lambda region: region.size,
    lambda region: region.info,
    lambda region: region.participants,
    lambda region: region.notify(),
    lambda region: region.change_count,
    waited,
    viewed,
    touched,
]


def use(region, call):
    """Call it until the region is closed, which it says in the documented way."""
    while True:
        try:
            call(region)
        except winshm.Error as error:
            assert error.status in ENDED, error
            assert region.closed or error.status == Status.CLOSED
            return


def close(region):
    """Close it as soon as nothing is in the way."""
    while True:
        try:
            region.close()
        except BufferError:
            pass
        except winshm.Error as error:
            assert error.status in REFUSED, error
        else:
            assert region.closed
            return
        time.sleep(0.0005)


@pytest.fixture(autouse=True)
def _busy():
    """Threads take turns more often than usual, which finds more and takes less time."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.parametrize("tasks", [False, True], ids=["threads", "tasks"])
def test_closing_while_threads_are_at_work(name, tasks):
    owners = len(_memory._owners)
    end = time.monotonic() + 1
    rounds = 0
    calls = list(CALLS)
    if tasks:
        calls += [lambda region: asyncio.run(entered(region))] * 2
    while time.monotonic() < end or rounds < 3:
        region = winshm.create(name, 1 << 17, tasks=tasks)
        crowd = Crowd()
        for call in calls:
            crowd.run(use, region, call)
        time.sleep(0.005 * (rounds % 4))
        for _ in range(3):
            crowd.run(close, region)
        crowd.join()
        with pytest.raises(winshm.NotFoundError):
            winshm.open(name)
        rounds += 1
    assert len(_memory._owners) == owners


def test_closing_at_once(name):
    """All of the threads return when it is closed, and none reports a failure."""
    end = time.monotonic() + 0.7
    while time.monotonic() < end:
        region = winshm.create(name, 64)
        view = region.map(0, 8)
        # So that there is a memoryview for close() to release.
        region.data  # noqa: B018
        crowd = Crowd()
        barrier = threading.Barrier(6)

        def run(block, method, barrier=barrier):
            barrier.wait()
            getattr(block, method)()
            assert block.closed

        for number in range(6):
            method = "close" if number % 2 else "__exit__"
            crowd.run(run, region if number < 4 else view, method)
        crowd.join()
        with pytest.raises(winshm.NotFoundError):
            winshm.open(name)


def test_quick_calls_do_not_wait_for_a_long_copy(name):
    """They keep the interpreter to themselves, so nobody else would run meanwhile.

    While another thread closes the region, and a third one is in a copy that it has to
    wait for, each of them waits for the moment's decision only.
    """
    size = 256 << 20
    with winshm.create(name, size) as region:
        buffer = bytearray(size)
        crowd = Crowd()
        closing = threading.Event()

        def end():
            time.sleep(0.02)
            closing.set()
            close(region)

        crowd.run(region.read_into, 0, buffer)
        crowd.run(end)
        closing.wait()
        # How often a call came back at another moment than the one before.
        moments, last = 0, time.monotonic()
        with pytest.raises(winshm.ClosedError):
            while True:
                assert region.size == size
                region.notify()
                region.change_count  # noqa: B018
                now = time.monotonic()
                if now - last > 0.002:
                    moments += 1
                    last = now
        crowd.join()
        # A call that waited for the copy would be the only one.
        assert moments >= 10
