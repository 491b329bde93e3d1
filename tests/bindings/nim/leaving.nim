# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## Another process of the tests, which ends while its threads and tasks wait.
{.used.}
import std/asyncdispatch
import winshm, winshm/abi, winshm/asynclock, winshm/asyncwait
import ./roles

proc waitForLock(handle: ptr winshm_region) {.thread.} = borrow(handle, {rfTask}).lock()

proc waitForChange(handle: ptr winshm_region) {.thread.} = borrow(handle).wait(0)

proc leave(name, how: string) =
  ## Ends as `how` says, while threads and tasks wait.
  let region = createRegion(name, 64, {rfTask})
  let view {.used.} = region.map(0, 64)
  region.lock()
  var threads: array[2, Thread[ptr winshm_region]]
  createThread(threads[0], waitForLock, region.handle)
  createThread(threads[1], waitForChange, region.handle)
  proc work() {.async.} = region.withLockAsync: discard
  for _ in 1 .. 10: asyncCheck work()
  asyncCheck region.waitAsync(0)
  waitFor sleepAsync(50)
  say "leaving"
  if how == "raise": raise newException(ValueError, "leaving")
  quit 0

let told = role("leave")
if told.len > 0: leave(told[0], told[1])
