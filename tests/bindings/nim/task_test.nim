# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## The lock for tasks on asyncdispatch.
{.used.}
import std/[asyncdispatch, random, strutils, times, unittest]
import winshm, winshm/abi, winshm/asynclock
import ./roles

when defined(linux): import std/[os, sequtils]

proc started(message: string): string =
  ## A message of an exception without what asyncdispatch has added to it.
  message.split('\n')[0]

suite "the lock for tasks":
  setup:
    let name = fresh()
    let region = createRegion(name, 64, {rfTask})
    let other = openRegion(name)
  teardown:
    other.close()
    region.close()

  test "first come, first served, readers side by side together":
    var order: seq[string]
    proc write(label: string) {.async.} =
      region.withLockAsync:
        order.add label
        await sleepAsync(2)
        order.add label
    proc read(label: string) {.async.} =
      region.withSharedLockAsync:
        order.add label
        await sleepAsync(4)
        order.add label
    waitFor all([write"a", read"b", read"c", write"d", write"e", read"f"])
    check order[0 .. 5] == ["a", "a", "b", "c", "b", "c"] or
      order[0 .. 5] == ["a", "a", "b", "c", "c", "b"]
    check order[6 .. ^1] == ["d", "d", "e", "e", "f", "f"]

  test "how a block ends":
    proc value(): Future[int64] {.async.} =
      let size = region.withLockAsync:
        await sleepAsync(1)
        check not other.tryLock(lmShared)
        region.size
      return size
    check waitFor(value()) == 64
    proc leave(): Future[int] {.async.} =
      for _ in 1 .. 2:
        region.withLockAsync:
          await sleepAsync(1)
          continue
      region.withSharedLockAsync:
        await sleepAsync(1)
        return 3
    check waitFor(leave()) == 3
    proc leaveAtOnce(): Future[int] {.async.} =
      for way in 1 .. 4:
        for _ in 1 .. 2:
          await sleepAsync(1)
          if way == 1:
            region.withLockAsync: break
          elif way == 2:
            region.withLockAsync: continue
          elif way == 3:
            region.withRecoveringLockAsync(died):
              if not died: break
          else:
            region.withLock: break
      await sleepAsync(1)
      region.withSharedLockAsync: return 4
    check waitFor(leaveAtOnce()) == 4
    proc stop() {.async.} =
      region.withLockAsync:
        await sleepAsync(1)
        raise newException(ValueError, "the body's")
    expect ValueError: waitFor stop()
    check other.tryLock()
    other.unlock()
    proc stopUnlocked(shared: bool) {.async.} =
      if shared:
        region.withSharedLockAsync:
          region.unlock(lmShared)
          await sleepAsync(1)
          raise newException(ValueError, "the body's")
      else:
        region.withRecoveringLockAsync(died):
          check not died
          region.unlock()
          await sleepAsync(1)
          raise newException(ValueError, "the body's")
    for shared in [false, true]:
      try:
        waitFor stopUnlocked(shared)
        check false
      except ValueError as error: check error.msg.started == "the body's"
    proc raiseAgain() {.async.} =
      try: raise newException(ValueError, "handled")
      except ValueError as error:
        region.withLockAsync:
          region.unlock()
          await sleepAsync(1)
          raise error
    try:
      waitFor raiseAgain()
      check false
    except ValueError as error: check error.msg.started == "handled"
    proc unlocked() {.async.} =
      region.withLockAsync:
        region.unlock()
        await sleepAsync(1)
    fails WINSHM_E_NOT_OWNER: waitFor unlocked()

  test "copies in a block":
    proc copy() {.async.} =
      region.withLockAsync:
        await sleepAsync(1)
        fails WINSHM_E_TIMEOUT: region.store(0, 1'u8, timeout = 0)
        region.held.store(0, 1'u8)
      region.withSharedLockAsync:
        check region.held.load(byte, 0) == 1
        fails WINSHM_E_NOT_OWNER: region.held.store(0, 2'u8)
    waitFor copy()

  test "the other tasks of the thread go on":
    other.lock()
    var ticks = 0
    proc tick() {.async.} =
      while ticks < 20:
        await sleepAsync(2)
        inc ticks
      other.unlock()
    asyncCheck tick()
    waitFor region.lockAsync(timeout = 10_000)
    check ticks == 20
    region.unlock()

  test "time-outs":
    other.lock(lmShared)
    let start = epochTime()
    fails WINSHM_E_TIMEOUT: waitFor region.lockAsync(timeout = 60)
    check epochTime() - start in 0.05 .. 5.0
    expect WinshmTimeoutError: waitFor region.lockAsync(timeout = 0)
    expect WinshmTimeoutError: discard waitFor region.lockRecoveringAsync(10)
    # Who stands behind one that was late goes on.
    let late = region.lockAsync(timeout = 20)
    let reader = region.lockAsync(lmShared, 5000)
    expect WinshmTimeoutError: waitFor region.lockAsync(lmShared, 0)
    waitFor reader
    check late.failed
    region.unlock(lmShared)
    other.unlock(lmShared)
    var ran = false
    proc enter() {.async.} =
      region.withLockAsync(1000): ran = true
    waitFor enter()
    check ran
    fails WINSHM_E_INVALID: waitFor region.lockAsync(timeout = -2)

  test "giving up":
    other.lock()
    let first = region.lockAsync()
    let second = region.lockAsync()
    let third = region.lockAsync()
    second.fail(newException(IOError, "given up"))
    first.fail(newException(IOError, "given up"))
    expect IOError: waitFor first
    expect IOError: waitFor second
    check not waitFor third.withTimeout(30)
    other.unlock()
    waitFor third
    check not other.tryLock()
    let fourth = region.lockAsync()
    let fifth = region.lockAsync()
    fourth.fail(newException(IOError, "given up"))
    expect IOError: waitFor fourth
    region.unlock()
    waitFor fifth
    region.unlock()
    check other.tryLock()
    other.unlock()

  test "closing":
    other.lock()
    let another = openRegion(name, {rfTask})
    let requests = [another.lockAsync(), another.lockAsync(lmShared)]
    check not waitFor requests[0].withTimeout(10)
    another.close()
    for request in requests:
      fails WINSHM_E_CLOSED: waitFor request
    fails WINSHM_E_CLOSED: waitFor another.lockAsync()
    other.unlock()

  test "only of regions for tasks":
    fails WINSHM_E_UNSUPPORTED: waitFor other.lockAsync()
    fails WINSHM_E_UNSUPPORTED: waitFor other.lockAsync(lmShared, 0)
    fails WINSHM_E_UNSUPPORTED: discard waitFor other.lockRecoveringAsync()
    fails WINSHM_E_UNSUPPORTED: waitFor borrow(region.handle).lockAsync()
    try: waitFor other.lockAsync()
    except WinshmError as error: check "rfTask" in error.msg
    check other.tryLock()
    other.unlock()
    let borrowed = borrow(region.handle, {rfTask})
    waitFor borrowed.lockAsync()
    check not other.tryLock()
    region.unlock()

  test "the death of an owner":
    let holder = start("hold", [name, "lmExclusive"])
    check holder.line == "holding"
    let waiting = region.lockAsync(timeout = 30_000)
    check not waitFor waiting.withTimeout(20)
    holder.murder()
    try:
      waitFor waiting
      check false
    except OwnerDeadError as error: check error.lockHeld
    region.unlock()
    proc enter(shared: bool) {.async.} =
      if shared:
        region.withSharedLockAsync: check false
      else:
        region.withLockAsync: check false
    for shared in [false, true]:
      try: waitFor enter(shared)
      except OwnerDeadError as error: check not error.lockHeld
      check region.info.lockState == {lsInconsistent}
    proc repair() {.async.} =
      region.withRecoveringLockAsync(ownerDied, 1000):
        check ownerDied
        await sleepAsync(1)
        region.makeConsistent()
    waitFor repair()
    check region.info.lockState == {}

  test "tasks that hand the lock to each other leave gaps for others":
    var (gaps, sections) = (0, 0)
    let start = epochTime()
    var left = start
    proc work() {.async.} =
      while gaps < 20 and epochTime() - start < 10:
        region.withLockAsync:
          inc sections
          let entered = epochTime()
          if entered - left >= 0.001: inc gaps
          while epochTime() - entered < 0.0001: discard
          left = epochTime()
    waitFor all([work(), work(), work()])
    check gaps >= 20
    check sections > gaps

  test "a process ends while its tasks and threads wait":
    for how in ["quit", "raise"]:
      let alone = fresh()
      let process = start("leave", [alone, how])
      check process.line == "leaving"
      check process.finish == (if how == "quit": 0 else: 1)
      when defined(linux):
        # Before anybody asks for the region, which would clean up.
        check toSeq(walkFiles("/dev/shm/" & alone & "*")).len == 0
      fails WINSHM_E_NOT_FOUND: discard openRegion(alone)

  test "a thousand tasks and another process":
    const rounds = 4
    let process = start("contend", [name])
    check process.line == "contending"
    var writers, readers, most, entered: int
    var random = initRand(7)
    proc work(exclusive: bool) {.async.} =
      for round in 1 .. rounds:
        if exclusive:
          region.withLockAsync:
            doAssert writers == 0 and readers == 0
            inc writers
            let value = region.held.load(uint64, 0)
            if entered mod 8 == 0: await sleepAsync(random.rand(1))
            else: await sleepAsync(0)
            region.held.store(0, value + 1)
            inc entered
            dec writers
        else:
          region.withSharedLockAsync:
            doAssert writers == 0
            inc readers
            most = max(most, readers)
            let value = region.held.load(uint64, 0)
            await sleepAsync(random.rand(1))
            doAssert region.held.load(uint64, 0) == value
            dec readers
    var tasks: seq[Future[void]]
    for i in 0 ..< 1000: tasks.add work(exclusive = i mod 4 != 3 and i mod 100 < 50)
    waitFor all(tasks)
    for task in tasks: check not task.failed
    process.tell()
    let theirs = process.line.parseInt
    check process.finish == 0
    check theirs > 0
    check most > 1
    check region.load(uint64, 0) == uint64(entered + theirs)
    checkpoint $theirs & " of another process, " & $entered & " of tasks"
    check entered == 380 * rounds
