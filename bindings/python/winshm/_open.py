# SPDX-License-Identifier: MIT
"""Creating and opening regions."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

from . import _abi
from ._abi import Status, lib, quick
from ._errors import check
from ._memory import close_unclaimed, unsigned
from ._region import Region
from ._waiting import slices


def create(
    name: str,
    size: int,
    *,
    capacity: int = 0,
    layout_tag: int = 0,
    security: str | None = None,
    raw: bool = False,
    no_lock: bool = False,
    no_map: bool = False,
    tasks: bool = False,
    fill: Callable[[Region], object] | None = None,
) -> Region:
    """Create a region of zero bytes, which must not exist.

    name       -- 1 to 200 bytes of UTF-8, optionally after "Local\\" or "Global\\"
    size       -- bytes, at least 1; nothing is rounded
    capacity   -- bytes to reserve, 0 or at least size
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

    fill is called with the exclusive lock, so others wait for it: do not lock in it. If it
    raises an exception, the region is closed and the exception goes on. Who has joined
    meanwhile, or joins when this process has died in fill, gets the lock with
    recover=True and owner_died, and fills the region in its place.

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
    return _enter(
        _abi.CREATE_NEW, name, flags, size, capacity, layout_tag, security, fill=fill
    )


def open(
    name: str,
    *,
    size: int = 0,
    layout_tag: int = 0,
    security: str | None = None,
    timeout: float | None = 0,
    readonly: bool = False,
    raw: bool = False,
    no_map: bool = False,
    tasks: bool = False,
) -> Region:
    """Join a region that exists. Never creates anything.

    size       -- bytes that it must have; 0: any
    layout_tag -- refused if the region has another one; 0: any
    security   -- whose region it may be: None: this user's, an administrator's or the
                  system's; "anyone": whoever owns it is trusted
    timeout    -- seconds to wait for the region to appear; None: without end
    readonly   -- map the data read-only, which the system enforces
    raw        -- as a plain block without lock or notification; also made by strangers

    The others are as for create(). Raises NotFoundError, InvalidError, AccessError,
    TimeoutError, or Error with status NOT_MANAGED (a plain block: use raw), SIZE, TAG,
    FOREIGN, KIND, LAYOUT, HELD, REPLACED, CORRUPT, NO_MEMORY, TOO_MANY or SYSTEM.
    """
    flags = _flags(readonly=readonly, raw=raw, no_map=no_map, tasks=tasks)
    return _enter(_abi.OPEN_EXISTING, name, flags, size, 0, layout_tag, security, timeout)


def open_or_create(
    name: str,
    size: int = 0,
    *,
    capacity: int = 0,
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
    return _enter(
        _abi.OPEN_OR_CREATE, name, flags, size, capacity, layout_tag, security, fill=fill
    )


def open_again(name: str, flags: int) -> Region:
    """Open a region that was pickled elsewhere."""
    flags &= ~_abi.NO_LOCK
    return _enter(_abi.OPEN_EXISTING, name, flags, 0, 0, 0, None)


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
    name: str,
    flags: int,
    size: int,
    capacity: int,
    layout_tag: int,
    security: str | None,
    timeout: float | None = 0,
    fill: Callable[[Region], object] | None = None,
) -> Region:
    if not (fill is None or callable(fill)):
        raise TypeError(f"fill must be a function or None, not {fill!r}")
    options = _abi.winshm_options(
        struct_size=ctypes.sizeof(_abi.winshm_options),
        flags=flags if fill is None else flags | _abi.CREATE_LOCKED,
        disposition=disposition,
        size=unsigned(size, "size"),
        capacity=unsigned(capacity, "capacity"),
        layout_tag=unsigned(layout_tag, "layout_tag"),
        name=_utf8(name, "name"),
        security=None if security is None else _utf8(security, "security"),
    )
    out = ctypes.c_void_p()
    region = None
    try:
        for milliseconds in slices(timeout):
            options.timeout_ms = milliseconds
            status = lib.winshm_open_with(ctypes.byref(options), ctypes.byref(out))
            # A region that comes up is for a moment a plain block, and who makes it
            # may be inside for longer than a part of the time-out.
            if status not in (Status.NOT_FOUND, Status.NOT_MANAGED, Status.TIMEOUT):
                break
        check(status, _FUNCTIONS[disposition])
        assert out.value is not None
        region = Region(out.value, name, flags)
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


def _utf8(text: str, what: str) -> bytes:
    if not isinstance(text, str):
        raise TypeError(f"{what} must be a str, not {type(text).__name__}")
    encoded = text.encode()
    if b"\0" in encoded:
        raise ValueError("embedded null character")
    return encoded
