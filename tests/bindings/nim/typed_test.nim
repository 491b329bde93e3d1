# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## Regions that are one object.
{.used.}
import std/[strutils, unittest]
import winshm
import ./roles

type
  State = object
    score: uint32
    lives: uint32
    name: array[8, char]
  Drifted = object
    score: uint32
    lives: uint8
    name: array[8, char]
  Renamed = object
    Score, LIVES: uint32
    na_me: array[8, char]
  Beginning = object
    score: uint32

const text = "score:u32@0; lives:u32@4; name:char[8]@8; size 16"

proc fill(state: var State) = state.score = 7
proc fail(state: var State) = raise newException(ValueError, "no")

proc refusal(name: string): string =
  try: discard openRegion(name, Drifted)
  except MismatchError as error:
    check error.status == WINSHM_E_TAG
    result = error.msg

suite "typed regions":
  setup:
    let name = fresh()
    let region = createRegion(name, State)
  teardown:
    region.close()

  test "they are what their object is":
    check region.size == sizeof(State)
    check region.layout == text
    region.value.lives = 3
    region.withLock: inc region.value.lives
    check region.load() == State(lives: 4)
    let seen = region.changeCount
    region.store(State(score: 5))
    check region.changeCount != seen
    check region.value.score == 5
    check addr(region.value) == region.data
    # A Region in every other way.
    check region.load(uint32, 0) == 5
    check region.at(uint32, 0)[] == 5
    region.withSharedLock: check region.held.load(State, 0).score == 5
    check region.info.participants == 1
    check not region.tryWait((var now = region.changeCount; now))

  test "opening":
    let other = openRegion(name, State)
    other.value.score = 9
    check region.load().score == 9
    other.close()
    expect ClosedError: discard other.value
    let joined = openOrCreateRegion(name, State)
    check joined.info.origin == roOpened
    joined.close()
    expect ExistsError: discard createRegion(name, State)
    expect NotFoundError: discard openRegion(fresh(), State, timeout = 1)
    let renamed = openRegion(name, Renamed)
    check renamed.value.Score == 9
    renamed.close()
    let created = openOrCreateRegion(fresh(), State, fill = fill)
    check created.info.origin == roCreated
    check created.value.score == 7
    created.close()

  test "programs that have drifted apart":
    check "field 'lives' is u8 @4 here, u32 @4 in the region" in refusal(name)
    expect MismatchError: discard openOrCreateRegion(name, Drifted)
    # Without a layout the sizes are all that can be compared.
    let small = createRegion(fresh(), 4)
    expect MismatchError: discard openRegion(small.name, State)
    openRegion(small.name, Beginning).close()
    small.close()
    let large = createRegion(fresh(), 4096, layout = text)
    openRegion(large.name, State).close()
    expect MismatchError: discard openOrCreateRegion(large.name, State)
    expect MismatchError: discard openRegion(large.name, layout = "score:u32@0; size 8")
    large.close()

  test "the first data":
    let other = fresh()
    let filled = createRegion(other, State, fill = fill)
    check filled.value.score == 7
    check filled.info.lockState == {}
    filled.close()
    expect ValueError: discard createRegion(other, State, fill = fail)
    expect NotFoundError: discard openRegion(other)

  test "as the flags say":
    let reader = openRegion(name, State, {rfRead})
    check reader.load() == region.load()
    expect AccessError: reader.store(State())
    reader.close()
    let parts = openRegion(name, State, {rfNoMap})
    parts.store(State(lives: 2))
    check parts.load().lives == 2
    try:
      discard parts.value
      check false
    except WinshmError as error: check error.status == WINSHM_E_UNSUPPORTED
    parts.close()
    let task = openRegion(name, State, {rfTask})
    task.withLock: check task.held.load(State, 0).lives == 2
    task.close()
    let raw = createRegion(fresh(), State, {rfRaw}, fill = nil)
    raw.value.score = 1
    check raw.load().score == 1
    raw.close()

suite "growing":
  test "at the same address":
    let region = createRegion(fresh(), State, capacity = 1 shl 20)
    let other = openRegion(region.name, State)
    let first = region.data
    check region.size == sizeof(State) and region.info.capacity == 1 shl 20
    expect OutOfRangeError: discard region.at(byte, 4095)
    let seen = other.changeCount
    region.resize(4096)
    check other.wait(seen, 10_000) != seen
    check region.size == 4096 and other.size == 4096 and other.info.size == 4096
    check region.data == first
    other.at(uint32, 4092)[] = 5
    check region.load(uint32, 4092) == 5
    check region.read(0, 4096).len == 4096
    let view = region.map(4000, 96)
    check view.size == 96
    view.unmap()
    region.withLock: region.resize(1 shl 20, timeout = 1000)
    region.resize(1 shl 20)
    expect MismatchError: region.resize(4096)
    expect MismatchError: region.resize(1 shl 20 + 1)
    expect MismatchError: region.resize(-1)
    # Who comes later gives the size that it was created with.
    openOrCreateRegion(region.name, State).close()
    other.close()
    let reader = openRegion(region.name, {rfRead})
    expect AccessError: reader.resize(1 shl 20 + 1)
    reader.close()
    region.close()
    let fixed = createRegion(fresh(), 64)
    expect MismatchError: fixed.resize(65)
    fixed.close()
    expect ClosedError: fixed.resize(66)
