# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## Waiting for a change on asyncdispatch.
{.used.}
import std/[asyncdispatch, os, times, unittest]
import winshm, winshm/abi, winshm/asyncwait
import ./roles

proc notifySoon(handle: ptr winshm_region) {.thread.} =
  sleep 150
  borrow(handle).notify()

suite "waiting on asyncdispatch":
  setup:
    let name = fresh()
    let region = createRegion(name, 64)
    let other = openRegion(name)
  teardown:
    other.close()
    region.close()

  test "without blocking the other tasks":
    var ticks = 0
    proc tick() {.async.} =
      while ticks < 1000:
        inc ticks
        await sleepAsync(5)
    asyncCheck tick()
    var thread: Thread[ptr winshm_region]
    let seen = region.changeCount
    createThread(thread, notifySoon, other.handle)
    let before = epochTime()
    check waitFor(region.waitAsync(seen)) == seen + 1
    check epochTime() - before in 0.1 .. 2.0
    check ticks > 3
    check waitFor(region.waitAsync(seen)) == seen + 1
    joinThread(thread)
    let start = epochTime()
    expect WinshmTimeoutError: discard waitFor(region.waitAsync(seen + 1, 100))
    check epochTime() - start in 0.08 .. 5.0
    expect WinshmTimeoutError: discard waitFor(region.waitAsync(seen + 1, 0))
    ticks = 1000
    region.close()
    fails WINSHM_E_CLOSED: discard waitFor(region.waitAsync(0))
