# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## winshm: one named block of memory shared by processes of any language.
##
## .. code-block:: nim
##   let region = openOrCreateRegion("Local\\Scores", 4096)
##   region.withLock:
##     inc region.at(uint64, 0)[]
##   region.notify()
##   region.close()
##
## Offsets and sizes are bytes. Time-outs are milliseconds: 0 tries once and
## `Forever`, which is -1, waits without end. Every procedure that takes a region
## or a view raises `WinshmError` if it is closed; what fails otherwise is told in
## `winshm.h`, where the C function of the same name is documented. What programs
## handle has exceptions of its own, such as `NotFoundError`, all of them `WinshmError`.
##
## What lies in a region is best declared as an object: `openOrCreateRegion("Local\\Game",
## State)` compares it with what other programs have, and `region.value` is the object. See
## `TypedRegion`.
##
## The memory itself is not guarded by Nim: a pointer from `at`, an open array or
## `data` must not be used after `close`, and writing through one of a read-only
## region ends the program.
##
## A `Region` belongs to the thread that made it, like any `ref`. For other threads
## of the process there is `borrow`. Tasks that take turns on a thread need a region
## opened with `rfTask`, whose lock no thread owns: see the module
## `winshm/asynclock <winshm/asynclock.html>`_. They wait for changes with the module
## `winshm/asyncwait <winshm/asyncwait.html>`_.
##
## A region that is forgotten is closed when its last reference goes. One that
## holds its lock is not: the lock then stays held until the process ends, which
## the others see as the death of its owner.

import winshm/[abi, bytes, facts, files, handles, layouts, locks, opening, typed, types]

export bytes, facts, files, layouts, typed, types
export locks except afterUnlock, fillIfNew, unlockAtEnd
export opening except enter
export handles.Region, handles.View, handles.Fill, handles.handle, handles.borrow,
  handles.close, handles.unmap, handles.closeAfter

proc libraryVersion*(): string {.raises: [LibraryError].} =
  ## The version of the library that is loaded, such as `"0.1.0"`.
  requireLibrary()
  $winshm_version_string()

proc statusName*(status: int32): string {.raises: [LibraryError].} =
  ## A status's name, such as `"WINSHM_E_NOT_FOUND"`.
  requireLibrary()
  $winshm_status_name(status)

proc statusText*(status: int32): string {.raises: [LibraryError].} =
  ## A status in a few words.
  requireLibrary()
  $winshm_status_text(status)

{.push raises: [WinshmError].}

proc resize*(region: Region, size: int64, timeout = Forever) =
  ## Makes a region larger that was created with a `capacity`, for everybody and while it
  ## is in use. The new bytes are zero, nothing moves, and who waits for a change is woken.
  ## It never becomes smaller: `MismatchError`, as for more than the capacity. The lock does
  ## not matter, and may be held. `timeout` is for others who create, open or resize the
  ## region at this moment.
  check winshm_resize(region.raw, size.toBytes("size"), timeout.toTimeout)

proc notify*(region: Region) =
  ## Tells everybody who waits that something has changed.
  check winshm_notify(region.raw)

proc changeCount*(region: Region): uint32 =
  ## The change counter, which `notify` and `write` raise. It wraps around.
  check winshm_change_count(region.raw, addr result)

proc wait*(region: Region, seen: uint32, timeout = Forever): uint32 {.discardable.} =
  ## Waits until the change counter differs from `seen`, and tells it. No change is
  ## missed by who takes the counter, looks at the data, and then waits with it.
  check winshm_wait(region.raw, seen, timeout.toTimeout, addr result)

proc tryWait*(region: Region, seen: var uint32, timeout = 0): bool =
  ## As `wait`, but false if nothing changed in time. `seen` becomes the counter.
  var now: uint32
  let status = winshm_wait(region.raw, seen, timeout.toTimeout, addr now)
  if status != WINSHM_OK and status != WINSHM_E_TIMEOUT: raiseFailure(status)
  seen = now
  status == WINSHM_OK

proc waitFd*(region: Region): cint =
  ## A file descriptor for loops with `select` or `epoll` on Linux, which becomes readable
  ## at each change from now on. Read 8 bytes from it, which empties it, then look at
  ## `changeCount`. It never blocks, and it belongs to the region: do not close it, nor
  ## use it after `close`. Raises `WINSHM_E_UNSUPPORTED` on other systems.
  check winshm_wait_fd(region.raw, addr result)

proc waitHandle*(region: Region): int =
  ## A Windows event, a `winlean.Handle`, which is set at each change from now on.
  ## It belongs to the region: do not close it. Raises `WINSHM_E_UNSUPPORTED` on
  ## other systems.
  var handle: pointer
  check winshm_wait_handle(region.raw, addr handle)
  cast[int](handle)

{.pop.}
