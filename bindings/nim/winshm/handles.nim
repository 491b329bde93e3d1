# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## The handles of regions and views, and how a failure of the library becomes an
## exception. The other modules build on this one; programs import `winshm`.

import ./abi, ./names, ./types

type
  Region* {.acyclic.} = ref object ## One participant's handle to a region.
    handle: ptr winshm_region
    borrowed, forTasks: bool
    filling: bool # Whether it holds the lock for a procedure that fills it.
  View* {.acyclic.} = ref object ## A mapped part of a region. It may outlive the region.
    handle: ptr winshm_view
  Fill* = proc (region: Region)
    ## Puts the first data into a new region, of which it has the exclusive lock.

proc requireLibrary*() {.raises: [LibraryError].} =
  let problem = winshmProblem()
  if problem.len > 0: raise newException(LibraryError, "winshm: " & problem)

{.push raises: [WinshmError].}

proc newError(status: int32, name, text: string, lockHeld = false,
              osCode = 0'i32): ref WinshmError {.raises: [].} =
  case status
  of WINSHM_E_NOT_FOUND: result = newException(NotFoundError, text)
  of WINSHM_E_EXISTS: result = newException(ExistsError, text)
  of WINSHM_E_ACCESS, WINSHM_E_PRIVILEGE: result = newException(AccessError, text)
  of WINSHM_E_TIMEOUT: result = newException(WinshmTimeoutError, text)
  of WINSHM_E_OWNER_DEAD: result = (ref OwnerDeadError)(msg: text, lockHeld: lockHeld)
  of WINSHM_E_INVALID, WINSHM_E_NAME: result = newException(InvalidError, text)
  of WINSHM_E_RANGE: result = newException(OutOfRangeError, text)
  of WINSHM_E_SIZE, WINSHM_E_TAG, WINSHM_E_LAYOUT: result = newException(MismatchError, text)
  of WINSHM_E_CLOSED: result = newException(ClosedError, text)
  of WINSHM_E_TOKEN: result = newException(TokenError, text)
  of WINSHM_E_FORMAT: result = newException(FormatError, text)
  else: result = newException(WinshmError, text)
  result.status = status
  result.statusName = name
  result.osCode = osCode

proc toError*(status: int32, lockHeld = false, caller = ""): ref WinshmError {.raises: [].} =
  ## The exception for this thread's last failure, which had this status. `caller` is
  ## the procedure of which the message shall speak where the C function has several.
  let osCode = winshm_last_os_code()
  # Memory from Nim's heap may start a collection, which may close a forgotten region,
  # which may fail and so replace the message: it is saved where nothing is collected.
  var saved {.noinit.}: array[2048, char]
  let message = winshm_last_message()
  var length = 0
  while length < saved.high and message[length] != '\0':
    saved[length] = message[length]
    inc length
  saved[length] = '\0'
  var text = inNim($cast[cstring](addr saved[0]), caller)
  if status == WINSHM_E_OWNER_DEAD and not lockHeld:
    # The library may have given the lock to what has given it back since.
    text = text.withCure("Repair the data under withRecoveringLock and call makeConsistent.")
  newError(status, $winshm_status_name(status), text, lockHeld, osCode)

proc raiseFailure*(status: int32, lockHeld = false, caller = "") {.noreturn, noinline.} =
  raise toError(status, lockHeld, caller)

template check*(call: winshm_status) =
  let status = call
  if status != WINSHM_OK: raiseFailure(status)

proc namedError(status: int32, name, what, cure: string): ref WinshmError {.raises: [].} =
  newError(status, name, "winshm: " & what & " [" & name & "]. " & cure)

proc raiseNamed*(status: int32, name, what, cure: string) {.noreturn, noinline.} =
  raise namedError(status, name, what, cure)

# What is found out in this binding may be told without the library, too.

template ownError*(status: untyped, what, cure: string): ref WinshmError =
  namedError(status, astToStr(status), what, cure)

template raiseOwn*(status: untyped, what, cure: string) =
  raiseNamed(status, astToStr(status), what, cure)

proc closedError*(what = "the region is closed"): ref WinshmError {.raises: [].} =
  ownError(WINSHM_E_CLOSED, what, "Keep it until its last use.")

proc raiseRange*(offset, length: int64, size: uint64) {.noreturn, noinline.} =
  raiseOwn(WINSHM_E_RANGE, "offset is " & $offset & " and length " & $length &
    ", and there are " & $size & " bytes", "Keep offset + length within size.")

proc toTimeout*(timeout: int): uint32 =
  if timeout == Forever: WINSHM_FOREVER
  elif timeout < 0:
    # A deadline that has passed would otherwise turn into an endless wait.
    raiseOwn(WINSHM_E_INVALID, "timeout is " & $timeout, "It is at least 0, or Forever.")
  else: uint32(min(uint64(timeout), uint64(WINSHM_FOREVER - 1)))

func bits*(flags: set[RegionFlag]): uint32 = uint32(cast[uint8](flags))

proc toBytes*(count: int64, what: string): uint64 =
  if count < 0: raiseOwn(WINSHM_E_SIZE, what & " is " & $count, "It is at least 0.")
  uint64(count)

proc requireText*(text, what: string) =
  ## C would take it for the shorter text before the NUL.
  if '\0' in text: raiseOwn(WINSHM_E_INVALID, what & " contains a NUL", "Leave it out.")

proc raiseClosed(what: string) {.noreturn, noinline.} =
  raise closedError(what)

proc raw*(region: Region): ptr winshm_region =
  if region.isNil or region.handle.isNil: raiseClosed "the region is closed"
  region.handle

proc raw*(view: View): ptr winshm_view =
  if view.isNil or view.handle.isNil: raiseClosed "the view is unmapped"
  view.handle

proc isOpen*(region: Region): bool {.raises: [].} =
  not region.isNil and not region.handle.isNil

proc isForTasks*(region: Region): bool =
  discard region.raw
  region.forTasks

proc isFilling*(region: Region): bool {.raises: [].} =
  ## Whether it holds the lock for a procedure that fills it.
  region.filling

proc setFilling*(region: Region, filling: bool) {.raises: [].} = region.filling = filling

proc toRange*(handle: ptr winshm_region, offset, length: int64): (uint64, uint64) =
  ## An offset and a length for the library, which would tell of huge numbers where one
  ## is negative.
  if offset < 0 or length < 0: raiseRange(offset, length, winshm_size(handle))
  (uint64(offset), uint64(length))

# A destructor cannot raise. What the library refuses to close stays open, and it
# knows its handles, so one that is closed already does no harm.
proc forget(region: Region) {.raises: [].} =
  if not region.borrowed and not region.handle.isNil: discard winshm_close(region.handle)

proc forget(view: View) {.raises: [].} =
  if not view.handle.isNil: discard winshm_unmap(view.handle)

proc own*(handle: ptr winshm_region, forTasks: bool): Region =
  new(result, forget)
  result.handle = handle
  result.forTasks = forTasks

proc own*(handle: ptr winshm_view): View =
  new(result, forget)
  result.handle = handle

proc borrow*(handle: ptr winshm_region, flags: set[RegionFlag] = {}): Region =
  ## Wraps another thread's `handle`, without owning it: closing the result, or
  ## forgetting it, leaves the handle open. Once its owner closes it, every call on
  ## the result raises. `flags` need to be given only if the handle was opened with
  ## `rfTask`, and then `{rfTask}` do.
  Region(handle: handle, borrowed: true, forTasks: rfTask in flags)

proc handle*(region: Region): ptr winshm_region =
  ## The handle for `borrow` and for the procedures of `winshm/abi`.
  region.raw

proc close*(region: Region) =
  ## Leaves the region; closing again does nothing, and of several threads that close
  ## a handle at once one does. Raises `WINSHM_E_BUSY` and closes nothing while the
  ## handle holds the lock. Threads that wait on the handle return with
  ## `WINSHM_E_CLOSED`.
  if region.isNil or region.handle.isNil: return
  if not region.borrowed:
    let handle = region.handle
    var status = winshm_close(handle)
    # The library says so as soon as another thread is closing, which may fail. The size
    # is told when that is decided.
    while status == WINSHM_E_CLOSED and winshm_size(handle) != 0:
      status = winshm_close(handle)
    if status != WINSHM_OK and status != WINSHM_E_CLOSED: raiseFailure(status)
  region.handle = nil

proc unmap*(view: View) =
  ## Unmaps the view; unmapping again does nothing.
  if view.isNil or view.handle.isNil: return
  let status = winshm_unmap(view.handle)
  if status != WINSHM_OK and status != WINSHM_E_CLOSED: raiseFailure(status)
  view.handle = nil

template finishing*(finished: var bool, body: untyped): untyped =
  ## Runs `body`, of which it has the value, and tells whether it has come to its end.
  when compiles((let value = (block: body))):
    let value = block: body
    finished = true
    value
  else:
    # That a body ends with `return` is none of its author's mistakes.
    {.push warning[UnreachableCode]: off.}
    body
    finished = true
    {.pop.}

proc isRaising*(finished: bool): bool {.raises: [].} =
  ## In a `finally`: whether an exception leaves a block of which `finishing` told this.
  ## An `except` that raises it again would know for certain, but then every body would
  ## seem to raise `Exception`. A body that ends with `return`, `break` or `continue`
  ## while an exception is handled, inside of it or around, seems to be left by that one.
  not finished and not getCurrentException().isNil

proc closeAtEnd*(region: Region, finished: bool) =
  ## Closes the region at the end of a block: see `isRaising`.
  if not isRaising(finished): region.close()
  elif region.isOpen and (region.borrowed or winshm_close(region.handle) == WINSHM_OK):
    region.handle = nil

template closeAfter*(region: Region, body: untyped): untyped =
  ## Runs `body` and closes the region, however `body` ends. What `body` raises goes on
  ## as it is, even if the region cannot be closed then; a failure to close is raised
  ## if `body` ends without one:
  ##
  ## .. code-block:: nim
  ##   let region = openRegion("Local\\Scores")
  ##   region.closeAfter:
  ##     inc region.at(uint64, 0)[]
  let opened = region
  var finished = false
  try:
    finishing(finished, body)
  finally:
    closeAtEnd(opened, finished)

{.pop.}
