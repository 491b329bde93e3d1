# SPDX-License-Identifier: MIT
"""The lock: who gets it, who waits, and what an owner's death does."""

import ctypes
import os
import signal
import sys
import threading
import time

import pytest
import winshm
from conftest import HOLDER, WINDOWS, in_a_thread
from winshm import Status


class Pair(ctypes.LittleEndianStructure):
    _fields_ = [("first", ctypes.c_uint32), ("second", ctypes.c_uint64)]


@pytest.fixture
def torn(holder, region):
    """A region whose lock's owner was killed in its section."""
    holder.kill()
    return region


def test_lock_excludes_other_processes(holder, region):
    start = time.monotonic()
    with pytest.raises(winshm.TimeoutError) as caught, region.lock(timeout=0.5):
        pytest.fail("the block must not run")
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.status == Status.TIMEOUT
    assert 0.5 <= time.monotonic() - start < 5
    for call in (
        lambda: region.acquire(timeout=0),
        lambda: region.acquire(shared=True, timeout=0),
        lambda: region.read(0, 1, timeout=0.01),
        lambda: region.write(0, b"x", timeout=0.01),
    ):
        with pytest.raises(winshm.TimeoutError):
            call()
    assert region.data[0] == 0
    holder.go()
    with region.lock(timeout=20) as held:
        assert not held.owner_died
    holder.end()


def test_readers_share(child, region):
    reader = child(HOLDER, region.name, "shared")
    reader.line()
    with region.lock(shared=True, timeout=10):
        region.read(0, 1, timeout=0)
    with pytest.raises(winshm.TimeoutError):
        region.acquire(timeout=0.3)
    reader.go()
    region.acquire(timeout=20)
    region.release()
    reader.end()


def test_counting_processes_and_threads(child, region):
    """Nobody's addition is lost."""
    count = (
        "import ctypes, threading\n"
        "r = winshm.open(sys.argv[1]); number = r.view_as(ctypes.c_uint64)\n"
        "def work():\n"
        "  for _ in range(300):\n"
        "    with r.lock(): number.value += 1\n"
        "threads = [threading.Thread(target=work) for _ in range(3)]\n"
        "for each in threads: each.start()\n"
        "for each in threads: each.join()\n"
        "del number; r.close()"
    )
    for each in [child(count, region.name) for _ in range(3)]:
        each.end()
    assert int.from_bytes(region.read(0, 8), "little") == 2700


def test_exception_in_the_block_releases(region):
    for shared in (False, True):
        with pytest.raises(KeyError), region.lock(shared=shared):
            raise KeyError
    region.acquire(timeout=0)
    region.release()


def test_acquire_and_release(region):
    held = region.acquire()
    assert not held.owner_died
    region.release()
    region.acquire(shared=True, timeout=0)
    region.release(shared=True)


@pytest.mark.parametrize("shared", [False, True])
def test_lock_belongs_to_its_thread(region, shared):
    with region.lock(shared=shared):
        with pytest.raises(winshm.Error, match="NOT_OWNER"):
            in_a_thread(region.release, shared=shared)
        with pytest.raises(winshm.TimeoutError):
            in_a_thread(region.acquire, timeout=0.05)


@pytest.mark.parametrize("shared", [False, True])
def test_lock_of_a_region_for_tasks_belongs_to_the_region(tasks, shared):
    tasks.acquire(shared=shared)
    with pytest.raises(winshm.TimeoutError):
        tasks.acquire(timeout=0.05)
    in_a_thread(tasks.release, shared=shared)
    with pytest.raises(winshm.Error, match="NOT_OWNER"):
        tasks.release(shared=shared)


def test_copies_under_a_lock(tasks, region):
    for block in (tasks, region):
        with block.lock() as held:
            held.write(4, b"abcdef")
            assert held.read(5, 2) == b"bc"
            assert held.read(4090) == bytes(6)
            assert len(held.read()) == block.size
            held.write(10, Pair(1, 2))
            assert held.read_as(Pair, 10).second == 2
            held.read_into(4, buffer := bytearray(3))
            assert buffer == b"abc"
            seen = block.change_count
            in_a_thread(held.write, 0, b"x")
            assert block.change_count == seen + 1
            assert in_a_thread(held.read, 0, 1) == b"x"
            for copy in (lambda: held.read(4096, 1), lambda: held.write(4095, b"ab")):
                with pytest.raises(winshm.RangeError):
                    copy()
            for copy in (lambda: held.read(-1, 1), lambda: held.read(0, 2**64)):
                with pytest.raises(ValueError, match=r"2\*\*"):
                    copy()
        with block.lock(shared=True) as held:
            assert held.read(0, 1) == b"x"
            with pytest.raises(winshm.Error, match="NOT_OWNER"):
                held.write(0, b"x")
        with pytest.raises(winshm.Error, match="NOT_OWNER"):
            held.read(0, 1)


def test_long_copies_under_a_lock(name):
    data = os.urandom(1 << 20)
    with winshm.create(name, len(data), tasks=True) as region, region.lock() as held:
        held.write(0, data)
        assert held.read() == data


def test_exceptions_of_the_block_are_not_replaced(region):
    """By what releasing the lock, or closing the region, fails with."""
    with pytest.raises(KeyError) as caught, region.lock():
        region.release()
        raise KeyError
    if sys.version_info >= (3, 11):
        assert "NOT_OWNER" in caught.value.__notes__[0]
    with pytest.raises(winshm.Error, match="NOT_OWNER"), region.lock():
        region.release()
    with pytest.raises(KeyError) as caught, region:
        region.acquire()
        raise KeyError
    if sys.version_info >= (3, 11):
        assert "BUSY" in caught.value.__notes__[0]
    with pytest.raises(winshm.Error, match="BUSY"), region:
        pass
    assert not region.closed
    region.release()


def test_release_of_what_is_not_held(region):
    for call in (
        region.release,
        lambda: region.release(shared=True),
        region.make_consistent,
    ):
        with pytest.raises(winshm.Error) as caught:
            call()
        assert caught.value.status == Status.NOT_OWNER
    region.acquire(shared=True)
    with pytest.raises(winshm.Error, match="NOT_OWNER"):
        region.release()
    region.release(shared=True)


def test_recursion_is_refused(region):
    with region.lock():
        for shared in (False, True):
            with pytest.raises(winshm.Error) as caught:
                region.acquire(shared=shared)
            assert caught.value.status == Status.DEADLOCK
        region.write(0, b"ab")
        assert region.read(0, 2) == b"ab"
    with region.lock(shared=True):
        with pytest.raises(winshm.Error, match="DEADLOCK"):
            region.acquire()
        with pytest.raises(winshm.Error, match="DEADLOCK"):
            region.write(0, b"ab")
        region.read(0, 2)


def test_lock_object_may_be_used_again(region):
    lock = region.lock()
    for _ in range(3):
        with lock:
            pass


def test_death_is_an_exception_and_the_block_does_not_run(torn):
    for _ in range(2):
        for shared in (False, True):
            with pytest.raises(winshm.OwnerDeadError, match="OWNER_DEAD"):
                with torn.lock(shared=shared, timeout=20):
                    pytest.fail("the block must not run")
            assert torn.info.lock_state == winshm.LockState.INCONSISTENT
            with pytest.raises(winshm.Error, match="NOT_OWNER"):
                torn.release(shared=shared)
    with pytest.raises(winshm.OwnerDeadError):
        torn.acquire()
    with pytest.raises(winshm.OwnerDeadError):
        torn.read(0, 1)
    with pytest.raises(winshm.OwnerDeadError):
        torn.write(0, b"x")
    assert torn.data[0] == 0


def test_death_and_repair(torn):
    with torn.lock(recover=True) as held:
        assert held.owner_died
    with torn.lock(recover=True) as held:
        assert held.owner_died, "the mark stays until make_consistent()"
        torn.write(0, b"repaired")
        torn.make_consistent()
    with torn.lock(recover=True) as held:
        assert not held.owner_died
    assert torn.read(0, 8) == b"repaired"
    held = torn.acquire()
    torn.release()
    assert not held.owner_died


def test_acquire_tells_of_the_death_to_those_who_recover(torn):
    held = torn.acquire(recover=True)
    assert held.owner_died
    torn.make_consistent()
    torn.release()
    with torn.lock():
        pass


def test_death_wakes_the_waiting(holder, region):
    threading.Timer(0.5, holder.process.kill).start()
    start = time.monotonic()
    with pytest.raises(winshm.OwnerDeadError):
        region.acquire(timeout=30)
    assert time.monotonic() - start < 15


def test_death_of_a_reader_is_nothing(child, region):
    reader = child(HOLDER, region.name, "shared")
    reader.line()
    reader.kill()
    with region.lock(timeout=20):
        pass


def test_recover_needs_the_exclusive_lock(region):
    with pytest.raises(ValueError, match="recover"):
        region.lock(shared=True, recover=True)


def ticks_during(call):
    """How often another thread gets its turn, of 100 times a second, during call."""
    ticks = 0
    done = threading.Event()

    def tick():
        nonlocal ticks
        while not done.wait(0.01):
            ticks += 1

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        call()
    finally:
        done.set()
        thread.join()
    return ticks


@pytest.mark.parametrize("blocking", ["lock", "shared", "read", "write", "wait", "open"])
def test_waiting_leaves_the_interpreter_to_other_threads(holder, region, blocking):
    call = {
        "lock": lambda: region.acquire(timeout=1),
        "shared": lambda: region.acquire(shared=True, timeout=1),
        "read": lambda: region.read(0, 1, timeout=1),
        "write": lambda: region.write(0, b"x", timeout=1),
        "wait": lambda: region.wait(timeout=1),
        "open": lambda: winshm.open(region.name + "x", timeout=1),
    }[blocking]

    def attempt():
        with pytest.raises(winshm.Error):
            call()

    # Without the interpreter's lock there are up to 100; with it, one for each slice.
    assert ticks_during(attempt) > 20


@pytest.mark.parametrize("copy", ["read_into", "write"])
def test_buffer_cannot_be_cut_during_a_copy(holder, region, copy):
    buffer = bytearray(8)
    thread = threading.Thread(target=getattr(region, copy), args=(0, buffer))
    thread.start()
    time.sleep(0.3)
    with pytest.raises(BufferError):
        buffer.clear()
    holder.go()
    thread.join()
    buffer.clear()


@pytest.mark.parametrize("blocking", ["acquire", "wait"])
def test_leaving_the_with_block_ends_a_wait(holder, region, blocking):
    """Also where the memory is still in use and the handle has to stay."""
    caught = []
    with winshm.open(region.name) as other:
        data = other.data[:]

        def wait():
            try:
                getattr(other, blocking)()
            except winshm.Error as error:
                caught.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.3)
    thread.join(10)
    assert isinstance(caught[0], winshm.ClosedError)
    data.release()


@pytest.mark.skipif(WINDOWS, reason="a console would be needed")
@pytest.mark.parametrize("blocking", ["lock", "wait", "open", "read"])
def test_ctrl_c_ends_a_wait_without_end(child, holder, region, blocking):
    waiter = child(
        "r = winshm.open(sys.argv[1])\n"
        "call = {'lock': r.acquire, 'wait': r.wait, 'read': r.read,\n"
        "        'open': lambda: winshm.open(r.name + 'x', timeout=None)}[sys.argv[2]]\n"
        "print('waiting')\n"
        "try: call()\n"
        "except KeyboardInterrupt: print('interrupted')\n"
        "r.close()",
        region.name,
        blocking,
    )
    waiter.line()
    time.sleep(0.3)
    waiter.process.send_signal(signal.SIGINT)
    assert waiter.line() == "interrupted"
    waiter.end()


def test_many_deaths(child, region):
    """Whoever dies between two halves of an update, the next one knows."""
    halves = region.view_as(ctypes.c_uint32 * 2)
    for _ in range(3):
        dying = child(
            "import ctypes\nr = winshm.open(sys.argv[1])\n"
            "halves = r.view_as(ctypes.c_uint32 * 2)\n"
            "with r.lock():\n"
            "  halves[0] += 1; print('half', flush=True); sys.stdin.readline()",
            region.name,
        )
        dying.line()
        dying.kill()
        with region.lock(recover=True, timeout=20) as held:
            assert held.owner_died
            assert halves[0] == halves[1] + 1
            halves[1] = halves[0]
            region.make_consistent()
    assert list(halves) == [3, 3]
