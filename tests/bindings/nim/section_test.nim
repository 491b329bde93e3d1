# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## Whose the lock is, copies under it, and which failure is told at the end of a block.
{.used.}
import std/unittest
import winshm, winshm/abi
import ./roles

type Work = tuple[handle: ptr winshm_region, status: ptr int32]

proc storeForHolder(work: Work) {.thread.} =
  let region = borrow(work.handle)
  try:
    region.held.store(8, region.held.load(uint32, 8) + 1)
    work.status[] = WINSHM_OK
  except WinshmError as error: work.status[] = error.status

proc unlockForHolder(work: Work) {.thread.} =
  try:
    borrow(work.handle).unlock()
    work.status[] = WINSHM_OK
  except WinshmError as error: work.status[] = error.status

proc elsewhere(region: Region, action: proc (work: Work) {.thread.}): int32 =
  ## What `action` comes to on another thread.
  var thread: Thread[Work]
  result = 1
  createThread(thread, action, (region.handle, addr result))
  joinThread(thread)

# Templates must not add to what a body can raise.
proc bump(region: Region): uint32 {.raises: [WinshmError].} =
  region.closeAfter:
    result = region.withLock:
      inc region.at(uint32, 0)[]
      region.at(uint32, 0)[]

suite "whose the lock is":
  setup:
    let name = fresh()
    let region = createRegion(name, 64)
  teardown:
    region.close()

  test "a thread's":
    region.lock()
    check elsewhere(region, unlockForHolder) == WINSHM_E_NOT_OWNER
    fails WINSHM_E_DEADLOCK: region.lock(timeout = 0)
    region.unlock()

  test "a handle's":
    let tasks = openRegion(name, {rfTask})
    tasks.lock()
    check not tasks.tryLock()
    fails WINSHM_E_TIMEOUT: tasks.store(0, 1'u8, timeout = 0)
    tasks.held.store(0, 1'u8)
    check elsewhere(tasks, unlockForHolder) == WINSHM_OK
    tasks.lock(lmShared)
    tasks.lock(lmShared, 0)
    check not tasks.tryLock()
    tasks.unlock(lmShared)
    tasks.unlock(lmShared)
    fails WINSHM_E_NOT_OWNER: tasks.unlock(lmShared)
    tasks.close()

suite "copies under a lock that is held":
  setup:
    let name = fresh()
    let region = createRegion(name, 64)
  teardown:
    region.close()

  test "exclusively":
    let seen = region.changeCount
    region.withLock:
      region.held.write(4, [1'u8, 2, 3, 4])
      check region.changeCount != seen
      check region.held.read(5, 2) == @[2'u8, 3]
      var buffer: array[4, byte]
      region.held.read(4, buffer)
      check buffer == [1'u8, 2, 3, 4]
      region.held.store(8, 41'u32)
      check elsewhere(region, storeForHolder) == WINSHM_OK
      check region.held.load(uint32, 8) == 42
      region.held.write(64, [])
      check region.held.read(64, 0).len == 0
      fails WINSHM_E_RANGE: region.held.write(62, buffer)
      fails WINSHM_E_RANGE: region.held.read(62, buffer)
      fails WINSHM_E_RANGE: discard region.held.read(0, 65)
      fails WINSHM_E_RANGE: discard region.held.read(0, -1)
      fails WINSHM_E_RANGE: region.held.store(64, 'x')
      fails WINSHM_E_RANGE: discard region.held.load(byte, 64)
    check not compiles(region.held.load(string, 0))
    check not compiles(region.held.store(0, "text"))

  test "shared, or not at all":
    region.withSharedLock:
      check region.held.load(byte, 0) == 0
      fails WINSHM_E_NOT_OWNER: region.held.store(0, 1'u8)
      check elsewhere(region, storeForHolder) == WINSHM_E_NOT_OWNER
    fails WINSHM_E_NOT_OWNER: discard region.held.load(byte, 0)
    fails WINSHM_E_NOT_OWNER: discard region.held.read(0, 1)
    fails WINSHM_E_NOT_OWNER: region.held.write(0, [1'u8])
    let other = openRegion(name)
    other.withLock:
      fails WINSHM_E_NOT_OWNER: region.held.store(0, 1'u8)
    other.close()
    fails WINSHM_E_CLOSED: discard other.held
    check region.load(byte, 0) == 0

suite "the end of a block":
  setup:
    let name = fresh()
    let region = createRegion(name, 64)
  teardown:
    region.close()

  template keeps(statement: untyped) =
    ## Checks that an exception of the body goes on as it is.
    try:
      statement
      check false
    except ValueError as error:
      check error.msg == "the body's"

  proc stop() = raise newException(ValueError, "the body's")

  test "an exception of the body is not replaced":
    keeps:
      region.withLock:
        region.unlock()
        stop()
    keeps:
      region.withLock(0):
        region.unlock()
        stop()
    keeps:
      region.withSharedLock:
        region.unlock(lmShared)
        stop()
    keeps:
      region.withRecoveringLock(died, 0):
        check not died
        region.unlock()
        stop()
    keeps:
      # Not even where the handle is gone.
      let other = openRegion(name)
      other.withLock:
        other.unlock()
        other.close()
        stop()
    check getCurrentException().isNil

  test "without one the failure is told":
    fails WINSHM_E_NOT_OWNER:
      region.withLock: region.unlock()
    fails WINSHM_E_NOT_OWNER:
      region.withSharedLock: region.unlock(lmShared)
    fails WINSHM_E_NOT_OWNER:
      region.withRecoveringLock(died): region.unlock()
    proc leave(): int =
      region.withLock:
        region.unlock()
        return 1
    fails WINSHM_E_NOT_OWNER: discard leave()
    for _ in 1 .. 2:
      fails WINSHM_E_NOT_OWNER:
        region.withLock:
          region.unlock()
          break

  test "while another exception is handled":
    try: stop()
    except ValueError:
      fails WINSHM_E_NOT_OWNER:
        region.withLock: region.unlock()
      try:
        region.withLock:
          region.unlock()
          raise newException(KeyError, "another")
      except KeyError as error: check error.msg == "another"
      check getCurrentExceptionMsg() == "the body's"
      fails WINSHM_E_BUSY:
        region.closeAfter: region.lock()
      region.unlock()

  test "the exception that is handled around the block is raised again":
    keeps:
      try: stop()
      except ValueError:
        region.withLock:
          region.unlock()
          raise
    keeps:
      try: stop()
      except ValueError as error:
        region.withSharedLock:
          region.unlock(lmShared)
          raise error
    keeps:
      try: stop()
      except ValueError:
        region.withRecoveringLock(died):
          check not died
          region.unlock()
          raise
    # One that is handled inside is not in the way of the failure.
    fails WINSHM_E_NOT_OWNER:
      region.withLock:
        try:
          try: stop()
          except ValueError: raise
        except ValueError: discard
        region.unlock()
    keeps:
      try: stop()
      except ValueError:
        region.closeAfter:
          region.lock()
          raise
    region.unlock()

  test "an exception from a block in a block":
    keeps:
      region.closeAfter:
        region.withLock:
          region.unlock()
          stop()
    fails WINSHM_E_CLOSED: discard region.size

  test "closing":
    keeps:
      region.closeAfter:
        region.lock()
        stop()
    # It could not be closed, and can be when the lock is free.
    region.unlock()
    fails WINSHM_E_BUSY:
      region.closeAfter: region.lock()
    region.unlock()
    check bump(openRegion(name)) == 1
    let size = openRegion(name).closeAfter: 64
    check size == 64
    region.closeAfter: check region.info.participants == 1
    fails WINSHM_E_CLOSED: discard region.size
    region.closeAfter: discard
