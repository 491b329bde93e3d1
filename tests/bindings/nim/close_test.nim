# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## Closing and forgetting, by several threads in the same breath.
{.used.}
import std/unittest
import winshm, winshm/abi
import ./roles

const
  rounds = 300
  allowed = [WINSHM_E_CLOSED, WINSHM_E_BUSY, WINSHM_E_TIMEOUT]

type
  Shared = object
    region: pointer # A Region, which threads must not count references of.
    handle: ptr winshm_region
    ready, strange: int # Threads that have started; a status that is not allowed.
  Part = tuple[shared: ptr Shared, closes: bool]

proc take(part: Part) {.thread.} =
  let shared = part.shared
  let region = borrow(shared.handle)
  discard atomicAddFetch(addr shared.ready, 1, ATOMIC_ACQ_REL)
  while atomicLoadN(addr shared.ready, ATOMIC_ACQUIRE) < 4: cpuRelax()
  try:
    if part.closes: cast[Region](shared.region).close()
    else:
      while true:
        region.withLock(1000): region.held.store(0, region.held.load(uint64, 0) + 1)
        discard region.load(uint64, 0)
  except WinshmError as error:
    if error.status notin allowed or part.closes and error.status == WINSHM_E_CLOSED:
      atomicStoreN(addr shared.strange, int(error.status), ATOMIC_RELEASE)

proc openAndForget(name: cstring) {.thread.} =
  proc once() =
    let region = openRegion($name)
    region.withLock: region.held.store(0, region.held.load(uint64, 0) + 1)
    discard region.map(0, 8)
  for round in 1 .. rounds:
    once()
    # A collector that counts bytes does not know that handles are few.
    if round mod 10 == 0: GC_fullCollect()

suite "closing in the same breath":
  setup:
    let name = fresh()
    let region = createRegion(name, 64)
  teardown:
    region.close()

  test "one handle":
    for round in 1 .. rounds:
      let other = openRegion(name)
      var shared = Shared(region: cast[pointer](other), handle: other.handle)
      var threads: array[4, Thread[Part]]
      for i, thread in threads.mpairs:
        # With users the close may be refused, and without never.
        createThread(thread, take, (addr shared, i < 3 or round mod 2 == 0))
        if i == 3 and round mod 2 == 1:
          # Its user goes on until the handle is closed, maybe only here.
          for closer in 0 .. 2: joinThread(threads[closer])
          while true:
            try:
              other.close()
              break
            except WinshmError as error:
              if error.status != WINSHM_E_BUSY: raise
      joinThreads(threads)
      check shared.strange == 0
      check winshm_close(shared.handle) == WINSHM_E_CLOSED
      fails WINSHM_E_CLOSED: discard other.size
    check region.info.participants == 1
    check region.info.lockState == {}

  test "handles that are forgotten":
    var threads: array[4, Thread[cstring]]
    for thread in threads.mitems: createThread(thread, openAndForget, name.cstring)
    joinThreads(threads)
    check region.load(uint64, 0) == uint64(4 * rounds)
    # A collector that scans the stack may see the last ones there.
    check region.info.participants <= (when defined(gcOrc) or defined(gcArc): 1 else: 13)
    check region.info.lockState == {}
