# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## What the compiler says of the bytes of a type.
{.used.}
import std/[atomics, strutils, unittest]
import winshm
import ./roles

type
  Color = enum red, green
  Large = enum first, last = 70_000
  Signed = enum below = -1, above
  Meters = distinct float32
  Point[T] = object
    x, y: T
  Wrapped = distinct Point[int16]
  Variant = object
    case whole: bool
    of true: number, unit: int32
    else: parts: tuple[text: array[8, char], color: Color]
  Overlay {.union.} = object
    number: uint32
    bytes: array[4, byte]
  Packed {.packed.} = object
    small: byte
    large: int64
  Aligned = object
    small: byte
    large {.align: 16.}: byte
  Hidden = object
    secret*, open: int32
  All = object
    color: Color
    large: Large
    signed: Signed
    distance: Meters
    wrapped: Wrapped
    variant: Variant
    overlay: Overlay
    packed: Packed
    aligned: Aligned
    colors: set[Color]
    numbers: set[0 .. 40]
    grid: array[Color, array[2, int16]]
    letter: range['\0' .. 'z']
    atomic: Atomic[int64]
    wide: array[3, Utf16Char]
    single: char

  Capitals = object
    initials: array[2, range['A' .. 'Z']]
  Bits = object
    low {.bitsize: 3.}: uint8
  OtherBits = Bits
  Letters = object
    all: set[char]
  Rows = object
    names: array[2, array[16, char]]
  Wide = object
    text: array[2, array[8, Utf16Char]]
  Twice = object
    playerName, PlayerName: int32
  Foreign = object
    größe: int32
  Long = object
    a234567890123456789012345678901234567890123456789012345678901234: byte
  Empty = object
  EmptyArray = object
    none: array[0, int32]
  Name = object
    text: string
  Holder = object
    names: array[2, Point[ref int]]
  D1 = object
    d: byte
  D2 = object
    d: D1
  D3 = object
    d: D2
  D4 = object
    d: D3
  D5 = object
    d: D4
  D6 = object
    d: D5
  D7 = object
    d: D6
  D8 = object
    d: D7
  D9 = object
    d: D8
  D10 = object
    d: D9

proc place(base, field: pointer): string =
  "@" & $(cast[int](field) - cast[int](base))

proc says(text: string, pieces: varargs[string]) =
  for piece in pieces:
    checkpoint piece
    check piece in text

suite "layout texts":
  test "kinds":
    says layoutOf(All), "color:u8@0; ", "large:u32@4; ", "signed:i32@8; ", "distance:f32@12; ",
      "wrapped:{x:i16@0; y:i16@2; size 4}@16; ",
      "variant:{whole:bool@0; number:i32@4; unit:i32@8; " &
        "parts:{text:char[8]@0; color:u8@8; size 9}@4; size 16}@20; ",
      "overlay:{number:u32@0; bytes:u8[4]@0; size 4}@36; ",
      "packed:{small:u8@0; large:i64@1; size 9}@40; ",
      "aligned:{small:u8@0; large:u8@16; size 32}@64; ", "colors:u8@96; ", "numbers:u64@104; ",
      "grid:i16[4]@112; ", "letter:char@120; ", "atomic:i64@128; ", "wide:char16[3]@136; ",
      "single:char@142; size 144"
    check layoutOf(Hidden) == "secret:i32@0; open:i32@4; size 8"
    check layoutOf(Capitals) == "initials:char[2]@0; size 2"
    check layoutOf(tuple[x: cint, y: float]) == "x:i32@0; y:f64@8; size 16"
    check layoutOf(Point[Point[uint16]]).startsWith("x:{x:u16@0; y:u16@2; size 4}@0; y:{")
    check layoutOf(Point[int]) == "x:i$1@0; y:i$1@$2; size $3" % [
      $(8 * sizeof(int)), $sizeof(int), $(2 * sizeof(int))]

  test "they are found where they say":
    var all: All
    says layoutOf(All), "large:u32" & place(addr all, addr all.large),
      "variant:" , "size 16}" & place(addr all, addr all.variant),
      "number:u32" & place(addr all.overlay, addr all.overlay.number),
      "bytes:u8[4]" & place(addr all.overlay, addr all.overlay.bytes),
      "large:i64" & place(addr all.packed, addr all.packed.large),
      "large:u8" & place(addr all.aligned, addr all.aligned.large),
      "numbers:u64" & place(addr all, addr all.numbers),
      "atomic:i64" & place(addr all, addr all.atomic),
      "wide:char16[3]" & place(addr all, addr all.wide), "size " & $sizeof(All)
    all.variant = Variant(whole: true)
    says layoutOf(Variant), "number:i32" & place(addr all.variant, addr all.variant.number),
      "unit:i32" & place(addr all.variant, addr all.variant.unit)
    all.variant = Variant(whole: false)
    says layoutOf(Variant), "size 9}" & place(addr all.variant, addr all.variant.parts)

  test "the library has the same form":
    let region = createUnnamedRegion(All)
    check region.layout == layoutOf(All)
    region.close()
    let free = createUnnamedRegion(8, layout = " x : u32 @ 0;size 8 ")
    check free.layout == "x:u32@0; size 8"
    free.close()
    let none = createUnnamedRegion(8)
    check none.layout == ""
    none.close()

  test "what is refused":
    proc refused(compiled: openArray[bool]) =
      for each in compiled: check not each
    check compiles(layoutOf(D9))
    refused [compiles(layoutOf(Bits)), compiles(layoutOf(OtherBits)),
      compiles(layoutOf(Letters)), compiles(layoutOf(Rows)), compiles(layoutOf(Wide)),
      compiles(layoutOf(Twice)), compiles(layoutOf(Foreign)), compiles(layoutOf(Long)),
      compiles(layoutOf(Empty)), compiles(layoutOf(EmptyArray)), compiles(layoutOf((int, int))),
      compiles(layoutOf(Name)), compiles(layoutOf(Holder)), compiles(layoutOf(D10)),
      compiles(layoutOf(int)), compiles(createUnnamedRegion(Name)),
      compiles(openRegion("x", Name)), compiles(openOrCreateRegion("x", seq[int]))]
