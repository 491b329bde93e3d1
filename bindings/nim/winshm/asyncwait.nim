# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## Waiting for a change in a program that runs on `asyncdispatch`. Nim before version 2
## needs `--threads:on` for it.
##
## .. code-block:: nim
##   let region = openRegion("Local\\Scores")
##   proc show() {.async.} =
##     var seen = region.changeCount
##     while true:
##       echo region.load(int64, 0)
##       seen = await region.waitAsync(seen)

import std/[asyncdispatch, atomics, monotimes, tables, times]
import ../winshm, ./abi, ./handles

when not compileOption("threads"):
  {.error: "winshm/asyncwait waits in a thread: compile with --threads:on".}

const longestPause = 500 # Milliseconds until the time-outs are looked at.

type
  Interest = enum
    over    # There is no thread: it has seen a change, or the end of the handle.
    unasked # A thread waits in the library, but nobody waits for it any more.
    asked   # A thread waits in the library, and triggers the event then.
  Watch = object # Of the thread that waits, so it lies in no collector's memory.
    handle: ptr winshm_region
    seen: uint32
    interest: Atomic[Interest]
    event: AsyncEvent
    thread: Thread[ptr Watch]
  Waiter = ref object
    region: Region
    seen: uint32
    timeout: int
    start: MonoTime
    change: Future[uint32]
  Bell = ref object
    watch: ptr Watch
    waiters: seq[Waiter]
    started: bool # Whether there is a thread to be joined.
    registered: bool # Whether the dispatcher waits for the event.
    nextTick: MonoTime # When the time-outs are looked at, unless that is past.

# What waits on this thread, by handle, which the library never gives twice. Each thread
# has its own, since an event belongs to one dispatcher.
var bells {.threadvar.}: Table[ptr winshm_region, Bell]

proc change(watch: ptr Watch, before, after: Interest): bool =
  var expected = before
  watch.interest.compareExchange(expected, after)

proc watchOnce(watch: ptr Watch) {.thread.} =
  # However this ends, those who wait ask the library themselves.
  discard winshm_wait(watch.handle, watch.seen, WINSHM_FOREVER, nil)
  if watch.interest.exchange(over) == asked: watch.event.trigger()

proc left(waiter: Waiter, now: MonoTime): int64 =
  ## Milliseconds until it gives up.
  if waiter.timeout == Forever: int64.high
  else: waiter.timeout - (now - waiter.start).inMilliseconds

proc answer(waiter: Waiter, now: MonoTime): bool =
  ## Whether nobody waits any more: there was a change, or there never will be one.
  if waiter.change.finished: return true # Its task has given it up.
  if not waiter.region.isOpen:
    waiter.change.fail closedError()
    return true
  var count: uint32
  let status = winshm_wait(waiter.region.handle, waiter.seen, 0, addr count)
  if status == WINSHM_OK: waiter.change.complete(count)
  elif status != WINSHM_E_TIMEOUT: waiter.change.fail toError(status)
  elif waiter.left(now) <= 0:
    # The library was asked for no time at all, and would say so.
    waiter.change.fail ownError(WINSHM_E_TIMEOUT, "no change within " & $waiter.timeout & " ms",
      "Nobody has called notify or write meanwhile.")
  waiter.change.finished

proc join(bell: Bell) =
  if bell.started: joinThread(bell.watch.thread)
  bell.started = false

proc isIdle(bell: Bell): bool =
  bell.waiters.len == 0 and not bell.registered and bell.watch.interest.load == over

proc free(bell: Bell) =
  bells.del bell.watch.handle
  bell.join()
  bell.watch.event.close()
  deallocShared(bell.watch)
  bell.watch = nil

proc look(bell: Bell) {.gcsafe.}

proc register(bell: Bell) =
  bell.registered = true
  bell.watch.event.addEvent proc (fd: AsyncFD): bool {.gcsafe.} =
    bell.registered = false
    # The event cannot be registered again before this has returned.
    callSoon proc () = bell.look()
    true

proc ask(bell: Bell, seen: uint32) =
  ## Has the event triggered at the first change after `seen`. It is triggered once for
  ## each time that it is registered.
  if bell.registered: return
  if not bell.watch.change(unasked, asked):
    bell.join()
    bell.watch.seen = seen
    bell.watch.interest.store asked
    createThread(bell.watch.thread, watchOnce, bell.watch)
    bell.started = true
  bell.register()

proc tick(bell: Bell, now: MonoTime) =
  var pause = int64.high
  for waiter in bell.waiters: pause = min(pause, waiter.left(now))
  if pause == int64.high: return
  # A timer cannot be taken back, and a program may run until nothing is pending.
  pause = clamp(pause, 1, longestPause)
  let then = now + initDuration(milliseconds = pause)
  if bell.nextTick > now and bell.nextTick <= then: return
  bell.nextTick = then
  sleepAsync(int(pause)).addCallback proc () = bell.look()

proc look(bell: Bell) =
  if bell.watch.isNil: return # A timer from before.
  let now = getMonoTime()
  var waiters: seq[Waiter]
  for waiter in bell.waiters:
    if not waiter.answer(now): waiters.add waiter
  bell.waiters = waiters
  if waiters.len > 0:
    bell.ask(waiters[0].seen)
    bell.tick(now)
  elif bell.isIdle: bell.free()
  elif bell.registered and bell.watch.change(asked, unasked):
    # A program may run until nothing is pending, so the event must not stay registered,
    # and on Windows only one that is told of is given up without a trace.
    bell.watch.event.trigger()

proc bellOf(handle: ptr winshm_region): Bell =
  result = bells.getOrDefault(handle)
  if result.isNil:
    # A thread whose region was closed when nobody waited any more.
    var idle: seq[Bell]
    for bell in bells.values:
      if bell.isIdle: idle.add bell
    for bell in idle: bell.free()
    result = Bell(watch: createShared(Watch))
    result.watch.handle = handle
    result.watch.event = newAsyncEvent()
    bells[handle] = result

proc waitAsync*(region: Region, seen: uint32, timeout = Forever): Future[uint32] =
  ## As `wait`, without blocking the other tasks of this thread. The first task that has
  ## to wait for a region has a thread wait in the library, which tells the dispatcher of
  ## the change, and then ends.
  ##
  ## A task that does not want to wait any longer may just forget the future, or finish it.
  result = newFuture[uint32]("winshm.waitAsync")
  let waiter = Waiter(region: region, seen: seen, timeout: timeout, start: getMonoTime(),
    change: result)
  try: discard timeout.toTimeout
  except WinshmError as error:
    result.fail error
    return
  if waiter.answer(waiter.start): return
  let bell = bellOf(region.handle)
  bell.waiters.add waiter
  bell.ask(seen)
  bell.tick(waiter.start)
