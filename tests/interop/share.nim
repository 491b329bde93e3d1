# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## Usage: share count REGION N | relay REGION FILE | hold REGION | repair REGION
import std/[os, strutils]
import winshm

const BoxBytes = 4096 + 2 * 262144
type Header = object
  counter: uint64
  boxes: array[3, tuple[full, length: uint32]]
  pad: array[32, byte]
  a, b: uint32

let region = openRegion(paramStr(2), timeout = 10_000)
let header = region.at(Header, 0)

proc count(n: int) =
  for _ in 1 .. n:
    region.withLock: inc header.counter
  echo "Nim: added ", n

proc relay(path: string) =
  let output = path.open(fmWrite)
  let box = addr header.boxes[2]
  var total = 0
  while true:
    let seen = region.changeCount
    let (full, length) = region.withSharedLock: box[]
    if full == 0:
      region.wait(seen)
      continue
    # Nobody else touches a full box.
    total += output.writeBytes(region.toOpenArray(byte, BoxBytes, length), 0, length)
    region.withLock: box[] = (0'u32, 0'u32)
    region.notify()
    if length == 0: break
  output.close()
  echo "Nim: relayed ", total, " bytes"

case paramStr(1)
of "count": count(paramStr(3).parseInt)
of "relay": relay(paramStr(3))
of "hold":
  region.lock()
  inc header.a # Dying here leaves the update half done: b stays behind.
  echo "Nim: holding"
  flushFile(stdout)
  while true: sleep(1000)
of "repair":
  region.withRecoveringLock(ownerDied, 10_000):
    if ownerDied:
      header.b = header.a
      region.makeConsistent()
      echo "Nim: the owner died, repaired, b = ", header.b
    else:
      echo "Nim: nothing to repair"
      programResult = 1
else: quit "share count|relay|hold|repair REGION [ARG]", 2
