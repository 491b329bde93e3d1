# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## winshm: one named block of memory shared by processes of any language.
##
## .. code-block:: nim
##   let region = openOrCreateRegion("Local\\Scores", 4096)
##   region.withLock:
##     inc region.at(uint64, 0)[]
##   region.notify()
##   region.close()
##
## Offsets and sizes are bytes. Time-outs are milliseconds: 0 tries once and
## `Forever`, which is -1, waits without end. Every procedure that takes a region
## or a view raises `WinshmError` if it is closed; what fails otherwise is told in
## `winshm.h`, where the C function of the same name is documented.
##
## The memory itself is not guarded by Nim: a pointer from `at`, an open array or
## `data` must not be used after `close`, and writing through one of a read-only
## region ends the program.
##
## A `Region` belongs to the thread that made it, like any `ref`. For other threads
## of the process there is `borrow`.
##
## A region that is forgotten is closed when its last reference goes. One that
## holds its lock is not: the lock then stays held until the process ends, which
## the others see as the death of its owner.

import std/[times, typetraits]
import winshm/[abi, types]

export types

type
  Region* {.acyclic.} = ref object ## One participant's handle to a region.
    handle: ptr winshm_region
    borrowed: bool
  View* {.acyclic.} = ref object ## A mapped part of a region. It may outlive the region.
    handle: ptr winshm_view

proc requireLibrary() {.raises: [LibraryError].} =
  let problem = winshmProblem()
  if problem.len > 0: raise newException(LibraryError, "winshm: " & problem)

proc libraryVersion*(): string {.raises: [LibraryError].} =
  ## The version of the library that is loaded, such as `"0.1.0"`.
  requireLibrary()
  $winshm_version_string()

proc statusName*(status: int32): string {.raises: [LibraryError].} =
  ## A status's name, such as `"WINSHM_E_NOT_FOUND"`.
  requireLibrary()
  $winshm_status_name(status)

proc statusText*(status: int32): string {.raises: [LibraryError].} =
  ## A status in a few words.
  requireLibrary()
  $winshm_status_text(status)

{.push raises: [WinshmError].}

proc raiseFailure(status: int32, lockHeld = false) {.noreturn, noinline.} =
  # Both belong to this thread's last failure, so they come before anything else.
  let osCode = winshm_last_os_code()
  let message = $winshm_last_message()
  var error: ref WinshmError
  case status
  of WINSHM_E_TIMEOUT: error = newException(WinshmTimeoutError, message)
  of WINSHM_E_OWNER_DEAD: error = (ref OwnerDeadError)(msg: message, lockHeld: lockHeld)
  else: error = newException(WinshmError, message)
  error.status = status
  error.statusName = $winshm_status_name(status)
  error.osCode = osCode
  raise error

template check(call: winshm_status) =
  let status = call
  if status != WINSHM_OK: raiseFailure(status)

proc raiseNamed(status: int32, name, message: string) {.noreturn, noinline.} =
  let error = newException(WinshmError, "winshm: " & message)
  error.status = status
  error.statusName = name
  raise error

template raiseOwn(status: untyped, message: string) =
  # What is found out here may be told without the library, too.
  raiseNamed(status, astToStr(status), message)

proc raiseRange(offset, length: int64, size: uint64) {.noreturn, noinline.} =
  raiseOwn(WINSHM_E_RANGE, "offset " & $offset & " and length " & $length &
    " are not within " & $size & " bytes")

proc toTimeout(timeout: int): uint32 =
  if timeout == Forever: WINSHM_FOREVER
  elif timeout < 0:
    # A deadline that has passed would otherwise turn into an endless wait.
    raiseOwn(WINSHM_E_INVALID, "a time-out of " & $timeout & " ms")
  else: uint32(min(uint64(timeout), uint64(WINSHM_FOREVER - 1)))

func bits(flags: set[RegionFlag]): uint32 = uint32(cast[uint8](flags))

func toTime(microseconds: int64): Time =
  initTime(microseconds div 1_000_000, int(microseconds mod 1_000_000) * 1000)

proc raw(region: Region): ptr winshm_region =
  if region.isNil or region.handle.isNil: raiseOwn(WINSHM_E_CLOSED, "the region is closed")
  region.handle

proc raw(view: View): ptr winshm_view =
  if view.isNil or view.handle.isNil: raiseOwn(WINSHM_E_CLOSED, "the view is unmapped")
  view.handle

# A destructor cannot raise. What the library refuses to close stays open, and it
# knows its handles, so one that is closed already does no harm.
proc forget(region: Region) {.raises: [].} =
  if not region.borrowed and not region.handle.isNil: discard winshm_close(region.handle)

proc forget(view: View) {.raises: [].} =
  if not view.handle.isNil: discard winshm_unmap(view.handle)

proc enter(options: var winshm_options, name, security: string): Region {.
    raises: [WinshmError, LibraryError].} =
  requireLibrary()
  if '\0' in name: raiseOwn(WINSHM_E_NAME, "the name contains a NUL")
  if '\0' in security: raiseOwn(WINSHM_E_INVALID, "the security contains a NUL")
  options.struct_size = uint32(sizeof(options))
  options.name = name.cstring
  options.security = if security.len == 0: nil else: security.cstring
  var handle: ptr winshm_region
  check winshm_open_with(addr options, addr handle)
  new(result, forget)
  result.handle = handle

proc createRegion*(name: string, size: int64, flags: set[RegionFlag] = {}, capacity = 0'i64,
                   layoutTag = 0'u64, security = ""): Region {.
    raises: [WinshmError, LibraryError].} =
  ## Creates a region, which must not exist. Its bytes are zero. `capacity` is how
  ## many bytes to reserve, 0 meaning `size`. `security` says who may use it: the
  ## user alone if it is empty.
  var options = winshm_options(disposition: WINSHM_CREATE_NEW, flags: flags.bits,
    size: cast[uint64](size), capacity: cast[uint64](capacity), layout_tag: layoutTag)
  enter(options, name, security)

proc openRegion*(name: string, flags: set[RegionFlag] = {}, timeout = 0, size = 0'i64,
                 layoutTag = 0'u64): Region {.raises: [WinshmError, LibraryError].} =
  ## Joins a region, for which it waits up to `timeout`. A `size` or `layoutTag`
  ## that is not 0 must be the region's.
  var options = winshm_options(disposition: WINSHM_OPEN_EXISTING, flags: flags.bits,
    timeout_ms: timeout.toTimeout, size: cast[uint64](size), layout_tag: layoutTag)
  enter(options, name, "")

proc openOrCreateRegion*(name: string, size: int64, flags: set[RegionFlag] = {},
                         capacity = 0'i64, layoutTag = 0'u64, security = ""): Region {.
    raises: [WinshmError, LibraryError].} =
  ## Joins a region, or creates it if nobody has it open. Size 0 joins one of any
  ## size but cannot create it.
  var options = winshm_options(disposition: WINSHM_OPEN_OR_CREATE, flags: flags.bits,
    size: cast[uint64](size), capacity: cast[uint64](capacity), layout_tag: layoutTag)
  enter(options, name, security)

proc borrow*(handle: ptr winshm_region): Region =
  ## Wraps another thread's `handle`, without owning it: closing the result, or
  ## forgetting it, leaves the handle open. Once its owner closes it, every call on
  ## the result raises.
  Region(handle: handle, borrowed: true)

proc handle*(region: Region): ptr winshm_region =
  ## The handle for `borrow` and for the procedures of `winshm/abi`.
  region.raw

proc close*(region: Region) =
  ## Leaves the region; closing again does nothing. Raises `WINSHM_E_BUSY` and
  ## closes nothing while the handle holds the lock. Threads that wait on the
  ## handle return with `WINSHM_E_CLOSED`.
  if region.isNil or region.handle.isNil: return
  if not region.borrowed: check winshm_close(region.handle)
  region.handle = nil

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
  ## The region's size in bytes.
  let size = winshm_size(region.raw)
  if size == 0:
    discard region.info # This one tells what is wrong with the handle.
  int64(size)

proc size*(view: View): int64 =
  ## The view's size in bytes.
  int64(winshm_view_size(view.raw))

proc data*(region: Region): pointer =
  ## The region's first byte. Raises `WINSHM_E_UNSUPPORTED` with `rfNoMap`.
  result = winshm_data(region.raw)
  if result.isNil:
    discard region.info
    raiseOwn(WINSHM_E_UNSUPPORTED, "the region was opened with rfNoMap: map a part of it")

proc data*(view: View): pointer =
  ## The view's first byte.
  result = winshm_view_data(view.raw)
  if result.isNil: raiseOwn(WINSHM_E_HANDLE, "the view is not one of this process")

proc map*(region: Region, offset, length: int64, flags: set[RegionFlag] = {}): View =
  ## Maps a part of the region, as the region is or as `flags`, which may be
  ## `{rfRead}` or `{rfWrite}`, say.
  var handle: ptr winshm_view
  check winshm_map(region.raw, cast[uint64](offset), cast[uint64](length), flags.bits,
    addr handle)
  new(result, forget)
  result.handle = handle

proc unmap*(view: View) =
  ## Unmaps the view; unmapping again does nothing.
  if view.isNil or view.handle.isNil: return
  check winshm_unmap(view.handle)
  view.handle = nil

proc span*(mapped: Region or View, offset, length: int64): pointer =
  ## The byte at `offset`, after which `length` bytes are known to be mapped.
  let first = mapped.data
  let size = uint64(mapped.size)
  # As unsigned numbers negative ones are too large.
  if cast[uint64](length) > size or cast[uint64](offset) > size - cast[uint64](length):
    raiseRange(offset, length, size)
  cast[pointer](cast[uint](first) + uint(offset))

template requirePlain(T: typedesc) =
  when not supportsCopyMem(T):
    {.error: $T & " has references of this process, which cannot be shared".}

proc at*[T](mapped: Region or View, kind: typedesc[T], offset: int64): ptr T =
  ## The value of type `T` at `offset`, in place: `region.at(uint32, 64)[] = 1`.
  requirePlain(T)
  cast[ptr T](mapped.span(offset, sizeof(T)))

# Only of something that has an address, which an UncheckedArray behind a call has
# not, does Nim make a mutable open array.
type Unbounded[T] = array[int.high div sizeof(T), T]

proc unbounded[T](mapped: Region or View, kind: typedesc[T], offset: int64,
                  count: int): ptr Unbounded[T] =
  requirePlain(T)
  # Where the product below could overflow, the range is wrong anyway.
  if count > mapped.size: raiseRange(offset, count, uint64(mapped.size))
  cast[ptr Unbounded[T]](mapped.span(offset, int64(count) * sizeof(T)))

template toOpenArray*(mapped: Region or View, T: typedesc, offset: int64,
                      count: SomeInteger): untyped =
  ## `count` values of type `T` from `offset`, in place, to be passed as `openArray[T]`
  ## or `var openArray[T]`. The expression `count` is evaluated twice.
  toOpenArray(unbounded(mapped, T, offset, int(count))[], 0, int(count) - 1)

proc read*(region: Region, offset: int64, buffer: var openArray[byte], timeout = Forever) =
  ## Fills `buffer` from `offset`, never torn by a writer that locks.
  let room = if buffer.len == 0: nil else: addr buffer[0]
  check winshm_read(region.raw, cast[uint64](offset), room, uint64(buffer.len),
    timeout.toTimeout)

proc read*(region: Region, offset: int64, length: int, timeout = Forever): seq[byte] =
  ## Copies `length` bytes from `offset`.
  let size = region.size
  if length < 0 or length > size: raiseRange(offset, length, uint64(size))
  result = newSeq[byte](length)
  region.read(offset, result, timeout)

proc write*(region: Region, offset: int64, bytes: openArray[byte], timeout = Forever) =
  ## Copies `bytes` to `offset` under the lock, and notifies.
  let first = if bytes.len == 0: nil else: unsafeAddr bytes[0]
  check winshm_write(region.raw, cast[uint64](offset), first, uint64(bytes.len),
    timeout.toTimeout)

proc load*[T](region: Region, kind: typedesc[T], offset: int64, timeout = Forever): T =
  ## A copy of the value of type `T` at `offset`, taken as `read` does.
  requirePlain(T)
  check winshm_read(region.raw, cast[uint64](offset), addr result, uint64(sizeof(T)),
    timeout.toTimeout)

proc store*[T](region: Region, offset: int64, value: T, timeout = Forever) =
  ## Copies a value to `offset` as `write` does.
  requirePlain(T)
  check winshm_write(region.raw, cast[uint64](offset), unsafeAddr value, uint64(sizeof(T)),
    timeout.toTimeout)

proc lock*(region: Region, mode = lmExclusive, timeout = Forever) =
  ## Takes the lock, which belongs to the handle: any thread may unlock it. If its
  ## owner died in its section, `OwnerDeadError` is raised; then the lock is held
  ## all the same in mode `lmExclusive`, and not in mode `lmShared`.
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

proc unlock*(region: Region, mode = lmExclusive) =
  ## Releases the lock, which was taken in this mode.
  check winshm_unlock(region.raw, uint32(mode))

proc makeConsistent*(region: Region) =
  ## Declares the data whole again. The lock must be held exclusively.
  check winshm_make_consistent(region.raw)

proc lockSound*(region: Region, mode: LockMode, timeout: int) =
  ## Takes the lock of data that are whole: as `lock`, but never holds the lock
  ## after `OwnerDeadError`. This is how `withLock` begins.
  try:
    region.lock(mode, timeout)
  except OwnerDeadError as error:
    if error.lockHeld:
      region.unlock(mode)
      error.lockHeld = false
    raise error

# In the templates below `timeout` has no type, or Nim would take the body of a call
# without a time-out for an int first, and compile it twice.

template withLockAs(region: Region, mode: LockMode, timeout: int, body: untyped): untyped =
  let locked = region
  lockSound(locked, mode, timeout)
  try:
    body
  finally:
    unlock(locked, mode)

template withLock*(region: Region, body: untyped): untyped =
  ## Runs `body` with the exclusive lock and releases it, however `body` ends. If a
  ## former owner died in its section, `body` does not run: `OwnerDeadError` is
  ## raised, with the lock released and the data left as they are. A body that is an
  ## expression gives its value: `let score = region.withLock: region.at(int64, 0)[]`.
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
  try:
    let ownerDied {.used.} = died
    body
  finally:
    unlock(locked, lmExclusive)

template withRecoveringLock*(region: Region, ownerDied, body: untyped): untyped =
  ## As `withRecoveringLock`, without a time-out.
  withRecoveringLock(region, ownerDied, Forever, body)

proc notify*(region: Region) =
  ## Tells everybody who waits that something has changed.
  check winshm_notify(region.raw)

proc changeCount*(region: Region): uint32 =
  ## The change counter, which `notify` and `write` raise. It wraps around.
  check winshm_change_count(region.raw, addr result)

proc wait*(region: Region, seen: uint32, timeout = Forever): uint32 {.discardable.} =
  ## Waits until the change counter differs from `seen`, and tells it. No change is
  ## missed by who takes the counter, looks at the data, and then waits with it.
  check winshm_wait(region.raw, seen, timeout.toTimeout, addr result)

proc tryWait*(region: Region, seen: var uint32, timeout = 0): bool =
  ## As `wait`, but false if nothing changed in time. `seen` becomes the counter.
  var now: uint32
  let status = winshm_wait(region.raw, seen, timeout.toTimeout, addr now)
  if status != WINSHM_OK and status != WINSHM_E_TIMEOUT: raiseFailure(status)
  seen = now
  status == WINSHM_OK

proc waitHandle*(region: Region): int =
  ## A Windows event, a `winlean.Handle`, which is set at each change from now on.
  ## It belongs to the region: do not close it. Raises `WINSHM_E_UNSUPPORTED` on
  ## other systems.
  var handle: pointer
  check winshm_wait_handle(region.raw, addr handle)
  cast[int](handle)

{.pop.}
