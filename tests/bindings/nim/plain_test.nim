# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## Which types can lie in a region.
{.used.}
import std/[atomics, options, tables, times, unittest]
import winshm

type
  Color = enum red, green
  Pair[T] = object
    first, second: T
  Points = Pair[float32]
  Variant = object
    case whole: bool
    of true: number, unit: int32
    else: parts: tuple[text: array[8, char], color: Color]
  Overlay {.union.} = object
    number: uint32
    bytes: array[4, byte]
  Packed {.packed.} = object
    small: byte
    large* {.align: 8.}: Pair[int64]
  Meters = distinct float

  Derived = object of RootObj
  DerivedAgain = object of Derived
  Base {.inheritable.} = object
  Node[T] = ref object
    value: T
  Callback = proc (x: int)
  Function = proc (x: int) {.cdecl.}
  Walk = iterator (): int {.closure.}
  Hidden = distinct cstring
  Deep = object
    list: array[2, tuple[pair: Pair[Pair[ref int]]]]
  SecondBranch = object
    case whole: bool
    of true: number: int
    else: text: tuple[length: int, bytes: array[1, cstring]]

template accepted(T: typedesc): bool =
  compiles(region.at(T, 0)) and compiles(region.load(T, 0)) and
    compiles(region.store(0, default(T))) and compiles(region.held.load(T, 0)) and
    compiles(region.held.store(0, default(T))) and
    compiles(sum(region.toOpenArray(T, 0, 1)))

template refused(T: typedesc): bool =
  not (compiles(region.at(T, 0)) or compiles(region.load(T, 0)) or
    compiles(region.store(0, default(T))) or compiles(region.held.load(T, 0)) or
    compiles(region.held.store(0, default(T))) or
    compiles(sum(region.toOpenArray(T, 0, 1))))

proc sum[T](values: openArray[T]): int {.used.} = values.len

var region {.used.}: Region

suite "types":
  test "those that mean the same in every process":
    check accepted int
    check accepted uint8
    check accepted float32
    check accepted bool
    check accepted char
    check accepted Color
    check accepted set[Color]
    check accepted Natural
    check accepted range[3 .. 5]
    check accepted array[Color, array[2, int16]]
    check accepted (int, float)
    check accepted tuple[x: int, y: Points]
    check accepted Pair[Pair[int]]
    check accepted Points
    check accepted Variant
    check accepted Overlay
    check accepted Packed
    check accepted Meters
    check accepted Time
    check accepted Option[int]
    check accepted Atomic[int]
    check accepted cint

  test "those with pointers and references":
    check refused string
    check refused cstring
    check refused seq[int]
    check refused pointer
    check refused (ptr int)
    check refused (ref int)
    check refused Node[int]
    check refused Callback
    check refused Function
    check refused Walk
    check refused Hidden
    check refused cstringArray
    check refused Derived
    check refused DerivedAgain
    check refused RootObj
    check refused Base
    check refused Pair[Base]
    check refused Pair[string]
    check refused Deep
    check refused SecondBranch
    check refused Region
    check refused array[2, cstring]
    check refused (int, (int, ptr int))
    check refused tuple[x: int, y: seq[int]]
    check refused Option[string]
    check refused Table[int, int]
