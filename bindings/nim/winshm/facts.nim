# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## What is known of a region. `winshm` exports all of this for programs.

import std/times
import ./abi, ./handles, ./types

{.push raises: [WinshmError].}

func toTime(microseconds: int64): Time =
  initTime(microseconds div 1_000_000, int(microseconds mod 1_000_000) * 1000)

proc info*(region: Region): RegionInfo =
  ## What is known of the region.
  var c = winshm_info(struct_size: uint32(sizeof(winshm_info)))
  check winshm_get_info(region.raw, addr c)
  # Later versions may know more kinds and bits than this one.
  RegionInfo(
    kind: (if c.kind <= uint32(high(RegionKind)): RegionKind(c.kind) else: rkUnknown),
    origin: (if c.origin <= uint32(high(RegionOrigin)): RegionOrigin(c.origin) else: roUnknown),
    access: cast[set[RegionFlag]](uint8(c.access and 3)),
    lockState: cast[set[LockState]](uint8(c.lock_state and 7)),
    hasLock: c.lock_kind != WINSHM_LOCK_NONE, size: int64(c.size), capacity: int64(c.capacity),
    id: c.id, layoutTag: c.layout_tag, member: c.member, observer: c.observer != 0,
    creatorStart: c.creator_start_us.toTime, creatorPid: int(c.creator_pid),
    creatorPresent: c.creator_present != 0, participants: int(c.participants),
    ownerPid: int(c.owner_pid), changeCount: c.change_count)

proc participants*(region: Region): seq[Participant] =
  ## The participants that are alive.
  var list: array[ParticipantsMax, winshm_participant]
  var count: uint32
  list[0].struct_size = uint32(sizeof(winshm_participant))
  check winshm_get_participants(region.raw, addr list[0], uint32(list.len), addr count)
  for c in list.toOpenArray(0, min(int(count), list.len) - 1):
    result.add Participant(flags: cast[set[ParticipantFlag]](uint8(c.flags and 31)),
      member: c.member, start: c.start_us.toTime, pid: int(c.pid), slot: int(c.slot))

proc size*(region: Region): int64 =
  ## The region's size in bytes. It rises when somebody calls `resize`, and never falls.
  let size = winshm_size(region.raw)
  if size == 0:
    discard region.info # This one tells what is wrong with the handle.
  int64(size)

# A text of the library, for which there is room enough.
template textOf(most: uint32, call: untyped): string =
  var room {.inject, noinit.}: array[int(most) + 1, char]
  var length {.inject.}: uint32
  let buffer {.inject.} = cast[cstring](addr room[0])
  let capacity {.inject.} = uint32(room.len)
  check call
  $buffer

proc name*(region: Region): string =
  ## The name by which the region can be opened. One without a name has one that the
  ## library has drawn.
  let handle = region.raw
  textOf(WINSHM_NAME_MAX + 7): winshm_get_name(handle, buffer, capacity, addr length)

proc layout*(region: Region): string =
  ## What the bytes are, as the region's creator has said: a text as that of `layoutOf`,
  ## or nothing.
  let handle = region.raw
  textOf(WINSHM_LAYOUT_MAX): winshm_get_layout(handle, buffer, capacity, addr length)

proc exportToken*(region: Region, access: set[RegionFlag] = {}): string =
  ## A token, which leads another process to exactly this life of the region: a text of
  ## ASCII without spaces, at most `TokenMax` of them, for an argument, the environment, a
  ## pipe or a file. `importRegion` opens it there.
  ##
  ## It is no permission and no secret: who opens it must be allowed to open the region by
  ## its name. Nor does it keep the region alive. `access` may be `{rfRead}`, for a token
  ## that opens read-only; by default it is for what this handle may do.
  let handle = region.raw
  let bits = uint32(cast[uint8](access))
  textOf(WINSHM_TOKEN_MAX): winshm_export(handle, bits, buffer, capacity, addr length)

{.pop.}
