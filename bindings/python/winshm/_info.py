# SPDX-License-Identifier: MIT
"""What Region.info and Region.participants tell."""

from __future__ import annotations

import dataclasses
import enum
from typing import Any

from . import _abi


class Kind(enum.IntEnum):
    """Sort of a region."""

    MANAGED = _abi.KIND_MANAGED
    RAW = _abi.KIND_RAW


class LockKind(enum.IntEnum):
    """Sort of a region's lock."""

    NONE = _abi.LOCK_NONE
    ROBUST = _abi.LOCK_ROBUST


class LockState(enum.IntFlag):
    """State of a region's lock; no bit set: free."""

    EXCLUSIVE = _abi.STATE_EXCLUSIVE
    SHARED = _abi.STATE_SHARED
    #: An owner died in its section and nobody has repaired the data yet.
    INCONSISTENT = _abi.STATE_INCONSISTENT


class Origin(enum.IntEnum):
    """What opening a region did."""

    OPENED = _abi.ORIGIN_OPENED
    CREATED = _abi.ORIGIN_CREATED
    #: Created over a block that an outside program held; the contents were kept.
    ADOPTED = _abi.ORIGIN_ADOPTED


class Roles(enum.IntFlag):
    """What a participant is and does."""

    #: The region object that was asked.
    SELF = _abi.PARTICIPANT_SELF
    CREATOR = _abi.PARTICIPANT_CREATOR
    #: Holds or is taking the lock exclusively.
    EXCLUSIVE = _abi.PARTICIPANT_EXCLUSIVE
    SHARED = _abi.PARTICIPANT_SHARED
    #: Waits for the lock or for a change.
    WAITING = _abi.PARTICIPANT_WAITING


@dataclasses.dataclass(frozen=True)
class Info:
    """A snapshot of what is known of a region.

    Sizes are bytes, times are microseconds since 1970 (UTC).
    """

    kind: Kind
    readonly: bool
    lock_kind: LockKind
    size: int
    capacity: int
    #: 16 random bytes, others for each life of the region.
    id: bytes
    layout_tag: int
    #: The number of this participant within the region's life.
    member: int
    creator_start_us: int
    creator_pid: int
    #: Whether the creator still has the region open.
    creator_present: bool
    #: How many participants there are.
    participants: int
    lock_state: LockState
    #: Process that holds the lock exclusively, or 0.
    owner_pid: int
    change_count: int
    origin: Origin
    #: Whether this participant may not lock and reads by version check.
    observer: bool

    @classmethod
    def _from_raw(cls, raw: _abi.winshm_info) -> Info:
        return cls(
            kind=_known(Kind, raw.kind),
            readonly=not raw.access & _abi.WRITE,
            lock_kind=_known(LockKind, raw.lock_kind),
            size=raw.size,
            capacity=raw.capacity,
            id=bytes(raw.id),
            layout_tag=raw.layout_tag,
            member=raw.member,
            creator_start_us=raw.creator_start_us,
            creator_pid=raw.creator_pid,
            creator_present=bool(raw.creator_present),
            participants=raw.participants,
            lock_state=LockState(raw.lock_state),
            owner_pid=raw.owner_pid,
            change_count=raw.change_count,
            origin=_known(Origin, raw.origin),
            observer=bool(raw.observer),
        )


@dataclasses.dataclass(frozen=True)
class Participant:
    """One open handle to a region, of any process."""

    roles: Roles
    #: Its number within the region's life.
    member: int
    #: Start of its process, microseconds since 1970 (UTC).
    start_us: int
    pid: int
    #: Its place in the control block.
    slot: int

    @classmethod
    def _from_raw(cls, raw: _abi.winshm_participant) -> Participant:
        return cls(Roles(raw.flags), raw.member, raw.start_us, raw.pid, raw.slot)


def _known(kind: type[enum.IntEnum], value: int) -> Any:
    # A later library may know more kinds; they stay plain numbers here.
    return kind(value) if value in kind._value2member_map_ else value
