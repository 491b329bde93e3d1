# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## Waiting for a change on asyncdispatch.
{.used.}
import std/[asyncdispatch, os, strutils, times, unittest]
import winshm, winshm/abi, winshm/asyncwait
import ./roles

proc notifySoon(handle: ptr winshm_region) {.thread.} =
  sleep 150
  borrow(handle).notify()

proc closeSoon(handle: ptr winshm_region) {.thread.} =
  sleep 50
  doAssert winshm_close(handle) == WINSHM_OK

suite "waiting on asyncdispatch":
  setup:
    let name = fresh()
    let region = createRegion(name, 64)
    let other = openRegion(name)
  teardown:
    other.close()
    region.close()
    # What this test has left must not disturb the next one.
    while hasPendingOperations(): poll()

  test "without blocking the other tasks":
    var ticks = 0
    proc tick() {.async.} =
      while ticks < 1000:
        inc ticks
        await sleepAsync(5)
    asyncCheck tick()
    var thread: Thread[ptr winshm_region]
    let seen = region.changeCount
    let before = epochTime()
    createThread(thread, notifySoon, other.handle)
    check waitFor(region.waitAsync(seen)) == seen + 1
    check epochTime() - before in 0.1 .. 5.0
    check ticks > 3
    check waitFor(region.waitAsync(seen)) == seen + 1
    joinThread(thread)
    let start = epochTime()
    try:
      discard waitFor(region.waitAsync(seen + 1, 100))
      check false
    except WinshmTimeoutError as error: check "no change within 100 ms" in error.msg
    check epochTime() - start in 0.08 .. 5.0
    expect WinshmTimeoutError: discard waitFor(region.waitAsync(seen + 1, 0))
    fails WINSHM_E_INVALID: discard waitFor(region.waitAsync(seen + 1, -2))
    ticks = 1000
    region.close()
    fails WINSHM_E_CLOSED: discard waitFor(region.waitAsync(0))

  test "the dispatcher rests until there is a change":
    let waiting = region.waitAsync(region.changeCount)
    let start = epochTime()
    for _ in 1 .. 3: poll(100)
    check epochTime() - start > 0.25
    other.notify()
    poll(5000)
    check waiting.read == region.changeCount

  test "each change, in two tasks, while a third gives up":
    const rounds = 200
    var seen: array[2, int]
    var gaveUp = 0
    proc follow(task: int) {.async.} =
      var now = region.changeCount
      while seen[task] < rounds:
        now = await region.waitAsync(now, 5000)
        inc seen[task]
        if seen[0] == seen[1]: other.notify()
    proc giveUp() {.async.} =
      while seen[0] < rounds or seen[1] < rounds:
        try: discard await region.waitAsync(region.changeCount, 1)
        except WinshmTimeoutError: inc gaveUp
        discard await region.waitAsync(region.changeCount).withTimeout(1)
    let tasks = all(follow(0), follow(1), giveUp())
    other.notify()
    waitFor tasks
    check seen == [rounds, rounds]

  test "the end of the region":
    let seen = region.changeCount
    let waiting = region.waitAsync(seen)
    let borrowed = borrow(other.handle).waitAsync(seen)
    let given = region.waitAsync(seen)
    given.complete(0)
    check not waitFor(waiting.withTimeout(20))
    region.close()
    let start = epochTime()
    fails WINSHM_E_CLOSED: discard waitFor(waiting)
    check not borrowed.finished
    var thread: Thread[ptr winshm_region]
    createThread(thread, closeSoon, other.handle)
    fails WINSHM_E_CLOSED: discard waitFor(borrowed)
    joinThread(thread)
    check epochTime() - start < 5

  test "nothing stays pending":
    expect WinshmTimeoutError: discard waitFor(region.waitAsync(region.changeCount, 20))
    let start = epochTime()
    while hasPendingOperations() and epochTime() - start < 5: poll()
    check not hasPendingOperations()
    # The thread still waits, and serves the next task.
    let waiting = region.waitAsync(region.changeCount)
    other.notify()
    check waitFor(waiting) == region.changeCount
    while hasPendingOperations() and epochTime() - start < 5: poll()
    check epochTime() - start < 5
