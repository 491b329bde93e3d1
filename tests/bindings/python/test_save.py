# SPDX-License-Identifier: MIT
"""Saved regions."""

import ctypes
import time

import pytest
import winshm
from conftest import HOLDER, in_a_thread, run
from winshm import Status


class State(ctypes.Structure):
    _fields_ = [("count", ctypes.c_uint32), ("text", ctypes.c_char * 28)]


class Drifted(ctypes.Structure):
    _fields_ = [("count", ctypes.c_uint16), ("text", ctypes.c_char * 30)]


@pytest.fixture
def region(name):
    with winshm.create(name, State, capacity=100_000) as region:
        region.set(State(5, b"saved"))
        yield region


@pytest.fixture
def path(tmp_path):
    return tmp_path / "größe.saved"


def test_what_was_saved_is_loaded(region, path):
    region.save(path)
    region.set(State(6, b"changed"))
    seen = region.change_count
    region.load(path)
    assert (region.get().count, region.get().text) == (5, b"saved")
    assert region.change_count != seen
    with winshm.create(None, State) as other:
        other.load(str(path))
        assert other.get().count == 5
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_save_replaces(region, path):
    path.write_text("old")
    region.save(path)
    first = path.read_bytes()
    region.value.count = 7
    region.save(path)
    assert path.read_bytes() != first
    with winshm.open(region.name, readonly=True) as reader:
        reader.save(path)
        with pytest.raises(winshm.AccessError):
            reader.load(path)


@pytest.mark.xfail(strict=True, reason="to come with growth")
def test_load_makes_a_region_larger(region, path):
    region.resize(50_000)
    region.write(49_999, b"x")
    region.save(path)
    with winshm.create(None, State, capacity=60_000) as other:
        data = other.data
        other.load(path)
        assert (other.size, len(data), other.data[49_999]) == (50_000, 32, ord("x"))
    with winshm.create(None, State) as small, pytest.raises(winshm.Error, match="SIZE"):
        small.load(path)


def test_files_that_cannot_be_loaded(region, path):
    region.save(path)
    whole = path.read_bytes()
    before = region.read()
    for wrong in (b"", b"letter", whole[:-1], whole[:-20] + b"y" + whole[-19:]):
        path.write_bytes(wrong)
        with pytest.raises(winshm.FormatError) as caught:
            region.load(path)
        assert caught.value.status == Status.FORMAT
        assert isinstance(caught.value, ValueError)
    with pytest.raises(winshm.NotFoundError):
        region.load(path.with_name("nothing"))
    assert region.read() == before


@pytest.mark.xfail(strict=True, reason="to come with layouts")
def test_load_compares_layouts(region, path):
    region.save(path)
    with winshm.create(None, Drifted) as other, pytest.raises(winshm.Error) as caught:
        other.load(path)
    assert caught.value.status == Status.TAG


def test_locks(region, path, child):
    holder = child(HOLDER, region.name)
    assert holder.line() == "held"
    start = time.process_time()
    with pytest.raises(winshm.TimeoutError):
        region.save(path, timeout=0.5)
    assert time.process_time() - start < 0.3  # It has slept.
    assert not path.exists()
    holder.go()
    holder.end()
    with region.lock():
        region.save(path)
        region.value.count = 8
        region.load(path)
    assert region.get().count == 5
    with region.lock(shared=True):
        region.save(path)
        with pytest.raises(winshm.Error, match="DEADLOCK"):
            region.load(path)


def test_load_repairs(region, path, child):
    region.save(path)
    holder = child(HOLDER, region.name)
    assert holder.line() == "held"
    holder.kill()
    with pytest.raises(winshm.OwnerDeadError):
        region.save(path)
    region.load(path)
    assert region.get().count == 5


def test_under_a_lock_of_tasks(region, path):
    async def work():
        with winshm.open(region.name, tasks=True) as tasks:
            async with tasks.lock_async():
                for call in (tasks.save, tasks.load):
                    told = r"region\.(save|load)\(\) .*DEADLOCK"
                    with pytest.raises(winshm.Error, match=told):
                        call(path)
            tasks.save(path)
            tasks.load(path)

    region.save(path)
    run(work())


def test_bad_paths(region, path):
    with pytest.raises(winshm.Error):
        region.save(path.parent)
    with pytest.raises(winshm.Error):
        region.save(path / "no" / "folder")
    for call in (region.save, region.load):
        with pytest.raises(winshm.InvalidError):
            call("")
        with pytest.raises(TypeError):
            call(3)
        with pytest.raises(ValueError, match="timeout"):
            call(path, timeout=-1)


def test_raw_regions_are_saved_too(path):
    with winshm.create(None, 4096, raw=True) as raw:
        raw.write(0, b"raw")
        raw.save(path)
        raw.write(0, b"xyz")
        in_a_thread(raw.load, path)
        assert raw.read(0, 3) == b"raw"
