# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## Data that the creator puts there before others read.
{.used.}
import std/[os, unittest]
import winshm
import ./roles

proc open(name: string) {.raises: [WinshmError, LibraryError].} =
  # What `fill` raises is not among this, as there is none.
  openOrCreateRegion(name, 0).close()

suite "filling a new region":
  test "before others read":
    for flags in [{}, {rfTask}]:
      let name = fresh()
      let reader = start("read", [name])
      proc fill(region: Region) =
        check reader.line == "joined"
        sleep 100
        region.store(0, 41'u32)
        region.write(0, [byte(region.load(byte, 0) + 1)])
        check region.read(0, 4) == @[42'u8, 0, 0, 0]
      let region = openOrCreateRegion(name, 64, flags, fill = fill)
      check reader.line == "42"
      check reader.finish == 0
      check region.info.lockState == {}
      open(name)

      # Who joins fills nothing.
      let other = openOrCreateRegion(name, 64, flags,
        fill = proc (region: Region) = region.store(0, 1'u32))
      check other.load(uint32, 0) == 42
      other.withLock(1000): other.held.store(0, 43'u32)
      other.close()
      region.close()

  test "an exception":
    for flags in [{}, {rfTask}]:
      let name = fresh()
      var given, other: Region
      proc fill(region: Region) =
        given = region
        other = openRegion(name)
        raise newException(IOError, "no data")
      try:
        discard createRegion(name, 64, flags, fill = fill)
        check false
      except IOError as error: check error.msg == "no data"
      fails WINSHM_E_CLOSED: discard given.info
      check other.info.participants == 1
      expect OwnerDeadError: other.withLock(1000): discard
      other.withRecoveringLock(ownerDied, 1000):
        check ownerDied
        other.makeConsistent()
      other.close()

  test "a lock that is released":
    let name = fresh()
    fails WINSHM_E_NOT_OWNER:
      discard createRegion(name, 64, fill = proc (region: Region) = region.unlock())
    fails WINSHM_E_NOT_FOUND: discard openRegion(name)

  test "without a lock":
    proc fill(region: Region) = check false
    for flags in [{rfRaw}, {rfNoLock}]:
      fails WINSHM_E_INVALID: discard createRegion(fresh(), 64, flags, fill = fill)
      fails WINSHM_E_INVALID: discard openOrCreateRegion(fresh(), 64, flags, fill = fill)
