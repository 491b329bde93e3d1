# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## Creating, opening, looking, mapping, copying and closing.
{.used.}
import std/[os, strutils, times, unittest]
import winshm, winshm/abi
import ./roles

proc total(values: openArray[uint32]): uint32 =
  for value in values: result += value

proc fill(values: var openArray[uint32], value: uint32) =
  for slot in values.mitems: slot = value

proc forgetRegions(name: string) =
  for _ in 1 .. 20: discard openRegion(name)

proc forgetViews(name: string) =
  for _ in 1 .. 20:
    let region = openRegion(name)
    discard region.map(0, 1)
    region.close()

proc forgetBorrowed(region: Region) =
  for _ in 1 .. 20: discard borrow(region.handle)

suite "life of a region":
  test "create, open, open or create":
    let name = fresh()
    fails WINSHM_E_NOT_FOUND: discard openRegion(name)
    fails WINSHM_E_NOT_FOUND: discard openOrCreateRegion(name, 0)
    let first = createRegion(name, 1001)
    check first.info.origin == roCreated
    fails WINSHM_E_EXISTS: discard createRegion(name, 1001)
    fails WINSHM_E_SIZE: discard openOrCreateRegion(name, 1002)
    fails WINSHM_E_SIZE: discard openRegion(name, size = 1002)
    let second = openRegion(name, size = 1001)
    let third = openOrCreateRegion(name, 0)
    check second.size == 1001
    check third.info.origin == roOpened
    check third.info.participants == 3
    for region in [first, second, third]: region.close()
    fails WINSHM_E_NOT_FOUND: discard openRegion(name)

  test "bad arguments":
    let name = fresh()
    fails WINSHM_E_NAME: discard createRegion("", 10)
    fails WINSHM_E_NAME: discard createRegion("a/b", 10)
    fails WINSHM_E_NAME: discard createRegion(name & "\0tail", 10)
    fails WINSHM_E_NAME: discard createRegion('x'.repeat(NameMax + 1), 10)
    fails WINSHM_E_INVALID: discard createRegion(name, 0)
    fails WINSHM_E_INVALID: discard createRegion(name, 10, {rfRead})
    fails WINSHM_E_INVALID: discard createRegion(name, 10, capacity = 9)
    fails WINSHM_E_INVALID: discard createRegion(name, 10, security = "nonsense")
    fails WINSHM_E_INVALID: discard createRegion(name, 10, security = "owner\0")
    fails WINSHM_E_INVALID: discard openRegion(name, timeout = -2)
    fails WINSHM_E_SIZE: discard createRegion(name, -1)
    fails WINSHM_E_SIZE: discard createRegion(name, 1, capacity = -1)
    fails WINSHM_E_SIZE: discard openRegion(name, size = -1)

  test "the error tells what happened":
    try:
      discard openRegion("nim-test-nobody")
      check false
    except WinshmError as error:
      check error.status == WINSHM_E_NOT_FOUND
      check error.statusName == "WINSHM_E_NOT_FOUND"
      check "nim-test-nobody" in error.msg
      check error.osCode != 0

  test "options":
    let name = "Local\\" & fresh()
    let region = createRegion(name, 10, capacity = 5000, layoutTag = 7, security = "owner")
    check region.info.layoutTag == 7
    check region.info.capacity >= 5000
    fails WINSHM_E_TAG: discard openRegion(name, layoutTag = 8)
    let other = openRegion(name, layoutTag = 7, security = "anyone")
    other.close()
    fails WINSHM_E_INVALID: discard openRegion(name, security = "nobody")
    region.close()

  test "opening waits for the region":
    let start = epochTime()
    fails WINSHM_E_NOT_FOUND: discard openRegion(fresh(), timeout = 200)
    check epochTime() - start in 0.15 .. 5.0

  test "close":
    let name = fresh()
    let region = createRegion(name, 64)
    let handle = region.handle
    region.lock()
    fails WINSHM_E_BUSY: region.close()
    region.unlock()
    region.close()
    region.close()
    check winshm_close(handle) == WINSHM_E_CLOSED
    var buffer: array[4, byte]
    var seen = 0'u32
    fails WINSHM_E_CLOSED: discard region.handle
    fails WINSHM_E_CLOSED: discard region.size
    fails WINSHM_E_CLOSED: discard region.data
    fails WINSHM_E_CLOSED: discard region.info
    fails WINSHM_E_CLOSED: discard region.participants
    fails WINSHM_E_CLOSED: discard region.map(0, 1)
    fails WINSHM_E_CLOSED: region.at(byte, 0)[] = 1
    fails WINSHM_E_CLOSED: discard total(region.toOpenArray(uint32, 0, 1))
    fails WINSHM_E_CLOSED: region.read(0, buffer)
    fails WINSHM_E_CLOSED: discard region.read(0, 4)
    fails WINSHM_E_CLOSED: region.write(0, buffer)
    fails WINSHM_E_CLOSED: discard region.load(byte, 0)
    fails WINSHM_E_CLOSED: region.store(0, 1'u8)
    fails WINSHM_E_CLOSED: region.lock()
    fails WINSHM_E_CLOSED: discard region.tryLock()
    fails WINSHM_E_CLOSED: discard region.lockRecovering()
    fails WINSHM_E_CLOSED: region.unlock()
    fails WINSHM_E_CLOSED: region.makeConsistent()
    fails WINSHM_E_CLOSED: region.notify()
    fails WINSHM_E_CLOSED: region.wait(0)
    fails WINSHM_E_CLOSED: discard region.tryWait(seen)
    fails WINSHM_E_CLOSED: discard region.changeCount
    fails WINSHM_E_CLOSED: discard region.waitFd
    fails WINSHM_E_CLOSED: discard region.waitHandle
    fails WINSHM_E_CLOSED: discard Region(nil).size
    Region(nil).close()

  test "a borrowed handle":
    let name = fresh()
    let region = createRegion(name, 64)
    let other = borrow(region.handle)
    other.store(0, 5'u8)
    check region.at(byte, 0)[] == 5
    let third = borrow(region.handle)
    third.close()
    fails WINSHM_E_CLOSED: discard third.size
    check region.size == 64
    region.close()
    fails WINSHM_E_CLOSED: discard other.size
    fails WINSHM_E_CLOSED: discard other.data
    fails WINSHM_E_CLOSED: other.lock()
    let strange = borrow(cast[typeof(other.handle)](0x1234))
    fails WINSHM_E_HANDLE: discard strange.size

  test "what is forgotten is closed":
    let name = fresh()
    let region = createRegion(name, 64)
    # A collector that scans the stack may see the last ones there.
    forgetRegions(name)
    GC_fullCollect()
    check region.info.participants <= 5
    forgetViews(name)
    GC_fullCollect()
    check region.info.participants <= 5
    forgetBorrowed(region)
    GC_fullCollect()
    check region.size == 64
    region.close()

suite "looking":
  test "information":
    let name = fresh()
    let region = createRegion(name, 64)
    let info = region.info
    check info.kind == rkManaged
    check info.access == {rfRead, rfWrite}
    check info.hasLock
    check info.size == 64
    check info.capacity >= 64
    check info.id != default(array[16, byte])
    check info.layoutTag == 0
    check info.creatorPid == getCurrentProcessId()
    check abs((getTime() - info.creatorStart).inMinutes) < 30
    check info.creatorPresent
    check info.participants == 1
    check info.lockState == {}
    check info.ownerPid == 0
    check info.changeCount == region.changeCount
    check not info.observer
    region.withLock:
      check region.info.lockState == {lsExclusive}
      check region.info.ownerPid == getCurrentProcessId()
    region.withSharedLock:
      check region.info.lockState == {lsShared}
    let reader = openRegion(name, {rfRead})
    check reader.info.access == {rfRead}
    check reader.info.id == info.id
    check reader.info.member != info.member
    reader.close()
    region.close()

  test "participants":
    let name = fresh()
    let region = createRegion(name, 64)
    let other = openRegion(name)
    other.lock()
    let list = region.participants
    check list.len == 2
    for participant in list:
      check participant.pid == getCurrentProcessId()
      check abs((getTime() - participant.start).inMinutes) < 30
      if participant.member == region.info.member:
        check participant.flags == {pfSelf, pfCreator}
      else:
        check participant.member == other.info.member
        check participant.flags == {pfExclusive}
    check list[0].slot != list[1].slot
    other.unlock()
    other.close()
    region.close()

  test "raw, without lock, without map":
    let name = fresh()
    let raw = createRegion(name, 5000, {rfRaw})
    check raw.info.kind == rkRaw
    check not raw.info.hasLock
    raw.store(8, 3'u8)
    check raw.load(byte, 8) == 3
    fails WINSHM_E_UNSUPPORTED: raw.lock()
    fails WINSHM_E_UNSUPPORTED: raw.notify()
    fails WINSHM_E_UNSUPPORTED: discard raw.participants
    fails WINSHM_E_NOT_MANAGED: discard openRegion(name)
    raw.close()
    let plain = createRegion(fresh(), 64, {rfNoLock})
    check not plain.info.hasLock
    fails WINSHM_E_UNSUPPORTED: plain.lock()
    plain.close()
    let parts = createRegion(fresh(), 64, {rfWrite, rfNoMap})
    fails WINSHM_E_UNSUPPORTED: discard parts.data
    fails WINSHM_E_UNSUPPORTED: discard parts.at(byte, 0)
    parts.store(60, 0x01020304'u32)
    let view = parts.map(60, 4)
    check view.at(uint32, 0)[] == 0x01020304
    view.unmap()
    parts.close()

suite "the bytes":
  setup:
    let region = createRegion(fresh(), 64)
  teardown:
    region.close()

  test "typed access in place":
    region.at(uint32, 60)[] = 0xAABBCCDD'u32
    check region.at(byte, 60)[] == 0xDD
    check cast[ptr byte](region.data)[] == 0
    fails WINSHM_E_RANGE: discard region.at(uint32, 61)
    fails WINSHM_E_RANGE: discard region.at(byte, 64)
    fails WINSHM_E_RANGE: discard region.at(byte, -1)
    fails WINSHM_E_RANGE: discard region.at(byte, int64.high)
    fails WINSHM_E_RANGE: discard region.at(array[65, byte], 0)
    fails WINSHM_E_RANGE: discard region.span(0, -1)
    discard region.span(64, 0)

  test "arrays in place":
    var evaluated = 0
    proc first(): int = (inc evaluated; 48)
    fill(region.toOpenArray(uint32, first(), 4), 5)
    check evaluated == 1
    check total(region.toOpenArray(uint32, 48, 4)) == 20
    check total(region.toOpenArray(uint32, 0, 16)) == 20
    check total(region.toOpenArray(uint32, 64, 0)) == 0
    fails WINSHM_E_RANGE: discard total(region.toOpenArray(uint32, 0, 17))
    fails WINSHM_E_RANGE: discard total(region.toOpenArray(uint32, 52, 4))
    fails WINSHM_E_RANGE: discard total(region.toOpenArray(uint32, 0, -1))
    fails WINSHM_E_RANGE: discard total(region.toOpenArray(uint32, 0, int.high))
    fails WINSHM_E_RANGE: discard total(region.toOpenArray(uint32, 0, int.low))
    fails WINSHM_E_RANGE: discard total(region.toOpenArray(uint32, 0, int.low div 4))
    fails WINSHM_E_RANGE: discard total(region.toOpenArray(uint32, 0, int64.low))
    fails WINSHM_E_RANGE: discard total(region.toOpenArray(uint32, 0, uint64.high))
    check total(region.toOpenArray(uint32, 48, 4'u8)) == 20

  test "copies":
    let seen = region.changeCount
    region.write(10, [1'u8, 2, 3])
    check region.changeCount != seen
    check region.read(9, 5) == @[0'u8, 1, 2, 3, 0]
    var buffer: array[3, byte]
    region.read(10, buffer)
    check buffer == [1'u8, 2, 3]
    let text = "text"
    region.write(0, text.toOpenArrayByte(0, 3))
    check region.read(0, 4) == @[byte 't', byte 'e', byte 'x', byte 't']
    region.store(20, (1'u16, 2'u16))
    check region.load((uint16, uint16), 20) == (1'u16, 2'u16)
    region.write(64, [])
    check region.read(64, 0).len == 0
    fails WINSHM_E_RANGE: region.write(62, [1'u8, 2, 3])
    fails WINSHM_E_RANGE: region.write(-1, [1'u8])
    fails WINSHM_E_RANGE: region.read(62, buffer)
    fails WINSHM_E_RANGE: discard region.read(0, 65)
    fails WINSHM_E_RANGE: discard region.read(0, -1)
    fails WINSHM_E_RANGE: discard region.read(0, int.high)
    fails WINSHM_E_RANGE: discard region.load(uint64, 60)
    fails WINSHM_E_RANGE: region.store(64, 'x')
    fails WINSHM_E_INVALID: region.write(0, buffer, timeout = -5)

  test "views":
    let view = region.map(3, 8)
    check view.size == 8
    view.at(byte, 0)[] = 9
    check region.at(byte, 3)[] == 9
    check cast[ptr byte](view.data)[] == 9
    fill(view.toOpenArray(uint32, 4, 1), 6)
    check region.at(byte, 7)[] == 6
    fails WINSHM_E_RANGE: discard view.at(byte, 8)
    fails WINSHM_E_INVALID: discard region.map(0, 0)
    fails WINSHM_E_INVALID: discard region.map(0, 1, {rfRaw})
    fails WINSHM_E_RANGE: discard region.map(60, 5)
    fails WINSHM_E_RANGE: discard region.map(-1, 5)
    view.unmap()
    view.unmap()
    fails WINSHM_E_CLOSED: discard view.size
    fails WINSHM_E_CLOSED: discard view.data
    fails WINSHM_E_CLOSED: discard view.at(byte, 0)
    fails WINSHM_E_CLOSED: discard View(nil).size

  test "a view outlives its region":
    let name = fresh()
    let other = createRegion(name, 64)
    let view = other.map(0, 64)
    other.close()
    view.at(byte, 0)[] = 1
    check view.at(byte, 0)[] == 1
    let again = openRegion(name)
    view.unmap()
    again.close()
    fails WINSHM_E_NOT_FOUND: discard openRegion(name)

  test "read only":
    let name = fresh()
    let writer = createRegion(name, 64)
    let reader = openRegion(name, {rfRead})
    writer.store(0, 8'u8)
    check reader.at(byte, 0)[] == 8
    check reader.load(byte, 0) == 8
    fails WINSHM_E_ACCESS: reader.store(0, 1'u8)
    fails WINSHM_E_ACCESS: discard reader.map(0, 1, {rfWrite})
    let view = writer.map(0, 1, {rfRead})
    check view.at(byte, 0)[] == 8
    view.unmap()
    reader.close()
    writer.close()

suite "the C interface as it is":
  test "the short ways to open":
    let name = fresh()
    var first, second, third: ptr winshm_region
    check winshm_create(name.cstring, 10, 0, addr first) == WINSHM_OK
    check winshm_open(name.cstring, WINSHM_READ, addr second) == WINSHM_OK
    check winshm_open_or_create(name.cstring, 10, WINSHM_WRITE, addr third) == WINSHM_OK
    for handle in [first, second, third]: check winshm_close(handle) == WINSHM_OK

  test "arguments that only C can pass":
    let name = fresh()
    var handle: ptr winshm_region
    check winshm_create(name.cstring, 10, 1'u32 shl 31, addr handle) == WINSHM_E_INVALID
    check "winshm_create" in $winshm_last_message()
    check winshm_create(name.cstring, 10, 0, nil) == WINSHM_E_INVALID
    check winshm_open(nil, 0, addr handle) == WINSHM_E_INVALID
    check handle.isNil
    check winshm_close(nil) == WINSHM_OK
    var options: winshm_options
    check winshm_open_with(addr options, addr handle) == WINSHM_E_INVALID
    let region = createRegion(name, 10)
    var info: winshm_info
    check winshm_get_info(region.handle, addr info) == WINSHM_E_INVALID
    check winshm_lock(region.handle, 3, 0) == WINSHM_E_INVALID
    check winshm_wait(region.handle, region.changeCount, 0, nil) == WINSHM_E_TIMEOUT
    check winshm_last_os_code() == 0
    region.close()
