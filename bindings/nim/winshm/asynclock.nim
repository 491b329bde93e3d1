# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## The lock for tasks: async procedures that take turns on a thread with
## `asyncdispatch`. The region must be opened with `rfTask`, else every procedure here
## fails with `WINSHM_E_UNSUPPORTED`.
##
## .. code-block:: nim
##   let region = openRegion("Local\\Scores", {rfTask})
##   proc score() {.async.} =
##     region.withLockAsync:
##       let points = await fetchPoints()
##       region.held.store(0, points)
##
## The tasks of a thread that want one region's lock stand in a queue: who came first
## goes first, and readers that stand side by side go together. Only the first one asks
## the library, with time-out 0, so that no thread is ever blocked; and again when a task
## of this thread unlocks. Nothing that asyncdispatch can wait for tells of an unlock
## elsewhere, so the first one also asks after a millisecond, and then ever less often,
## down to every four: rarely enough to cost nothing, often enough for a lock that others
## hold for moments. Among processes that wait in the library and take the lock over
## and over, such a queue gets less than its share, but it gets it.
##
## So that others come in while tasks hand the lock to each other, the queue leaves it
## alone for a millisecond whenever that has gone on for five.
##
## In a task `read`, `write`, `load` and `store` of the region itself stop the thread until
## the lock is free. If another task of the thread holds it, that is for ever: lock with
## this module, and copy with `held`.
##
## Who has asked must wait for the answer, or nobody unlocks. A request is given up by
## finishing its future, which no task can do that stands in `withLockAsync`:
##
## .. code-block:: nim
##   let request = region.lockAsync()
##   if not (await request.withTimeout(100)) and not request.finished:
##     request.fail(newException(IOError, "too late"))

import std/[asyncdispatch, deques, monotimes, tables, times]
import ../winshm, ./abi, ./handles, ./locks

const
  longestPause = 4 # Milliseconds between two questions of the first one.
  longestRun = initDuration(milliseconds = 5) # Of handing the lock to each other.
  gap = initDuration(milliseconds = 1) # For others, after such a run.

type
  Purpose = enum
    asIs    # As `lock`.
    sound   # As `lockSound`.
    recover # As `lockRecovering`.
  Request = ref object
    region: Region
    mode: LockMode
    purpose: Purpose
    timeout: int
    start: MonoTime
    taken: Future[void]
    recovered: Future[bool] # In place of `taken` to recover.
  Queue = ref object
    requests: Deque[Request]
    pause: int # Milliseconds until the first one asks again.
    asleep, called: bool # Whether it will be served after a pause, or soon.
    runStart: MonoTime # Since when tasks have handed the lock to each other.
    freed: MonoTime # When the last task unlocked that had none behind it.
    gapEnd: MonoTime # Until then the lock is left to others.

# By handle, which the library never gives twice.
var queues {.threadvar.}: Table[ptr winshm_region, Queue]

proc finished(request: Request): bool =
  if request.purpose == recover: request.recovered.finished else: request.taken.finished

proc grant(request: Request, ownerDied = false) =
  if request.purpose == recover: request.recovered.complete(ownerDied)
  else: request.taken.complete()

proc refuse(request: Request, error: ref WinshmError) =
  if request.purpose == recover: request.recovered.fail(error)
  else: request.taken.fail(error)

proc expired(request: Request, now: MonoTime): bool =
  request.timeout != Forever and (now - request.start).inMilliseconds >= request.timeout

proc refuseLate(request: Request) =
  request.refuse ownError(WINSHM_E_TIMEOUT, "the lock was not free within " &
    $request.timeout & " ms", "Ask participants who holds it, or wait for longer.")

proc ask(request: Request): bool =
  ## Whether the library has answered: the lock is taken, or never will be.
  if not request.region.isOpen:
    request.refuse closedError()
    return true
  let status = winshm_lock(request.region.handle, uint32(request.mode), 0)
  let held = request.mode == lmExclusive
  if status == WINSHM_E_TIMEOUT: return false
  if status == WINSHM_OK: request.grant()
  elif status == WINSHM_E_OWNER_DEAD and request.purpose == recover: request.grant(true)
  elif status == WINSHM_E_OWNER_DEAD and request.purpose == sound and held:
    let error = toError(status)
    request.region.unlock()
    request.refuse error
  else: request.refuse toError(status, lockHeld = held)
  true

proc serve(queue: Queue) {.gcsafe.}

proc sleep(queue: Queue) =
  if queue.asleep: return
  queue.asleep = true
  proc wake() =
    queue.asleep = false
    # Those that are late or given up go, wherever they stand.
    let now = getMonoTime()
    for _ in 1 .. queue.requests.len:
      let request = queue.requests.popFirst
      if not request.finished and request.expired(now): request.refuseLate()
      if not request.finished: queue.requests.addLast request
    queue.serve()
  sleepAsync(queue.pause).addCallback wake
  queue.pause = min(queue.pause * 2, longestPause)

proc serve(queue: Queue) =
  while queue.requests.len > 0:
    if getMonoTime() < queue.gapEnd: break
    let first = queue.requests.peekFirst
    if not first.finished and not first.ask(): break
    queue.requests.popFirst
    queue.pause = 1
  if queue.requests.len > 0: queue.sleep()

proc unlocked(handle: ptr winshm_region) {.nimcall, gcsafe, raises: [].} =
  let queue = queues.getOrDefault(handle)
  if queue.isNil: return
  let now = getMonoTime()
  if now - queue.runStart >= longestRun:
    queue.gapEnd = now + gap
    queue.runStart = queue.gapEnd
  if queue.requests.len == 0: queue.freed = now
  elif not queue.called:
    # Not at once: an exception may be on its way through the caller.
    queue.called = true
    try:
      callSoon proc () =
        queue.called = false
        queue.serve()
    except Exception: discard # Of the dispatcher's making; then `sleep` sees to it.

proc queueOf(handle: ptr winshm_region): Queue =
  afterUnlock = unlocked
  result = queues.getOrDefault(handle)
  if result.isNil:
    var gone: seq[ptr winshm_region]
    for other, queue in queues:
      if queue.requests.len == 0 and winshm_size(other) == 0: gone.add other
    for other in gone: queues.del other
    result = Queue(pause: 1)
    queues[handle] = result

proc submit(request: Request) =
  try:
    discard request.timeout.toTimeout
    if not request.region.isForTasks:
      raiseOwn(WINSHM_E_UNSUPPORTED, "the region was not opened for tasks",
        "Open it with rfTask, and tell borrow so.")
  except WinshmError as error:
    request.refuse error
    return
  let queue = queueOf(request.region.handle)
  request.start = getMonoTime()
  if queue.requests.len == 0:
    if request.start - queue.freed >= gap: queue.runStart = request.start
    # A single try cannot be put off.
    if (request.timeout == 0 or request.start >= queue.gapEnd) and request.ask(): return
  if request.timeout == 0: request.refuseLate()
  else:
    queue.requests.addLast request
    queue.sleep()

proc lockAsync*(region: Region, mode = lmExclusive, timeout = Forever): Future[void] =
  ## Takes the lock without blocking the thread, up to `timeout` milliseconds. The task
  ## must `unlock` with the same mode. Fails as `lock` does, also with
  ## `WinshmTimeoutError`, with `WINSHM_E_CLOSED` once the region is closed, and with
  ## `OwnerDeadError`, after which the lock is held in mode `lmExclusive`.
  ##
  ## With time-out 0 the lock is asked for once, if no other task stands in the queue.
  result = newFuture[void]("winshm.lockAsync")
  submit Request(region: region, mode: mode, timeout: timeout, taken: result)

proc lockSoundAsync*(region: Region, mode: LockMode, timeout: int): Future[void] =
  ## As `lockAsync`, but never holds the lock after `OwnerDeadError`. This is how
  ## `withLockAsync` begins.
  result = newFuture[void]("winshm.lockSoundAsync")
  submit Request(region: region, mode: mode, purpose: sound, timeout: timeout, taken: result)

proc lockRecoveringAsync*(region: Region, timeout = Forever): Future[bool] =
  ## Takes the lock exclusively, as `lockAsync`; true if its owner died in its section:
  ## see `lockRecovering`.
  result = newFuture[bool]("winshm.lockRecoveringAsync")
  submit Request(region: region, mode: lmExclusive, purpose: recover, timeout: timeout,
    recovered: result)

template withLockAsyncAs(region: Region, mode: LockMode, timeout: int, body: untyped): untyped =
  let locked = region
  await lockSoundAsync(locked, mode, timeout)
  var (held, finished) = (true, false)
  try:
    finishing(finished, body)
  finally:
    unlockAtEnd(locked, mode, held, finished)

template withLockAsync*(region: Region, body: untyped): untyped =
  ## In an async procedure: runs `body`, which may await, with the exclusive lock, as
  ## `withLock` does. For copies in `body` there is `region.held`.
  withLockAsyncAs(region, lmExclusive, Forever, body)

template withLockAsync*(region: Region, timeout, body: untyped): untyped =
  ## As `withLockAsync`, with a time-out.
  withLockAsyncAs(region, lmExclusive, timeout, body)

template withSharedLockAsync*(region: Region, body: untyped): untyped =
  ## As `withLockAsync` for readers.
  withLockAsyncAs(region, lmShared, Forever, body)

template withSharedLockAsync*(region: Region, timeout, body: untyped): untyped =
  ## As `withSharedLockAsync`, with a time-out.
  withLockAsyncAs(region, lmShared, timeout, body)

template withRecoveringLockAsync*(region: Region, ownerDied, timeout, body: untyped): untyped =
  ## As `withRecoveringLock`, in an async procedure whose `body` may await.
  let locked = region
  let died = await lockRecoveringAsync(locked, timeout)
  var (held, finished) = (true, false)
  try:
    let ownerDied {.used.} = died
    finishing(finished, body)
  finally:
    unlockAtEnd(locked, lmExclusive, held, finished)

template withRecoveringLockAsync*(region: Region, ownerDied, body: untyped): untyped =
  ## As `withRecoveringLockAsync`, without a time-out.
  withRecoveringLockAsync(region, ownerDied, Forever, body)
