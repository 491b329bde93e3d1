# SPDX-License-Identifier: MIT
"""Data that the creator puts there before others read."""

import asyncio
import pickle
import time
from concurrent import futures

import pytest
import winshm
from conftest import free

both = pytest.mark.parametrize("tasks", [False, True])


@both
def test_filled_before_others_read(child, name, tasks):
    reader = child(
        "def fill(region):\n"
        "    print('filled by who joined')\n"
        "winshm.open(sys.argv[1], timeout=20).close()\n"
        "with winshm.open_or_create(sys.argv[1], fill=fill) as r:\n"
        "    print('joined')\n"
        "    print(r.read(0, 4), r.read(99999))",
        name,
    )

    def fill(region):
        assert reader.line() == "joined"
        time.sleep(0.1)
        region.write(0, b"abc")
        assert region.read(0, 4) == b"abc\0"
        region.write(4, bytes(99_995) + b"z")
        assert region.read() == b"abc" + bytes(99_996) + b"z"

    with winshm.open_or_create(name, 100_000, tasks=tasks, fill=fill) as region:
        assert reader.line() == "b'abc\\x00' b'z'"
        assert reader.end() == ""
        assert free(region)
        assert not region.info.lock_state
        pickle.loads(pickle.dumps(region)).close()


@both
def test_exception_in_fill(name, tasks):
    pieces, others = [], []

    def fill(region):
        pieces.append(region.data[:1])
        others.append(winshm.open(name))
        raise LookupError("no data")

    with pytest.raises(LookupError, match="no data"):
        winshm.create(name, 10, tasks=tasks, fill=fill)
    with others[0] as other:
        # Nothing is unmapped under a view.
        assert (bytes(pieces[0]), len(other.participants)) == (b"\0", 2)
        pieces.clear()
        assert len(other.participants) == 1
        with pytest.raises(winshm.OwnerDeadError):
            other.read()
        with other.lock(recover=True, timeout=0) as held:
            assert held.owner_died
            other.make_consistent()
        assert other.read() == bytes(10)


def test_lock_that_fill_releases(name):
    with pytest.raises(winshm.Error, match="NOT_OWNER"):
        winshm.create(name, 10, fill=winshm.Region.release)
    with pytest.raises(winshm.NotFoundError):
        winshm.open(name)


def test_fill_that_is_refused(name):
    for lockless in ("raw", "no_lock"):
        for opener in (winshm.create, winshm.open_or_create):
            with pytest.raises(winshm.InvalidError, match=f"{lockless}=True"):
                opener(name, 10, fill=print, **{lockless: True})
    with pytest.raises(TypeError, match="fill must be a function"):
        winshm.create(name, 10, fill=b"abc")


async def _coroutine(region):
    region.write(0, b"x")


def _generator(region):
    yield region.write(0, b"x")


async def _async_generator(region):
    yield region.write(0, b"x")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("fill", [_coroutine, _generator, _async_generator])
def test_fill_that_does_not_run(name, fill):
    """It gives back what would have to be awaited or gone through."""
    others = []

    def call(region):
        others.append(winshm.open(name))
        return fill(region)

    with pytest.raises(TypeError, match="an ordinary function, without async and yield"):
        winshm.create(name, 10, fill=call)
    with others[0] as other, pytest.raises(winshm.OwnerDeadError):
        other.read()


def test_fill_that_locks(name):
    def in_a_task(region):
        async def enter():
            async with region.lock_async():
                pass

        asyncio.run(enter())

    for fill in (winshm.Region.acquire, lambda region: region.lock().__enter__(), in_a_task):
        with pytest.raises(winshm.Error, match=r"lock.* for fill \[WINSHM_E_DEADLOCK\]"):
            winshm.create(name, 10, tasks=True, fill=fill)
    with pytest.raises(winshm.TimeoutError):
        winshm.create(name, 10, tasks=True, fill=lambda region: region.acquire(timeout=0))
    # Another thread may well wait until fill is done.
    with futures.ThreadPoolExecutor(1) as pool:
        waiting = []

        def fill(region):
            waiting.append(pool.submit(region.acquire, timeout=20))
            time.sleep(0.05)

        with winshm.create(name, 10, tasks=True, fill=fill) as region:
            assert not waiting[0].result().owner_died
            region.release()
