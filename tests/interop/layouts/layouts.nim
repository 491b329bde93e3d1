# SPDX-License-Identifier: MIT

## Prints the layout texts of ten objects, which are the same in all languages.

import winshm/layouts

type
  Box = object
    full, length: uint32
  Inner = object
    x, y: int16
  Outer = object
    box: Box
    flags: array[3, uint8]
    inner: array[2, Inner]
  S1 = object
    score: uint32
    lives: uint8
    ready: bool
    ratio: float64
  S2 = object
    a: uint8
    b: int8
    c: uint16
    d: int16
    e: uint32
    f: int32
    g: uint64
    h: int64
    i: float32
    j: float64
    k: bool
  S3 = object
    tag: uint8
    box: Box
  S4 = object
    score: uint32
    boxes: array[3, Box]
  S5 = object
    ids: array[5, uint16]
    values: array[2, float64]
  S6 = object
    name: array[16, char]
    id: uint32
    note: array[7, char]
  S7 = object
    a: uint32
    b {.align: 8.}: int64
    c: uint8
    d {.align: 8.}: float64
  S8 {.packed.} = object
    a: uint8
    b: uint32
    c: uint16
    d: uint64
  S9 {.union.} = object
    word: uint32
    real: float32
    halves: array[2, uint16]
  S10 = object
    items: array[2, Outer]
    title: array[8, Utf16Char]

echo "S1: ", layoutOf(S1)
echo "S2: ", layoutOf(S2)
echo "S3: ", layoutOf(S3)
echo "S4: ", layoutOf(S4)
echo "S5: ", layoutOf(S5)
echo "S6: ", layoutOf(S6)
echo "S7: ", layoutOf(S7)
echo "S8: ", layoutOf(S8)
echo "S9: ", layoutOf(S9)
echo "S10: ", layoutOf(S10)
