# SPDX-License-Identifier: MIT
"""Coroutines that want the lock when a loop, an owner, a region or a program ends."""

import asyncio
import gc
import threading
import time

import pytest
import winshm
from conftest import enter, free, leftovers, lock_threads, run, turns, until


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
        tasks = winshm.open(region.name, tasks=True)
        async with tasks.lock_async():
            data = tasks.data[:]
            with pytest.raises(winshm.Error, match="BUSY"), tasks:
                pass
            assert not tasks.closed
        data.release()
        tasks.close()
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
        "  await r.wait_async(seen=seen); r.close(); print('done')\n"
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
