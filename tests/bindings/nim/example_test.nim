# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## Installs the package, and compiles and runs the examples with it, as a user would.
{.used.}
import std/[os, osproc, streams, strutils, unittest]
import ./roles

const
  binding = currentSourcePath.parentDir.parentDir.parentDir.parentDir / "bindings" / "nim"
  names = ["counter", "notify", "recover", "parts", "tasks", "handover", "ownlock"]
  # Those that are told where others find their region.
  nameless = ["handover"]

let directory = getTempDir() / fresh()

proc command(words: varargs[string]): string = quoteShellCommand(words)

proc install() =
  let nimble = command("nimble", "--offline", "--accept", "--silent",
    "--nimbleDir:" & directory / "nimble", "install")
  check execCmdEx(nimble, workingDir = binding) == ("", 0)

proc compile() =
  var compilers: seq[string]
  for name in names:
    # Other runs of the tests have examples, too.
    let text = readFile(binding / "examples" / name & ".nim")
    check name in nameless or "\"example-" & name & "\"" in text
    writeFile directory / name & ".nim", text.replace("\"example-", "\"" & fresh() & "-")
    compilers.add command("nim", "c", "--hints:off", "--threads:on", "--opt:none",
      "--nimblePath:" & directory / "nimble" / "pkgs",
      "--nimcache:" & directory / "cache" / name, directory / name)
  check execProcesses(compilers, n = 2) == 0

proc begin(name: string, arguments: openArray[string] = []): Process =
  startProcess(directory / name, directory, arguments, options = {poStdErrToStdOut})

proc said(process: Process): string =
  ## All that the process says until it ends well.
  result = process.outputStream.readAll()
  check process.finish == 0

suite "examples":
  test "the package can be installed, and they compile with it":
    createDir directory
    install()
    compile()

  test "counter":
    let first = begin("counter")
    check first.line == "the counter is at 1000; press Enter to leave"
    let second = begin("counter")
    check second.line == "the counter is at 2000; press Enter to leave"
    for process in [first, second]:
      process.tell()
      check process.said == ""
    let third = begin("counter")
    check third.line == "the counter is at 1000; press Enter to leave"
    third.tell()
    check third.said == ""

  test "notify":
    let alone = begin("notify", ["hello"])
    check alone.line == "nobody listens: start one without a word first"
    check alone.finish == 1
    let listener = begin("notify")
    check listener.line == "listening"
    for words in [@["hello", "you"], @["bye"]]:
      check begin("notify", words).said == ""
      check listener.line == words.join(" ")
    check listener.said == ""

  test "recover":
    let waiting = begin("recover")
    check waiting.line == "crash in another terminal, then press Enter here"
    let crash = begin("recover", ["crash"])
    check crash.line == "this program ends in the middle of a payment"
    check crash.finish == 1
    waiting.tell()
    check waiting.said == "the data may be half written\nthe accounts have 70 and 30\n"

  test "parts":
    let said = begin("parts").said.splitLines
    check said[0 .. 2] == ["tile 2 begins with 0", "tile 3 begins with 3",
      "tile 200 begins with 200"]
    check said[3].startsWith("map '") and "[WINSHM_E_RANGE]" in said[3]

  test "tasks":
    let said = begin("tasks").said
    check said.count("Ann is done with one\n") == 3
    check said.count("Bob is done with one\n") == 3
    check said.count("all is done\n") == 1

  test "handover":
    let path = directory / "handover"
    check begin("handover", ["give", path]).said == "handed over: count 2\n"
    let giver = begin("handover", ["link", "state.link"])
    check begin("handover", ["open", "state.link"]).said == ""
    check giver.said == "handed over: count 2\n"
    check not fileExists(directory / "state.link")

  test "ownlock":
    const mine = "Part 3 is yours, until you press Enter."
    let owner = begin("ownlock", ["3"])
    check owner.line == mine
    let other = begin("ownlock", ["4"])
    check other.line == mine.replace("3", "4")
    let waiting = begin("ownlock", ["3"])
    owner.murder()
    check waiting.line == "Who had part 3 has died, and may have left it half written."
    check waiting.line == mine
    let next = begin("ownlock", ["3"])
    for process in [waiting, other]:
      process.tell()
      check process.said == ""
    check next.line == mine
    next.tell()
    check next.said == ""

  test "what is refused comes with a cure":
    let program = directory / "refused.nim"
    writeFile program, "import winshm/plain\nrequirePlain(string)\n"
    let (said, status) = execCmdEx(command("nim", "check", "--hints:off",
      "--nimblePath:" & directory / "nimble" / "pkgs", program))
    check status == 1
    check "string is a string, but" in said
    check "Use array[N, char] for text" in said
    writeFile program, "import winshm\ntype Names = object\n  all: array[2, array[9, char]]\n" &
      "discard createUnnamedRegion(Names)\n"
    let layout = execCmdEx(command("nim", "check", "--hints:off",
      "--nimblePath:" & directory / "nimble" / "pkgs", program))
    check layout.exitCode == 1
    check "Names has no layout: all: an array of texts has no kind: let each be" in layout.output

  removeDir directory
