# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## The other processes of the tests, and what all test modules share.
{.used.}
import std/[os, osproc, streams, strtabs, strutils, unittest]
import winshm

proc say*(line: string) =
  echo line
  flushFile(stdout)

proc play(role: string, arguments: seq[string]) =
  if role == "library":
    # The library may be missing or another one, so this opens no region first.
    try: say libraryVersion()
    except LibraryError as error: say error.msg
    return
  if role == "take":
    let region = importRegion(arguments[0])
    region.store(0, [1'u32, 1'u32])
    region.close()
    say "taken"
    return
  let region = openRegion(arguments[0], timeout = 10_000)
  case role
  of "hold":
    region.lock(parseEnum[LockMode](arguments[1]))
    say "holding"
    discard stdin.readLine()
    region.unlock(parseEnum[LockMode](arguments[1]))
    region.close()
    say "released"
  of "count":
    for _ in 1 .. arguments[1].parseInt:
      region.withLock: inc region.at(uint64, 0)[]
    say "counted"
  of "read":
    say "joined"
    say $region.load(uint32, 0)
  of "answer":
    say "ready"
    var seen = region.changeCount
    while region.load(uint32, 0) == 0: seen = region.wait(seen, 10_000)
    region.store(4, region.load(uint32, 0) + 1)
  of "contend":
    # Adds as often as it can until it is told to stop.
    var stop {.global.}: bool
    var listener: Thread[void]
    createThread(listener, proc () {.thread.} =
      discard stdin.readLine()
      atomicStoreN(addr stop, true, ATOMIC_RELEASE))
    say "contending"
    var times = 0
    while not atomicLoadN(addr stop, ATOMIC_ACQUIRE):
      region.withLock: inc region.at(uint64, 0)[]
      inc times
    joinThread(listener)
    say $times
  else: quit "no such role: " & role

const marker = "--role"
const elsewhere = ["leave"] # Roles that other modules play, since they need more.

proc role*(name: string): seq[string] =
  ## What this process was told for a role of another module, or nothing.
  if paramCount() > 2 and paramStr(1) == marker and paramStr(2) == name:
    result = commandLineParams()[2 .. ^1]

if paramCount() >= 2 and paramStr(1) == marker and paramStr(2) notin elsewhere:
  play(paramStr(2), commandLineParams()[2 .. ^1])
  quit 0

# Without the library no test would tell more than this.
discard libraryVersion()

proc start*(role: string, arguments: openArray[string] = [], library = ""): Process =
  ## Starts this program in a role, with another library if one is named.
  var environment: StringTableRef
  if library.len > 0:
    environment = newStringTable(when defined(windows): modeCaseInsensitive else: modeCaseSensitive)
    for key, value in envPairs(): environment[key] = value
    environment["WINSHM_LIBRARY"] = library
  startProcess(getAppFilename(), args = @[marker, role] & @arguments, env = environment)

proc line*(process: Process): string =
  ## What the process says next.
  process.outputStream.readLine()

proc tell*(process: Process) =
  ## Lets a process that waits for input go on.
  process.inputStream.write "\n"
  process.inputStream.flush()

proc finish*(process: Process): int {.discardable.} =
  ## Waits for the end of the process; its exit code.
  result = process.waitForExit()
  process.close()

proc murder*(process: Process) =
  process.kill()
  process.finish()

var names = 0
proc fresh*(): string =
  ## A name that no other test and no other run has.
  inc names
  "nim-test-" & $getCurrentProcessId() & "-" & $names

template fails*(wanted: int32, body: untyped) =
  ## Checks that `body` raises `WinshmError` with this status and an explanation.
  block:
    var name, message = "nothing was raised"
    try: body
    except WinshmError as error:
      (name, message) = (error.statusName, error.msg)
      check error.status == wanted
    check name == statusName(wanted)
    check message.len > 0
