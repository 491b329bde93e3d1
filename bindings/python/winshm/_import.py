# SPDX-License-Identifier: MIT
"""Opening regions that were handed over."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, overload

from . import _abi
from ._abi import Status, lib
from ._errors import check
from ._handover import Path, path_bytes, utf8
from ._memory import close_unclaimed
from ._open import S, open_again
from ._region import Region
from ._typed import TypedRegion
from ._waiting import slices

if TYPE_CHECKING:
    from typing import TypedDict

    import numpy
    from typing_extensions import Unpack

    class ImportOptions(TypedDict, total=False):
        readonly: bool
        no_map: bool
        tasks: bool
        timeout: float | None


@overload
def import_token(
    token: str, type: None = None, **options: Unpack[ImportOptions]
) -> Region: ...
@overload
def import_token(
    token: str, type: type[S], **options: Unpack[ImportOptions]
) -> TypedRegion[S]: ...
@overload
def import_token(
    token: str, type: numpy.dtype[Any], **options: Unpack[ImportOptions]
) -> TypedRegion[numpy.void]: ...
def import_token(
    token: str,
    type: Any = None,  # noqa: A002 - what it is
    *,
    readonly: bool = False,
    no_map: bool = False,
    tasks: bool = False,
    timeout: float | None = 0,
) -> Region:
    """Join the very region that a token was made of. Never creates anything.

        region = winshm.import_token(os.environ["WINSHM_TOKEN"])

    token    -- what export_token() has given, here or in another language
    type     -- a type, for a TypedRegion, as for open(); None: any region
    readonly -- map the data read-only, also if the token grants more
    timeout  -- seconds to wait while others create or open the region. One that has ended
                is not waited for, since it cannot come back

    The others are as for open(), and so are the checks: a token that was made up opens
    nothing that could not be opened by name. Raises TokenError for a text that is none,
    or was altered or cut short; NotFoundError if the region has ended, or Error with
    status REPLACED if another one has its name; TAG if the type does not fit; and else as
    open().
    """
    text = utf8(token, "token")
    flags = _flags(readonly, no_map, tasks)
    again = (Status.TIMEOUT,)
    return _join(lib.winshm_import, text, flags, timeout, again, "winshm.import_token()", type)


@overload
def open_link(path: Path, type: None = None, **options: Unpack[ImportOptions]) -> Region: ...
@overload
def open_link(
    path: Path, type: type[S], **options: Unpack[ImportOptions]
) -> TypedRegion[S]: ...
@overload
def open_link(
    path: Path, type: numpy.dtype[Any], **options: Unpack[ImportOptions]
) -> TypedRegion[numpy.void]: ...
def open_link(
    path: Path,
    type: Any = None,  # noqa: A002 - what it is
    *,
    readonly: bool = False,
    no_map: bool = False,
    tasks: bool = False,
    timeout: float | None = 0,
) -> Region:
    """Join the region that a link file leads to. Never creates anything.

    path    -- of a file that Region.link() has made, here or in another language
    timeout -- seconds to wait, also for a file to appear that leads to a living region

    The others are as for import_token(). Raises NotFoundError if there is no such file or
    the region has ended, TokenError for a file with anything else in it, AccessError,
    InvalidError for a bad path, Error KIND for what is no plain file, and else as
    import_token().
    """
    place = path_bytes(path)
    flags = _flags(readonly, no_map, tasks)
    again = (Status.TIMEOUT, Status.NOT_FOUND)
    return _join(lib.winshm_open_link, place, flags, timeout, again, "winshm.open_link()", type)


def _flags(readonly: bool, no_map: bool, tasks: bool) -> int:
    return (
        (_abi.READ if readonly else 0)
        | (_abi.NO_MAP if no_map else 0)
        | (_abi.TASK if tasks else 0)
    )


def _join(
    function: Callable[..., int],
    place: bytes,
    flags: int,
    timeout: float | None,
    again: tuple[Status, ...],
    name: str,
    type_: Any,
) -> Region:
    out = ctypes.c_void_p()
    region = None
    try:
        for milliseconds in slices(timeout):
            status = function(place, flags, milliseconds, ctypes.byref(out))
            if status not in again:
                break
        check(status, name)
        info = _abi.winshm_info(ctypes.sizeof(_abi.winshm_info))
        check(lib.winshm_get_info(out.value, ctypes.byref(info)))
        assert out.value is not None
        region = Region(out.value, None, flags | info.access)
        if type_ is None:
            return region
        # It stays the region of this name until its type is checked.
        with region:
            return open_again(
                region.name, flags | info.access, region.info.id, None, type_, name
            )
    except BaseException:
        if region is None:
            close_unclaimed(out.value, lib.winshm_close)
        else:
            region.close()
        raise
