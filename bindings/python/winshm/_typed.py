# SPDX-License-Identifier: MIT
"""Regions that are one structure."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

from ._layout import Struct
from ._region import Region
from ._types import is_dtype, struct_of

T = TypeVar("T")


class TypedRegion(Region, Generic[T]):
    """A region with a structure at its beginning, which mostly is all of it.

        class State(ctypes.Structure):
            _fields_ = [("score", ctypes.c_uint32), ("lives", ctypes.c_uint8)]

        with winshm.open_or_create("game", State) as region:
            with region.lock():
                region.value.score += 1

    Made by create(), open(), open_or_create(), import_token() and open_link() that are
    given a type: a Structure or Union of ctypes, or a structured dtype of numpy. What the
    region's creator has said of its bytes, in any language, has been compared with it. The
    names in .fields are those of the type, also where the creator has said nothing, as in
    a raw region.
    """

    def __init__(
        self,
        handle: int,
        name: str | None,
        flags: int,
        security: str | None = None,
        type_: Any = None,
    ) -> None:
        super().__init__(handle, name, flags, security)
        self._type = type_

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        function, arguments = super().__reduce_ex__(protocol)
        return function, (*arguments, self._type)

    def _fields_struct(self) -> Struct:
        return struct_of(self._type)

    @property
    def type(self) -> Any:
        """The type that it was opened with."""
        return self._type

    @property
    def value(self) -> T:
        """The structure over the shared memory itself: to assign to its fields writes.

        For a dtype it is one element, a numpy.void: value["score"] += 1. The fields
        change whenever another process writes them, and nobody is notified of what is
        written so: lock(), and notify(). It keeps the memory, as view_as() does.

        Raises TypeError for a Structure of a read-only region, since ctypes cannot refuse
        to write: take get(). What numpy gives is read-only then.
        """
        if is_dtype(self._type):
            import numpy

            return cast(T, numpy.ndarray((), self._type, self.data[:])[()])
        if self._readonly:
            raise TypeError("the region is read-only: get() gives a copy")
        return cast(T, self.view_as(self._type))

    def get(self, *, timeout: float | None = None) -> T:
        """Copy the structure out of the region, as read() does: a consistent copy."""
        if is_dtype(self._type):
            import numpy

            copied = numpy.empty(self._type.itemsize, numpy.uint8)
            self.read_into(0, copied, timeout=timeout)
            return cast(T, copied.view(self._type)[0])
        return cast(T, self.read_as(self._type, timeout=timeout))

    def set(self, value: T, *, timeout: float | None = None) -> None:
        """Copy a structure into the region, and notify, as write() does.

        For a dtype it may be a tuple, too. Raises TypeError unless it is one of this type.
        """
        if is_dtype(self._type):
            import numpy

            # numpy would give each field a single number, and take fields of other names
            # by their order.
            sort = self._type if isinstance(value, tuple) else getattr(value, "dtype", None)
            data: Any = b"" if sort != self._type else numpy.asarray(value, sort).tobytes()
            if len(data) != self._type.itemsize:
                raise TypeError(f"one element of {self._type} is needed, not {value!r}")
        elif type(value) is self._type:
            # A class derived from it may have more fields, for which there is no room.
            data = value
        else:
            raise TypeError(f"{self._type.__name__} is needed, not {value!r}")
        self.write(0, data, timeout=timeout)


def size_and_layout(type_: Any) -> tuple[int, str]:
    """Give the bytes of a type and its layout text."""
    struct = struct_of(type_)
    return struct.size, str(struct)
