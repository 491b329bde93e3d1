# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## The lock and the change counter between the handles and threads of one process.
{.used.}
import std/[os, times, unittest]
import winshm, winshm/abi
import ./roles

when defined(windows): import std/winlean
else: from std/posix import TPollfd, POLLIN, poll, read

const rounds = 20_000

proc addMany(handle: ptr winshm_region) {.thread.} =
  let region = borrow(handle)
  for _ in 1 .. rounds:
    region.withLock: inc region.at(uint64, 0)[]

proc addManyAlone(name: cstring) {.thread.} =
  let region = openRegion($name)
  for _ in 1 .. rounds:
    region.withLock: inc region.at(uint64, 0)[]
  region.close()

proc waitForClose(handle: ptr winshm_region) {.thread.} =
  let region = borrow(handle)
  var status = WINSHM_OK
  try:
    while true: region.wait(region.changeCount)
  except WinshmError as error: status = error.status
  doAssert status == WINSHM_E_CLOSED

proc notifySoon(handle: ptr winshm_region) {.thread.} =
  sleep 150
  borrow(handle).notify()

proc leaveEarly(region: Region): int =
  region.withLock: return 1

suite "the lock":
  setup:
    let name = fresh()
    let region = createRegion(name, 64)
    let other = openRegion(name)
  teardown:
    other.close()
    region.close()

  test "exclusive":
    region.lock()
    fails WINSHM_E_DEADLOCK: region.lock()
    check not other.tryLock()
    check not other.tryLock(lmShared, 20)
    let start = epochTime()
    fails WINSHM_E_TIMEOUT: other.lock(timeout = 100)
    check epochTime() - start in 0.08 .. 5.0
    expect WinshmTimeoutError: other.lock(lmShared, 0)
    expect WinshmTimeoutError: discard other.lockRecovering(0)
    expect WinshmTimeoutError: discard other.load(byte, 0, 0)
    expect WinshmTimeoutError: other.store(0, 1'u8, 0)
    fails WINSHM_E_NOT_OWNER: other.unlock()
    fails WINSHM_E_NOT_OWNER: region.unlock(lmShared)
    fails WINSHM_E_NOT_OWNER: other.makeConsistent()
    region.makeConsistent()
    region.store(0, 1'u8)
    region.unlock()
    fails WINSHM_E_NOT_OWNER: region.unlock()
    check other.tryLock()
    other.unlock()

  test "shared":
    region.lock(lmShared)
    other.lock(lmShared, 0)
    fails WINSHM_E_DEADLOCK: region.store(0, 1'u8)
    other.unlock(lmShared)
    check not other.tryLock(lmExclusive)
    region.unlock(lmShared)
    check other.tryLock(lmExclusive)
    other.unlock(lmExclusive)

  test "templates release, however the body ends":
    template free(): bool =
      let taken = other.tryLock()
      if taken: other.unlock()
      taken
    region.withLock: check not free()
    check free()
    region.withLock(0): check not free()
    check free()
    region.withSharedLock:
      check not free()
      check other.tryLock(lmShared)
      other.unlock(lmShared)
    check free()
    region.withSharedLock(0):
      check not free()
      check other.tryLock(lmShared)
      other.unlock(lmShared)
    check free()
    expect ValueError:
      region.withLock: raise newException(ValueError, "stop")
    check free()
    expect ValueError:
      region.withSharedLock: raise newException(ValueError, "stop")
    check free()
    expect ValueError:
      region.withRecoveringLock(ownerDied, 0):
        check not ownerDied
        raise newException(ValueError, "stop")
    check free()
    check leaveEarly(region) == 1
    let value = region.withLock: region.size
    check value == 64
    check free()
    for _ in 1 .. 2:
      region.withLock: continue
    check free()

  test "templates with a time-out":
    other.lock()
    var ran = false
    expect WinshmTimeoutError:
      region.withLock(0): ran = true
    expect WinshmTimeoutError:
      region.withSharedLock(20): ran = true
    expect WinshmTimeoutError:
      region.withRecoveringLock(died, 0): ran = not died
    check not ran
    other.unlock()

  test "threads with one handle":
    var threads: array[4, Thread[ptr winshm_region]]
    for thread in threads.mitems: createThread(thread, addMany, region.handle)
    joinThreads(threads)
    check region.load(uint64, 0) == uint64(4 * rounds)

  test "threads with handles of their own":
    var threads: array[4, Thread[cstring]]
    for thread in threads.mitems: createThread(thread, addManyAlone, name.cstring)
    joinThreads(threads)
    check region.load(uint64, 0) == uint64(4 * rounds)

suite "changes":
  setup:
    let name = fresh()
    let region = createRegion(name, 64)
    let other = openRegion(name)
  teardown:
    other.close()
    region.close()

  test "notify and wait":
    let seen = region.changeCount
    fails WINSHM_E_TIMEOUT: region.wait(seen, 50)
    other.notify()
    check region.wait(seen) == seen + 1
    check other.changeCount == seen + 1
    var known = seen
    check region.tryWait(known)
    check known == seen + 1
    check not region.tryWait(known, 50)
    check known == seen + 1
    other.write(0, [1'u8])
    check region.tryWait(known, 1000)
    check known == region.changeCount
    fails WINSHM_E_INVALID: region.wait(known, -2)

  test "a thread wakes":
    var thread: Thread[ptr winshm_region]
    let seen = region.changeCount
    createThread(thread, notifySoon, other.handle)
    check region.wait(seen, 10_000) == seen + 1
    joinThread(thread)

  test "closing ends a wait":
    let third = openRegion(name)
    var thread: Thread[ptr winshm_region]
    createThread(thread, waitForClose, third.handle)
    sleep 100
    third.close()
    joinThread(thread)

  test "wait handle":
    when defined(windows):
      let event = Handle(region.waitHandle)
      check region.waitHandle == event
      check waitForSingleObject(event, 50) == WAIT_TIMEOUT
      other.notify()
      check waitForSingleObject(event, 5000) == WAIT_OBJECT_0
      check waitForSingleObject(event, 0) == WAIT_TIMEOUT
    else:
      fails WINSHM_E_UNSUPPORTED: discard region.waitHandle

  test "wait descriptor":
    when defined(posix):
      let fd = region.waitFd
      check region.waitFd == fd
      var polled = TPollfd(fd: fd, events: POLLIN)
      check poll(addr polled, 1, 50) == 0
      other.notify()
      check poll(addr polled, 1, 5000) == 1
      var signals: uint64
      check read(fd, addr signals, 8) == 8
      check poll(addr polled, 1, 0) == 0
    else:
      fails WINSHM_E_UNSUPPORTED: discard region.waitFd
