# SPDX-License-Identifier: MIT
"""Creating and opening regions."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, Union, overload

from . import _abi
from ._abi import Status, lib, quick
from ._buffers import unsigned
from ._errors import Error, NotFoundError, check
from ._handover import utf8
from ._memory import close_unclaimed
from ._region import Region
from ._typed import TypedRegion, size_and_layout
from ._types import is_dtype
from ._waiting import seconds, slices

if TYPE_CHECKING:
    from typing import TypedDict

    import numpy
    from typing_extensions import Unpack

    class CreateOptions(TypedDict, total=False):
        capacity: int
        layout: str | None
        layout_tag: int
        security: str | None
        raw: bool
        no_lock: bool
        no_map: bool
        tasks: bool
        fill: Callable[[Any], object] | None

    class OpenOptions(TypedDict, total=False):
        layout: str | None
        layout_tag: int
        security: str | None
        timeout: float | None
        readonly: bool
        raw: bool
        no_map: bool
        tasks: bool


S = TypeVar("S", bound=Union[ctypes.Structure, ctypes.Union])


@overload
def create(name: str | None, size: int, **options: Unpack[CreateOptions]) -> Region: ...
@overload
def create(
    name: str | None, size: type[S], **options: Unpack[CreateOptions]
) -> TypedRegion[S]: ...
@overload
def create(
    name: str | None, size: numpy.dtype[Any], **options: Unpack[CreateOptions]
) -> TypedRegion[numpy.void]: ...
def create(
    name: str | None,
    size: Any,
    *,
    capacity: int = 0,
    layout: str | None = None,
    layout_tag: int = 0,
    security: str | None = None,
    raw: bool = False,
    no_lock: bool = False,
    no_map: bool = False,
    tasks: bool = False,
    fill: Callable[[Region], object] | None = None,
) -> Region:
    """Create a region of zero bytes, which must not exist.

    name       -- 1 to 200 bytes of UTF-8, optionally after "Local\\" or "Global\\"; None
                  for a region that is handed over: it gets a name that nobody else has,
                  which Region.name tells
    size       -- bytes, at least 1; nothing is rounded. Or a type, such as a Structure of
                  ctypes, for a TypedRegion that has its size and its layout
    capacity   -- bytes that Region.resize() may make of it, 0 or at least size; what is
                  more than size takes no memory before
    layout     -- text that says what the bytes are, as that of layout_of(); None: not
                  said. Region.layout and Region.fields give it to everybody
    layout_tag -- number that tells versions of the data's structure apart; 0: none
    security   -- who may use it: None or "owner", "session", "interactive-read",
                  "everyone-read", or (Windows only) a security descriptor in SDDL
    raw        -- a plain block of the operating system: no lock, no notification
    no_lock    -- a managed region without a lock
    no_map     -- map no whole view; .data raises, parts come from map()
    tasks      -- the lock that is taken through this object belongs to the object and
                  not to threads, so that coroutines can hold it: see Region.lock_async()
    fill       -- a function that is called with the new region to put its first data
                  there, before anybody else can read them

    fill is called with the exclusive lock, so others wait for it: do not lock in it. It is
    an ordinary function, since nobody would await a coroutine: TypeError. If it raises an
    exception, the region is closed and the exception goes on. Who has joined meanwhile, or
    joins when this process has died in fill, gets the lock with recover=True and
    owner_died, and fills the region in its place.

        def fill(region):
            region.write(0, first_data)

        with winshm.open_or_create("demo", 4096, fill=fill) as region:
            with region.lock(recover=True) as held:
                if held.owner_died:
                    fill(region)
                    region.make_consistent()

    Raises ExistsError, InvalidError, AccessError, TimeoutError, or Error with status
    HELD, FOREIGN, KIND, LAYOUT, SIZE, NO_MEMORY, TOO_MANY, UNSUPPORTED or SYSTEM.
    """
    flags = _flags(raw=raw, no_lock=no_lock, no_map=no_map, tasks=tasks)
    way = _abi.CREATE_NEW
    return _enter(way, name, flags, size, capacity, layout, layout_tag, security, fill=fill)


@overload
def open(name: str, size: int = 0, **options: Unpack[OpenOptions]) -> Region: ...
@overload
def open(name: str, size: type[S], **options: Unpack[OpenOptions]) -> TypedRegion[S]: ...
@overload
def open(
    name: str, size: numpy.dtype[Any], **options: Unpack[OpenOptions]
) -> TypedRegion[numpy.void]: ...
def open(
    name: str,
    size: Any = 0,
    *,
    layout: str | None = None,
    layout_tag: int = 0,
    security: str | None = None,
    timeout: float | None = 0,
    readonly: bool = False,
    raw: bool = False,
    no_map: bool = False,
    tasks: bool = False,
) -> Region:
    """Join a region that exists. Never creates anything.

    size       -- bytes that it must have been created with; 0: any. Or a type, for a
                  TypedRegion: it may be the beginning of a larger region
    layout     -- refused with Error TAG if the region has another one, where the message
                  names the field that differs; None, and what a creator without a layout
                  has made: any. Upper case and underscores in names do not count
    layout_tag -- refused if the region has another one; 0: any
    security   -- whose region it may be: None: this user's, an administrator's or the
                  system's; "anyone": whoever owns it is trusted
    timeout    -- seconds to wait for the region to appear, after which NotFoundError is
                  raised; None: without end
    readonly   -- map the data read-only, which the system enforces
    raw        -- as a plain block without lock or notification; also made by strangers.
                  With a type it must have as many bytes

    The others are as for create(). Raises NotFoundError, InvalidError, AccessError,
    TimeoutError, or Error with status NOT_MANAGED (a plain block: use raw), SIZE, TAG,
    FOREIGN, KIND, LAYOUT, HELD, REPLACED, CORRUPT, NO_MEMORY, TOO_MANY or SYSTEM.
    """
    flags = _flags(readonly=readonly, raw=raw, no_map=no_map, tasks=tasks)
    way = _abi.OPEN_EXISTING
    return _enter(way, name, flags, size, 0, layout, layout_tag, security, timeout)


@overload
def open_or_create(
    name: str, size: int = 0, **options: Unpack[CreateOptions]
) -> Region: ...
@overload
def open_or_create(
    name: str, size: type[S], **options: Unpack[CreateOptions]
) -> TypedRegion[S]: ...
@overload
def open_or_create(
    name: str, size: numpy.dtype[Any], **options: Unpack[CreateOptions]
) -> TypedRegion[numpy.void]: ...
def open_or_create(
    name: str,
    size: Any = 0,
    *,
    capacity: int = 0,
    layout: str | None = None,
    layout_tag: int = 0,
    security: str | None = None,
    raw: bool = False,
    no_lock: bool = False,
    no_map: bool = False,
    tasks: bool = False,
    fill: Callable[[Region], object] | None = None,
) -> Region:
    """Join a region, or create it if nobody has it open.

    size 0 joins a region of any size but cannot create one. A plain block of this name
    that an outside program holds is taken over with its contents: info.origin says so.
    fill is called only if this call has created the region or taken over such a block.
    Arguments and exceptions are those of create() and open().
    """
    flags = _flags(raw=raw, no_lock=no_lock, no_map=no_map, tasks=tasks)
    way = _abi.OPEN_OR_CREATE
    return _enter(way, name, flags, size, capacity, layout, layout_tag, security, fill=fill)


def open_again(
    name: str,
    flags: int,
    life: bytes,
    security: str | None,
    type_: Any = None,
    function: str = "winshm.open()",
) -> Region:
    """Open this life of a region that was pickled or handed over elsewhere.

    function is what messages say was called.
    """
    flags &= ~_abi.NO_LOCK
    size = 0 if type_ is None else type_
    region = _enter(
        _abi.OPEN_EXISTING, name, flags, size, 0, None, 0, security, function=function
    )
    if region.info.id != life:
        region.close()
        message = (
            f"{function} {name!r}: it has ended, and another region has its name "
            "[WINSHM_E_REPLACED]. Whoever made this one has to hand it over again."
        )
        raise Error(Status.REPLACED, message)
    return region


_FUNCTIONS = {
    _abi.CREATE_NEW: "winshm.create()",
    _abi.OPEN_EXISTING: "winshm.open()",
    _abi.OPEN_OR_CREATE: "winshm.open_or_create()",
}


def _flags(
    *,
    readonly: bool = False,
    raw: bool = False,
    no_lock: bool = False,
    no_map: bool = False,
    tasks: bool = False,
) -> int:
    return (
        (_abi.READ if readonly else _abi.READ | _abi.WRITE)
        | (_abi.RAW if raw else 0)
        | (_abi.NO_LOCK if no_lock else 0)
        | (_abi.NO_MAP if no_map else 0)
        | (_abi.TASK if tasks else 0)
    )


def _enter(
    disposition: int,
    name: str | None,
    flags: int,
    size: Any,
    capacity: int,
    layout: str | None,
    layout_tag: int,
    security: str | None,
    timeout: float | None = 0,
    fill: Callable[[Region], object] | None = None,
    function: str = "",
) -> Region:
    if not (fill is None or callable(fill)):
        raise TypeError(f"fill must be a function or None, not {fill!r}")
    type_ = None
    if isinstance(size, type) or is_dtype(size):
        if layout is not None:
            raise TypeError("a type has a layout of its own: layout must be None")
        type_ = size
        size, layout = size_and_layout(type_)
        if flags & _abi.RAW:
            layout = None
        elif disposition == _abi.OPEN_EXISTING:
            # Whether the region has room for the layout is checked with it.
            size = 0
    if name is None and disposition != _abi.CREATE_NEW:
        raise TypeError("name must be a str: only create() makes regions without one")
    options = _abi.winshm_options(
        struct_size=ctypes.sizeof(_abi.winshm_options),
        flags=flags if fill is None else flags | _abi.CREATE_LOCKED,
        disposition=disposition,
        size=unsigned(size, "size"),
        capacity=unsigned(capacity, "capacity"),
        layout_tag=unsigned(layout_tag, "layout_tag"),
        name=None if name is None else utf8(name, "name"),
        security=None if security is None else utf8(security, "security"),
        layout=None if layout is None else utf8(layout, "layout"),
    )
    timeout = seconds(timeout)
    out = ctypes.c_void_p()
    region: Region | None = None
    try:
        for milliseconds in slices(timeout):
            options.timeout_ms = milliseconds
            status = lib.winshm_open_with(ctypes.byref(options), ctypes.byref(out))
            # A region that comes up is for a moment a plain block, and who makes it
            # may be inside for longer than a part of the time-out.
            if status not in (Status.NOT_FOUND, Status.NOT_MANAGED, Status.TIMEOUT):
                break
        if status == Status.NOT_FOUND and timeout:
            # The library has been told of the last slice of the time-out only.
            message = (
                f"winshm.open() {name!r}: no such region within {timeout:g} s "
                "[WINSHM_E_NOT_FOUND]. Start its creator first, or wait for longer."
            )
            raise NotFoundError(status, message, quick.winshm_last_os_code())
        check(status, function or _FUNCTIONS[disposition])
        assert out.value is not None
        if type_ is None:
            region = Region(out.value, name, flags, security)
        else:
            region = TypedRegion(out.value, name, flags, security, type_)
        if fill is not None and region.info.origin != _abi.ORIGIN_OPENED:
            region._fill(fill)
        return region
    except BaseException as failure:
        # A signal handler may end this when the region is open already. What is not
        # filled stays marked.
        if fill is not None and out.value is not None:
            quick.winshm_unlock(out.value, _abi.EXCLUSIVE)
        if region is None:
            close_unclaimed(out.value, lib.winshm_close)
        else:
            region.__exit__(type(failure), failure)
        raise
