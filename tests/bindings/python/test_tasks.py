# SPDX-License-Identifier: MIT
"""The lock for coroutines: turns, exclusion and cancellation."""

import asyncio
import ctypes
import random
import sys
import threading
import time

import pytest
import winshm
from conftest import HOLDER, enter, free, lock_threads, run, turns, until
from winshm import _turns
from winshm import Status
from winshm._lock import EXCLUSIVE, SHARED

#: Adds to the number at 0 until told to end, taking care that nobody else is inside.
CONTENDER = (
    "import ctypes, threading, time\n"
    "end = threading.Thread(target=sys.stdin.readline); end.start()\n"
    "r = winshm.open(sys.argv[1]); words = r.view_as(ctypes.c_uint64 * 3); added = 0\n"
    "print('up')\n"
    "while end.is_alive():\n"
    "  with r.lock():\n"
    "    assert words[1] == 0, words[1]\n"
    "    words[1] = 1; seen = words[0]\n"
    "    if added % 8 == 0: time.sleep(0.001)\n"
    "    words[0] = seen + 1; words[1] = 0\n"
    "  added += 1\n"
    "  with r.lock(shared=True): assert words[1] == 0\n"
    "print(added); del words; r.close()"
)


def test_lock_is_held_across_awaits(tasks):
    async def main():
        async with tasks.lock_async() as held:
            assert isinstance(held, winshm.AsyncLock)
            assert not held.owner_died
            await asyncio.sleep(0)
            held.write(0, b"abc")
            assert held.read(0, 3) == b"abc"
            assert tasks.info.lock_state == winshm.LockState.EXCLUSIVE
        async with tasks.lock_async(shared=True), tasks.lock_async(shared=True) as held:
            assert held.read(1, 1) == b"b"
            with pytest.raises(winshm.Error, match="NOT_OWNER"):
                held.write(0, b"x")
            assert tasks.info.lock_state == winshm.LockState.SHARED
        assert tasks.info.lock_state == 0
        assert not lock_threads()

    run(main())


def test_ordinary_regions_refuse_and_say_what_to_do(region):
    with pytest.raises(winshm.InvalidError, match="tasks=True") as caught:
        region.lock_async()
    assert caught.value.status == Status.INVALID

    async def across():
        with region.lock():
            await asyncio.sleep(0)

    async def main():
        results = await asyncio.gather(across(), across(), return_exceptions=True)
        assert results[0] is None
        assert results[1].status == Status.DEADLOCK
        assert "lock_async" in str(results[1])
        assert "tasks=True" in str(results[1])

    run(main())
    with pytest.raises(ValueError, match="recover"):
        region.lock(shared=True, recover=True)


def test_waits_that_stop_their_own_loop(tasks):
    """Nobody could release the lock meanwhile, so they are refused."""

    async def exclusive():
        async with tasks.lock_async() as held:
            for call in (tasks.read, lambda: tasks.write(0, b"x")):
                with pytest.raises(winshm.Error, match=r"held\.read\(\) and held") as caught:
                    call()
                assert caught.value.status == Status.DEADLOCK
            for call in (tasks.acquire, lambda: tasks.lock(shared=True).__enter__()):
                with pytest.raises(winshm.Error, match="DEADLOCK"):
                    call()
            with pytest.raises(winshm.TimeoutError):
                tasks.read(timeout=0)
            # Another thread does not stop the loop.
            waiting = asyncio.get_running_loop().run_in_executor(None, tasks.read, 0, 3)
            await asyncio.sleep(0.05)
            held.write(0, b"abc")
        assert await waiting == b"abc"
        tasks.write(0, b"x")

    async def shared():
        async with tasks.lock_async(shared=True), tasks.lock_async(shared=True):
            assert tasks.read(0, 1) == b"x"
            with pytest.raises(winshm.Error, match="DEADLOCK"):
                tasks.write(0, b"x")
        # Nothing is remembered of what is over.
        await asyncio.get_running_loop().run_in_executor(None, tasks.acquire)
        with pytest.raises(winshm.TimeoutError):
            tasks.write(0, b"x", timeout=0.01)
        tasks.release()

    run(exclusive())
    run(shared())


def test_granted_and_not_yet_run(tasks, monkeypatch):
    """The loop has the lock for a coroutine that has not come to its turn."""
    monkeypatch.setattr(_turns, "_LONGEST_RUN", 60)

    async def main():
        first = tasks.lock_async()
        await first.__aenter__()
        second = asyncio.create_task(enter(tasks))
        await turns()
        await first.__aexit__()
        with pytest.raises(winshm.Error, match="DEADLOCK"):
            tasks.read()
        await second

    run(main())


def test_time_out_names_the_holder(tasks, holder):
    async def main(whom):
        for timeout in (0, 0.25):
            with pytest.raises(winshm.TimeoutError) as caught:
                await enter(tasks, timeout=timeout)
            assert f"region.lock_async() '{tasks.name}'" in str(caught.value)
            assert f"within {timeout:g} s: {whom} holds it" in str(caught.value)

    run(main(f"process {holder.process.pid}"))
    holder.go()
    holder.end()

    async def nested():
        async with tasks.lock_async():
            await main("another coroutine")

    run(nested())


def test_opening_for_tasks(name):
    with winshm.create(name, 8, tasks=True) as first:
        with winshm.open_or_create(name, tasks=True) as second:
            for region in (first, second):
                asyncio.run(enter(region))
    with winshm.create(name, 8, tasks=True, no_lock=True) as region:
        with pytest.raises(winshm.Error, match="UNSUPPORTED"):
            asyncio.run(enter(region))


@pytest.mark.parametrize("call", ["read", "write", "acquire"])
def test_granted_while_the_loop_waits(tasks, call):
    """A coroutine is given the lock while a call stops its loop: that ends the call."""
    arguments = [0, b"x"] if call == "write" else []

    async def refused(other):
        """Whether the coroutine came first; either may."""
        other.acquire()
        waiting = asyncio.create_task(enter(tasks))
        await turns()
        threading.Timer(0.1, other.release).start()
        try:
            getattr(tasks, call)(*arguments)
        except winshm.Error as caught:
            assert caught.status == Status.DEADLOCK
            return True
        else:
            if call == "acquire":
                tasks.release()
            return False
        finally:
            await waiting

    async def main(other):
        while not await refused(other):
            pass

    with winshm.open(tasks.name, tasks=True) as other:
        run(main(other))


def test_turns_are_taken_in_order(tasks, monkeypatch):
    """Readers that are neighbours go together, and pass nobody."""
    monkeypatch.setattr(_turns, "_LONGEST_RUN", 60)

    async def main():
        log, inside = [], 0

        async def work(number, shared):
            nonlocal inside
            async with tasks.lock_async(shared=shared):
                inside += 1
                await asyncio.sleep(0.01)
                log.append((number, inside))
                await asyncio.sleep(0.01)
                inside -= 1

        await asyncio.gather(*[work(n, shared=n % 5 < 3) for n in range(20)])
        return log

    log = run(main())
    assert [number for number, _ in log] == list(range(20))
    assert [inside for _, inside in log] == [3, 3, 3, 1, 1] * 4
    assert not lock_threads(), "tasks among themselves need no thread"


def test_thousand_tasks_and_another_process(child, tasks):
    """Nobody is refused, and nobody finds anybody inside that must not be."""
    words = tasks.view_as(ctypes.c_uint64 * 3)
    other = child(CONTENDER, tasks.name)
    other.line()

    async def write():
        async with tasks.lock_async() as held:
            assert (words[1], words[2]) == (0, 0)
            words[1] = 2
            seen = words[0]
            await asyncio.sleep(random.choice([0, 0, 0, 0.0003]))
            held.write(0, (seen + 1).to_bytes(8, sys.byteorder))
            words[1] = 0

    async def read():
        async with tasks.lock_async(shared=True) as held:
            words[2] += 1
            seen = held.read(0, 8)
            await asyncio.sleep(random.choice([0, 0, 0.0003]))
            assert held.read(0, 8) == seen
            assert words[1] == 0
            words[2] -= 1

    async def main():
        await asyncio.gather(*[read() if n % 3 else write() for n in range(1000)])

    run(main())
    other.go()
    added = int(other.line())
    other.end()
    assert added > 0
    assert list(words) == [334 + added, 0, 0]
    assert free(tasks)


def test_other_processes_get_their_turn(child, tasks):
    """Tasks that never leave the lock alone do not shut out another process."""
    other = child(
        "r = winshm.open(sys.argv[1])\n"
        "for _ in range(20):\n"
        "  with r.lock(): pass\n"
        "print('done'); r.close()",
        tasks.name,
    )

    async def main():
        done = asyncio.ensure_future(asyncio.to_thread(other.line))

        async def work():
            while not done.done():
                await enter(tasks, hold=0.0005)

        await asyncio.wait_for(asyncio.gather(*[work() for _ in range(10)]), 40)

    run(main())
    other.end()


def test_waits_for_another_process_while_others_run(holder, tasks):
    async def main():
        log = []
        waiting = [
            asyncio.ensure_future(enter(tasks, 0, log, shared=n % 2 == 0)) for n in range(10)
        ]
        ticks = 0
        while ticks < 30:
            await asyncio.sleep(0.01)
            ticks += 1
        assert log == []
        assert len(lock_threads()) == 1
        holder.go()
        await asyncio.wait_for(asyncio.gather(*waiting), 20)
        assert len(log) == 10

    run(main())
    until(lambda: not lock_threads())
    assert free(tasks)


def test_time_outs(holder, tasks):
    async def main():
        for timeout in (0, 0.3):
            for shared in (False, True):
                start = time.monotonic()
                with pytest.raises(winshm.TimeoutError) as caught:
                    await enter(tasks, shared=shared, timeout=timeout)
                assert caught.value.status == Status.TIMEOUT
                assert timeout - 0.01 <= time.monotonic() - start < timeout + 5
        for timeout in (-1, float("nan")):
            with pytest.raises(ValueError, match="timeout must be"):
                await enter(tasks, timeout=timeout)
        # Who has given up is no longer in anybody's way.
        waiting = asyncio.ensure_future(enter(tasks, timeout=1e300))
        behind = asyncio.ensure_future(enter(tasks, shared=True, timeout=float("inf")))
        await asyncio.sleep(0.05)
        holder.go()
        await asyncio.wait_for(asyncio.gather(waiting, behind), 20)

    run(main())


def test_who_gives_up_is_not_in_the_way_of_readers(child, tasks):
    """A writer waits between readers, of this process and of another."""

    async def main():
        async with tasks.lock_async(shared=True):
            writer = asyncio.ensure_future(enter(tasks, timeout=0.1))
            cancelled = asyncio.ensure_future(enter(tasks))
            await turns()
            reader = asyncio.ensure_future(enter(tasks, shared=True))
            await asyncio.sleep(0.02)
            assert not reader.done()
            cancelled.cancel()
            with pytest.raises(winshm.TimeoutError):
                await writer
            await asyncio.wait_for(reader, 20)
            writer = asyncio.ensure_future(enter(tasks))
            await turns()
            reader = asyncio.ensure_future(enter(tasks, shared=True))
            await turns()
            writer.cancel()
            await asyncio.wait_for(reader, 20)

    run(main())
    reader = child(HOLDER, tasks.name, "shared")
    reader.line()

    async def between():
        writer = asyncio.ensure_future(enter(tasks))
        await asyncio.sleep(0.05)
        reader = asyncio.ensure_future(enter(tasks, shared=True))
        await asyncio.sleep(0.05)
        assert not reader.done()
        writer.cancel()
        await asyncio.wait_for(reader, 20)

    run(between())
    reader.go()
    reader.end()


def test_cancellation_is_at_once(holder, tasks):
    async def main():
        delays = []
        for _ in range(5):
            waiting = asyncio.ensure_future(enter(tasks))
            await asyncio.sleep(0.02)
            start = time.monotonic()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            delays.append(time.monotonic() - start)
        assert min(delays) < 0.1, "it is not put off until a slice ends"
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(enter(tasks), 0.1)
        # The thread's slice may run still: a lock that it gets is given back.
        holder.go()
        assert await asyncio.to_thread(free, tasks)

    run(main())
    until(lambda: not lock_threads())
    assert tasks.info.lock_state == 0
    tasks.close()


@pytest.mark.parametrize("contended", [False, True])
def test_storm_of_cancellations_leaves_the_lock_free(child, tasks, contended):
    other = None
    if contended:
        other = child(CONTENDER, tasks.name)
        other.line()

    async def main():
        random.seed(1)
        for _ in range(30):
            running = [
                asyncio.ensure_future(
                    enter(
                        tasks,
                        random.choice([0, 0.0005]),
                        shared=random.random() < 0.5,
                        timeout=random.choice([None, None, 0.001]),
                    )
                )
                for _ in range(50)
            ]
            for _ in range(random.randrange(8)):
                await asyncio.sleep(random.choice([0, 0, 0.0005]))
            for task in random.sample(running, 45):
                task.cancel()
            results = await asyncio.gather(*running, return_exceptions=True)
            allowed = (type(None), asyncio.CancelledError, winshm.TimeoutError)
            assert all(isinstance(each, allowed) for each in results)

    run(main())
    if other is not None:
        other.go()
        other.line()
        other.end()
    assert free(tasks)
    until(lambda: not lock_threads())
    assert tasks.info.lock_state == 0
    assert tasks._turns._holders == 0


def test_cancelled_between_the_grant_and_its_turn(tasks):
    async def main():
        async with tasks.lock_async():
            waiting = asyncio.ensure_future(enter(tasks))
            behind = asyncio.ensure_future(enter(tasks))
            await turns()
        # The lock is its already, but it has not run yet.
        assert tasks.info.lock_state == winshm.LockState.EXCLUSIVE
        waiting.cancel()
        await asyncio.wait_for(behind, 20)
        assert waiting.cancelled()
        assert tasks.info.lock_state == 0

    run(main())


def test_loops_in_several_threads(child, tasks):
    words = tasks.view_as(ctypes.c_uint64 * 3)
    other = child(CONTENDER, tasks.name)
    other.line()
    failures = []

    async def work(number):
        for _ in range(20):
            shared = random.random() < 0.5
            async with tasks.lock_async(shared=shared):
                if shared:
                    assert words[1] == 0
                    await asyncio.sleep(0)
                else:
                    assert words[1] == 0
                    words[1] = number + 2
                    seen = words[0]
                    await asyncio.sleep(0)
                    words[0] = seen + 1
                    assert words[1] == number + 2
                    words[1] = 0
                    words[2] += 1

    async def main(number):
        await asyncio.gather(*[work(10 * number + each) for each in range(10)])

    def run(number):
        try:
            asyncio.run(main(number))
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    other.go()
    added = int(other.line())
    other.end()
    assert words[0] == words[2] + added
    assert free(tasks)


def test_exception_of_the_block(tasks):
    async def main():
        with pytest.raises(KeyError):
            async with tasks.lock_async():
                raise KeyError
        with pytest.raises(KeyError) as caught:
            async with tasks.lock_async():
                tasks.release()
                raise KeyError
        if sys.version_info >= (3, 11):
            assert "NOT_OWNER" in caught.value.__notes__[0]
        with pytest.raises(winshm.Error, match="NOT_OWNER"):
            async with tasks.lock_async():
                tasks.release()
        await enter(tasks, timeout=0)

    run(main())


def test_lock_that_the_thread_got_for_another_mode(tasks):
    """The first in the queue has changed while the thread was asking."""
    queue = tasks._turns
    for mode, shared in ((EXCLUSIVE, False), (SHARED, True)):
        tasks.acquire(shared=shared)
        with queue._guard:
            queue._pass_on(mode, Status.OK)
        assert free(tasks)
