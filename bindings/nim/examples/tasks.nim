# SPDX-License-Identifier: MIT

## Tasks that run by turns on one thread share a region with each other, and with the
## tasks and threads of other programs:
##
##     nim c -r --threads:on tasks.nim

import std/asyncdispatch
import winshm, winshm/asynclock, winshm/asyncwait

# A lock is a thread's unless the region is opened with rfTask: these tasks have one
# thread, so it could not tell them apart.
let region = openOrCreateRegion("example-tasks", sizeof(int64), {rfTask})

proc work(name: string) {.async.} =
  for _ in 1 .. 3:
    # While one task holds the lock or waits for it, the thread runs the others.
    region.withLockAsync:
      let before = region.held.load(int64, 0)
      await sleepAsync(5) # As if there were something to be fetched.
      region.held.store(0, before + 1) # Wakes those who wait for a change.
    echo name, " is done with one"

proc watch(goal: int64) {.async.} =
  var seen = region.changeCount
  while true:
    # A plain region.load would stop the thread, and so the task that holds the lock.
    region.withSharedLockAsync:
      if region.held.load(int64, 0) >= goal: break
    seen = await region.waitAsync(seen)
  echo "all is done"

waitFor all(watch(6), work("Ann"), work("Bob"))
region.close()
