# SPDX-License-Identifier: MIT
"""What is refused, and what it says then."""

import asyncio
import copy
import ctypes
import gc
import pickle
import sys
import threading

import pytest
import winshm


def test_arguments_of_wrong_types(name, region):
    for opener in (winshm.create, winshm.open, winshm.open_or_create):
        for bad in (b"x", 3) if opener is winshm.create else (b"x", None, 3):
            with pytest.raises(TypeError, match="name must be a str"):
                opener(bad, 8)
    with pytest.raises(TypeError, match="security must be a str"):
        winshm.create(name, 8, security=b"owner")
    for bad in ("x", 2, []):
        with pytest.raises(TypeError, match="readonly must be"):
            region.map(0, 8, readonly=bad)
    for bad in ("x\0y", "\ud800"):
        with pytest.raises(ValueError, match="token has "):
            winshm.import_token(bad)
        with pytest.raises(ValueError, match="path has "):
            region.save(bad)
    for bad in ("8", 8.0, None, object()):
        with pytest.raises(TypeError, match="size must be an integer, not "):
            winshm.create(name, bad)
        with pytest.raises(TypeError, match="size must be an integer, not "):
            region.resize(bad)
    with region.lock() as held:
        pass
    for bad in (int, "x", None, ctypes.c_int(3)):
        for function in (region.view_as, region.read_as, held.read_as):
            with pytest.raises(TypeError, match="ctypes type"):
                function(bad)


@pytest.mark.filterwarnings("error")
def test_lock_of_threads_in_async_with(region):
    async def main():
        async with region.lock():
            pass

    with pytest.raises(TypeError, match=r"async with region.lock_async\(\)"):
        asyncio.run(main())


def test_messages_name_what_was_called(region, holder):
    for call in (region.acquire, region.lock):
        with pytest.raises(winshm.TimeoutError, match=rf"^region\.{call.__name__}\(\) "):
            call(timeout=0).__enter__()


def test_views_say_how_to_be_rid_of_them(name):
    region = winshm.create(name, 8)
    piece = region.data[:1]
    with pytest.raises(BufferError, match="release or del .* with block"):
        region.close()
    piece.release()
    region.close()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_objects_that_were_not_finished(region, monkeypatch):
    """Their finalizers have nothing to complain of."""
    complaints = []
    hook = sys.unraisablehook

    class Interrupt(BaseException):
        pass

    def interrupt(*arguments):
        raise Interrupt

    sys.unraisablehook = complaints.append
    try:
        type(region.data.obj)()
        winshm.Region.__new__(winshm.Region)
        for call in ("_memory.weakref.ref", "_change.Watcher", "_region.Turns"):
            with monkeypatch.context() as patch, pytest.raises(Interrupt):
                patch.setattr(f"winshm.{call}", interrupt)
                winshm.open(region.name, tasks=True)
        gc.collect()
    finally:
        sys.unraisablehook = hook
    assert complaints == []
    assert len(region.participants) == 1


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_nothing_is_copied(region, duplicate):
    """Two objects would close one handle."""
    with region.map(0, 10) as view:
        for block in (region, view):
            with pytest.raises(TypeError, match="open the region again"):
                duplicate(block)
        assert view.data[0] == region.data[0] == 0


def test_what_cannot_be_pickled(region):
    with region.map(0, 10) as view, pytest.raises(TypeError, match="pickle its region"):
        pickle.dumps(view)
    with region.lock() as held:
        for duplicate in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="ask the region again"):
                duplicate(held)


def test_lock_without_with_warns(region, tasks):
    """It reads as if it locked, and does in other languages."""
    for call in (region.lock, tasks.lock_async):
        match = f"{region.name}.* never taken; write .*with region.{call.__name__}\\(\\):"
        with pytest.warns(RuntimeWarning, match=match) as caught:
            call()
        assert [each.filename for each in caught] == [__file__]
    assert not region.info.lock_state


@pytest.mark.filterwarnings("error")
def test_lock_that_was_entered_does_not_warn(region, tasks):
    async def enter():
        async with tasks.lock_async() as held:
            assert type(held) is winshm.AsyncLock

    asyncio.run(enter())
    lock = region.lock(timeout=0)
    for _ in range(2):
        with lock as held:
            assert held is lock
            assert type(lock) is winshm.Lock
            with pytest.raises(winshm.Error, match="DEADLOCK"), region.lock():
                pass
    with pytest.raises(ValueError, match="reader"):
        region.lock(shared=True, recover=True)
    region.acquire()
    region.release()
    del lock, held  # which is when it would warn


def test_lock_that_is_given_after_the_with_block(child, region):
    """The thread has all it needs to repair the data, until it releases the lock."""
    owner = child(
        "r = winshm.open(sys.argv[1]); r.acquire(); print(1); sys.stdin.readline()", region.name
    )
    owner.line()
    done = []
    left = winshm.open(region.name)

    def repair():
        with left.lock(recover=True) as held:
            waiting.set()
            assert go.wait(20)
            assert held.owner_died
            done.append(len(held.read()))
            done.append(len(held.read(4000)))
            left.make_consistent()

    waiting, go = threading.Event(), threading.Event()
    thread = threading.Thread(target=repair)
    piece = left.data[:1]
    owner.kill()
    thread.start()
    assert waiting.wait(20)
    # As a wait does that got the lock just when the with block was left.
    left._holds_lock = lambda: False
    left.__exit__()
    assert left.closed
    go.set()
    thread.join()
    assert done == [4096, 96]
    region.acquire(timeout=0)
    region.release()
    piece.release()
    assert len(region.participants) == 1
