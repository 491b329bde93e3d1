# SPDX-License-Identifier: MIT
"""What leads other processes to a region, and what outlives it."""

from __future__ import annotations

import os
from typing import Union

from . import _abi
from ._abi import lib, quick
from ._copying import Copying, text_of
from ._errors import check
from ._lock import EXCLUSIVE, SHARED

#: A path as open() and others take it.
Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]


def utf8(text: str, what: str) -> bytes:
    """Encode an argument that is a text for the library."""
    if not isinstance(text, str):
        raise TypeError(f"{what} must be a str, not {type(text).__name__}")
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        message = f"{what} has half of a surrogate pair or a byte that is no UTF-8: {text!r}"
        raise ValueError(message) from None
    if b"\0" in encoded:
        raise ValueError(f"{what} has a NUL inside: {text!r}")
    return encoded


def path_bytes(path: Path) -> bytes:
    """Encode the path of a file."""
    return utf8(os.fsdecode(path), "path")


class HandingOver(Copying):
    """What can be handed over to other processes, and saved."""

    @property
    def name(self) -> str:
        """The name that it was opened with.

        A region that was created without one, or opened by a token, has the one that
        open() needs.
        """
        return self._name

    def export_token(self, *, readonly: bool | None = None) -> str:
        """Make a token, which leads another process to exactly this life of the region.

            subprocess.run(program, env={**os.environ, "WINSHM_TOKEN": region.export_token()})

        It is a text of ASCII without spaces, up to winshm.TOKEN_MAX characters, for an
        argument, the environment, a pipe or a file; import_token() opens it. It is no
        permission and no secret: who opens it must be allowed to open the region by its
        name. It does not keep the region alive either.

        readonly=None makes one for what this object may do, True one that opens
        read-only. Raises AccessError for readonly=False of a read-only object, and Error
        UNSUPPORTED for a raw region.
        """
        if readonly not in (None, True, False):
            raise TypeError(f"readonly must be True, False or None, not {readonly!r}")
        access = 0 if readonly is None else _abi.READ | (0 if readonly else _abi.WRITE)
        return text_of(quick.winshm_export, _abi.TOKEN_MAX, self._handle, access)

    def link(self, path: Path) -> None:
        """Put a token into a small file, by which open_link() opens the region.

            region.link("game.link")       # here
            winshm.open_link("game.link")  # there

        The file appears whole, and is removed when this object is closed. One that is
        there already is replaced only if it is a link to a region that has ended. There
        is one link for each object.

        Raises ExistsError if a living region's link or another file is there, or the
        object has a link; AccessError, TimeoutError, InvalidError for a bad path, or
        Error UNSUPPORTED for a raw region, KIND, NO_MEMORY or SYSTEM.
        """
        check(lib.winshm_link(self._handle, path_bytes(path)))

    def save(self, path: Path, *, timeout: float | None = None) -> None:
        """Save a consistent copy of the region in a file, which load() puts back.

        The lock is held shared while the copy is made; if this thread holds it already,
        or there is none, nobody may write meanwhile. With tasks=True whoever holds the
        lock must release it before. Whatever happens, path is the old file or the new
        one, whole: the copy is made in a file beside it and renamed. timeout limits the
        waiting for the lock and for others that save to this path.

        Raises TimeoutError, OwnerDeadError, AccessError, InvalidError for a bad path, or
        Error with status KIND, SIZE, NO_MEMORY, DEADLOCK as read(), or SYSTEM, as for a
        full disk.
        """
        place = path_bytes(path)
        self._patiently(
            lambda limit: lib.winshm_save(self._handle, place, limit),
            timeout,
            SHARED,
            "region.save()",
        )

    def load(self, path: Path, *, timeout: float | None = None) -> None:
        """Replace the bytes of the region by those of a saved one, and notify.

        The file is checked wholly before anything changes. The lock is held exclusively;
        if this thread holds it already, or there is none, the call just copies. A region
        that is too small grows if its capacity allows it, and in one that has grown the
        bytes that the file has not become zero. Where an owner has died in its section
        this repairs the data.

        Raises FormatError for a file that save() has not made, or that was damaged since;
        NotFoundError if there is none, AccessError, TimeoutError, InvalidError for a bad
        path, or Error with status TAG for another layout, SIZE for more bytes than there
        is room for or fewer than it was created with, KIND, NO_MEMORY, DEADLOCK as
        write(), or SYSTEM.
        """
        place = path_bytes(path)
        self._patiently(
            lambda limit: lib.winshm_load(self._handle, place, limit),
            timeout,
            EXCLUSIVE,
            "region.load()",
        )
