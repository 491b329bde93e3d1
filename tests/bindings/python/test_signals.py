# SPDX-License-Identifier: MIT
"""Exceptions of signal handlers, which may come between any two steps of Python code."""

import gc
import signal
import threading
import time
import traceback

import pytest
import winshm
from conftest import WINDOWS, free

pytestmark = pytest.mark.skipif(WINDOWS, reason="no signals that can be sent")


class Late(Exception):
    pass


@pytest.fixture(autouse=True)
def handler():
    def fail(number, frame):
        raise Late

    before = signal.signal(signal.SIGALRM, fail)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("use", ["lock", "acquire"])
@pytest.mark.parametrize("shared", [False, True], ids=["exclusive", "shared"])
def test_wait_that_gets_the_lock_after_the_signal(region, use, shared):
    """The exception comes at the end of a slice, in which the lock was given."""
    ready = threading.Event()

    def hold():
        with other.lock():
            ready.set()
            time.sleep(0.05)
            signal.raise_signal(signal.SIGALRM)
            time.sleep(0.02)

    with winshm.open(region.name) as other:
        thread = threading.Thread(target=hold)
        thread.start()
        ready.wait()
        with pytest.raises(Late) as caught:
            if use == "acquire":
                region.acquire(shared=shared)
            else:
                with region.lock(shared=shared):
                    time.sleep(1)
        thread.join()
        # While the exception, and so all it refers to, is alive.
        assert caught.value
        other.acquire(timeout=0)
        other.release()


def interruptions(action, number=1500):
    """Repeat action until an exception comes, again and again; yield where it came."""
    for n in range(number):
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.000005 + n % 60 * 0.000002)
            while True:
                action()
        except Late as error:
            yield [frame.name for frame in traceback.extract_tb(error.__traceback__)][-2]


@pytest.mark.filterwarnings("ignore:the lock of region")
def test_entering_that_ends_by_an_exception(region):
    """Without anybody in the way, too. Only the entry of __exit__() is a gap."""

    def enter():
        with region.lock():
            pass

    places = set()
    with winshm.open(region.name) as other:
        for place in interruptions(enter):
            if other.info.lock_state:
                places.add(place)
                region.release()
    assert places <= {"__exit__"}


def test_exception_while_this_thread_holds_the_lock(region):
    """Nothing is released but what has just been taken."""

    def enter():
        try:
            region.acquire(timeout=0.0001)
        except winshm.Error as error:
            assert error.status == winshm.Status.DEADLOCK

    with winshm.open(region.name) as other, region.lock():
        for _ in interruptions(enter, 300):
            assert other.info.lock_state
    assert free(region)


def test_open_that_ends_by_an_exception_leaves_nothing(name):
    made = []

    def make():
        time.sleep(0.05)
        signal.raise_signal(signal.SIGALRM)
        time.sleep(0.02)
        made.append(winshm.create(name, 64))

    thread = threading.Thread(target=make)
    thread.start()
    with pytest.raises(Late):
        winshm.open(name, timeout=None)
    thread.join()
    gc.collect()
    with made[0] as region:
        assert len(region.participants) == 1


#: Interrupts closing at all of its steps; what is not closed must be usable.
CLOSE = """
import signal, time, warnings
warnings.simplefilter("ignore")
lost = []
sys.unraisablehook = lost.append
class Late(Exception): pass
def fail(number, frame): raise Late
signal.signal(signal.SIGALRM, fail)
region = winshm.create(sys.argv[1], 4096)
interrupted = 0
for n in range(2000):
    block = region.map(0, 4096) if n % 2 else winshm.open(sys.argv[1])
    block.data[0]
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.000005 + n // 2 % 60 * 0.000002)
        block.close()
        signal.setitimer(signal.ITIMER_REAL, 0)
    except Late:
        interrupted += 1
    try:
        signal.setitimer(signal.ITIMER_REAL, 0)
        time.sleep(0.0001)  # For a signal that is on its way.
    except Late:
        pass
    if not block.closed:
        block.data[0]
        block.close()
print(interrupted, len(lost))
"""


def test_close_that_ends_by_an_exception(child, name):
    interrupted, lost = map(int, child(CLOSE, name).end().split())
    assert interrupted > 10
    # No exception was lost in a finalizer.
    assert lost == 0
    winshm.create(name, 1).close()
