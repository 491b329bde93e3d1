# SPDX-License-Identifier: MIT
"""Creating and opening, looking, and what is refused."""

import ctypes
import os
import pickle
import select
import time
from decimal import Decimal
from fractions import Fraction

import pytest
import winshm
from conftest import WINDOWS, becomes_others, in_a_thread
from winshm import Status


class Pair(ctypes.LittleEndianStructure):
    _fields_ = [("first", ctypes.c_uint32), ("second", ctypes.c_uint64)]


def status_of(function, *arguments, **keywords):
    with pytest.raises(winshm.Error) as caught:
        function(*arguments, **keywords)
    return caught.value.status


def test_create_and_open(name):
    with winshm.create(name, 5) as first, winshm.open(name) as second:
        assert first.name == name
        assert (first.size, second.size) == (5, 5)
        assert bytes(first.data) == bytes(5)
        first.data[:] = b"abcde"
        assert bytes(second.data) == b"abcde"
        assert first.info.origin == winshm.Origin.CREATED
        assert second.info.origin == winshm.Origin.OPENED
        assert repr(first) == f"<winshm.Region {name!r}>"
    assert repr(first) == f"<winshm.Region {name!r}, closed>"


def test_names_are_text(name):
    with winshm.create(f"Local\\{name}-ä€😀", 1), winshm.open(f"{name}-ä€😀") as region:
        assert region.size == 1


def test_not_found(name):
    with pytest.raises(winshm.NotFoundError) as caught:
        winshm.open(name)
    error = caught.value
    assert isinstance(error, (winshm.Error, FileNotFoundError))
    assert (error.status, error.name) == (Status.NOT_FOUND, "WINSHM_E_NOT_FOUND")
    assert name in str(error)
    assert "WINSHM_E_NOT_FOUND" in str(error)
    with pytest.raises(winshm.NotFoundError):
        winshm.open_or_create(name)


def test_errors_can_be_pickled(name):
    with pytest.raises(winshm.NotFoundError) as caught:
        winshm.open(name)
    error = caught.value
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is winshm.NotFoundError
    assert (str(copy), copy.status, copy.os_code) == (str(error), error.status, error.os_code)


def test_message_is_that_of_the_failed_call(name):
    for other in (f"{name}a", f"{name}b"):
        with pytest.raises(winshm.NotFoundError, match=f"'{other}'"):
            winshm.open(other)


def test_exists(region):
    with pytest.raises(winshm.ExistsError) as caught:
        winshm.create(region.name, 4096)
    assert isinstance(caught.value, FileExistsError)


def test_open_or_create(name):
    with winshm.open_or_create(name, 10) as first:
        assert first.info.origin == winshm.Origin.CREATED
        with winshm.open_or_create(name) as second:
            assert second.info.origin == winshm.Origin.OPENED
            assert second.size == 10
        assert status_of(winshm.open_or_create, name, 11) == Status.SIZE
        assert status_of(winshm.open, name, size=11) == Status.SIZE


def test_layout_tag(name):
    with winshm.create(name, 10, layout_tag=2**64 - 1) as region:
        assert region.info.layout_tag == 2**64 - 1
        assert status_of(winshm.open, name, layout_tag=7) == Status.TAG
        assert status_of(winshm.open_or_create, name, layout_tag=7) == Status.TAG
        winshm.open(name).close()


def test_capacity(name):
    with winshm.create(name, 10, capacity=1 << 20) as region:
        assert region.info.capacity >= 1 << 20
        assert region.size == 10
    assert status_of(winshm.create, name, 10, capacity=9) == Status.INVALID


@pytest.mark.parametrize("security", [None, "owner", "session", "everyone-read"])
def test_security(name, security):
    winshm.create(name, 10, security=security).close()
    winshm.open_or_create(name, 10, security=security).close()


def test_malformed_security(name):
    with pytest.raises(winshm.InvalidError):
        winshm.create(name, 10, security="nobody")


def test_security_of_open(region):
    for security in (None, "anyone"):
        winshm.open(region.name, security=security).close()
    with pytest.raises(winshm.InvalidError, match="anyone"):
        winshm.open(region.name, security="nobody")


@becomes_others
def test_region_of_a_stranger(child, name):
    owner = child(
        "os.setuid(65533)\n"
        "with winshm.create(sys.argv[1], 8, security='everyone-read'):\n"
        "    print('created'); sys.stdin.readline()",
        name,
    )
    owner.line()
    stranger = child(
        "os.setuid(65534)\n"
        "for security in None, 'anyone':\n"
        "    try:\n"
        "        winshm.open(sys.argv[1], readonly=True, security=security).close()\n"
        "        print('joined')\n"
        "    except winshm.Error as error:\n"
        "        print(error.name)",
        name,
    )
    assert stranger.end().split() == ["WINSHM_E_FOREIGN", "joined"]
    owner.go()
    owner.end()


def test_open_waits_for_the_region(name, child):
    creator = child(
        "import time\nprint('up'); time.sleep(0.6)\nr = winshm.create(sys.argv[1], 8)\n"
        "sys.stdin.readline()\nr.close()",
        name,
    )
    creator.line()
    with winshm.open(name, timeout=20) as region:
        assert region.size == 8
    creator.go()
    creator.end()


@pytest.mark.skipif(WINDOWS, reason="a byte lock of Linux")
def test_open_waits_while_others_enter(name, child):
    with winshm.create(name, 8):
        busy = child(
            "import fcntl, time\n"
            "with open(f'/dev/shm/{sys.argv[1]}.winshm', 'r+b') as control:\n"
            "    fcntl.lockf(control, fcntl.LOCK_EX, 1, 0)\n"
            "    print('entering'); time.sleep(0.5)",
            name,
        )
        busy.line()
        with pytest.raises(winshm.TimeoutError):
            winshm.open(name, timeout=0.01)
        winshm.open(name, timeout=20).close()
        busy.end()


def test_open_gives_up(name):
    start = time.monotonic()
    with pytest.raises(winshm.NotFoundError):
        winshm.open(name, timeout=0.5)
    assert 0.5 <= time.monotonic() - start < 5


def test_readonly(name):
    with winshm.create(name, 100) as writer, winshm.open(name, readonly=True) as region:
        writer.data[0] = 7
        assert region.info.readonly
        assert not writer.info.readonly
        assert region.data.readonly
        assert region.data[0] == 7
        with pytest.raises(TypeError):
            region.data[0] = 8
        with pytest.raises(TypeError, match="read_as"):
            region.view_as(Pair)
        with pytest.raises(winshm.AccessError) as caught:
            region.write(0, b"x")
        assert isinstance(caught.value, PermissionError)
        assert region.read(0, 1) == b"\7"
        with region.lock(), region.map(0, 10) as view:
            assert view.data.readonly
        with pytest.raises(winshm.AccessError):
            region.map(0, 10, readonly=False)


def test_raw(name):
    with winshm.create(name, 4096, raw=True) as region:
        info = region.info
        assert (info.kind, info.lock_kind) == (winshm.Kind.RAW, winshm.LockKind.NONE)
        assert status_of(winshm.open, name) == Status.NOT_MANAGED
        region.write(4, b"plain")
        with winshm.open(name, raw=True) as other:
            assert other.read(4, 5) == b"plain"
        assert status_of(region.acquire) == Status.UNSUPPORTED
        assert status_of(region.notify) == Status.UNSUPPORTED
        assert status_of(lambda: region.participants) == Status.UNSUPPORTED
        assert status_of(lambda: region.change_count) == Status.UNSUPPORTED


def test_raw_view_of_a_managed_region(region):
    with winshm.open(region.name, raw=True) as raw:
        raw.data[:3] = b"raw"
    assert region.read(0, 3) == b"raw"


def test_no_lock(name):
    with winshm.create(name, 10, no_lock=True) as region:
        assert region.info.lock_kind == winshm.LockKind.NONE
        assert status_of(region.acquire) == Status.UNSUPPORTED
        region.write(0, b"abc")
        assert region.read(0, 3) == b"abc"


def test_no_map(name):
    with winshm.create(name, 10_000, no_map=True) as region:
        with pytest.raises(ValueError, match="no_map"):
            region.data  # noqa: B018
        with pytest.raises(ValueError, match="no_map"):
            region.view_as(Pair)
        region.write(9_990, b"0123456789")
        with region.map(9_991, 3) as view:
            assert bytes(view.data) == b"123"
        assert region.read(9_999) == b"9"


def test_numbers_that_do_not_fit(region, name):
    for call in (
        lambda: region.read(-1, 1),
        lambda: region.read(0, -1),
        lambda: region.read(2**64, 1),
        lambda: region.write(-1, b"x"),
        lambda: region.map(-1, 1),
        lambda: region.map(0, 2**64),
        lambda: region.wait(seen=-1),
        lambda: region.wait(seen=2**32),
        lambda: region.view_as(Pair, -1),
        lambda: region.view_as(Pair, 4090),
        lambda: winshm.create(name + "x", -1),
        lambda: winshm.create(name + "x", 2**64 + 5),
        lambda: winshm.create(name + "x", 5, capacity=-1),
        lambda: winshm.open(name, layout_tag=2**64),
    ):
        with pytest.raises(ValueError, match=r"2\*\*|negative|too small"):
            call()


@pytest.mark.parametrize("timeout", [-1, -0.001, float("nan")])
def test_malformed_timeouts(region, timeout):
    for call in (
        lambda: region.acquire(timeout=timeout),
        lambda: region.wait(timeout=timeout),
        lambda: region.read(0, 1, timeout=timeout),
        lambda: region.write(0, b"x", timeout=timeout),
        lambda: winshm.open(region.name, timeout=timeout),
    ):
        with pytest.raises(ValueError, match="timeout must be"):
            call()


def test_huge_timeouts(region):
    for timeout in (1e300, float("inf"), 10**30):
        with region.lock(timeout=timeout):
            pass


@pytest.mark.parametrize("timeout", [Fraction(1, 100), Decimal("0.01")])
def test_timeouts_are_numbers_of_every_kind(region, timeout):
    with pytest.raises(winshm.TimeoutError, match="within 0.01 s"):
        region.wait(timeout=timeout)
    with pytest.raises(winshm.NotFoundError, match="within 0.01 s"):
        winshm.open(region.name + "-none", timeout=timeout)
    with region.lock(), winshm.open(region.name) as other:
        with pytest.raises(winshm.TimeoutError):
            in_a_thread(lambda: other.read(0, 1, timeout=timeout))
    for wrong in (Decimal("NaN"), Decimal(-1), Fraction(-1, 2)):
        with pytest.raises(ValueError, match="timeout must be"):
            region.wait(timeout=wrong)


@pytest.mark.parametrize(
    "name", ["", "a/b", "a\\b", ".", "..", "x" * 201, "x.winshm", "x.winshm.y"]
)
def test_malformed_names(name):
    with pytest.raises(winshm.InvalidError) as caught:
        winshm.create(name, 1)
    assert caught.value.status == Status.NAME
    assert isinstance(caught.value, ValueError)


def test_arguments_of_wrong_types(region):
    with pytest.raises(ValueError, match="name has a NUL inside"):
        winshm.create("a\0b", 1)
    region.write(True, b"x")  # after which an offset that equals 1.0 is known
    for call in (
        lambda: winshm.open(None),
        lambda: winshm.create(b"bytes", 1),
        lambda: winshm.create("x", 1.5),
        lambda: winshm.create("x", "1"),
        lambda: region.read("0", 1),
        lambda: region.read(1.0, 1),
        lambda: region.read(1, 1.0),
        lambda: region.write(1.0, b"x"),
        lambda: region.write(0, "text"),
        lambda: region.wait(timeout="1"),
    ):
        with pytest.raises((TypeError, AttributeError)):
            call()


def test_size_0(name):
    with pytest.raises(winshm.InvalidError):
        winshm.create(name, 0)


def test_info(region):
    info = region.info
    assert info.kind == winshm.Kind.MANAGED
    assert info.lock_kind == winshm.LockKind.ROBUST
    assert (info.size, info.readonly, info.observer) == (4096, False, False)
    assert len(info.id) == 16
    assert info.id != bytes(16)
    assert info.creator_pid == os.getpid()
    assert info.creator_present is True
    assert abs(info.creator_start_us / 1e6 - time.time()) < 3600
    assert (info.participants, info.lock_state, info.owner_pid) == (1, 0, 0)
    with region.lock():
        assert region.info.lock_state == winshm.LockState.EXCLUSIVE
        assert region.info.owner_pid == os.getpid()
    with region.lock(shared=True):
        assert region.info.lock_state == winshm.LockState.SHARED
    with winshm.open(region.name) as other:
        assert other.info.id == info.id
        assert other.info.member != info.member
        assert other.info.participants == 2


def test_participants(region, child):
    other = child(
        "r = winshm.open(sys.argv[1]); r.acquire(shared=True); print(os.getpid(), flush=True)\n"
        "sys.stdin.readline(); r.release(shared=True); r.close()",
        region.name,
    )
    pid = int(other.line())
    mine, its = sorted(region.participants, key=lambda each: each.pid != os.getpid())
    assert mine.roles == winshm.Roles.SELF | winshm.Roles.CREATOR
    assert its.roles == winshm.Roles.SHARED
    assert (mine.pid, its.pid) == (os.getpid(), pid)
    assert mine.member == region.info.member
    assert mine.start_us == region.info.creator_start_us
    assert its.start_us >= mine.start_us
    assert mine.slot != its.slot
    other.go()
    other.end()
    assert len(region.participants) == 1


def test_use_after_close(name):
    region = winshm.create(name, 100)
    view = region.map(0, 10)
    held = region.lock()
    view.close()
    region.close()
    region.close()
    view.close()
    assert region.closed
    assert view.closed
    for call in (
        lambda: region.data,
        lambda: region.size,
        lambda: region.info,
        lambda: region.participants,
        lambda: region.change_count,
        lambda: region.read(0, 1),
        lambda: region.write(0, b"x"),
        lambda: region.map(0, 1),
        lambda: region.view_as(Pair),
        lambda: region.read_as(Pair),
        lambda: region.__enter__(),
        lambda: held.__enter__(),
        region.acquire,
        region.release,
        region.make_consistent,
        region.notify,
        region.wait,
        region.wait_fd,
        region.wait_handle,
        lambda: view.data,
        lambda: view.view_as(Pair),
        lambda: view.__enter__(),
    ):
        with pytest.raises(winshm.ClosedError) as caught:
            call()
        assert isinstance(caught.value, ValueError)
        assert caught.value.status == Status.CLOSED
        assert "closed" in str(caught.value)


@pytest.mark.skipif(WINDOWS, reason="a descriptor of Linux")
def test_wait_fd(region):
    fd = region.wait_fd()
    assert fd == region.wait_fd()
    assert select.select([fd], [], [], 0.05)[0] == []
    region.notify()
    assert select.select([fd], [], [], 10)[0] == [fd]
    assert len(os.read(fd, 8)) == 8
    assert select.select([fd], [], [], 0)[0] == []


@pytest.mark.skipif(not WINDOWS, reason="it works there")
def test_wait_fd_elsewhere(region):
    assert status_of(region.wait_fd) == Status.UNSUPPORTED


@pytest.mark.skipif(not WINDOWS, reason="an event of Windows")
def test_wait_handle(region):
    event = region.wait_handle()
    assert event == region.wait_handle()
    wait = ctypes.WinDLL("kernel32").WaitForSingleObject
    wait.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    assert wait(event, 0) == 0x102
    region.notify()
    assert wait(event, 10_000) == 0


@pytest.mark.skipif(WINDOWS, reason="it works there")
def test_wait_handle_elsewhere(region):
    assert status_of(region.wait_handle) == Status.UNSUPPORTED


@pytest.mark.skipif(not WINDOWS, reason="Linux has this for files that are cut short only")
def test_pages_that_are_gone_are_an_error(region):
    protect = ctypes.windll.kernel32.VirtualProtect
    page = ctypes.byref(ctypes.c_char.from_buffer(region.data))
    before = ctypes.c_uint32()
    region.write(0, b"before")
    assert protect(page, ctypes.c_size_t(1), 1, ctypes.byref(before))
    assert status_of(region.read) == Status.FAULT
    assert status_of(region.write, 0, b"x") == Status.FAULT
    assert protect(page, ctypes.c_size_t(1), before, ctypes.byref(before))
    assert region.read(0, 6) == b"before"
    del page
