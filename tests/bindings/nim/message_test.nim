# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## What people are told: the argument, both values, and the way out.
{.used.}
import std/[os, osproc, strutils, unittest]
import winshm
import ./roles

when defined(posix): import std/posix

proc judge(message: string, status, wanted: int32, bracket: string,
           pieces: openArray[string]) =
  # A procedure, since each check is a page of code.
  checkpoint message
  check status == wanted
  var at = 0
  for piece in pieces:
    let found = message.find(piece, at)
    checkpoint piece
    check found >= 0
    at = max(found, 0) + piece.len
  let rest = message.replace(bracket, "")
  check message.count(bracket) == 1
  check "winshm_" notin rest and "WINSHM_" notin rest
  check message.endsWith(".") and ". ." notin message

template told(wanted: untyped, pieces: openArray[string], body: untyped) =
  ## Checks what `body` raises: it has the status and all the pieces, in this order.
  block:
    var message = "nothing was raised"
    var status = 0'i32
    try: body
    except WinshmError as error:
      # asyncdispatch has added in further lines where the exception came from.
      message = error.msg.split('\n')[0]
      status = error.status
    judge(message, status, wanted, "[" & astToStr(wanted) & "]", pieces)

proc lockElsewhere(handle: pointer) {.thread.} =
  let region = borrow(cast[typeof(Region().handle)](handle))
  told WINSHM_E_TIMEOUT, ["lock '", "this process holds the lock itself", "unlock first"]:
    region.lock(timeout = 10)

suite "what is told":
  setup:
    let name = fresh()
    let region = createRegion(name, 4096, layoutTag = 0x1F)
  teardown:
    region.close()

  test "of arguments":
    told WINSHM_E_NAME, ["createRegion 'a/b'", "byte 1", "slash", "1 to 200 bytes"]:
      discard createRegion("a/b", 1)
    told WINSHM_E_NAME, ["openRegion 'a/b'", "byte 1"]: discard openRegion("a/b")
    told WINSHM_E_NAME, ["openOrCreateRegion 'a/b'", "byte 1"]:
      discard openOrCreateRegion("a/b", 1)
    told WINSHM_E_NAME, ["createRegion: ", "it is empty"]: discard createRegion("", 1)
    told WINSHM_E_NAME, ["name contains a NUL"]: discard createRegion("a\0b", 1)
    told WINSHM_E_INVALID, ["createRegion '", "size is 0", "at least 1 byte"]:
      discard createRegion(fresh(), 0)
    told WINSHM_E_SIZE, ["size is -1", "at least 0"]: discard createRegion(fresh(), -1)
    told WINSHM_E_INVALID, ["capacity is 7", "size, which is 100", "Leave it 0"]:
      discard createRegion(fresh(), 100, capacity = 7)
    told WINSHM_E_UNSUPPORTED, ["a raw region has no capacity", "without rfRaw"]:
      discard createRegion(fresh(), 100, {rfRaw}, capacity = 200)
    told WINSHM_E_INVALID, ["security is 'all'", "\"owner\""]:
      discard createRegion(fresh(), 100, security = "all")
    told WINSHM_E_INVALID, ["security is 'all'", "\"anyone\""]:
      discard openRegion(name, security = "all")
    told WINSHM_E_INVALID, ["rfRead alone cannot create", "Add rfWrite"]:
      discard createRegion(fresh(), 100, {rfRead})
    told WINSHM_E_INVALID, ["for creating", "rfNoLock", "createRegion() and openOrCreateRegion()"]:
      discard openRegion(name, {rfNoLock})
    told WINSHM_E_INVALID, ["rfRaw and rfNoLock exclude"]:
      discard createRegion(fresh(), 100, {rfRaw, rfNoLock})
    proc fill(region: Region) = discard
    told WINSHM_E_INVALID, ["rfRaw and the parameter fill exclude"]:
      discard createRegion(fresh(), 100, {rfRaw}, fill = fill)
    told WINSHM_E_INVALID, ["rfNoLock and the parameter fill exclude"]:
      discard createRegion(fresh(), 100, {rfNoLock}, fill = fill)
    told WINSHM_E_INVALID, ["timeout is -2", "at least 0, or Forever"]:
      region.wait(0, timeout = -2)
    told WINSHM_E_INVALID, ["map '", "length is 0", "at least 1 byte"]: discard region.map(0, 0)
    told WINSHM_E_RANGE, ["write '", "offset is 4095", "length 2", "4096 bytes", "size()"]:
      region.write(4095, [1'u8, 2])
    told WINSHM_E_RANGE, ["offset is 4090", "length 8", "4096 bytes", "within size"]:
      region.at(int64, 4090)[] = 1

  test "of what is there":
    told WINSHM_E_EXISTS, ["createRegion '", "process " & $getCurrentProcessId() & " (",
        "has created it", "openOrCreateRegion()"]:
      discard createRegion(name, 1)
    told WINSHM_E_SIZE, ["openRegion '", "4096 bytes, 7 were asked for", "Size 0"]:
      discard openRegion(name, size = 7)
    told WINSHM_E_TAG, ["0x1F", "0xAB", "rebuild the older one"]:
      discard openRegion(name, layoutTag = 0xAB)
    told WINSHM_E_NOT_FOUND, ["openRegion '", "no such region", "failed with 2: ",
        "Start the creator first, or wait for it with the parameter timeout"]:
      discard openRegion(fresh())
    told WINSHM_E_NOT_FOUND, ["size is 0", "Give the size"]:
      discard openOrCreateRegion(fresh(), 0)

  test "of layouts":
    told WINSHM_E_INVALID, ["createRegion '", "layout, byte 2", "a kind", "layoutOf()"]:
      discard createRegion(fresh(), 64, layout = "x:u33@0; size 4")
    told WINSHM_E_INVALID, ["layout contains a NUL", "Leave it out"]:
      discard createRegion(fresh(), 64, layout = "size 4\0")
    told WINSHM_E_UNSUPPORTED, ["createRegion '", "layout", "rfRaw"]:
      discard createRegion(fresh(), 64, {rfRaw}, layout = "size 4")
    let typed = createRegion(fresh(), 64, layout = "lives:u32@4; size 8")
    told WINSHM_E_TAG, ["openRegion '", "field 'lives' is u8 @4 here, u32 @4 in the region"]:
      discard openRegion(typed.name, layout = "lives:u8@4; size 8")
    typed.close()

  test "of growing":
    told WINSHM_E_SIZE, ["resize '", "4097", "capacity"]: region.resize(4097)
    told WINSHM_E_SIZE, ["resize '", "size is 1", "4096 bytes", "never gets smaller"]: region.resize(1)
    told WINSHM_E_INVALID, ["resize '", "size is 0"]: region.resize(0)
    told WINSHM_E_SIZE, ["size is -1", "at least 0"]: region.resize(-1)

  test "of what is handed over":
    told WINSHM_E_TOKEN, ["importRegion: ", "begin", "exportToken()"]: discard importRegion("x")
    told WINSHM_E_INVALID, ["token contains a NUL"]: discard importRegion("x\0")
    told WINSHM_E_INVALID, ["importRegion: ", "flags has 0x8", "rfRead, rfNoMap and rfTask"]:
      discard importRegion(region.exportToken(), {rfNoLock})
    told WINSHM_E_INVALID, ["openLink", "empty"]: discard openLink("")
    told WINSHM_E_INVALID, ["link '", "empty"]: region.link("")
    told WINSHM_E_NOT_FOUND, ["openLink", "no such"]: discard openLink("none.link")

  test "of files":
    told WINSHM_E_NOT_FOUND, ["loadFrom '", "none.saved"]: region.loadFrom("none.saved")
    told WINSHM_E_INVALID, ["saveTo '", "empty"]: region.saveTo("")
    told WINSHM_E_INVALID, ["path contains a NUL"]: region.loadFrom("x\0")
    let path = getTempDir() / fresh()
    writeFile path, "something else"
    told WINSHM_E_FORMAT, ["loadFrom '", "saveTo()"]: region.loadFrom(path)
    removeFile path

  test "of handles":
    let reader = openRegion(name, {rfRead})
    told WINSHM_E_ACCESS, ["write '", "read-only", "with rfWrite"]: reader.store(0, 1'u8)
    let view = reader.map(0, 1)
    view.unmap()
    told WINSHM_E_CLOSED, ["the view is unmapped", "until its last use"]: discard view.data
    reader.close()
    told WINSHM_E_CLOSED, ["the region is closed", "until its last use"]: reader.lock()
    let parts = openRegion(name, {rfNoMap})
    told WINSHM_E_UNSUPPORTED, ["opened with rfNoMap", "with map"]: discard parts.data
    parts.close()
    var all: seq[Region]
    told WINSHM_E_TOO_MANY, ["all 128 places", "share one between threads"]:
      while true: all.add openRegion(name)
    for each in all: each.close()

  test "of the lock":
    region.withSharedLock:
      told WINSHM_E_DEADLOCK, ["lock '", "holds it in shared mode", "unlock first", "rfTask"]:
        region.lock()
      told WINSHM_E_DEADLOCK, ["write '", "holds it in shared mode"]: region.store(0, 1'u8)
      told WINSHM_E_NOT_OWNER, ["unlock '", "in shared mode", "Unlock in the mode"]:
        region.unlock()
      told WINSHM_E_NOT_OWNER, ["held.write '"]: region.held.store(0, 1'u8)
    told WINSHM_E_NOT_OWNER, ["unlock '", "rfTask"]: region.unlock()
    told WINSHM_E_NOT_OWNER, ["makeConsistent '"]: region.makeConsistent()
    told WINSHM_E_NOT_OWNER, ["held.read '"]: discard region.held.load(byte, 0)
    region.withLock:
      told WINSHM_E_DEADLOCK, ["holds it in exclusive mode"]: region.lock()
      told WINSHM_E_BUSY, ["close", "the lock is held through this handle", "Unlock first"]:
        region.close()
      var other: Thread[pointer]
      createThread(other, lockElsewhere, cast[pointer](region.handle))
      joinThread(other)

  test "of other processes":
    let holder = start("hold", [name, "lmExclusive"])
    check holder.line == "holding"
    told WINSHM_E_TIMEOUT, ["lock '", "process " & $holder.processID & " (", ") holds the lock",
        "alive"]:
      region.lock(timeout = 10)
    holder.murder()
    const cure = "Repair the data under withRecoveringLock and call makeConsistent."
    told WINSHM_E_OWNER_DEAD, ["lock '", "half written", cure]: region.withLock: discard
    told WINSHM_E_OWNER_DEAD, ["read '", "died or gave up in its section", cure]:
      discard region.load(byte, 0)
    told WINSHM_E_OWNER_DEAD, ["lock '", "This call has taken the lock all the same",
        "call makeConsistent(), unlock."]:
      region.lock()
    region.unlock()

  test "of changes":
    told WINSHM_E_TIMEOUT, ["wait '", "no change within 10 ms", "notify() or write()"]:
      region.wait(region.changeCount, 10)
    when defined(windows):
      told WINSHM_E_UNSUPPORTED, ["has no descriptors", "waitHandle()"]: discard region.waitFd
    else:
      told WINSHM_E_UNSUPPORTED, ["has no events", "waitFd()"]: discard region.waitHandle

  test "of plain blocks":
    let other = fresh()
    let raw = createRegion(other, 100, {rfRaw})
    told WINSHM_E_UNSUPPORTED, ["lock '", "a raw region is a plain block", "without rfRaw"]:
      raw.lock()
    told WINSHM_E_UNSUPPORTED, ["participants '", "no list of"]: discard raw.participants
    told WINSHM_E_NOT_MANAGED, ["openRegion '", "the block is a plain one", "with rfRaw"]:
      discard openRegion(other)
    told WINSHM_E_HELD, ["createRegion '", "a block without winshm", "with openOrCreateRegion"]:
      discard createRegion(other, 1)
    raw.close()
    let unlocked = createRegion(other, 100, {rfNoLock})
    told WINSHM_E_UNSUPPORTED, ["the region has no lock", "with rfNoLock"]: unlocked.lock()
    unlocked.close()

  when defined(posix):
    test "of files that are gone":
      let other = fresh()
      let (data, control) = ("/dev/shm/" & other, "/dev/shm/" & other & ".winshm")
      let lost = createRegion(other, 4096)
      check truncate(data.cstring, 0) == 0
      told WINSHM_E_FAULT, ["read '", "outside cut the block short"]: discard lost.load(byte, 0)
      removeFile data
      told WINSHM_E_REPLACED, ["openRegion '", "removed", "Close every handle"]:
        discard openRegion(other)
      check truncate(control.cstring, 0) == 0
      told WINSHM_E_CORRUPT, ["lock '", "bookkeeping is damaged", "create it again"]: lost.lock()
      lost.close()
      removeFile control
      createDir data
      told WINSHM_E_KIND, ["createRegion '", "another sort of object", "another one"]:
        discard createRegion(other, 1)
      removeDir data
      writeFile control, repeat('x', 5000)
      told WINSHM_E_FOREIGN, ["createRegion '", "something else", "another name"]:
        discard createRegion(other, 1)
      removeFile control

    test "of a child of fork":
      let child = fork()
      if child == 0:
        told WINSHM_E_FORKED, ["lock", "belongs to the parent", "again in the child"]:
          region.lock()
        exitnow(programResult)
      var status: cint
      check waitpid(child, status, 0) == child
      check status == 0

# As tasks are told, see test_winshm.nim for where there are some.
when not (defined(windows) and sizeof(int) == 4):
  import std/asyncdispatch
  import winshm/[asynclock, asyncwait]

  suite "what tasks are told":
    test "of the lock and of changes":
      let region = createRegion(fresh(), 64, {rfTask})
      proc late() {.async.} =
        region.withLockAsync:
          await region.lockAsync(timeout = 10)
      told WINSHM_E_TIMEOUT, ["not free within 10 ms", "participants"]: waitFor late()
      told WINSHM_E_TIMEOUT, ["no change within 10 ms", "notify or write"]:
        discard waitFor region.waitAsync(region.changeCount, 10)
      region.close()
