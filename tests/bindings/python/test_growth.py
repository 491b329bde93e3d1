# SPDX-License-Identifier: MIT
"""Regions that become larger."""

import ctypes

import pytest
import winshm
from conftest import in_a_thread, until
from winshm import Status, _copying


@pytest.fixture
def region(name):
    with winshm.create(name, 100, capacity=1 << 20) as region:
        yield region


def test_everybody_sees_the_size(region, child):
    other = child(
        "r = winshm.open(sys.argv[1])\n"
        "seen = r.change_count\n"
        "print(r.size, len(r.data), flush=True)\n"
        "r.wait(seen=seen, timeout=30)\n"
        "print(r.size, len(r.data), r.data[99999], flush=True)\n"
        "r.data[99999] = 7\n"
        "r.resize(200000); r.close()",
        region.name,
    )
    assert other.line() == "100 100"
    region.resize(100_000)
    assert other.line() == "100000 100000 0"
    other.end()
    assert region.size == region.info.size == len(region.data) == 200_000
    assert region.data[99_999] == 7
    assert region.info.capacity == 1 << 20


def test_views_stay_as_they_were(region):
    data = region.data
    slice_ = data[10:20]
    assert region.data is data
    region.resize(5000)
    grown = region.data
    assert grown is region.data
    assert (len(data), len(grown)) == (100, 5000)
    grown[10] = 7
    assert data[10] == slice_[0] == 7
    with pytest.raises(BufferError):
        region.close()
    assert region.data[10] == 7
    slice_.release()
    region.close()
    for each in (data, grown):
        with pytest.raises(ValueError, match="released"):
            each[0]  # noqa: B018


def test_all_that_wraps_the_bytes_has_the_present_size(region):
    array = ctypes.c_uint8 * 4000
    for wrong in (lambda: region.view_as(array), lambda: region.read_as(array)):
        with pytest.raises((ValueError, winshm.RangeError)):
            wrong()
    region.resize(4000)
    view = region.view_as(array)
    view[3999] = 5
    assert region.read_as(array)[3999] == 5
    assert len(region.read()) == 4000
    with region.lock() as held:
        assert len(held.read()) == 4000
    with region.map(100, 3900) as part:
        assert part.data[3899] == 5


def test_numpy_has_the_present_size(region):
    np = pytest.importorskip("numpy")
    small = np.asarray(region)
    region.resize(4000)
    assert (small.shape, np.asarray(region).shape) == ((100,), (4000,))


def test_refusals(region, name):
    for size, status in ((99, Status.SIZE), ((1 << 20) + 1, Status.SIZE), (0, Status.INVALID)):
        with pytest.raises(winshm.Error) as caught:
            region.resize(size)
        assert caught.value.status == status
    region.resize(100)
    with winshm.open(name, readonly=True) as reader, pytest.raises(winshm.AccessError):
        reader.resize(200)
    for bad in (-1, 1 << 64):
        with pytest.raises(ValueError, match="size"):
            region.resize(bad)
    with pytest.raises(TypeError):
        region.resize("1")
    with pytest.raises(ValueError, match="timeout"):
        region.resize(200, timeout=-1)
    assert region.size == 100
    with winshm.create(None, 100) as fixed, pytest.raises(winshm.Error, match="capacity"):
        fixed.resize(101)


def test_under_the_lock_and_on_another_thread(region):
    with region.lock():
        region.resize(200)
        in_a_thread(region.resize, 300)
    assert region.size == 300


@pytest.mark.parametrize("under_lock", [False, True])
def test_reading_more_than_there_is_while_it_grows(region, under_lock, monkeypatch):
    """Either all that was asked for or an exception, whenever it grows."""
    new_bytes = _copying.new_bytes

    def grow_and_make(text, length):
        region.resize(region.size + 60_000)
        return new_bytes(text, length)

    region.resize(100_000)
    with region.lock() as held:
        reader = held if under_lock else region
        with pytest.raises(winshm.RangeError):
            reader.read(0, 200_000)
        monkeypatch.setattr(_copying, "new_bytes", grow_and_make)
        assert len(reader.read(0, 200_000)) == 200_000


def test_size_of_a_joiner_is_that_at_the_creation(region, name):
    region.resize(5000)
    with winshm.open_or_create(name, 100, capacity=1 << 20) as other:
        assert other.size == 5000
    with pytest.raises(winshm.Error, match="SIZE"):
        winshm.open(name, size=5000)


def test_without_a_whole_view(name):
    with winshm.create(name, 100, capacity=1 << 20, no_map=True) as region:
        region.resize(70_000)
        region.write(69_999, b"x")
        assert region.size == 70_000


def test_of_many_threads(region):
    """Nobody ever has less than before, or what is not there."""
    stop = []

    def watch():
        last = 0
        while not stop:
            data = region.data
            assert last <= len(data)
            last = len(data)
            data[last - 1] = 1
        return last

    from concurrent import futures

    with futures.ThreadPoolExecutor(3) as pool:
        watchers = [pool.submit(watch) for _ in range(2)]
        for size in range(1000, 60_000, 1000):
            region.resize(size)
        until(lambda: len(region.data) == 59_000)
        stop.append(True)
        assert all(each.result() <= 59_000 for each in watchers)
