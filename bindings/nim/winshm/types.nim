# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## The constants, errors and plain records of the module `winshm`, which exports them.

import std/times
import ./abi

export WINSHM_OK, WINSHM_E_INVALID, WINSHM_E_NAME, WINSHM_E_NOT_FOUND, WINSHM_E_EXISTS,
  WINSHM_E_ACCESS, WINSHM_E_PRIVILEGE, WINSHM_E_KIND, WINSHM_E_NOT_MANAGED, WINSHM_E_SIZE,
  WINSHM_E_RANGE, WINSHM_E_FOREIGN, WINSHM_E_LAYOUT, WINSHM_E_TAG, WINSHM_E_HELD,
  WINSHM_E_REPLACED, WINSHM_E_NO_MEMORY, WINSHM_E_TOO_MANY, WINSHM_E_TIMEOUT,
  WINSHM_E_OWNER_DEAD, WINSHM_E_NOT_OWNER, WINSHM_E_DEADLOCK, WINSHM_E_BUSY, WINSHM_E_HANDLE,
  WINSHM_E_CLOSED, WINSHM_E_FORKED, WINSHM_E_FAULT, WINSHM_E_CORRUPT, WINSHM_E_UNSUPPORTED,
  WINSHM_E_SYSTEM, WINSHM_E_TOKEN, WINSHM_E_FORMAT

const
  Forever* = -1 ## A time-out that never runs out.
  NameMax* = int(WINSHM_NAME_MAX) ## Most bytes of a name without its prefix.
  LayoutMax* = int(WINSHM_LAYOUT_MAX) ## Most bytes of a layout text.
  TokenMax* = int(WINSHM_TOKEN_MAX) ## Most bytes of a token.
  ParticipantsMax* = int(WINSHM_PARTICIPANTS_MAX) ## Most participants of a region.

type
  WinshmError* = object of CatchableError
    ## A call that failed; `msg` is the library's explanation. The types below are for
    ## what programs handle; where none of them fits, `status` tells what happened.
    status*: int32 ## A `WINSHM_E_*` constant, or a newer one.
    statusName*: string ## As `"WINSHM_E_NOT_FOUND"`.
    osCode*: int32 ## The operating system's code, or 0; for people to read.
  NotFoundError* = object of WinshmError
    ## Nobody has the region open: `WINSHM_E_NOT_FOUND`.
  ExistsError* = object of WinshmError
    ## Somebody has the region open already: `WINSHM_E_EXISTS`.
  AccessError* = object of WinshmError
    ## The system, or how the region was opened, denies it: `WINSHM_E_ACCESS`,
    ## `WINSHM_E_PRIVILEGE`.
  MismatchError* = object of WinshmError
    ## The programs disagree about the data: `WINSHM_E_SIZE`, `WINSHM_E_TAG`,
    ## `WINSHM_E_LAYOUT`.
  InvalidError* = object of WinshmError
    ## A bad argument: `WINSHM_E_INVALID`, `WINSHM_E_NAME`.
  OutOfRangeError* = object of WinshmError
    ## Offset or length outside the region: `WINSHM_E_RANGE`.
  ClosedError* = object of WinshmError
    ## The region or view is closed: `WINSHM_E_CLOSED`.
  TokenError* = object of WinshmError
    ## Not a token, or one that was altered or cut short: `WINSHM_E_TOKEN`.
  FormatError* = object of WinshmError
    ## Not a saved region, or one that was damaged: `WINSHM_E_FORMAT`.
  WinshmTimeoutError* = object of WinshmError
    ## The time-out ran out: `WINSHM_E_TIMEOUT`. `std/net` has a `TimeoutError`.
  OwnerDeadError* = object of WinshmError
    ## The lock's owner died in its section, and nobody has repaired the data yet:
    ## `WINSHM_E_OWNER_DEAD`.
    lockHeld*: bool ## Whether the caller holds the lock now, and has to unlock.

  RegionFlag* = enum ## How to create or open. Without the first two both are meant.
    rfRead ## Alone it maps the data read-only.
    rfWrite ## Needed to create; implies `rfRead`.
    rfRaw ## A plain block of the operating system: no lock, no notification.
    rfNoLock ## Creates a region without a lock.
    rfNoMap ## Maps nothing; parts come from `map`.
    rfTask ## The lock belongs to the handle, not to threads: see `lock`.
  LockMode* = enum
    lmShared = 1 ## Any number of readers.
    lmExclusive ## One writer and no reader.
  RegionKind* = enum
    rkUnknown, rkManaged, rkRaw
  RegionOrigin* = enum ## What the call that made this handle did.
    roUnknown, roOpened, roCreated
    roAdopted ## Created it over a block of an outside program, with its contents.
  LockState* = enum
    lsExclusive ## Held or being taken exclusively.
    lsShared ## At least one reader holds it.
    lsInconsistent ## An owner died, and nobody has repaired the data yet.
  RegionInfo* = object ## What is known of a region; what changes is a snapshot.
    kind*: RegionKind
    access*: set[RegionFlag] ## `{rfRead}` or `{rfRead, rfWrite}`.
    hasLock*: bool
    size*: int64 ## Bytes at present; of raw regions as the system tells.
    capacity*: int64 ## How far it can grow. As `size`: not at all.
    id*: array[16, byte] ## Random, one for each life of the region.
    layoutTag*: uint64 ## As given by the creator.
    member*: uint64 ## This handle's number within the life.
    creatorStart*: Time ## When the creator's process started.
    creatorPid*: int
    creatorPresent*: bool ## Whether the creator's handle is still open.
    participants*: int ## Handles open now.
    lockState*: set[LockState] ## Empty if the lock is free.
    ownerPid*: int ## Process of the exclusive owner, or 0.
    changeCount*: uint32
    origin*: RegionOrigin
    observer*: bool ## May not lock, and reads by version check.
  ParticipantFlag* = enum
    pfSelf ## The handle that was asked.
    pfCreator ## Created the present life of the region.
    pfExclusive ## Holds or is taking the lock exclusively.
    pfShared ## Holds the lock shared.
    pfWaiting ## Waits for the lock or for a change.
  Participant* = object
    flags*: set[ParticipantFlag]
    member*: uint64 ## Its number within the region's life.
    start*: Time ## When its process started.
    pid*: int
    slot*: int ## Its place in the control block.
