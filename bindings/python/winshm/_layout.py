# SPDX-License-Identifier: MIT
"""Layout texts, such as "score:u32@0; lives:u8@4; size 8", read and written.

winshm.h has the grammar, and the library checks the text that a region is created with.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator

#: Structures around a field, but for the outermost.
_DEPTH = 8
#: Numbers are less than this.
_LIMIT = 1 << 63

#: The kinds of fields that have none of their own, and how many bytes one takes.
SIZES = {
    "u8": 1,
    "i8": 1,
    "u16": 2,
    "i16": 2,
    "u32": 4,
    "i32": 4,
    "u64": 8,
    "i64": 8,
    "f32": 4,
    "f64": 8,
    "bool": 1,
    "char": 1,
    "char16": 2,
}

#: Those of which an array is one text.
TEXTS = ("char", "char16")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_TOKEN = re.compile(r"[ \t\r\n]*([A-Za-z_][A-Za-z0-9_]*|0|[1-9][0-9]*|[:;@{}\[\]])")


@dataclasses.dataclass(frozen=True)
class Field:
    """A field of a structure."""

    name: str
    #: A name out of SIZES, or the fields of a structure.
    kind: str | Struct
    #: Bytes from the beginning of the structure that it is in.
    offset: int
    #: Elements of an array, or None for what is no array.
    count: int | None = None

    @property
    def element(self) -> int:
        """Bytes of one element."""
        return SIZES[self.kind] if isinstance(self.kind, str) else self.kind.size

    @property
    def size(self) -> int:
        """Bytes of all elements."""
        return self.element * (1 if self.count is None else self.count)

    @property
    def type(self) -> str:
        """Its kind and count, as they are in the text."""
        kind = self.kind if isinstance(self.kind, str) else f"{{{self.kind}}}"
        return kind if self.count is None else f"{kind}[{self.count}]"


@dataclasses.dataclass(frozen=True)
class Struct:
    """A structure; str() of it is its layout text."""

    fields: tuple[Field, ...]
    size: int

    def __post_init__(self) -> None:
        names = set()
        for field in self.fields:
            if not _NAME.fullmatch(field.name):
                raise ValueError(
                    f"a field's name has up to 63 letters of ASCII, digits and _, and "
                    f"does not begin with a digit: {field.name!r} cannot be one"
                )
            folded = field.name.replace("_", "").lower()
            if folded in names:
                raise ValueError(
                    f"a field before {field.name!r} has the same name, without regard to "
                    "upper case and underscores"
                )
            names.add(folded)
            if field.count == 0:
                raise ValueError(f"{field.name}: an array has at least 1 element")
            if field.offset + field.size > self.size:
                raise ValueError(
                    f"{field.name} ends at byte {field.offset + field.size}, and its "
                    f"structure at {self.size}"
                )

    def __str__(self) -> str:
        fields = (f"{each.name}:{each.type}@{each.offset}; " for each in self.fields)
        return f"{''.join(fields)}size {self.size}"

    @functools.cached_property
    def by_name(self) -> dict[str, Field]:
        """The fields by their names."""
        return {field.name: field for field in self.fields}


class _Reader:
    """Reads a text from its beginning on."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split(text)
        self._next = next(self._tokens)

    def _split(self, text: str) -> Iterator[tuple[int, str]]:
        at, end = 0, len(text.rstrip(" \t\r\n"))
        while at < end:
            found = _TOKEN.match(text, at)
            if found is None:
                raise self._wrong(at, "here is no name, number or sign")
            yield found.start(1), found[1]
            at = found.end()
        while True:
            yield end, ""

    def _wrong(self, at: int, what: str) -> ValueError:
        return ValueError(f"layout, byte {at}: {what}, in {self._text[at : at + 20]!r}")

    def _take(self, expected: str = "", what: str = "") -> str:
        at, token = self._next
        if expected and token != expected:
            raise self._wrong(at, f"here should be {what or expected}")
        self._next = next(self._tokens)
        return token

    def _number(self) -> int:
        at, token = self._next
        if not token.isdecimal() or int(token) >= _LIMIT:
            raise self._wrong(at, "here should be a number less than 2**63")
        return int(self._take())

    def _kind(self, depth: int) -> str | Struct:
        at, token = self._next
        if token == "{":
            if depth == _DEPTH:
                raise self._wrong(at, f"more than {_DEPTH} structures lie in each other")
            self._take()
            struct = self._struct(depth + 1)
            self._take("}")
            return struct
        if token not in SIZES:
            raise self._wrong(at, "here should be a kind")
        return self._take()

    def _count(self) -> int | None:
        if self._next[1] != "[":
            return None
        self._take()
        count = self._number()
        self._take("]")
        return count

    def _struct(self, depth: int) -> Struct:
        fields = []
        start = self._next[0]
        while True:
            at, name = self._next
            if not name.isidentifier():
                raise self._wrong(at, "here should be a name or size")
            self._take()
            if name == "size" and self._next[1] != ":":
                break
            self._take(":")
            kind, count = self._kind(depth), self._count()
            self._take("@")
            offset = self._number()
            self._take(";")
            fields.append(Field(name, kind, offset, count))
        size = self._number()
        try:
            return Struct(tuple(fields), size)
        except ValueError as failure:
            raise self._wrong(start, str(failure)) from None

    def whole(self) -> Struct:
        struct = self._struct(0)
        at, token = self._next
        if token:
            raise self._wrong(at, "here should be the end")
        return struct


def parse(text: str) -> Struct:
    """Read a layout text. Raises ValueError, which says where it is wrong and why."""
    if not isinstance(text, str):
        raise TypeError(f"a layout must be a str, not {text!r}")
    return _parse(text)


@functools.lru_cache(maxsize=256)
def _parse(text: str) -> Struct:
    return _Reader(text).whole()
