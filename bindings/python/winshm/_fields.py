# SPDX-License-Identifier: MIT
"""Fields of a region by the names that its layout text has for them."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn, Protocol, overload

from ._layout import SIZES, TEXTS, Field, Struct

_CODES = dict(zip(SIZES, ("B", "b", "H", "h", "I", "i", "Q", "q", "f", "d", "?")))
_ENCODINGS = {"char": ("utf-8", "surrogateescape"), "char16": ("utf-16-le", "surrogatepass")}
_LIVE = "fields of a region cannot be copied or pickled; copy() gives what is in them"


class Source(Protocol):
    """What fields are copied from and to: a region, or a lock that is held."""

    def read(self, offset: int, length: int) -> bytes: ...

    def write(self, offset: int, data: bytes) -> None: ...


class Fields(Mapping[str, Any]):
    """The fields of a region, or of a structure in it, by their names.

        fields = region.fields
        fields["score"] += 1           # or fields.score += 1
        fields["boxes"][1].length      # reads four bytes
        fields["name"] = "somebody"
        fields.copy()                  # {'score': 1, 'boxes': [{...}, ...], ...}

    To get a number or a text reads it from the region, and to set one writes it. What is
    got is a copy and does not change any more; structures and arrays of them, and arrays
    of numbers, are read when something in them is asked for. Each single read or write is
    one of region.read() or region.write(): it is never torn by a writer that locks, it
    notifies those who wait, and it waits for the lock without end. What belongs together
    and is more than one field is read by one copy(), or under a lock that is held:
    region.fields in "with region.lock():", and held.fields where tasks hold it.

    char[n] and char16[n] are a str: what is before the first NUL. Bytes of char[n] that
    are no UTF-8 become surrogates, as in names of files, and go back as they were. A text
    that is set may have n bytes, or code units of UTF-16; the rest is filled with NUL.

    A field that has the name of a method, such as copy, is to be had in brackets only.
    Setting raises ValueError or TypeError for what the field cannot hold, and what
    region.write() raises. An unknown name is a KeyError, or an AttributeError.
    """

    __slots__ = ("__base", "__source", "__struct")

    __base: int
    __source: Source
    __struct: Struct

    def __init__(self, struct: Struct, source: Source, base: int = 0) -> None:
        object.__setattr__(self, "_Fields__struct", struct)
        object.__setattr__(self, "_Fields__source", source)
        object.__setattr__(self, "_Fields__base", base)

    def __getitem__(self, name: str) -> Any:
        field = self.__struct.by_name[name]
        at = self.__base + field.offset
        if field.count is not None and field.kind not in TEXTS:
            return FieldArray(field, self.__source, at)
        if isinstance(field.kind, Struct):
            return Fields(field.kind, self.__source, at)
        return _decode(field, self.__source.read(at, field.size))

    def __setitem__(self, name: str, value: Any) -> None:
        field = self.__struct.by_name[name]
        self.__source.write(self.__base + field.offset, _encode(field, value))

    def __getattr__(self, name: str) -> Any:
        if name not in self.__struct.by_name:
            raise AttributeError(f"there is no field {name!r}, but {', '.join(self)}")
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.__struct.by_name:
            raise AttributeError(f"there is no field {name!r}, but {', '.join(self)}")
        self[name] = value

    def __iter__(self) -> Iterator[str]:
        return iter(self.__struct.by_name)

    def __len__(self) -> int:
        return len(self.__struct.fields)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]

    def __repr__(self) -> str:
        return f"<winshm.Fields {self.__struct}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(_LIVE)

    def copy(self) -> dict[str, Any]:
        """Read all at once, as a dict of numbers, texts, lists and dicts."""
        copied = self.__source.read(self.__base, self.__struct.size)
        result: dict[str, Any] = _decode_struct(self.__struct, copied)
        return result


class FieldArray(Sequence[Any]):
    """An array among the fields of a region: see Fields.

    One element is read or written by its index. Slices, iteration, comparison and copy()
    read all at once; of structures, iteration gives the fields of each in the region.
    """

    __slots__ = ("_base", "_field", "_source")

    def __init__(self, field: Field, source: Source, base: int) -> None:
        self._field = field
        self._source = source
        self._base = base

    def __len__(self) -> int:
        return self._field.count or 0

    def _element(self, index: int) -> tuple[Field, int]:
        field = self._field
        if isinstance(index, slice):
            raise TypeError(f"{field.name}: set one element, or all of them by the name")
        try:
            number = range(len(self))[index]
        except IndexError:
            message = f"{field.name} has {len(self)} elements, and none with index {index}"
            raise IndexError(message) from None
        return Field(field.name, field.kind, 0), self._base + number * field.element

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self.copy()[index]
        field, at = self._element(index)
        if isinstance(field.kind, Struct):
            return Fields(field.kind, self._source, at)
        return _decode(field, self._source.read(at, field.size))

    def __setitem__(self, index: int, value: Any) -> None:
        field, at = self._element(index)
        self._source.write(at, _encode(field, value))

    def __iter__(self) -> Iterator[Any]:
        if isinstance(self._field.kind, Struct):
            return (self[index] for index in range(len(self)))
        return iter(self.copy())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (FieldArray, list, tuple)):
            return NotImplemented
        return self.copy() == (other.copy() if isinstance(other, FieldArray) else [*other])

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<winshm.FieldArray {self._field.type}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(_LIVE)

    def copy(self) -> list[Any]:
        """Read all elements at once, as a list."""
        copied = self._source.read(self._base, self._field.size)
        result: list[Any] = _decode(self._field, copied)
        return result


def _decode_struct(kind: Struct, data: bytes) -> Any:
    return {
        each.name: _decode(each, data[each.offset : each.offset + each.size])
        for each in kind.fields
    }


def _decode(field: Field, data: bytes) -> Any:
    kind = field.kind
    if isinstance(kind, Struct):
        if field.count is None:
            return _decode_struct(kind, data)
        parts = (data[at : at + kind.size] for at in range(0, len(data), kind.size or 1))
        return [_decode_struct(kind, part) for part in parts]
    if kind in TEXTS:
        return data.decode(*_ENCODINGS[kind]).partition("\0")[0]
    values = [*struct.unpack(f"<{field.count or 1}{_CODES[kind]}", data)]
    return values[0] if field.count is None else values


def _encode(field: Field, value: Any) -> bytes:
    kind = field.kind
    if kind in TEXTS:
        return _encode_text(field, value)
    if field.count is not None:
        one = Field(field.name, kind, 0)
        try:
            elements = value.copy() if isinstance(value, FieldArray) else [*value]
        except TypeError:
            what = f"{field.name} is {field.type} and cannot be {value!r}: give a list"
            raise TypeError(what) from None
        if len(elements) != field.count:
            raise ValueError(f"{field.name} has {field.count} elements, not {len(elements)}")
        return b"".join(_encode(one, each) for each in elements)
    if isinstance(kind, Struct):
        return _encode_struct(field.name, kind, value)
    try:
        # Whatever Python takes for true would go for it otherwise, such as the text "no".
        if kind == "bool" and value not in (True, False):
            raise ValueError("it is neither True nor False")
        return struct.pack(f"<{_CODES[kind]}", value)
    except (struct.error, OverflowError, TypeError, ValueError) as failure:
        sort = ValueError if isinstance(value, (int, float)) else TypeError
        raise sort(f"{field.name} is {kind} and cannot be {value!r}: {failure}") from None


def _encode_struct(name: str, kind: Struct, value: Any) -> bytes:
    try:
        given = value.copy() if isinstance(value, Fields) else dict(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} is {{{kind}}} and cannot be {value!r}: give a dict") from None
    if given.keys() != kind.by_name.keys():
        raise ValueError(f"{name} has the fields {', '.join(kind.by_name)}: give all of them")
    data = bytearray(kind.size)
    for each in kind.fields:
        data[each.offset : each.offset + each.size] = _encode(each, given[each.name])
    return bytes(data)


def _encode_text(field: Field, value: Any) -> bytes:
    if not isinstance(value, str):
        raise TypeError(f"{field.name} is a text and cannot be {value!r}")
    encoding, errors = _ENCODINGS[str(field.kind)]
    reason = "a NUL would end it" if "\0" in value else ""
    try:
        data = value.encode(encoding, errors)
    except UnicodeEncodeError as failure:
        data, reason = b"", failure.reason
    if len(data) > field.size:
        reason = reason or f"it has {len(data)} bytes"
    if reason:
        raise ValueError(f"{field.name} is {field.type} and cannot be {value!r}: {reason}")
    return data.ljust(field.size, b"\0")
