# SPDX-License-Identifier: MIT
"""The change counter, for threads and for coroutines."""

import asyncio
import gc
import threading
import time

import pytest
import winshm
from conftest import until


def watchers():
    return [each for each in threading.enumerate() if each.name == "winshm-wait"]


def test_counter(region):
    start = region.change_count
    region.notify()
    region.write(0, b"x")
    assert region.change_count == (start + 2) % 2**32
    expected = region.change_count
    assert region.wait(seen=start) == region.wait(seen=start, timeout=0) == expected
    assert region.info.change_count == region.change_count


def test_numbers_say_what_they_are(region):
    """wait(5) would be five seconds for one reader, and a counter for another."""
    for wait in (region.wait, region.wait_async):
        with pytest.raises(TypeError, match="positional"):
            wait(5)


def test_wait_times_out(region):
    for timeout in (0, 0.5):
        start = time.monotonic()
        with pytest.raises(winshm.TimeoutError, match=f"no change within {timeout} s"):
            region.wait(timeout=timeout)
        assert timeout <= time.monotonic() - start < timeout + 5


def test_wait_for_another_process(child, region):
    seen = region.change_count
    other = child(
        "r = winshm.open(sys.argv[1])\nsys.stdin.readline()\n"
        "r.write(0, b'news'); r.close()",
        region.name,
    )
    threading.Timer(0.5, other.go).start()
    assert region.wait(seen=seen, timeout=20) == seen + 1
    assert region.read(0, 4) == b"news"
    other.end()


def test_several_threads_wait_on_one_handle(region):
    woken = []
    seen = region.change_count
    threads = [
        threading.Thread(target=lambda: woken.append(region.wait(seen=seen, timeout=20)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    region.notify()
    for thread in threads:
        thread.join()
    assert woken == [seen + 1] * 4


def test_close_ends_a_wait(name):
    region = winshm.create(name, 8)
    caught = []

    def wait():
        try:
            region.wait()
        except winshm.Error as error:
            caught.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.3)
    region.close()
    thread.join()
    assert isinstance(caught[0], winshm.ClosedError)


def test_coroutine_waits_while_others_run(region):
    async def main():
        seen = region.change_count
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticker = asyncio.ensure_future(tick())
        asyncio.get_running_loop().call_later(0.5, region.notify)
        assert await region.wait_async(seen=seen, timeout=20) == seen + 1
        ticker.cancel()
        return ticks

    assert asyncio.run(main()) > 10


def test_coroutine_waits_for_a_change_from_now_on(region):
    async def main():
        region.notify()
        task = asyncio.ensure_future(region.wait_async())
        await asyncio.sleep(0.05)
        assert not task.done()
        region.notify()
        return await task

    assert asyncio.run(main()) == region.change_count


def test_many_coroutines_share_one_thread(region):
    async def main():
        seen = region.change_count
        tasks = [asyncio.ensure_future(region.wait_async(seen=seen)) for _ in range(50)]
        await asyncio.sleep(0.1)
        assert len(watchers()) == 1
        region.notify()
        assert await asyncio.gather(*tasks) == [seen + 1] * 50
        for _ in range(20):
            task = asyncio.ensure_future(region.wait_async())
            await asyncio.sleep(0)
            region.notify()
            await task
        assert len(watchers()) == 1

    asyncio.run(main())
    until(lambda: not watchers())


def test_coroutine_misses_no_change(region):
    """Two tasks play ball; a change that got lost would cost a slice of 0.2 s."""

    async def player(me):
        count = region.change_count
        while count < 400:
            if count % 2 == me:
                region.notify()
                count = region.change_count
            else:
                count = await region.wait_async(seen=count, timeout=20)

    async def main():
        await asyncio.gather(player(0), player(1))

    start = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - start < 20


def test_coroutine_wakes_at_once(region):
    """Not only when a slice ends."""

    async def main():
        delays = []
        for _ in range(10):
            task = asyncio.ensure_future(region.wait_async())
            await asyncio.sleep(0.02)
            start = time.monotonic()
            region.notify()
            await task
            delays.append(time.monotonic() - start)
        return delays

    assert min(asyncio.run(main())) < 0.1


def test_coroutine_that_lags_behind_lets_others_run(region):
    async def main():
        turns = 0
        task = asyncio.current_task()

        async def other():
            nonlocal turns
            while not task.done():
                turns += 1
                await asyncio.sleep(0)

        background = asyncio.ensure_future(other())
        for _ in range(20):
            await region.wait_async(seen=region.change_count - 1 & 0xFFFFFFFF)
        background.cancel()
        return turns

    start = time.monotonic()
    assert asyncio.run(main()) >= 20
    assert time.monotonic() - start < 2


def test_cancellation(region):
    async def main():
        delays = []
        for _ in range(5):
            task = asyncio.ensure_future(region.wait_async())
            await asyncio.sleep(0.02)
            start = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            delays.append(time.monotonic() - start)
        assert min(delays) < 0.1, "it is not put off until a slice ends"
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(region.wait_async(), 0.1)

    asyncio.run(main())
    until(lambda: not watchers())
    region.close()


def test_coroutine_times_out(region):
    async def main():
        for timeout in (0, 0.3):
            start = time.monotonic()
            with pytest.raises(winshm.TimeoutError) as caught:
                await region.wait_async(timeout=timeout)
            assert caught.value.status == winshm.Status.TIMEOUT
            assert timeout - 0.01 <= time.monotonic() - start < timeout + 5
        for timeout in (-1, float("nan")):
            with pytest.raises(ValueError, match="timeout must be"):
                await region.wait_async(timeout=timeout)

    asyncio.run(main())


def test_close_ends_the_wait_of_a_coroutine(name):
    async def main():
        region = winshm.create(name, 8)
        tasks = [asyncio.ensure_future(region.wait_async()) for _ in range(3)]
        await asyncio.sleep(0.1)
        region.close()
        for task in tasks:
            with pytest.raises(winshm.ClosedError):
                await task
        with pytest.raises(winshm.ClosedError):
            await region.wait_async()

    asyncio.run(main())


def test_two_loops_wait_on_one_region(region):
    results = []

    def run():
        results.append(asyncio.run(region.wait_async(timeout=20)))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    until(lambda: len(region._watcher._waiters) == 2)
    region.notify()
    for thread in threads:
        thread.join()
    assert results == [region.change_count] * 2


def test_dropped_region_is_closed_after_a_coroutine_waited(name):
    region = winshm.create(name, 8)
    with pytest.raises(winshm.TimeoutError):
        asyncio.run(region.wait_async(timeout=0.01))
    until(lambda: not watchers())
    with pytest.warns(ResourceWarning):
        del region
        gc.collect()
    with pytest.raises(winshm.NotFoundError):
        winshm.open(name)


@pytest.mark.parametrize(
    "ending",
    [
        "asyncio.run(asyncio.wait_for(r.wait_async(), 0.1))",
        "loop = asyncio.new_event_loop()\n"
        "t = loop.create_task(r.wait_async())\n"
        "loop.run_until_complete(asyncio.sleep(0.1))",
        "threading.Thread(target=r.wait, daemon=True).start()",
    ],
    ids=["cancelled", "abandoned", "thread"],
)
def test_interpreter_exit_does_not_hang(child, name, ending):
    start = time.monotonic()
    code = f"import asyncio, threading\nr = winshm.create(sys.argv[1], 8)\n{ending}"
    child(code, name).process.wait(40)
    assert time.monotonic() - start < 20
    winshm.create(name, 8).close()
