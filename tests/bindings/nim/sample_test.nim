# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## Compiles what the documentation shows, each sample in an async procedure of its own.
{.used.}
import std/[asyncdispatch, macros, strutils, unittest]
import winshm, winshm/asynclock, winshm/asyncwait

const
  # The operators of std/os would join paths for the target, not for this machine.
  binding = currentSourcePath()[0 ..< ^len("tests/bindings/nim/sample_test.nim")] &
    "bindings/nim/"
  sources = ["winshm.nim", "winshm/locks.nim", "winshm/handles.nim", "winshm/asynclock.nim",
    "winshm/asyncwait.nim", "winshm/types.nim"]

proc fetchPoints(): Future[int64] {.async, used.} = return 7

proc repair(region: Region) {.used.} = region.held.store(0, 0'u8)

proc samples(text: string): seq[string] =
  ## The blocks of code in the documentation comments, without their indentation.
  var inside = false
  for line in text.splitLines:
    let text = line.strip
    if text.endsWith(".. code-block:: nim"):
      inside = true
      result.add ""
    elif inside and text.startsWith("##   "): result[^1].add text[len("##   ") .. ^1] & "\n"
    elif text != "##": inside = false

macro compileSamples(): untyped =
  ## A procedure for each sample, and how many there are.
  result = newStmtList()
  var count = 0
  let region = ident"region"
  for source in sources:
    for sample in samples(staticRead(binding & source)):
      inc count
      let name = ident("sample" & $count)
      let code = parseStmt(sample)
      result.add quote do:
        proc `name`(`region`: Region) {.async, used.} = `code`
  result.add newLit(count)

suite "samples":
  test "those of the documentation compile":
    const least = 6
    let count = compileSamples()
    check count >= least
