# SPDX-License-Identifier: MIT
"""Layout texts from ctypes and numpy types, and such types from layout texts."""

from __future__ import annotations

import copyreg
import ctypes
import functools
import math
import re
import sys
from typing import TYPE_CHECKING, Any

from ._layout import TEXTS, Field, Struct, parse
from ._plain import check_ctype

if TYPE_CHECKING:
    import numpy


class char16(ctypes.c_uint16):  # noqa: N801 - as the types of ctypes
    """A ctypes type for UTF-16, which char16 in a layout text is.

    char16 * 8 is a text of up to 8 code units, filled up with NUL. c_wchar is the same on
    Windows, and takes 4 bytes elsewhere.
    """


#: The ctypes types of kinds, and the types of numpy.
_CTYPES: dict[str, Any] = {
    "u8": ctypes.c_uint8,
    "i8": ctypes.c_int8,
    "u16": ctypes.c_uint16,
    "i16": ctypes.c_int16,
    "u32": ctypes.c_uint32,
    "i32": ctypes.c_int32,
    "u64": ctypes.c_uint64,
    "i64": ctypes.c_int64,
    "f32": ctypes.c_float,
    "f64": ctypes.c_double,
    "bool": ctypes.c_bool,
    "char": ctypes.c_char,
    "char16": char16,
}
_DTYPES = {
    **{f"{kind}{8 * size}": f"<{kind}{size}" for kind in "ui" for size in (1, 2, 4, 8)},
    "f32": "<f4",
    "f64": "<f8",
    "bool": "?",
    "char": "S1",
    "char16": "<u2",
}

#: The codes that ctypes has for integers of the size that the type has.
_SIGNED, _UNSIGNED = frozenset("bhilq"), frozenset("BHILQ")
_OTHERS = {"c": "char", "?": "bool", "f": "f32", "d": "f64"}

#: What a class of ctypes would no longer work with if it were the name of a field.
_OWN = re.compile(
    "__.*__|_(fields|pack|layout|align|anonymous|b_base|b_needsfree|winshm_struct)_|_objects"
    "|from_(buffer|buffer_copy|address|param)|in_dll"
)

_Array: type = ctypes.Array
_ROWS = "an array of texts has no kind: let each be a field of a structure of its own"


def is_dtype(type_: object) -> bool:
    """Whether it is a type of numpy, which need not be there."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(type_, numpy.dtype)


def is_struct(type_: object) -> bool:
    """Whether it is a class of ctypes that has fields."""
    return isinstance(type_, type) and issubclass(type_, (ctypes.Structure, ctypes.Union))


def layout_of(type_: type[ctypes.Structure | ctypes.Union] | numpy.dtype[Any]) -> str:
    """Say in words what the bytes of a type are: its layout text.

        class State(ctypes.Structure):
            _fields_ = [("score", ctypes.c_uint32), ("name", ctypes.c_char * 12)]

        winshm.layout_of(State)  # "score:u32@0; name:char[12]@4; size 16"

    type_ -- a Structure or Union of ctypes, or a structured dtype of numpy

    The text is the same in every language. Integers are called by their sizes, so that
    c_long is i64 or i32, as it is on this system. An array with several dimensions
    becomes one with all their elements. The members of a Union overlap.

    Raises TypeError for what other programs could not read: pointers, Python objects,
    bit fields, big-endian numbers, and types that layout texts have no kind for; and
    ValueError for names that they cannot have, and arrays without elements.
    """
    return str(struct_of(type_))


def struct_of(type_: Any) -> Struct:
    """The same, as a structure."""
    if is_dtype(type_):
        if type_.names is None:
            raise TypeError(f"a dtype with fields is needed, not {type_!r}")
        return _of_dtype(type_, "dtype")
    if not is_struct(type_):
        raise TypeError(
            f"a Structure or Union of ctypes or a dtype of numpy is needed, not {type_!r}"
        )
    check_ctype(type_)
    return _of_ctype(type_)


@functools.lru_cache(maxsize=256)
def _of_ctype(ctype: Any) -> Struct:
    fields: list[Field] = []
    for base in reversed(ctype.__mro__):
        made: Struct | None = base.__dict__.get("_winshm_struct_")
        if made is not None:
            fields.extend(made.fields)
            continue
        for name, member, *bits in base.__dict__.get("_fields_", ()):
            path = f"{ctype.__name__}.{name}"
            if bits:
                raise TypeError(f"{path} is a bit field, the place of which compilers choose")
            kind, count = _member(member, path)
            fields.append(Field(name, kind, base.__dict__[name].offset, count))
    return Struct(tuple(fields), ctypes.sizeof(ctype))


def _member(ctype: Any, path: str) -> tuple[str | Struct, int | None]:
    count, dimensions = None, 0
    while issubclass(ctype, _Array):
        count, dimensions = (count or 1) * ctype._length_, dimensions + 1
        ctype = ctype._type_
    if is_struct(ctype):
        return _of_ctype(ctype), count
    kind = _simple(ctype)
    if kind is None:
        raise TypeError(f"{path}: layout texts have no kind for {ctype.__name__}{_cure(ctype)}")
    if dimensions > 1 and kind in TEXTS:
        raise TypeError(f"{path}: {_ROWS}")
    return kind, count


def _simple(ctype: Any) -> str | None:
    bits = 8 * ctypes.sizeof(ctype)
    code = ctype._type_
    # What has more than one byte knows its twin.
    if getattr(ctype, "__ctype_le__", ctype) is not ctype:
        return None
    if issubclass(ctype, char16) or (code == "u" and bits == 16):
        return "char16"
    if code in _SIGNED:
        return f"i{bits}"
    return f"u{bits}" if code in _UNSIGNED else _OTHERS.get(code)


def _cure(ctype: Any) -> str:
    if ctype._type_ == "u":
        return ", which has another size on Windows: use winshm.char16 for UTF-16"
    if hasattr(ctype, "__ctype_le__"):
        return " if it is big-endian: use LittleEndianStructure"
    return ""


def _of_dtype(dtype: Any, path: str) -> Struct:
    fields = []
    for name in dtype.names:
        member, offset = dtype.fields[name][:2]
        kind, count = _of_member(member, f"{path}[{name!r}]")
        fields.append(Field(name, kind, offset, count))
    return Struct(tuple(fields), dtype.itemsize)


def _of_member(dtype: Any, path: str) -> tuple[str | Struct, int | None]:
    count = None
    if dtype.subdtype is not None:
        dtype, shape = dtype.subdtype
        count = math.prod(shape)
    if dtype.names is not None:
        return _of_dtype(dtype, path), count
    size, little = dtype.itemsize, dtype.newbyteorder("<") == dtype
    if dtype.kind == "S" and size:
        if count is not None:
            raise TypeError(f"{path}: {_ROWS}")
        return "char", size
    # Bytes of which numpy knows nothing.
    if dtype.kind == "V" and size:
        return "u8", (1 if count is None else count) * size
    names = {"b": "bool", "u": f"u{8 * size}", "i": f"i{8 * size}", "f": f"f{8 * size}"}
    kind = names.get(dtype.kind)
    if kind not in _DTYPES or not little:
        cure = ": use uint16 for UTF-16, or S for UTF-8" if dtype.kind == "U" else ""
        raise TypeError(f"{path}: layout texts have no kind for {dtype.str!r}{cure}")
    return kind, count


def structure_of(layout: str) -> type[ctypes.Structure]:
    """Make a class of ctypes that has the fields of a layout text.

        State = winshm.structure_of("score:u32@0; name:char[12]@4; size 16")
        with winshm.open("game", State) as region:
            region.value.score += 1

    So it can be laid over the memory of a region for which there is no declaration in
    Python: winshm.structure_of(region.layout). Fields that overlap do so there, too, and
    layout_of() gives the text again. char[n] is an array of c_char, which reads as bytes
    up to the first NUL, and char16[n] is one of winshm.char16.

    Objects of it can be pickled, as its text goes with them.

    Raises ValueError, which says where the text is wrong, and TypeError for a field that
    has a name which such classes use for themselves: Region.fields has it.
    """
    return _structure_again(layout, "Layout")


def _structure_again(layout: str, name: str) -> type[ctypes.Structure]:
    return _structure(parse(layout), name)


#: The type of these classes, by which pickle knows them.
_MadeType: Any = type("LayoutType", (type(ctypes.Structure),), {})


def _reduce_made(made: Any) -> Any:
    return _structure_again, (str(made._winshm_struct_), made.__name__)


copyreg.pickle(_MadeType, _reduce_made)


@functools.lru_cache(maxsize=256)
def _structure(struct: Struct, name: str) -> type[ctypes.Structure]:
    # ctypes takes any name: those with a space cannot meet one of a layout text.
    members: list[tuple[str, Any]] = []
    for field in struct.fields:
        if _OWN.fullmatch(field.name):
            raise TypeError(f"classes of ctypes use the name {field.name!r} for themselves")
    overlaps, end = [], 0
    for group in _apart(struct):
        start = group[0].offset
        if start > end:
            members.append((f"before {start}", ctypes.c_ubyte * (start - end)))
        if len(group) == 1:
            members.append((group[0].name, _ctype(group[0])))
        else:
            overlaps.append(f"at {start}")
            members.append((f"at {start}", _union(group)))
        end = max(each.offset + each.size for each in group)
    if struct.size > end:
        members.append((f"before {struct.size}", ctypes.c_ubyte * (struct.size - end)))
    made = _packed(ctypes.Structure, name, members, overlaps, _MadeType)
    made._winshm_struct_ = struct
    result: type[ctypes.Structure] = made
    return result


def _apart(struct: Struct) -> list[list[Field]]:
    """Group the fields so that only those of one group overlap."""
    groups: list[list[Field]] = []
    end = 0
    for field in sorted(struct.fields, key=lambda each: each.offset):
        if not groups or field.offset >= end:
            groups.append([])
        groups[-1].append(field)
        end = max(end, field.offset + field.size)
    return groups


def _union(group: list[Field]) -> Any:
    """Make a type of fields that overlap, which begin at different places."""
    members = []
    for number, field in enumerate(group):
        before = ctypes.c_ubyte * (field.offset - group[0].offset)
        place = [("before it", before), (field.name, _ctype(field))]
        members.append((f"member {number}", _packed(ctypes.Structure, field.name, place, [])))
    return _packed(ctypes.Union, "Overlap", members, [name for name, _ in members])


def _packed(
    base: Any,
    name: str,
    members: list[tuple[str, Any]],
    anonymous: list[str],
    metaclass: Any = None,
) -> Any:
    # From Python 3.14 on it has to be said how packed fields lie; without bit fields it is
    # the same in both ways that there are.
    how = {"_pack_": 1, "_layout_": "ms", "_anonymous_": anonymous, "_fields_": members}
    return (metaclass or type(base))(name, (base,), how)


def _ctype(field: Field) -> Any:
    kind = field.kind
    ctype = _CTYPES[kind] if isinstance(kind, str) else _structure(kind, field.name)
    return ctype if field.count is None else ctype * field.count


def dtype_of(layout: str) -> numpy.dtype[Any]:
    """Make a dtype of numpy that has the fields of a layout text; otherwise as
    structure_of(). char[n] is bytes, and char16[n] an array of uint16."""
    return _dtype(parse(layout))


def _dtype(struct: Struct) -> numpy.dtype[Any]:
    import numpy

    formats: list[Any] = []
    for field in struct.fields:
        one = _DTYPES[field.kind] if isinstance(field.kind, str) else _dtype(field.kind)
        if field.kind == "char":
            formats.append(f"S{field.count or 1}")
        else:
            formats.append(one if field.count is None else (one, (field.count,)))
    return numpy.dtype(
        {
            "names": [field.name for field in struct.fields],
            "formats": formats,
            "offsets": [field.offset for field in struct.fields],
            "itemsize": struct.size,
        }
    )
