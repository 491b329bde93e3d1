# SPDX-License-Identifier: MIT
"""The lock for coroutines: turns, exclusion, cancellation, and the ends of lives."""

import asyncio
import ctypes
import gc
import os
import random
import sys
import threading
import time

import pytest
import winshm
from conftest import leftovers, until
from winshm import Status
from winshm._lock import EXCLUSIVE, SHARED

#: Holds the lock until it is told to let go, or is killed.
HOLDER = (
    "r = winshm.open(sys.argv[1])\n"
    "with r.lock(shared=len(sys.argv) > 2):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.readline()\n"
    "r.close()"
)

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


@pytest.fixture
def holder(child, region):
    holder = child(HOLDER, region.name)
    assert holder.line() == "held"
    return holder


def lock_threads():
    return [each for each in threading.enumerate() if each.name == "winshm-lock"]


def free(region):
    """Whether nobody holds the lock; in another participant's eyes."""
    with winshm.open(region.name) as other:
        try:
            other.acquire(timeout=10)
        except winshm.TimeoutError:
            return False
        other.release()
        return True


def run(coroutine):
    """Run it, but not for ever."""
    return asyncio.run(asyncio.wait_for(coroutine, 60))


async def turns():
    """Let all tasks come to where they wait."""
    for _ in range(5):
        await asyncio.sleep(0)


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


def test_opening_for_tasks(name):
    with winshm.create(name, 8, tasks=True) as first:
        with winshm.open_or_create(name, tasks=True) as second:
            for region in (first, second):
                asyncio.run(enter(region))
    with winshm.create(name, 8, tasks=True, no_lock=True) as region:
        with pytest.raises(winshm.Error, match="UNSUPPORTED"):
            asyncio.run(enter(region))


async def enter(region, hold=0, log=None, **keywords):
    async with region.lock_async(**keywords) as held:
        if log is not None:
            log.append(held)
        await asyncio.sleep(hold)


def test_turns_are_taken_in_order(tasks):
    """Readers that are neighbours go together, and pass nobody."""

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


def test_loop_that_was_closed_is_passed_over(tasks):
    """Its tasks never run again, and get no lock."""
    loop = asyncio.new_event_loop()

    async def main():
        async with tasks.lock_async():
            abandoned = [loop.create_task(enter(tasks)) for _ in range(2000)]
            await asyncio.to_thread(loop.run_until_complete, turns())
            loop.close()
            behind = asyncio.ensure_future(enter(tasks))
            await turns()
        await asyncio.wait_for(behind, 20)
        return abandoned

    abandoned = run(main())
    assert free(tasks)
    for task in abandoned:
        task._log_destroy_pending = False
    del abandoned, task
    gc.collect()
    assert free(tasks)
    assert tasks._turns._holders == 0


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


def test_death_of_an_owner(holder, tasks):
    async def main():
        waiting = [
            asyncio.ensure_future(enter(tasks, timeout=30, shared=shared))
            for shared in (False, True, False)
        ]
        log = []
        repairing = asyncio.ensure_future(enter(tasks, 0.1, log, recover=True))
        behind = asyncio.ensure_future(enter(tasks))
        await asyncio.sleep(0.05)
        holder.kill()
        for task in waiting:
            with pytest.raises(winshm.OwnerDeadError, match="OWNER_DEAD"):
                await task
        while not log:
            await asyncio.sleep(0.01)
        assert log[0].owner_died
        tasks.make_consistent()
        await repairing
        await behind
        async with tasks.lock_async(recover=True) as held:
            assert not held.owner_died

    run(main())
    assert free(tasks)


def test_death_that_nobody_waited_for(holder, tasks):
    holder.kill()

    async def main():
        for shared in (False, True, False):
            with pytest.raises(winshm.OwnerDeadError):
                await enter(tasks, shared=shared)
        async with tasks.lock_async(recover=True) as held:
            assert held.owner_died
            tasks.make_consistent()
        await enter(tasks)

    run(main())


@pytest.mark.parametrize("keep", [False, True], ids=["close", "with"])
def test_closing_ends_all_waiting(holder, region, keep):
    """Also where the memory is still in use and the handle has to stay."""

    async def main():
        tasks = winshm.open(region.name, tasks=True)
        waiting = [
            asyncio.ensure_future(enter(tasks, shared=n % 2 == 0)) for n in range(6)
        ]
        await asyncio.sleep(0.05)
        data = tasks.data[:] if keep else None
        with tasks:
            pass
        for task in waiting:
            with pytest.raises(winshm.ClosedError):
                await asyncio.wait_for(task, 20)
        with pytest.raises(winshm.ClosedError):
            await enter(tasks)
        if data is not None:
            data.release()

    run(main())
    until(lambda: not lock_threads())
    holder.go()
    holder.end()
    assert len(region.participants) == 1
    assert free(region)


def test_closing_while_a_task_holds_the_lock(region):
    async def main():
        with winshm.open(region.name, tasks=True) as tasks:
            async with tasks.lock_async():
                waiting = asyncio.ensure_future(enter(tasks))
                await turns()
                with pytest.raises(winshm.Error, match="BUSY"):
                    tasks.close()
            await waiting
        # A handle that only the lock keeps open is closed by the release.
        with winshm.open(region.name, tasks=True) as tasks:
            data = tasks.data[:]
            held = tasks.lock_async()
            await held.__aenter__()
        data.release()
        assert len(region.participants) == 2
        await held.__aexit__()
        assert len(region.participants) == 1

    run(main())


def test_dropped_region_is_closed(holder, region):
    tasks = winshm.open(region.name, tasks=True)
    with pytest.raises(winshm.TimeoutError):
        asyncio.run(enter(tasks, timeout=0.05))
    with pytest.warns(ResourceWarning):
        del tasks
        gc.collect()
    assert len(region.participants) == 2
    until(lambda: not lock_threads())


def test_threads_that_cannot_be_started(holder, tasks, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    async def main():
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            with pytest.raises(RuntimeError, match="start new thread"):
                await enter(tasks)
        waiting = asyncio.ensure_future(enter(tasks))
        await asyncio.sleep(0.02)
        holder.go()
        await asyncio.wait_for(waiting, 20)

    run(main())


def test_lock_that_the_thread_got_for_another_mode(tasks):
    """The first in the queue has changed while the thread was asking."""
    queue = tasks._turns
    for mode, shared in ((EXCLUSIVE, False), (SHARED, True)):
        tasks.acquire(shared=shared)
        with queue._guard:
            queue._pass_on(mode, Status.OK)
        assert free(tasks)


#: Ways in which a program ends while coroutines of it wait for the lock.
ENDINGS = {
    "cancelled": "try: asyncio.run(asyncio.wait_for(enter(), 0.1))\nexcept Exception: pass",
    "abandoned": (
        "loop = asyncio.new_event_loop()\n"
        "keep = [loop.create_task(enter()) for _ in range(20)]\n"
        "loop.run_until_complete(asyncio.sleep(0.3))"
    ),
    "daemon": (
        "for call in (enter, r.wait_async):\n"
        "  threading.Thread(target=asyncio.run, args=(call(),), daemon=True).start()\n"
        "time.sleep(0.3)\n"
        "ours = [each for each in threading.enumerate() if each.name.startswith('winshm')]\n"
        "assert len(ours) == 2 and not any(each.daemon for each in ours)"
    ),
    "exit": (
        "async def main():\n"
        "  keep = [asyncio.ensure_future(enter()) for _ in range(20)]\n"
        "  await asyncio.sleep(0.3); print('ending', time.time()); sys.exit(0)\n"
        "asyncio.run(main())"
    ),
    "both": (
        "async def main():\n"
        "  keep = [asyncio.ensure_future(each()) for each in (enter, r.wait_async) * 9]\n"
        "  await asyncio.sleep(0.3); print('ending'); raise KeyboardInterrupt\n"
        "loop = asyncio.new_event_loop()\n"
        "try: loop.run_until_complete(main())\n"
        "except KeyboardInterrupt: pass"
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_interpreter_exit_with_pending_locks(child, holder, region, ending):
    code = (
        "import asyncio, threading, time\n"
        "r = winshm.open(sys.argv[1], tasks=True)\n"
        "async def enter():\n"
        "  async with r.lock_async(): print('inside')\n"
        f"{ENDINGS[ending]}\n"
        "print('ending', time.time())"
    )
    program = child(code, region.name)
    output = program.process.communicate(timeout=40)[0]
    end = time.time()
    assert "inside" not in output
    # A second at most of its own; and this machine has others to run.
    assert end - float(output.split()[-1]) < 8
    assert len(region.participants) == 2
    holder.go()
    holder.end()
    assert free(region)


@pytest.mark.parametrize("alone", [False, True])
def test_interpreter_exit_while_tasks_hold_the_lock(child, name, alone):
    """And wait for it, and for changes. It leaves neither a file nor the lock."""
    code = (
        "import asyncio, time\n"
        "r = winshm.create(sys.argv[1], 8, tasks=True)\n"
        "s = winshm.open(sys.argv[1], tasks=True)\n"
        "async def enter(region):\n"
        "  async with region.lock_async(): await asyncio.sleep(100)\n"
        "loop = asyncio.new_event_loop()\n"
        "keep = [loop.create_task(enter(region)) for region in (r, s) * 10]\n"
        "keep += [loop.create_task(r.wait_async()) for _ in range(10)]\n"
        "loop.run_until_complete(asyncio.sleep(0.1))\n"
        "print('up'); sys.stdin.readline(); print('ending', time.time())"
    )
    program = child(code, name)
    program.line()
    other = None if alone else winshm.open(name)
    program.go()
    output = program.process.communicate(timeout=40)[0]
    assert time.time() - float(output.split()[-1]) < 8
    if other is None:
        assert leftovers(name) == []
    else:
        with other, other.lock(timeout=20, recover=True):
            # Whether an owner died depends on how the interpreter takes tasks apart.
            other.make_consistent()
            assert len(other.participants) == 1


def test_loop_in_a_thread_outlives_the_main_thread(child, holder, region):
    """As long as threads of the program run, they are served."""
    code = (
        "import asyncio, threading, time\n"
        "r = winshm.open(sys.argv[1], tasks=True)\n"
        "async def main():\n"
        "  threading.main_thread().join(); print('ended'); seen = r.change_count\n"
        "  async with r.lock_async(): print('inside')\n"
        "  await r.wait_async(seen); r.close(); print('done')\n"
        "threading.Thread(target=asyncio.run, args=(main(),)).start()"
    )
    program = child(code, region.name)
    assert program.line() == "ended"
    time.sleep(0.8)
    holder.go()
    assert program.line() == "inside"
    time.sleep(0.8)
    region.notify()
    assert program.end() == "done"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_fork_while_tasks_wait(child, holder, region):
    code = (
        "import asyncio, gc\n"
        "r = winshm.open(sys.argv[1], tasks=True)\n"
        "async def enter():\n"
        "  async with r.lock_async(): print('inside')\n"
        "async def main():\n"
        "  waiting = [asyncio.ensure_future(enter()) for _ in range(5)]\n"
        "  await asyncio.sleep(0.1)\n"
        "  if not os.fork():\n"
        "    try: await enter()\n"
        "    except winshm.Error as error: assert error.status == winshm.Status.FORKED\n"
        "    else: os._exit(1)\n"
        "    r.close(); os._exit(0)\n"
        "  assert os.wait()[1] == 0; print('forked')\n"
        "  await asyncio.gather(*waiting)\n"
        "asyncio.run(main()); r.close()"
    )
    program = child(code, region.name, options=("-W", "error"))
    assert program.line() == "forked"
    holder.go()
    assert program.end().split() == ["inside"] * 5
