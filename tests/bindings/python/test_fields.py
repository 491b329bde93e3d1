# SPDX-License-Identifier: MIT
"""Fields by the names of the region's layout."""

import copy
import ctypes
import json
import pickle

import pytest
import winshm
from conftest import HOLDER, run

LAYOUT = (
    "score:u32@0; lives:i8@4; ready:bool@5; key:char@6; ratio:f64@8; "
    "boxes:{full:u32@0; length:u32@4; tags:u8[2]@8; size 12}[3]@16; ids:u16[4]@52; "
    "name:char[8]@60; title:char16[4]@68; word:{whole:u32@0; halves:u16[2]@0; size 4}@76; "
    "small:f32@80; copy:u8@84; size 88"
)


@pytest.fixture
def fields(name):
    with winshm.create(name, 4096, layout=LAYOUT) as region:
        yield region.fields


@pytest.fixture
def region(fields):
    return fields._Fields__source


def test_are_read_and_written(fields, region):
    fields["score"] += 5
    fields.lives = -3
    fields["ready"] = True
    fields.ratio = 0.25
    fields["boxes"][1].length = 77
    fields.boxes[-1]["tags"][1] = 9
    fields.ids = [1, 2, 3, 65535]
    fields.word.halves[1] = 0xFFFF
    fields.small = 1.5
    assert (fields.score, fields["lives"], fields.ready, fields.ratio) == (5, -3, True, 0.25)
    assert fields["boxes"][1].length == 77
    assert fields.word.whole == 0xFFFF0000
    # They are where the layout says, in the region itself.
    assert region.read(0, 6) == b"\5\0\0\0\xfd\1"
    assert region.read(16 + 12 + 4, 1) == b"\x4d"
    assert region.read(16 + 24 + 9, 1) == b"\x09"
    assert region.read(52, 8) == b"\1\0\2\0\3\0\xff\xff"


def test_reads_are_copies(fields):
    score, boxes, ids = fields.score, fields.boxes, fields.ids
    copies = fields.copy(), boxes.copy(), ids.copy()
    fields.score, boxes[0].full, fields.ids = 1, 2, (3, 3, 3, 3)
    assert score == 0
    assert copies[0]["score"] == copies[0]["boxes"][0]["full"] == copies[1][0]["full"] == 0
    assert copies[2] == [0] * 4
    # What is no number is read when something in it is asked for.
    assert (boxes[0].full, ids[3]) == (2, 3)


def test_copy_is_plain(fields):
    fields.name, fields.boxes[0].tags = "ab", (1, 2)
    copy = json.loads(json.dumps(fields.copy()))
    assert copy["name"] == "ab"
    assert copy["boxes"][0] == {"full": 0, "length": 0, "tags": [1, 2]}
    assert copy["word"] == {"whole": 0, "halves": [0, 0]}
    assert list(copy) == list(fields)


def test_texts(fields, region):
    fields.name, fields.title, fields.key = "grün", "a😀b", "k"
    assert (fields.name, fields.title, fields.key) == ("grün", "a😀b", "k")
    assert region.read(60, 8) == "grün".encode().ljust(8, b"\0")
    fields.name, fields.title = "12345678", ""
    assert (fields.name, fields.title) == ("12345678", "")
    # Whatever is there can be read, and written as it was.
    region.write(60, b"a\xff\xfeb\0xyz")
    region.write(68, b"a\0\0\xd8b\0\0\0")
    name, title = fields.name, fields.title
    assert (name, title) == ("a\udcff\udcfeb", "a\ud800b")
    fields.name, fields.title = name, title
    assert region.read(60, 16) == b"a\xff\xfeb\0\0\0\0a\0\0\xd8b\0\0\0"


def test_structures_are_set_at_once(fields):
    fields.boxes[0] = {"full": 1, "length": 2, "tags": [3, 4]}
    fields.boxes[1] = fields.boxes[0]
    assert fields.boxes[1].copy() == {"full": 1, "length": 2, "tags": [3, 4]}
    fields.boxes = [*fields.boxes[:2], fields.boxes[0]]
    assert fields.boxes == [{"full": 1, "length": 2, "tags": [3, 4]}] * 3
    fields.ids = fields.ids
    with pytest.raises(ValueError, match="has the fields full, length, tags: give all"):
        fields.boxes[0] = {"full": 1}
    with pytest.raises(ValueError, match="ids has 4 elements, not 3"):
        fields.ids = [1, 2, 3]


@pytest.mark.parametrize(
    ("field", "value", "sort", "complaint"),
    [
        ("score", -1, ValueError, "score is u32 and cannot be -1"),
        ("lives", 128, ValueError, "lives is i8"),
        ("score", 1.0, ValueError, "score is u32"),
        ("score", "1", TypeError, "score is u32"),
        ("small", 1e300, ValueError, "small is f32"),
        ("ids", [1, 2, 3, 65536], ValueError, "ids is u16"),
        ("ids", 5, TypeError, r"ids is u16\[4\] and cannot be 5: give a list"),
        ("boxes", [5] * 3, TypeError, "boxes is {full.*} and cannot be 5: give a dict"),
        ("boxes", [(1, 2)] * 3, TypeError, "boxes is {full.*} and cannot be .*: give a dict"),
        ("ready", "no", TypeError, "ready is bool and cannot be 'no'"),
        ("ready", 2, ValueError, "ready is bool and cannot be 2: it is neither True nor"),
        ("ids", [[1, 2]] * 4, TypeError, r"ids is u16 and cannot be \[1, 2\]"),
        ("name", "\ud800", ValueError, "name is .*: surrogates not allowed"),
        ("name", "123456789", ValueError, r"name is char\[8\] and cannot be .*: it has 9 bytes"),
        ("name", "a\0b", ValueError, "a NUL would end it"),
        ("name", b"ab", TypeError, "name is a text"),
        ("title", "12345", ValueError, r"title is char16\[4\]"),
        ("key", "ab", ValueError, "key is char and"),
        ("nothing", 1, AttributeError, "no field 'nothing', but score, lives"),
    ],
)
def test_refuse_what_they_cannot_hold(fields, region, field, value, sort, complaint):
    before, seen = region.read(), region.change_count
    with pytest.raises(sort, match=complaint):
        setattr(fields, field, value)
    assert (region.read(), region.change_count) == (before, seen)


def test_refuse_arrays_of_numpy_as_numbers(fields):
    np = pytest.importorskip("numpy")
    for field, one in (("score", np.uint8), ("small", np.float64), ("ready", np.bool_)):
        with pytest.raises(TypeError, match=f"{field} is .* and cannot be array"):
            fields[field] = np.zeros(2, np.uint16)
        fields[field] = one(1)
    with pytest.raises(TypeError, match="ids is u16 and cannot be array"):
        fields.ids = np.zeros((4, 2))


def test_elements_that_there_are_not(fields):
    with pytest.raises(IndexError, match="ids has 4 elements, and none with index 4"):
        fields.ids[4] = 1
    with pytest.raises(TypeError, match="ids: set one element, or all of them by the name"):
        fields.ids[:2] = [1, 2]


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_are_not_duplicated(fields, duplicate):
    """The copy would be of the region, which is not theirs to close."""
    for what in (fields, fields.boxes[0], fields.boxes):
        with pytest.raises(TypeError, match=r"cannot be copied or pickled; copy\(\) gives"):
            duplicate(what)


def test_names_with_underscores(name):
    layout = "_base:u8@0; _source:u8@1; _struct:u8@2; size 8"
    with winshm.create(name, 8, layout=layout) as region:
        region.write(0, b"\7\x08\x09")
        fields = region.fields
        assert (fields._base, fields._source, fields._struct) == (7, 8, 9)


def test_names(fields):
    assert "score" in fields
    assert "Score" not in fields
    assert fields["copy"] == 0  # which is a method else
    assert {"score", "copy"} <= set(dir(fields))
    assert len(fields) == len(list(fields)) == 12
    for wrong in (lambda: fields["nothing"], lambda: fields["boxes"][0]["nothing"]):
        with pytest.raises(KeyError):
            wrong()
    with pytest.raises(AttributeError):
        fields.boxes[0].nothing  # noqa: B018
    with pytest.raises(IndexError):
        fields.ids[4]
    assert [box.full for box in fields.boxes] == [0, 0, 0]
    assert fields.ids == (0, 0, 0, 0)
    assert 0 in fields.ids
    assert "score:u32@0" in repr(fields)


def test_writes_notify_and_wait_for_the_lock(fields, region, child):
    seen = region.change_count
    fields.ids[0] = 1
    assert region.change_count != seen
    holder = child(HOLDER, region.name)
    assert holder.line() == "held"
    with winshm.open(region.name) as other:
        with pytest.raises(winshm.TimeoutError):
            other.write(0, b"x", timeout=0.01)
    holder.kill()
    with pytest.raises(winshm.OwnerDeadError):
        fields.score = 1
    with pytest.raises(winshm.OwnerDeadError):
        fields.copy()
    with region.lock(recover=True):
        fields.score += 1
        region.make_consistent()
    assert fields.score == 1


def test_of_a_reader(fields, region):
    fields.score = 3
    with winshm.open(region.name, readonly=True) as reader:
        assert reader.fields.score == 3
        with pytest.raises(winshm.AccessError):
            reader.fields.score = 4
    with winshm.open(region.name, no_map=True) as other:
        other.fields.score = 5
    assert fields.score == 5


def test_under_a_lock_of_tasks(fields, region):
    async def work():
        with winshm.open(region.name, tasks=True) as tasks:
            async with tasks.lock_async() as held:
                held.fields.score = 7
                held.fields.boxes[0].full = held.fields.score + 1
                with pytest.raises(winshm.Error, match="DEADLOCK"):
                    tasks.fields.score = 8
            with pytest.raises(winshm.Error, match="NOT_OWNER"):
                held.fields.score = 8

    run(work())
    assert (fields.score, fields.boxes[0].full) == (7, 8)


def test_in_fill(name):
    def fill(region):
        region.fields.score = 3

    with winshm.create(name, 8, layout="score:u32@0; size 8", fill=fill) as region:
        assert region.fields.score == 3


def test_of_a_region_without_a_layout(name):
    with winshm.create(name, 8) as region:
        assert region.layout is None
        told = r"has no layout: .* winshm\.create\(name, State\)"
        with pytest.raises(ValueError, match=told):
            region.fields  # noqa: B018
    with winshm.create(name, 8, raw=True) as region, pytest.raises(winshm.Error) as caught:
        region.layout  # noqa: B018
    assert caught.value.status == winshm.Status.UNSUPPORTED


def test_layouts_of_many_elements_cost_nothing(name):
    with winshm.create(name, 8, layout="x:{size 0}[9223372036854775807]@0; size 8") as region:
        array = region.fields["x"]
        assert len(array) == 2**63 - 1
        assert array[5].copy() == {}


def test_structure_of_an_unknown_region(fields, region):
    """For a script that has no declaration."""
    with winshm.open(region.name) as other:
        state = other.view_as(winshm.structure_of(other.layout))
        state.boxes[2].length = 5
        state.name = b"xyz"
        assert ctypes.sizeof(state) == 88
        del state
    assert (fields.boxes[2].length, fields.name) == (5, "xyz")
