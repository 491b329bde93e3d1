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
## `winshm.h`, where the C function of the same name is documented. What programs
## handle has exceptions of its own, such as `NotFoundError`, all of them `WinshmError`.
##
## The memory itself is not guarded by Nim: a pointer from `at`, an open array or
## `data` must not be used after `close`, and writing through one of a read-only
## region ends the program.
##
## A `Region` belongs to the thread that made it, like any `ref`. For other threads
## of the process there is `borrow`. Tasks that take turns on a thread need a region
## opened with `rfTask`, whose lock no thread owns: see the module `winshm/asynclock`.
## They wait for changes with the module `winshm/asyncwait`.
##
## A region that is forgotten is closed when its last reference goes. One that
## holds its lock is not: the lock then stays held until the process ends, which
## the others see as the death of its owner.

import std/times
import winshm/[abi, handles, locks, plain, types]

export types
export locks except afterUnlock, fillIfNew, unlockAtEnd
export handles.Region, handles.View, handles.Fill, handles.handle, handles.borrow,
  handles.close, handles.unmap, handles.closeAfter

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

func bits(flags: set[RegionFlag]): uint32 = uint32(cast[uint8](flags))

func toTime(microseconds: int64): Time =
  initTime(microseconds div 1_000_000, int(microseconds mod 1_000_000) * 1000)

proc toBytes(count: int64, what: string): uint64 =
  if count < 0: raiseOwn(WINSHM_E_SIZE, "the " & what & " is " & $count & " bytes")
  uint64(count)

proc enter(caller: string, options: var winshm_options, name, security: string,
           fill: Fill = nil): Region {.raises: [WinshmError, LibraryError], effectsOf: fill.} =
  requireLibrary()
  if '\0' in name: raiseOwn(WINSHM_E_NAME, "the name contains a NUL")
  if '\0' in security: raiseOwn(WINSHM_E_INVALID, "the security contains a NUL")
  options.struct_size = uint32(sizeof(options))
  if fill != nil: options.flags = options.flags or WINSHM_CREATE_LOCKED
  options.name = name.cstring
  options.security = if security.len == 0: nil else: security.cstring
  var handle: ptr winshm_region
  let status = winshm_open_with(addr options, addr handle)
  if status != WINSHM_OK: raiseFailure(status, caller = caller)
  result = own(handle, forTasks = (options.flags and WINSHM_TASK) != 0)
  if fill != nil: result.fillIfNew fill

proc createRegion*(name: string, size: int64, flags: set[RegionFlag] = {}, capacity = 0'i64,
                   layoutTag = 0'u64, security = "", fill: Fill = nil): Region {.
    raises: [WinshmError, LibraryError], effectsOf: fill.} =
  ## Creates a region, which must not exist. Its bytes are zero. `capacity` is how
  ## many bytes to reserve, 0 meaning `size`. `security` says who may use it: the
  ## user alone if it is empty.
  ##
  ## `fill` is called with the new region before anybody else can read it. It holds the
  ## exclusive lock, so others wait for it, and it must not lock. If it raises, the region
  ## is closed and the exception goes on. Who has joined meanwhile, or joins when this
  ## process has died in `fill`, gets the lock from `withRecoveringLock` with `ownerDied`,
  ## and fills the region in its place:
  ##
  ## .. code-block:: nim
  ##   proc setUp(region: Region) = region.store(0, 100)
  ##   let region = openOrCreateRegion("Local\\Scores", 64, fill = setUp)
  ##   region.withRecoveringLock(ownerDied):
  ##     if ownerDied:
  ##       setUp(region)
  ##       region.makeConsistent()
  var options = winshm_options(disposition: WINSHM_CREATE_NEW, flags: flags.bits,
    size: size.toBytes("size"), capacity: capacity.toBytes("capacity"),
    layout_tag: layoutTag)
  enter("createRegion", options, name, security, fill)

proc openRegion*(name: string, flags: set[RegionFlag] = {}, timeout = 0, size = 0'i64,
                 layoutTag = 0'u64, security = ""): Region {.raises: [WinshmError, LibraryError].} =
  ## Joins a region, for which it waits up to `timeout`. A `size` or `layoutTag`
  ## that is not 0 must be the region's. It must be this user's, an administrator's or
  ## the system's, unless `security` is `"anyone"`, which trusts its owner whoever it is.
  var options = winshm_options(disposition: WINSHM_OPEN_EXISTING, flags: flags.bits,
    timeout_ms: timeout.toTimeout, size: size.toBytes("size"), layout_tag: layoutTag)
  enter("openRegion", options, name, security)

proc openOrCreateRegion*(name: string, size: int64, flags: set[RegionFlag] = {},
                         capacity = 0'i64, layoutTag = 0'u64, security = "",
                         fill: Fill = nil): Region {.
    raises: [WinshmError, LibraryError], effectsOf: fill.} =
  ## Joins a region, or creates it if nobody has it open. Size 0 joins one of any
  ## size but cannot create it. `fill` is called as by `createRegion`, if this call has
  ## created the region or adopted a block of an outside program.
  var options = winshm_options(disposition: WINSHM_OPEN_OR_CREATE, flags: flags.bits,
    size: size.toBytes("size"), capacity: capacity.toBytes("capacity"),
    layout_tag: layoutTag)
  enter("openOrCreateRegion", options, name, security, fill)

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
  own(handle)

proc span*(mapped: Region or View, offset, length: int64): pointer =
  ## The byte at `offset`, after which `length` bytes are known to be mapped.
  let first = mapped.data
  let size = uint64(mapped.size)
  # As unsigned numbers negative ones are too large.
  if cast[uint64](length) > size or cast[uint64](offset) > size - cast[uint64](length):
    raiseRange(offset, length, size)
  cast[pointer](cast[uint](first) + uint(offset))

proc at*[T](mapped: Region or View, kind: typedesc[T], offset: int64): ptr T =
  ## The value of type `T` at `offset`, in place: `region.at(uint32, 64)[] = 1`.
  requirePlain(T)
  cast[ptr T](mapped.span(offset, sizeof(T)))

# Only of something that has an address, which an UncheckedArray behind a call has
# not, does Nim make a mutable open array.
type Unbounded[T] = array[int.high div sizeof(T), T]

proc unbounded[T](mapped: Region or View, kind: typedesc[T], offset: int64,
                  count: SomeInteger): ptr Unbounded[T] =
  requirePlain(T)
  let size = uint64(mapped.size)
  # Where the product below could overflow, the range is wrong anyway.
  if count < 0: raiseRange(offset, int64(count), size)
  if uint64(count) > size:
    raiseRange(offset, int64(min(uint64(count), uint64(int64.high))), size)
  cast[ptr Unbounded[T]](mapped.span(offset, int64(count) * sizeof(T)))

func last(count: SomeInteger): int =
  # Of a count that `unbounded` has refused this must not raise a defect.
  cast[int](count) -% 1

template toOpenArray*(mapped: Region or View, T: typedesc, offset: int64,
                      count: SomeInteger): untyped =
  ## `count` values of type `T` from `offset`, in place, to be passed as `openArray[T]`
  ## or `var openArray[T]`. The expression `count` is evaluated twice.
  toOpenArray(unbounded(mapped, T, offset, count)[], 0, last(count))

# While a region is filled, the lock is held for whoever copies.

proc copyOut(region: Region, offset: int64, room: pointer, length, timeout: int) =
  let (handle, offset, length) = (region.raw, cast[uint64](offset), uint64(length))
  check(if region.filling: winshm_copy_out(handle, offset, room, length)
        else: winshm_read(handle, offset, room, length, timeout.toTimeout))

proc copyIn(region: Region, offset: int64, bytes: pointer, length, timeout: int) =
  let (handle, offset, length) = (region.raw, cast[uint64](offset), uint64(length))
  check(if region.filling: winshm_copy_in(handle, offset, bytes, length)
        else: winshm_write(handle, offset, bytes, length, timeout.toTimeout))

proc read*(region: Region, offset: int64, buffer: var openArray[byte], timeout = Forever) =
  ## Fills `buffer` from `offset`, never torn by a writer that locks.
  let room = if buffer.len == 0: nil else: addr buffer[0]
  region.copyOut(offset, room, buffer.len, timeout)

proc read*(region: Region, offset: int64, length: int, timeout = Forever): seq[byte] =
  ## Copies `length` bytes from `offset`.
  let size = region.size
  if length < 0 or length > size: raiseRange(offset, length, uint64(size))
  result = newSeq[byte](length)
  region.read(offset, result, timeout)

proc write*(region: Region, offset: int64, bytes: openArray[byte], timeout = Forever) =
  ## Copies `bytes` to `offset` under the lock, and notifies.
  let first = if bytes.len == 0: nil else: unsafeAddr bytes[0]
  region.copyIn(offset, first, bytes.len, timeout)

proc load*[T](region: Region, kind: typedesc[T], offset: int64, timeout = Forever): T =
  ## A copy of the value of type `T` at `offset`, taken as `read` does.
  requirePlain(T)
  region.copyOut(offset, addr result, sizeof(T), timeout)

proc store*[T](region: Region, offset: int64, value: T, timeout = Forever) =
  ## Copies a value to `offset` as `write` does.
  requirePlain(T)
  region.copyIn(offset, unsafeAddr value, sizeof(T), timeout)

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

proc waitFd*(region: Region): cint =
  ## A file descriptor for loops with `select` or `epoll` on Linux, which becomes readable
  ## at each change from now on. Read 8 bytes from it, which empties it, then look at
  ## `changeCount`. It never blocks, and it belongs to the region: do not close it, nor
  ## use it after `close`. Raises `WINSHM_E_UNSUPPORTED` on other systems.
  check winshm_wait_fd(region.raw, addr result)

proc waitHandle*(region: Region): int =
  ## A Windows event, a `winlean.Handle`, which is set at each change from now on.
  ## It belongs to the region: do not close it. Raises `WINSHM_E_UNSUPPORTED` on
  ## other systems.
  var handle: pointer
  check winshm_wait_handle(region.raw, addr handle)
  cast[int](handle)

{.pop.}
