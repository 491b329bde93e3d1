# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## The lock of a region, blocks that hold it, and copies under it. `winshm` exports
## all of this for programs.

import ./abi, ./handles, ./plain, ./types

{.push raises: [WinshmError].}

proc lock*(region: Region, mode = lmExclusive, timeout = Forever) =
  ## Takes the lock, which belongs to the thread: only this one may unlock it, and
  ## asking for it again raises `WINSHM_E_DEADLOCK`. Of a region opened with `rfTask`
  ## it belongs to the handle: any thread may unlock it, and who asks again waits.
  ##
  ## If the lock's owner died in its section, `OwnerDeadError` is raised; then the lock
  ## is held all the same in mode `lmExclusive`, and not in mode `lmShared`.
  let status = winshm_lock(region.raw, uint32(mode), timeout.toTimeout)
  if status != WINSHM_OK: raiseFailure(status, lockHeld = mode == lmExclusive)

proc tryLock*(region: Region, mode = lmExclusive, timeout = 0): bool =
  ## As `lock`, but false if the lock was not free in time.
  let status = winshm_lock(region.raw, uint32(mode), timeout.toTimeout)
  if status != WINSHM_OK and status != WINSHM_E_TIMEOUT:
    raiseFailure(status, lockHeld = mode == lmExclusive)
  status == WINSHM_OK

proc lockRecovering*(region: Region, timeout = Forever): bool =
  ## Takes the lock exclusively; true if its owner died in its section. Then the
  ## data may be half written: repair them and call `makeConsistent`, or the next
  ## owner is told again.
  let status = winshm_lock(region.raw, WINSHM_EXCLUSIVE, timeout.toTimeout)
  if status != WINSHM_OK and status != WINSHM_E_OWNER_DEAD: raiseFailure(status)
  status == WINSHM_E_OWNER_DEAD

var afterUnlock* {.threadvar.}: proc (handle: ptr winshm_region) {.nimcall, gcsafe, raises: [].}
  ## What else `unlock` does on this thread, or nil. `winshm/asynclock` sets it.

proc release(handle: ptr winshm_region, mode: LockMode): winshm_status {.raises: [].} =
  result = winshm_unlock(handle, uint32(mode))
  if result == WINSHM_OK and afterUnlock != nil: afterUnlock(handle)

proc unlock*(region: Region, mode = lmExclusive) =
  ## Releases the lock, which was taken in this mode.
  check release(region.raw, mode)

proc unlockAtEnd*(region: Region, mode: LockMode, held: var bool, finished: bool) =
  ## Releases the lock at the end of a block, where an exception that leaves the block
  ## goes on as it is, even if the lock cannot be released: see `isRaising`.
  # Nim 1.6 runs a `finally` without `await` twice in an async procedure, if `break` or
  # `continue` leaves it in a loop that has one.
  if not held: return
  held = false
  if not isRaising(finished): region.unlock(mode)
  elif region.isOpen: discard release(region.raw, mode)

proc makeConsistent*(region: Region) =
  ## Declares the data whole again. The lock must be held exclusively.
  check winshm_make_consistent(region.raw)

proc lockSound*(region: Region, mode: LockMode, timeout: int) =
  ## Takes the lock of data that are whole: as `lock`, but never holds the lock
  ## after `OwnerDeadError`. This is how `withLock` begins.
  let status = winshm_lock(region.raw, uint32(mode), timeout.toTimeout)
  if status == WINSHM_OK: return
  let error = toError(status)
  if status == WINSHM_E_OWNER_DEAD and mode == lmExclusive: region.unlock(mode)
  raise error

# In the templates below `timeout` has no type, or Nim would take the body of a call
# without a time-out for an int first, and compile it twice.

template withLockAs(region: Region, mode: LockMode, timeout: int, body: untyped): untyped =
  let locked = region
  lockSound(locked, mode, timeout)
  var (held, finished) = (true, false)
  try:
    finishing(finished, body)
  finally:
    unlockAtEnd(locked, mode, held, finished)

template withLock*(region: Region, body: untyped): untyped =
  ## Runs `body` with the exclusive lock and releases it, however `body` ends. If a
  ## former owner died in its section, `body` does not run: `OwnerDeadError` is
  ## raised, with the lock released and the data left as they are. A body that is an
  ## expression gives its value: `let score = region.withLock: region.at(int64, 0)[]`.
  ##
  ## An exception that leaves `body` goes on as it is. That the lock could not be
  ## released, because `body` has done so, say, is raised only without one.
  ##
  ## `quit` in a body ends the process with the lock held, which is the death of its
  ## owner.
  withLockAs(region, lmExclusive, Forever, body)

template withLock*(region: Region, timeout, body: untyped): untyped =
  ## As `withLock`, with a time-out.
  withLockAs(region, lmExclusive, timeout, body)

template withSharedLock*(region: Region, body: untyped): untyped =
  ## As `withLock` for readers.
  withLockAs(region, lmShared, Forever, body)

template withSharedLock*(region: Region, timeout, body: untyped): untyped =
  ## As `withSharedLock`, with a time-out.
  withLockAs(region, lmShared, timeout, body)

template withRecoveringLock*(region: Region, ownerDied, timeout, body: untyped): untyped =
  ## Runs `body` with the exclusive lock, also after the death of an owner. The name
  ## given as `ownerDied` becomes a constant that tells `body` so:
  ##
  ## .. code-block:: nim
  ##   region.withRecoveringLock(ownerDied):
  ##     if ownerDied:
  ##       repair(region)
  ##       region.makeConsistent()
  let locked = region
  let died = lockRecovering(locked, timeout)
  var (held, finished) = (true, false)
  try:
    let ownerDied {.used.} = died
    finishing(finished, body)
  finally:
    unlockAtEnd(locked, lmExclusive, held, finished)

template withRecoveringLock*(region: Region, ownerDied, body: untyped): untyped =
  ## As `withRecoveringLock`, without a time-out.
  withRecoveringLock(region, ownerDied, Forever, body)

proc beginFilling(region: Region): bool =
  var info = winshm_info(struct_size: uint32(sizeof(winshm_info)))
  check winshm_get_info(region.raw, addr info)
  result = info.origin != WINSHM_ORIGIN_OPENED
  region.setFilling result

proc endFilling(region: Region, finished: bool) =
  region.setFilling false
  if not finished and region.isOpen:
    discard release(region.raw, lmExclusive)
    closeAtEnd(region, finished)

template fillIfNew*(region: Region, body: untyped) =
  ## Has `body` fill a region if it was created, with its lock then, which this releases.
  ## If `body` raises, the data stay marked and the region is closed.
  let created = region
  var finished = false
  try:
    if beginFilling(created):
      body
      created.makeConsistent()
      created.unlock()
    finished = true
  finally:
    endFilling(created, finished)

type
  Held* = distinct Region
    ## A region whose lock the caller holds: what is copied through this takes no lock.

proc held*(region: Region): Held =
  ## The region for copies under a lock that is held through the same handle, by
  ## whichever thread or task: `region.withLock: region.held.store(0, 1'u8)`.
  ##
  ## On the thread that holds the lock `read` and `write` of the region itself do the
  ## same. In a task of a region opened with `rfTask` they would wait for the lock that
  ## the task holds; and a thread that does a part of the holder's work is not the one
  ## that locked. That the lock is not released meanwhile is the callers' business.
  ##
  ## If nobody has locked through the handle, or for writing not exclusively, every
  ## copy raises `WINSHM_E_NOT_OWNER` and copies nothing.
  discard region.raw
  Held(region)

proc copyOut(held: Held, offset: int64, room: pointer, length: int) =
  let handle = Region(held).raw
  let (offset, length) = handle.toRange(offset, length)
  check winshm_copy_out(handle, offset, room, length)

proc copyIn(held: Held, offset: int64, bytes: pointer, length: int) =
  let handle = Region(held).raw
  let (offset, length) = handle.toRange(offset, length)
  check winshm_copy_in(handle, offset, bytes, length)

proc read*(held: Held, offset: int64, buffer: var openArray[byte]) =
  ## Fills `buffer` from `offset`.
  let room = if buffer.len == 0: nil else: addr buffer[0]
  held.copyOut(offset, room, buffer.len)

proc read*(held: Held, offset: int64, length: int): seq[byte] =
  ## Copies `length` bytes from `offset`.
  let size = winshm_size(Region(held).raw)
  if length < 0 or uint64(length) > size: raiseRange(offset, length, size)
  result = newSeq[byte](length)
  held.read(offset, result)

proc write*(held: Held, offset: int64, bytes: openArray[byte]) =
  ## Copies `bytes` to `offset` and notifies. The lock must be held exclusively.
  let first = if bytes.len == 0: nil else: unsafeAddr bytes[0]
  held.copyIn(offset, first, bytes.len)

proc load*[T](held: Held, kind: typedesc[T], offset: int64): T =
  ## A copy of the value of type `T` at `offset`.
  requirePlain(T)
  held.copyOut(offset, addr result, sizeof(T))

proc store*[T](held: Held, offset: int64, value: T) =
  ## Copies a value to `offset` as `write` does.
  requirePlain(T)
  held.copyIn(offset, unsafeAddr value, sizeof(T))

{.pop.}
