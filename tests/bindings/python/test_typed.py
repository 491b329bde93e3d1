# SPDX-License-Identifier: MIT
"""Regions of a type."""

import ctypes
import pickle

import pytest
import winshm


class Box(ctypes.LittleEndianStructure):
    _fields_ = [("full", ctypes.c_uint32), ("length", ctypes.c_uint32)]


class State(ctypes.LittleEndianStructure):
    _fields_ = [("score", ctypes.c_uint32), ("lives", ctypes.c_uint8), ("boxes", Box * 2)]


class Renamed(ctypes.LittleEndianStructure):
    """The same to others: a char is a byte, and names differ in style."""

    _fields_ = [("Score", ctypes.c_uint32), ("lives_", ctypes.c_char), ("BOXES", Box * 2)]


class Drifted(ctypes.LittleEndianStructure):
    _fields_ = [("score", ctypes.c_uint32), ("lives", ctypes.c_uint32), ("boxes", Box * 2)]


class Longer(ctypes.LittleEndianStructure):
    _fields_ = [*State._fields_, ("more", ctypes.c_uint8)]


OPENERS = (winshm.open, winshm.open_or_create)


@pytest.fixture
def region(name):
    with winshm.create(name, State) as region:
        yield region


def test_has_the_size_and_the_layout_of_its_type(region):
    assert isinstance(region, winshm.TypedRegion)
    assert region.type is State
    assert region.size == ctypes.sizeof(State) == 24
    assert region.layout == winshm.layout_of(State)
    assert region.fields.boxes[1].copy() == {"full": 0, "length": 0}


def test_value_is_the_shared_memory(region):
    region.value.score = 3
    region.value.boxes[1].length += 4
    for opener in OPENERS:
        with opener(region.name, State) as other:
            assert (other.value.score, other.value.boxes[1].length) == (3, 4)
            value = other.value
            region.value.score += 1
            assert value.score == region.value.score
            region.value.score -= 1
            with pytest.raises(BufferError):
                other.close()
            del value


def test_get_and_set_copy(region):
    seen = region.change_count
    region.set(State(1, 2, (Box * 2)(Box(3, 4), Box(5, 6))))
    assert region.change_count != seen
    copy = region.get()
    region.value.score = 9
    assert (copy.score, copy.lives, copy.boxes[1].length) == (1, 2, 6)
    for wrong in (Box(), None, bytes(24)):
        with pytest.raises(TypeError, match="State is needed"):
            region.set(wrong)


def test_set_writes_no_more_than_the_type(name):
    class More(State):
        _fields_ = [("more", ctypes.c_uint64)]

    with winshm.create(name, More) as whole:
        whole.value.more = 7
        with winshm.open(name, State, raw=True) as region:
            with pytest.raises(TypeError, match="State is needed, not "):
                region.set(More(more=8))
        assert whole.value.more == 7


def test_of_a_reader(region):
    region.value.score = 5
    with winshm.open(region.name, State, readonly=True) as reader:
        assert reader.get().score == 5
        with pytest.raises(TypeError, match=r"read-only: get\(\)"):
            reader.value  # noqa: B018
        with pytest.raises(winshm.AccessError):
            reader.set(State())


@pytest.mark.parametrize("opener", OPENERS)
def test_what_differs_is_said(region, opener):
    for type_, told in (
        (Drifted, r"field 'lives' is u32 @4 here, u8 @4 in the region \[WINSHM_E_TAG\]"),
        (Longer, r"field 'more' is u8 @24 here, and missing in the region"),
        (Box, "another layout: "),
    ):
        with pytest.raises(winshm.Error, match=told) as caught:
            opener(region.name, type_)
        assert caught.value.status == winshm.Status.TAG
    assert len(region.participants) == 1


def test_what_does_not_differ(region):
    with winshm.open(region.name, Renamed) as other:
        other.value.Score = 4
        other.fields.Score += 1
    assert region.value.score == 5
    with winshm.open(region.name, layout=winshm.layout_of(State)) as other:
        assert type(other) is winshm.Region
    with pytest.raises(winshm.Error, match="TAG"):
        winshm.open(region.name, layout=winshm.layout_of(Drifted))


def test_of_regions_that_say_nothing(name):
    with winshm.create(name, 100) as region:
        with winshm.open(name, State) as other:
            other.value.score = 7
            assert (other.layout, other.size) == (None, 100)
            other.fields.boxes[1].length = 8
            assert other.value.boxes[1].length == 8
        assert region.read(0, 1) == b"\7"
    with winshm.create(name, 23), pytest.raises(winshm.Error, match="SIZE"):
        winshm.open(name, State)


def test_of_raw_regions(name):
    with winshm.create(name, State, raw=True) as region:
        region.value.score = 7
        with winshm.open(name, State, raw=True) as other:
            assert (other.value.score, other.fields["score"]) == (7, 7)
        larger = type("Larger", (ctypes.Structure,), {"_fields_": [("x", State * 1000)]})
        with pytest.raises(winshm.Error, match="SIZE"):
            winshm.open(name, larger, raw=True)


def test_bad_types(name):
    for bad in (ctypes.c_uint32, int, State()):
        with pytest.raises(TypeError):
            winshm.create(name, bad)
    with pytest.raises(TypeError, match="layout must be None"):
        winshm.create(name, State, layout="size 24")
    with pytest.raises(winshm.InvalidError, match="layout, byte 0: here should be a name"):
        winshm.create(name, 8, layout="")


def test_fill_and_growth(name):
    def fill(region):
        region.value.score = 3

    with winshm.open_or_create(name, State, capacity=100, fill=fill) as region:
        region.resize(100)
        with winshm.open_or_create(name, State, capacity=100, fill=fill) as other:
            assert (other.get().score, other.size) == (3, 100)


def test_pickling_keeps_the_type(region):
    region.value.score = 6
    with pickle.loads(pickle.dumps(region)) as copy:
        assert copy.type is State
        assert copy.value.score == 6


def test_pickling_of_types_made_of_a_layout(name):
    made = winshm.structure_of("score:u32@0; boxes:{x:f32@0; size 4}[2]@4; size 12")
    with winshm.create(name, made) as region:
        region.value.boxes[1].x = 5
        with pickle.loads(pickle.dumps(region)) as copy:
            assert copy.value.boxes[1].x == 5
            assert copy.type is made
        box = pickle.loads(pickle.dumps(region.get().boxes[1]))
        assert (box.x, type(box)) == (5, type(region.value.boxes[0]))


def test_of_dtypes(name):
    np = pytest.importorskip("numpy")
    box = np.dtype([("full", "<u4"), ("length", "<u4")], align=True)
    state = np.dtype([("score", "<u4"), ("lives", "u1"), ("boxes", box, 2)], align=True)
    with winshm.create(name, state) as region, winshm.open(name, State) as other:
        region.value["score"] += 5
        region.value["boxes"][1]["length"] = 6
        assert (other.value.score, other.value.boxes[1].length) == (5, 6)
        copy = region.get()
        other.value.score = 7
        assert (copy["score"], region.value["score"]) == (5, 7)
        copy["lives"] = 8
        region.set(copy)
        assert (other.value.score, other.value.lives) == (5, 8)
        region.set((1, 2, [(3, 4), (5, 6)]))
        assert other.fields.boxes[1].length == 6
        with pytest.raises(TypeError, match="one element"):
            region.set(np.zeros(2, state))
        turned = np.dtype([("lives", "<u4"), ("score", "<u4"), ("boxes", box, 2)], align=True)
        for bad in (5, "x", None, [1, 2, 3], {"score": 1}, np.zeros((), turned)):
            with pytest.raises(TypeError, match="one element"):
                region.set(bad)
        assert other.get().score == 1
        with winshm.open(name, state, readonly=True) as reader:
            assert not reader.value.flags.writeable
    drifted = np.dtype([("score", "<u4"), ("lives", "<u4")])
    with winshm.create(name, State):
        with pytest.raises(winshm.Error, match="'lives' is u32 @4 here"):
            winshm.open(name, drifted)


def test_of_dtypes_with_fields_that_overlap(name):
    np = pytest.importorskip("numpy")
    union = winshm.dtype_of("word:u32@0; halves:u16[2]@0; size 4")
    with winshm.create(name, union) as region:
        region.set(np.array((7, [7, 1]), union))
        assert region.get()["word"] == 0x10007
        assert region.value["halves"][1] == 1
