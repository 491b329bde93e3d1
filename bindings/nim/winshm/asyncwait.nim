# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## Waiting for a change in a program that runs on `asyncdispatch`.

import std/[asyncdispatch, monotimes, times]
import ../winshm

const longestPause = 16 # Milliseconds.

proc waitAsync*(region: Region, seen: uint32, timeout = Forever): Future[uint32] {.async.} =
  ## As `wait`, without blocking the other tasks of this thread. The dispatcher
  ## cannot be woken by another process on every system, so this looks at the
  ## counter: at once, after a millisecond, and then ever less often, down to about
  ## sixty times a second. Ask again right after a change and the next is seen soon.
  let start = getMonoTime()
  var now = seen
  var pause = 1
  while not region.tryWait(now, 0):
    let passed = (getMonoTime() - start).inMilliseconds
    if timeout != Forever and passed >= timeout:
      return region.wait(seen, 0)
    if timeout != Forever: pause = min(pause, int(timeout - passed))
    await sleepAsync(pause)
    pause = min(pause * 2, longestPause)
  return now
