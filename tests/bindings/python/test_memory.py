# SPDX-License-Identifier: MIT
"""Nothing that is handed out may outlive the mapping, and nothing stays open."""

import ctypes
import gc
import pickle
import sys
import threading
import warnings

import pytest
import winshm
from conftest import leftovers
from winshm import _abi


class Pair(ctypes.LittleEndianStructure):
    _fields_ = [("first", ctypes.c_uint32), ("second", ctypes.c_uint64)]


def exists(name):
    try:
        winshm.open(name).close()
    except winshm.NotFoundError:
        return False
    return True


@pytest.fixture(params=["region", "view"])
def block(request, name):
    """A region, or a view that is the last to keep it open."""
    with winshm.create(name, 4096) as region:
        block = region if request.param == "region" else region.map(0, 4096)
        if block is not region:
            region.close()
        yield block
        block.close()


def test_data_is_a_memoryview_of_bytes(block):
    data = block.data
    assert data is block.data
    assert (data.format, data.ndim, data.itemsize, len(data)) == ("B", 1, 1, 4096)
    data[4000:4003] = b"abc"
    assert bytes(data[4000:4003]) == b"abc"


def test_data_serves_numpy(block):
    numpy = pytest.importorskip("numpy")
    numbers = numpy.frombuffer(block.data, dtype="<u8")
    numbers[1] = 258
    assert bytes(block.data[8:10]) == b"\2\1"
    with pytest.raises(BufferError):
        block.close()
    assert numbers[1] == 258
    del numbers


def test_numpy_takes_the_block_itself(block, name):
    numpy = pytest.importorskip("numpy")
    array = numpy.asarray(block)
    assert (array.dtype, array.shape) == (numpy.uint8, (4096,))
    array[4095] = 7
    assert block.data[4095] == 7
    with pytest.raises(BufferError):
        block.close()
    piece = array[:8].view("<u8")
    block.__exit__()
    del array
    piece[0] = 1
    assert exists(name)
    del piece
    assert not exists(name)
    with pytest.raises(winshm.ClosedError):
        numpy.asarray(block)


def test_numpy_may_only_read_what_is_readonly(region):
    numpy = pytest.importorskip("numpy")
    with winshm.open(region.name, readonly=True) as reader, reader.map(0, 4) as view:
        for block in (reader, view, region.map(0, 4, readonly=True)):
            assert not numpy.asarray(block).flags.writeable
    block.close()
    with winshm.open(region.name, no_map=True) as parts, pytest.raises(ValueError, match="map"):
        numpy.asarray(parts)


def test_buffer_protocol(block):
    """Python itself asks for it from 3.12 on."""
    buffer = memoryview(block) if sys.version_info >= (3, 12) else block.__buffer__(0)
    buffer[3] = 3
    assert block.data[3] == 3
    with pytest.raises(BufferError):
        block.close()
    assert block.data[3] == 3
    buffer.release()
    block.close()


def test_view_as_is_the_memory_itself(block):
    pair = block.view_as(Pair, 16)
    pair.second = 0x0102
    assert bytes(block.data[24:26]) == b"\2\1"
    block.data[16] = 9
    assert pair.first == 9
    numbers = block.view_as(ctypes.c_uint64 * 4, 4064)
    numbers[3] = 1
    assert block.data[4088] == 1


def test_view_as_must_fit(block):
    with pytest.raises(ValueError, match="too small"):
        block.view_as(Pair, 4096 - 15)
    with pytest.raises(ValueError, match="negative"):
        block.view_as(Pair, -1)


def test_data_after_close(block, name):
    data = block.data
    block.close()
    with pytest.raises(ValueError, match="released"):
        data[0]
    assert not exists(name)


def test_data_that_its_user_has_released(block):
    with block.data as data:
        data[0] = 3
    with pytest.raises(ValueError, match="released"):
        data[0]
    assert block.data[0] == 3
    block.close()


@pytest.mark.parametrize(
    "export",
    [
        lambda block: block.data[1:2],
        lambda block: memoryview(block.data),
        lambda block: block.data.cast("I"),
        lambda block: block.data.toreadonly(),
        lambda block: block.view_as(Pair),
        lambda block: block.view_as(Pair * 3)[1],
        lambda block: ctypes.c_char.from_buffer(block.data),
        lambda block: block.data.obj,
    ],
    ids=["slice", "view", "cast", "toreadonly", "struct", "element", "pointer", "obj"],
)
def test_close_refuses_while_something_uses_the_memory(block, name, export):
    user = export(block)
    for _ in range(2):
        with pytest.raises(BufferError):
            block.close()
        assert not block.closed
        assert block.data[0] == 0
        assert exists(name)
    del user
    block.close()
    assert not exists(name)


def test_with_block_waits_for_the_last_use(name):
    with winshm.create(name, 100) as region:
        pair = region.view_as(Pair)
        data = region.data
    assert region.closed
    with pytest.raises(winshm.ClosedError):
        region.data  # noqa: B018
    with pytest.raises(ValueError, match="released"):
        data[0]
    pair.first = 7
    assert pair.first == 7
    assert exists(name)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del pair
    assert caught == []
    assert not exists(name)


def test_with_block_waits_for_buffers_too(name):
    """What holds the memoryview itself, as numpy arrays do, and not a slice of it."""
    with winshm.create(name, 100) as region:
        buffer = pickle.PickleBuffer(region.data)
    assert bytes(buffer) == bytes(100)
    assert exists(name)
    del buffer
    assert not exists(name)


@pytest.mark.parametrize("in_use", [False, True], ids=["free", "in_use"])
@pytest.mark.parametrize("shared", [False, True], ids=["exclusive", "shared"])
def test_with_block_that_ends_with_the_lock_held_says_so(name, in_use, shared):
    """And leaves the region open, so that the lock can be released."""
    region = winshm.create(name, 100)
    with pytest.raises(winshm.Error, match="BUSY"), region:
        region.acquire(shared=shared)
        piece = region.data[:1] if in_use else b""
    assert not region.closed
    with winshm.open(name) as other:
        with pytest.raises(winshm.TimeoutError):
            other.acquire(timeout=0)
        region.release(shared=shared)
        other.acquire(timeout=0)
        other.release()
    with region:
        pass
    assert exists(name) == in_use
    del piece
    assert not exists(name)


def test_lock_of_somebody_else_is_no_reason_not_to_close(name):
    with winshm.create(name, 100) as region:
        with winshm.open(name) as other, region.lock():
            piece = other.data[:1]
        assert other.closed
        del piece
        assert len(region.participants) == 1


def test_refused_close_leaves_the_data_alone(name):
    with winshm.create(name, 100) as region:
        data = region.data
        with region.lock():
            with pytest.raises(winshm.Error, match="BUSY"):
                region.close()
            data[0] = 1
            assert region.data is data


def test_dropped_block_is_closed(name):
    region = winshm.create(name, 100)
    with pytest.warns(ResourceWarning, match=f"unclosed region '{name}'"):
        del region
    assert not exists(name)
    region = winshm.create(name, 100)
    view = region.map(0, 1)
    region.close()
    with pytest.warns(ResourceWarning, match=f"unclosed view of the region '{name}'"):
        del view
    assert not exists(name)


def test_dropped_region_lives_as_long_as_its_memory(name):
    region = winshm.create(name, 100)
    pair = region.view_as(Pair)
    with pytest.warns(ResourceWarning):
        del region
    gc.collect()
    pair.second = 1
    assert exists(name)
    del pair
    assert not exists(name)


def test_dropped_region_in_a_cycle(name):
    cycle = [winshm.create(name, 100)]
    cycle += [cycle[0].view_as(Pair), cycle]
    with pytest.warns(ResourceWarning):
        del cycle
        gc.collect()
    assert not exists(name)


def test_garbage_may_use_the_memory_to_its_end(name):
    """The collector finalizes the objects of a cycle in any order."""
    finished = []

    class User:
        def __del__(self):
            for _ in range(2):
                self.pair.second += 1
                self.data[0] = self.data[0] + 1
                try:
                    self.region.close()
                except BufferError:
                    pass
            finished.append(self.pair.second)

    for _ in range(3):
        users = [User(), User()]
        region = winshm.create(name, 100)
        region.data  # noqa: B018 - so that the array is older than the other users
        users += [User(), User(), User()]
        for user in users:
            user.users, user.region = users, region
            user.data, user.pair = region.data[:8], region.view_as(Pair, 16)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            del users, user, region
            gc.collect()
        assert not exists(name)
    assert finished == [*range(2, 11, 2)] * 3


def test_dropped_region_that_holds_the_lock_stays(child, name):
    other = child(
        "r = winshm.create(sys.argv[1], 8); r.acquire(); del r; print(1)\n"
        "sys.stdin.readline()",
        name,
    )
    other.line()
    with winshm.open(name) as region:
        with pytest.raises(winshm.TimeoutError):
            region.acquire(timeout=0.1)
        other.go()
        other.end()
        with pytest.raises(winshm.OwnerDeadError):
            region.acquire()


def test_close_while_the_lock_is_held(region):
    with region.lock():
        with pytest.raises(winshm.Error) as caught:
            region.close()
        assert caught.value.status == winshm.Status.BUSY
        assert not region.closed
        region.data[0] = 1


@pytest.mark.parametrize(
    "ending",
    [
        "",
        "s = r.view_as(ctypes.c_uint64)",
        "s = r.data[1:5]; r.me = r",
        "class Late:\n  def __del__(self): self.s.value = 5\n"
        "l = Late(); l.s = r.view_as(ctypes.c_uint64); l.me = l",
        "v = r.map(0, 4); s = v.data",
        "def f():\n  s = r.view_as(ctypes.c_uint64)\n  raise SystemExit(0)\nf()",
        "import atexit; atexit.register(lambda: r.data[0])",
        "import builtins; builtins.kept = r.data",
    ],
)
def test_interpreter_exit(child, name, ending):
    """It ends without a crash or a complaint, and leaves in good order."""
    code = f"import ctypes\nr = winshm.create(sys.argv[1], 8)\n{ending}"
    assert child(code, name).end() == ""
    assert leftovers(name) == []


def test_interpreter_exit_with_a_thread_that_still_writes(child, name):
    child(
        "import threading\nr = winshm.create(sys.argv[1], 8)\n"
        "def work():\n"
        "  d = r.data[:]\n"
        "  while True: d[0] = 1\n"
        "threading.Thread(target=work, daemon=True).start()",
        name,
    ).end()
    # Its region is left behind as after a crash; the next owner cleans up.
    winshm.create(name, 8).close()


def test_unclosed_regions_are_reported_in_development_mode(child, name):
    code = "def f(): winshm.create(sys.argv[1], 8)\nf()"
    errors = child(code, name, options=("-X", "dev")).end()
    assert f"ResourceWarning: unclosed region '{name}'" in errors


def test_close_is_safe_against_threads(name):
    """Whatever they meet is an exception, never memory that is gone."""
    stop = threading.Event()
    unexpected = []
    current = [winshm.create(name, 4096)]

    def use():
        while not stop.is_set():
            region = current[0]
            try:
                region.data[100:200] = bytes(100)
                region.view_as(Pair).first += 1
                with region.lock(timeout=1):
                    region.read(0, 10)
                region.notify()
            except (ValueError, BufferError):
                pass
            except winshm.Error as error:
                if error.status not in (winshm.Status.BUSY, winshm.Status.CLOSED):
                    unexpected.append(error)
            except Exception as error:
                unexpected.append(error)
            del region

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    closed = 0
    while closed < 200:
        try:
            current[0].close()
        except BufferError:
            continue
        except winshm.Error as error:
            assert error.status == winshm.Status.BUSY
            continue
        closed += 1
        current[0] = winshm.create(name, 4096)
    stop.set()
    for thread in threads:
        thread.join()
    current[0].close()
    assert unexpected == []


def test_handles_are_given_back(name):
    """More regions and views than there are handles, one after the other."""
    with winshm.create(name, 4096) as region:
        for _ in range(5000):
            with region.map(0, 10):
                pass
        for _ in range(2000):
            winshm.open(name).close()
        assert _abi.quick.winshm_size(region._handle) == 4096
