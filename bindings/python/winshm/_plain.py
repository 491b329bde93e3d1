# SPDX-License-Identifier: MIT
"""Which types may lie in a region: those whose bytes mean the same in every process."""

from __future__ import annotations

import ctypes
import functools
import re
from typing import Any

#: What all ctypes objects are.
_CData: type = ctypes.Structure.__mro__[1]
_CFuncPtr: type = ctypes.CFUNCTYPE(None).__mro__[1]
_Pointer: type = ctypes.POINTER(ctypes.c_int).__mro__[1]

#: The codes of simple types that are addresses: of objects, bytes, texts and anything.
_ADDRESSES = frozenset("OPXzZ")

_CURE = (
    "which means nothing to other processes: use (c_char * N) for text, an array for a list, "
    "an offset in the region (c_uint64) for a pointer"
)

# The parts of a format of PEP 3118: beginnings and ends of structures, names, and what is
# an address. A complex number is a Z.
_FORMAT = re.compile(r"(?P<begin>[TX]\{)|(?P<end>\})|:(?P<name>[^:]*):|(?P<address>[OP&])")


def check_ctype(ctype: type[Any]) -> None:
    """Refuse what is no type that can be laid over shared memory."""
    if not (isinstance(ctype, type) and hasattr(ctype, "from_buffer")):
        raise TypeError(f"a ctypes type is needed, such as a Structure, not {ctype!r}")
    _check_fields(ctype)


def check_plain(view: memoryview) -> None:
    """Refuse a buffer the elements of which have addresses in them."""
    if isinstance(view.obj, _CData):
        # The formats of unions and packed structures say nothing.
        _check_fields(type(view.obj))
    elif view.format != "B":
        path = _address_in(view.format)
        if path is not None:
            what = f"{type(view.obj).__name__}{path}"
            raise TypeError(f"{what} has addresses in it (format {view.format!r}), {_CURE}")


# Once there is an object of a type, which is soon after this, its fields stay as they are.
@functools.lru_cache(maxsize=1024)
def _check_fields(ctype: type[Any]) -> None:
    found = _address(ctype, ctype.__name__)
    if found:
        raise TypeError(f"{found}, {_CURE}")


def _address(ctype: Any, path: str) -> str | None:
    """Tell where an address is in the values of a type, if there is one."""
    if issubclass(ctype, (_Pointer, _CFuncPtr)) or (
        getattr(ctype, "_type_", None).__class__ is str and ctype._type_ in _ADDRESSES
    ):
        return f"{path} is a {ctype.__name__}"
    if issubclass(ctype, ctypes.Array):
        return _address(ctype._type_, f"{path}[]")
    for base in ctype.__mro__:
        for name, field, *_ in base.__dict__.get("_fields_", ()):
            found = _address(field, f"{path}.{name}")
            if found:
                return found
    return None


def _address_in(format: str) -> str | None:
    """The same for a format, of which the names come after what they name."""
    path, depth, wanted = None, 0, 0
    for part in _FORMAT.finditer(format):
        if path is None and (part["address"] or part[0] == "X{"):
            path, wanted = "", depth
        if part["begin"]:
            depth += 1
        elif part["end"]:
            depth -= 1
        elif part["name"] is not None and path is not None and depth == wanted:
            path, wanted = f".{part['name']}{path}", wanted - 1
    return path
