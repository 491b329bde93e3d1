# SPDX-License-Identifier: MIT
"""Layout texts of ctypes and numpy types, and such types of layout texts."""

import ctypes as c
import random

import pytest
import winshm
from conftest import ROOT, WINDOWS
from winshm._layout import parse

EXPECTED = ROOT / "tests" / "interop" / "layouts" / "expected.txt"
TEXTS = [line.partition(": ")[2] for line in EXPECTED.read_text("utf-8").splitlines()]

LONG = 8 * c.sizeof(c.c_long)


class Box(c.LittleEndianStructure):
    _fields_ = [("full", c.c_uint32), ("length", c.c_uint32)]


class Base(c.Structure):
    _fields_ = [("tag", c.c_uint8)]


class Derived(Base):
    _fields_ = [("box", Box)]


class Word(c.Union):
    _fields_ = [("whole", c.c_uint64), ("halves", c.c_uint32 * 2), ("box", Box)]


class Bits(c.Structure):
    _fields_ = [("low", c.c_uint32, 3)]


class Big(c.BigEndianStructure):
    _fields_ = [("number", c.c_uint32)]


def struct(*fields, base=c.Structure, **members):
    return type("State", (base,), {**members, "_fields_": list(fields)})


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        (Box, "full:u32@0; length:u32@4; size 8"),
        (Derived, "tag:u8@0; box:{full:u32@0; length:u32@4; size 8}@4; size 12"),
        (
            Word,
            "whole:u64@0; halves:u32[2]@0; box:{full:u32@0; length:u32@4; size 8}@0; size 8",
        ),
        (struct(("_1", c.c_byte), ("x", c.c_double), _pack_=2), "_1:i8@0; x:f64@2; size 10"),
        (
            struct(("a", c.c_long), ("b", c.c_ulong)),
            f"a:i{LONG}@0; b:u{LONG}@{LONG // 8}; size {LONG // 4}",
        ),
        (struct(("a", c.c_longlong), ("b", c.c_size_t)), "a:i64@0; b:u64@8; size 16"),
        (struct(("grid", c.c_int16 * 3 * 4)), "grid:i16[12]@0; size 24"),
        (struct(("a", c.c_char), ("b", c.c_char * 3)), "a:char@0; b:char[3]@1; size 4"),
        (
            struct(("a", winshm.char16 * 3), ("b", winshm.char16)),
            "a:char16[3]@0; b:char16@6; size 8",
        ),
        (struct(("a", c.c_uint8), base=c.LittleEndianStructure), "a:u8@0; size 1"),
        (struct(("a", c.c_uint8), base=c.BigEndianStructure), "a:u8@0; size 1"),
    ],
)
def test_of_ctypes(type_, text):
    assert winshm.layout_of(type_) == text


@pytest.mark.parametrize(
    ("type_", "complaint"),
    [
        (Bits, "Bits.low is a bit field"),
        (Big, "Big.number: .* big-endian: use LittleEndianStructure"),
        (struct(("p", c.c_void_p)), "State.p is a c_void_p"),
        (struct(("p", c.POINTER(c.c_int))), "State.p is a "),
        (struct(("d", c.c_longdouble)), "State.d" if c.sizeof(c.c_longdouble) > 8 else None),
        (struct(("rows", c.c_char * 4 * 2)), "State.rows: an array of texts has no kind"),
        (c.c_uint32, "a Structure or Union of ctypes or a dtype of numpy is needed"),
        (Box(), "is needed, not <"),
        (int, "is needed, not <class 'int'>"),
    ],
)
def test_refuses_what_others_cannot_read(type_, complaint):
    if complaint:
        with pytest.raises(TypeError, match=complaint):
            winshm.layout_of(type_)


def test_of_wide_characters():
    wide = struct(("text", c.c_wchar * 4))
    if WINDOWS:
        assert winshm.layout_of(wide) == "text:char16[4]@0; size 8"
    else:
        with pytest.raises(TypeError, match=r"use winshm\.char16"):
            winshm.layout_of(wide)


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["größe"], "'größe' cannot be one"),
        (["x" * 64], "cannot be one"),
        (["a b"], "cannot be one"),
        (["FooBar", "foo_bar"], "before 'foo_bar' has the same name"),
    ],
)
def test_refuses_names(names, complaint):
    with pytest.raises(ValueError, match=complaint):
        winshm.layout_of(struct(*((name, c.c_uint8) for name in names)))
    with pytest.raises(ValueError, match="at least 1 element"):
        winshm.layout_of(struct(("none", c.c_uint8 * 0)))


def test_of_dtypes():
    np = pytest.importorskip("numpy")
    box = np.dtype([("full", "<u4"), ("length", "<u4")])
    state = np.dtype(
        [
            ("lives", "u1"),
            ("ratio", "<f8"),
            ("ready", "?"),
            ("name", "S5"),
            ("grid", "<i2", (3, 4)),
            ("boxes", box, 2),
            ("reserved", "V3"),
        ],
        align=True,
    )
    assert winshm.layout_of(state) == (
        "lives:u8@0; ratio:f64@8; ready:bool@16; name:char[5]@17; grid:i16[12]@22; "
        "boxes:{full:u32@0; length:u32@4; size 8}[2]@46; reserved:u8[3]@62; size 72"
    )
    apart = {"names": ["b", "a"], "formats": ["<u2", "<u4"], "offsets": [6, 0], "itemsize": 9}
    assert winshm.layout_of(np.dtype(apart)) == "b:u16@6; a:u32@0; size 9"
    for member in ("O", "U4", ">u4", "<f2", "<c8", "<M8[s]", "3S2"):
        with pytest.raises(TypeError, match=r"dtype\['x'\]: "):
            winshm.layout_of(np.dtype([("x", member)]))
    with pytest.raises(TypeError, match="dtype with fields"):
        winshm.layout_of(np.dtype("<u4"))


@pytest.mark.parametrize("text", TEXTS)
def test_types_of_texts_give_the_texts(text):
    made = winshm.structure_of(text)
    assert issubclass(made, c.Structure)
    assert winshm.layout_of(made) == text
    assert c.sizeof(made) == parse(text).size
    # Within another structure, too, and as the beginning of one.
    outer = struct(("inner", made * 2))
    assert winshm.layout_of(outer) == f"inner:{{{text}}}[2]@0; size {2 * c.sizeof(made)}"
    more, size = struct(("more", c.c_uint8), base=made), c.sizeof(made)
    fields = text.rpartition("size")[0]
    assert winshm.layout_of(more) == f"{fields}more:u8@{size}; size {size + 1}"


@pytest.mark.parametrize("text", TEXTS)
def test_dtypes_of_texts_give_the_texts(text):
    pytest.importorskip("numpy")
    assert winshm.layout_of(winshm.dtype_of(text)) == text.replace("char16", "u16")


def test_fields_of_made_structures_are_where_they_should_be():
    class State(c.Structure):
        _fields_ = [
            ("a", c.c_uint8),
            ("boxes", Box * 2),
            ("word", Word),
            ("name", c.c_char * 5),
            ("title", winshm.char16 * 2),
            ("x", c.c_double),
        ]

    made = winshm.structure_of(winshm.layout_of(State))
    data = bytes(random.Random(1).choices(range(1, 255), k=c.sizeof(State)))
    one, other = State.from_buffer_copy(data), made.from_buffer_copy(data)
    for path in (
        "a",
        "boxes[1].length",
        "word.whole",
        "word.halves[1]",
        "word.box.length",
        "name",
        "title[1].value",
        "x",
    ):
        assert eval(f"one.{path}") == eval(f"other.{path}"), path
    other.word.halves[1] = 7
    other.name = b"ab"
    one.word.halves[1] = 7
    one.name = b"ab"
    assert bytes(one) == bytes(other)


def test_fields_that_overlap_in_part():
    made = winshm.structure_of("b:u16@3; a:u32@0; c:u8@6; d:u32@2; before:u8@9; size 12")
    value = made.from_buffer_copy(bytes(range(12)))
    assert (value.a, value.b, value.c) == (0x03020100, 0x0403, 6)
    assert (value.d, value.before) == (0x05040302, 9)
    value.b = 0xFFFF
    assert bytes(value) == b"\0\1\2\xff\xff\5\6\7\x08\x09\x0a\x0b"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "byte 0: here should be a name or size"),
        ("a:u8@0; size", "byte 12: here should be a number"),
        ("a:u9@0; size 1", "byte 2: here should be a kind"),
        ("a:u8@00; size 1", "byte 6: here should be ;"),
        ("a:u8[0]@0; size 1", "at least 1 element"),
        ("a:u8@1; size 1", "a ends at byte 2, and its structure at 1"),
        ("a:u8@0; A_:u8@1; size 2", "before 'A_' has the same name"),
        ("a:u8@0; size 1 x", "byte 15: here should be the end, in 'x'"),
        ("a:u8@0; size 9223372036854775808", "less than"),
        ("a:u8@0; size 1\0", "byte 14: here is no name, number or sign"),
        ("a:" + "{a:" * 9 + "u8@0; size 1" + "}@0; size 1" * 9, "more than 8 structures"),
        ("é:u8@0; size 1", "byte 0: here is no name"),
    ],
)
def test_texts_that_are_wrong(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        winshm.structure_of(text)


@pytest.mark.parametrize("layout", [None, b"a:u8@0; size 1", [], 5])
@pytest.mark.parametrize("function", [winshm.structure_of, winshm.dtype_of])
def test_what_is_no_text(function, layout):
    """None is what a region without a layout says."""
    with pytest.raises(TypeError, match="a layout must be a str, not "):
        function(layout)


@pytest.mark.parametrize("field", ["_fields_", "_pack_", "__init__", "__dict__", "in_dll"])
def test_names_that_ctypes_has(name, field):
    layout = f"{field}:u8@0; size 1"
    with pytest.raises(TypeError, match=f"use the name '{field}' for themselves"):
        winshm.structure_of(layout)
    with winshm.create(name, 1, layout=layout) as region:
        region.fields[field] = 7
        assert region.fields.copy() == {field: 7}


def test_the_library_reads_texts_in_the_same_way(name):
    """It takes what Python takes, and gives back what Python writes."""
    chance = random.Random(7)
    taken = 0
    for _ in range(400):
        text = chance.choice([*TEXTS, "a:u8 @ 0 ;\n b\t:{ size 0}[3]@0; size:u16@4;size 9 "])
        for _ in range(chance.randrange(3)):
            at = chance.randrange(len(text))
            new = chance.choice(" ;:@[]{}019aux_")
            text = text[:at] + new + text[at + chance.randrange(2) :]
        try:
            expected = str(parse(text))
        except ValueError:
            expected = None
        try:
            with winshm.create(name, 1000, layout=text) as region:
                found = region.layout
        except winshm.InvalidError as failure:
            # A layout that is larger than the region is a layout all the same.
            found = expected if "the layout has" in str(failure) else None
        assert found == expected, text
        taken += found is not None
    assert 100 < taken < 380
