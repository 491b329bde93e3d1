# SPDX-License-Identifier: MIT
"""What people are told: the argument, both values, and the way out."""

import asyncio
import contextlib
import ctypes
import os
import re
from pathlib import Path

import pytest
import winshm
from conftest import WINDOWS, in_a_thread

posix = pytest.mark.skipif(WINDOWS, reason="there are files on Linux only")


def told(status, call, *pieces):
    """Check what call() raises: it has the status and all the pieces, in this order."""
    with pytest.raises(winshm.Error) as caught:
        call()
    message = str(caught.value)
    assert caught.value.name == f"WINSHM_E_{status}", message
    # The pieces may stand on both sides of the status.
    rest = message
    for piece in pieces:
        assert piece in rest, f"{piece!r} is not said, or not there: {message}"
        rest = rest[rest.index(piece) + len(piece) :]
    status_in_brackets = f"[WINSHM_E_{status}]"
    assert message.count(status_in_brackets) == 1, message
    assert not re.search("winshm_|WINSHM_", message.replace(status_in_brackets, "")), message
    assert message.endswith((".", '"')) and ". ." not in message, message


def using(use, **keywords):
    """Open the region so, and hand that to a function."""

    def call(region):
        with winshm.open(region.name, **keywords) as other:
            return use(other)

    return call


def under(lock, use):
    """Hold the lock of the region that is given, and hand it to a function."""

    def call(region):
        with lock(region):
            return use(region)

    return call


def exclusive(region):
    return region.lock()


def shared(region):
    return region.lock(shared=True)


def copy_under_shared(region):
    with region.lock(shared=True) as held:
        held.write(0, b"x")


def copy_without_lock(region):
    with region.lock() as held:
        pass
    held.read(0, 1)


def lock_elsewhere(region):
    in_a_thread(region.acquire, timeout=0.01)


def close_with_data(region):
    data = region.data
    assert data[0] == 0
    region.close()


def take_twice(region):
    async def wait():
        async with region.lock_async():
            async with region.lock_async(timeout=0.01):
                pass

    asyncio.run(wait())


def open_until_refused(**keywords):
    def call(region):
        with contextlib.ExitStack() as stack:
            while True:
                stack.enter_context(winshm.open(region.name, **keywords))

    return call


def use_after_close(region):
    with winshm.open(region.name) as other:
        pass
    other.read()


def create(**keywords):
    """Create another region of 100 bytes, or as the keywords say."""

    def call(region):
        winshm.create(f"{region.name}-2", **{"size": 100, **keywords}).close()

    return call


def again(opener, *arguments, **keywords):
    """Open the region by its name."""
    return lambda region: opener(region.name, *arguments, **keywords).close()


def named(name, opener=winshm.create):
    return lambda region: opener(name, size=1).close()


# The region has 4096 bytes, the layout tag 0x1F and this layout.
LAYOUT = "b:u8@0; a:u16@2; size 4"
CASES = [
    # Arguments.
    ("NAME", named("a/b"), "winshm.create() 'a/b'", "byte 1", "slash", "1 to 200 bytes"),
    ("NAME", named("a/b", winshm.open), "winshm.open() 'a/b'", "byte 1"),
    ("NAME", named("a/b", winshm.open_or_create), "winshm.open_or_create() 'a/b'"),
    ("NAME", named(""), "winshm.create(): ", "it is empty", "1 to 200 bytes"),
    ("NAME", named("x" * 201), "more than 200 bytes"),
    ("NAME", named("x.winshm"), "byte 1", "reserved"),
    ("NAME", named("a\x01"), "byte 1", "control character"),
    ("INVALID", create(size=0), "winshm.create() '", "size is 0", "at least 1 byte"),
    ("INVALID", create(capacity=7), "capacity is 7", "size, which is 100", "Leave it 0"),
    ("INVALID", create(security="all"), "security is 'all'", '"owner"'),
    ("INVALID", again(winshm.open, security="all"), "security is 'all'", '"anyone"'),
    ("INVALID", create(raw=True, no_lock=True), "raw=True and no_lock=True exclude"),
    ("INVALID", create(raw=True, fill=print), "raw=True and the argument fill exclude"),
    ("INVALID", create(no_lock=True, fill=print), "no_lock=True and the argument fill"),
    ("INVALID", lambda r: r.map(0, 0), "region.map()", "length is 0", "at least 1 byte"),
    ("SIZE", create(size=2**63), "9223372036854775808 bytes", "Ask for less"),
    ("UNSUPPORTED", create(raw=True, capacity=200), "raw region", "without raw=True"),
    ("RANGE", lambda r: r.read(4000, 97), "region.read() '", "offset is 4000", "length 97"),
    ("RANGE", lambda r: r.write(4095, b"ab"), "4095", "2", "4096 bytes", "region.size"),
    ("INVALID", create(layout="x"), "layout, byte 1: here should be :", "winshm.layout_of()"),
    ("INVALID", create(layout="a:u8@0; size 101"), "the layout has 101 bytes, size is 100"),
    ("UNSUPPORTED", create(raw=True, layout="size 1"), "a raw region has no layout", "None"),
    ("SIZE", lambda r: r.resize(5000), "region.resize() '", "5000", "capacity 4096", "argument"),
    ("SIZE", lambda r: r.resize(1), "size is 1", "4096 bytes", "never gets smaller"),
    ("TOKEN", lambda r: winshm.import_token("x"), "winshm.import_token()", "region.export_token()"),
    ("FORMAT", lambda r: r.load(__file__), "region.load() '", "region.save()"),
    # What is there.
    ("EXISTS", again(winshm.create, 1), "process ", str(os.getpid()), "open_or_create()"),
    ("SIZE", again(winshm.open, size=7), "winshm.open() '", "4096 bytes, 7", "Size 0"),
    ("TAG", again(winshm.open, layout_tag=0xAB), "0x1F", "0xAB", "rebuild the older one"),
    (
        "TAG",
        again(winshm.open, layout="b:u8@0; a:i16@2; size 4"),
        "field 'a' is i16 @2 here, u16 @2 in the region",
        "rebuild the older one",
    ),
    ("EXISTS", lambda r: r.link(__file__), "region.link() '", "something else than a link"),
    ("NOT_FOUND", lambda r: winshm.open_link("no.link"), "winshm.open_link() 'no.link'"),
    (
        "NOT_FOUND",
        lambda r: winshm.open(f"{r.name}-2"),
        "winshm.open() '",
        "no such region",
        "failed with 2: ",
        "Start the creator first, or wait for it with the argument timeout",
    ),
    ("NOT_FOUND", lambda r: winshm.open_or_create(f"{r.name}-2"), "size is 0", "Give the size"),
    # Handles.
    (
        "ACCESS",
        using(lambda r: r.write(0, b"x"), readonly=True),
        "region.write() '",
        "read-only",
        "readonly=False",
    ),
    ("CLOSED", use_after_close, "the region is closed", "until its last use"),
    ("TOO_MANY", open_until_refused(), "all 128 places", "share one between threads"),
    # The lock.
    (
        "DEADLOCK",
        under(shared, winshm.Region.acquire),
        "region.acquire() '",
        "holds it in shared mode",
        "unlock first",
        "tasks=True",
        "region.lock_async()",
    ),
    ("DEADLOCK", under(exclusive, winshm.Region.acquire), "holds it in exclusive mode"),
    ("DEADLOCK", under(shared, lambda r: r.write(0, b"x")), "region.write() '", "shared mode"),
    ("NOT_OWNER", winshm.Region.release, "region.release() '", "tasks=True"),
    ("NOT_OWNER", under(shared, winshm.Region.release), "shared mode", "Unlock in the mode"),
    ("NOT_OWNER", winshm.Region.make_consistent, "region.make_consistent() '"),
    ("NOT_OWNER", copy_without_lock, "held.read() '"),
    ("NOT_OWNER", copy_under_shared, "held.write() '"),
    ("BUSY", under(exclusive, winshm.Region.close), "region.close()", "Unlock first"),
    ("BUSY", under(exclusive, close_with_data), "region.close() '", "Release it first"),
    (
        "TIMEOUT",
        under(exclusive, lock_elsewhere),
        "region.acquire() '",
        "this process holds the lock itself",
        "has to unlock first",
    ),
    (
        "TIMEOUT",
        using(take_twice, tasks=True),
        "region.lock_async() '",
        "another coroutine",
        "region.participants tells who is",
    ),
    ("INVALID", winshm.Region.lock_async, "region.lock_async() '", "Open it with tasks=True"),
    # Changes.
    (
        "TIMEOUT",
        lambda r: r.wait(timeout=0.01),
        "region.wait() '",
        "no change within 0.01 s",
        "region.notify() or region.write()",
    ),
    (
        "UNSUPPORTED",
        winshm.Region.wait_fd if WINDOWS else winshm.Region.wait_handle,
        "this system has no ",
        "region.wait_handle()" if WINDOWS else "region.wait_fd()",
    ),
]


@pytest.mark.parametrize(("status", "call", "pieces"), [(s, c, p) for s, c, *p in CASES])
def test_of(name, status, call, pieces):
    with winshm.create(name, 4096, layout=LAYOUT, layout_tag=0x1F) as region:
        told(status, lambda: call(region), *pieces)


def test_of_other_processes(region, holder):
    process = f"process {holder.process.pid} ("
    told("TIMEOUT", lambda: region.acquire(timeout=0.01), process, ") holds the lock", "alive")
    holder.kill()
    way_out = "Repair the data under region.lock(recover=True), then call region.make_consistent()"
    told("OWNER_DEAD", region.acquire, "region.acquire() '", "half written", way_out)
    told("OWNER_DEAD", region.read, "region.read() '", "died or gave up in its section", way_out)


def test_of_plain_blocks(name):
    with winshm.create(name, 100, raw=True) as raw:
        told("UNSUPPORTED", raw.acquire, "a raw region is a plain block", "without raw=True")
        told("UNSUPPORTED", lambda: raw.participants, "region.participants '", "no list of")
        told("NOT_MANAGED", lambda: winshm.open(name), "the block is a plain one", "with raw=True")
        told("HELD", lambda: winshm.create(name, 1), "a block without winshm", "open_or_create()")
        if not WINDOWS:  # where a block has whole pages
            too_large = "the block has 100 bytes, 7000 were asked for"
            told("SIZE", lambda: winshm.open(name, raw=True, size=7000), too_large, "0: any")
        told("TOO_MANY", lambda: open_until_refused(raw=True)(raw), "1024 regions", "share")
    with winshm.create(name, 100, no_lock=True) as region:
        told("UNSUPPORTED", region.acquire, "the region has no lock", "with no_lock=True")


def files_of(name):
    data = Path("/dev/shm") / name
    return data, data.with_name(f"{name}.winshm")


@posix
def test_of_files_that_are_lost(name):
    data, control = files_of(name)
    with winshm.create(name, 4096) as region:
        with control.open("r+b") as file:
            file.seek(4)
            version = file.read(4)
            file.seek(4)
            file.write(b"\x63\0\0\0")
            file.flush()
            told("LAYOUT", lambda: winshm.open(name), "version 99, ", "one major version")
            file.seek(4)
            file.write(version)
        os.truncate(data, 0)
        told("FAULT", region.read, "region.read() '", "outside cut the block short")
        data.unlink()
        told("REPLACED", lambda: winshm.open(name), "removed", "Close every handle")
        os.truncate(control, 0)
        told("CORRUPT", region.acquire, "the bookkeeping is damaged", "create it again")


@posix
def test_of_files_of_others(name):
    data, control = files_of(name)
    data.mkdir()
    told("KIND", lambda: winshm.create(name, 1), "another sort of object", "another one")
    data.rmdir()
    control.write_bytes(b"x" * 5000)
    told("FOREIGN", lambda: winshm.create(name, 1), "something else", "another name")
    control.unlink()


@posix
def test_of_too_many_files(name):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        told("NO_MEMORY", lambda: winshm.create(name, 1), "Too many open files", "close files")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@posix
def test_of_a_child_of_fork(region):
    child = os.fork()
    if child == 0:
        result = 1
        try:
            told("FORKED", region.read, "belongs to the parent", "again in the child")
            result = 0
        finally:
            os._exit(result)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(not WINDOWS, reason="names are one space there only")
def test_of_a_mutex(name):
    kernel = ctypes.windll.kernel32
    mutex = kernel.CreateMutexW(None, False, name)
    told("KIND", lambda: winshm.create(name, 1), "another sort of object", "another one")
    kernel.CloseHandle(mutex)
