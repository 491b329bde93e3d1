# SPDX-License-Identifier: MIT
"""Views of parts of regions."""

from __future__ import annotations

from ._abi import lib, quick
from ._memory import Block, Owner


class View(Block):
    """A mapped part of a region, made by Region.map(); it may outlive the Region.

    It keeps the process a participant of the region until it is closed.
    """

    _what = "view"

    def __init__(self, handle: int, name: str, size: int, readonly: bool) -> None:
        owner = Owner(handle, lib.winshm_unmap, f"view of the region {name!r}")
        super().__init__(owner, quick.winshm_view_data(handle), readonly)
        self._size = size

    @property
    def size(self) -> int:
        """Bytes."""
        return self._size

    def __repr__(self) -> str:
        return f"<winshm.View {self._size} bytes{', closed' if self.closed else ''}>"
