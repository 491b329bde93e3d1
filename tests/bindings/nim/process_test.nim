# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## What needs other processes: their death, their work, and other libraries.
{.used.}
import std/[osproc, strutils, unittest]
import winshm, winshm/abi
import ./roles

when defined(posix): import std/posix
when not winshmBound: import std/os

suite "several processes":
  setup:
    let name = fresh()
    let region = createRegion(name, 64)
  teardown:
    region.close()

  test "a holder that lives is waited for":
    let holder = start("hold", [name, "lmExclusive"])
    check holder.line == "holding"
    check region.info.participants == 2
    check region.info.ownerPid == holder.processID
    check not region.tryLock(timeout = 50)
    holder.tell()
    region.withLock(10_000): discard
    check holder.line == "released"
    check holder.finish == 0

  test "a holder that dies":
    let holder = start("hold", [name, "lmExclusive"])
    check holder.line == "holding"
    holder.murder()

    var ran = false
    try:
      region.withLock(10_000): ran = true
      check false
    except OwnerDeadError as error:
      check error.status == WINSHM_E_OWNER_DEAD
      check error.statusName == "WINSHM_E_OWNER_DEAD"
      check error.msg.endsWith("under withRecoveringLock and call makeConsistent.")
      check not error.lockHeld
    check not ran
    # The template has released the lock and left the mark.
    check region.info.lockState == {lsInconsistent}
    expect OwnerDeadError: region.withSharedLock(1000): ran = true
    expect OwnerDeadError: discard region.tryLock(lmShared)
    expect OwnerDeadError: discard region.load(byte, 0)
    expect OwnerDeadError: region.store(0, 1'u8)
    check not ran

    try:
      region.lock()
      check false
    except OwnerDeadError as error:
      check error.lockHeld
      check error.msg.endsWith("repair the data, call makeConsistent(), unlock.")
    check lsExclusive in region.info.lockState
    region.unlock()
    try:
      discard region.tryLock()
      check false
    except OwnerDeadError as error:
      check error.lockHeld
    region.unlock()

    region.withRecoveringLock(ownerDied, 1000):
      check ownerDied
    check lsInconsistent in region.info.lockState
    region.withRecoveringLock(ownerDied, 1000):
      check ownerDied
      region.makeConsistent()
    check region.info.lockState == {}
    region.withRecoveringLock(ownerDied): check not ownerDied
    region.withLock(1000): ran = true
    check ran
    check region.info.participants == 1

  test "a reader that dies leaves nothing to repair":
    let holder = start("hold", [name, "lmShared"])
    check holder.line == "holding"
    check not region.tryLock()
    holder.murder()
    region.withLock(10_000): discard

  test "adding together":
    const rounds = 5000
    let others = [start("count", [name, $rounds]), start("count", [name, $rounds])]
    for _ in 1 .. rounds:
      region.withLock: inc region.at(uint64, 0)[]
    for other in others:
      check other.line == "counted"
      check other.finish == 0
    check region.load(uint64, 0) == uint64(3 * rounds)

  test "question and answer":
    let other = start("answer", [name])
    check other.line == "ready"
    region.store(0, 41'u32)
    var seen = region.changeCount
    while region.load(uint32, 4) == 0: seen = region.wait(seen, 10_000)
    check region.load(uint32, 4) == 42
    check other.finish == 0

  when defined(posix):
    test "fork":
      let child = fork()
      if child == 0:
        var status = WINSHM_OK
        try: region.lock()
        except WinshmError as error: status = error.status
        exitnow(if status == WINSHM_E_FORKED: 0 else: 1)
      var status: cint
      check waitpid(child, status, 0) == child
      check WIFEXITED(status) and WEXITSTATUS(status) == 0
      region.withLock(1000): discard

# What the linker has bound cannot be exchanged.
when not winshmBound:
  suite "other libraries":
    test "none":
      let missing = getTempDir() / "no-such-directory" / "winshm"
      let process = start("library", library = missing)
      let text = process.line
      check text.startsWith("winshm: " & missing &
        ", from the environment variable WINSHM_LIBRARY, cannot be loaded (")
      check "unset it" in text
      check process.finish == 0

    test "not winshm":
      let library = when defined(windows): "kernel32.dll" else: "libm.so.6"
      let process = start("library", library = library)
      check process.line == "winshm: " & library &
        ", from the environment variable WINSHM_LIBRARY, was loaded and is not winshm."
      check process.finish == 0

    test "other versions":
      # Only where the tests run on the machine that compiled them is there a compiler.
      let compiler = findExe("gcc")
      if defined(windows) or compiler.len == 0: skip()
      else:
        let directory = getTempDir() / fresh()
        createDir directory
        const (major, minor) = (WINSHM_VERSION_MAJOR, WINSHM_VERSION_MINOR)
        var versions = @[(major + 1, minor, false), (major, 255'u32, true)]
        if minor > 0: versions.add (major, minor - 1, false)
        for (theirMajor, theirMinor, fits) in versions:
          let text = $theirMajor & "." & $theirMinor & ".9"
          let source = directory / text & ".c"
          let library = directory / text & ".so"
          writeFile source, "unsigned winshm_version(void) { return " &
            $(theirMajor shl 16 or theirMinor shl 8 or 9) & "; }\n" &
            "const char *winshm_version_string(void) { return \"" & text & "\"; }\n"
          let command = [compiler, "-shared", "-fPIC", "-o", library, source]
          check execCmd(quoteShellCommand(command)) == 0
          let process = start("library", library = library)
          let answer = process.line
          if fits: check answer == text
          else: check answer == "winshm: the library has version " & text &
            ", but this program needs " & $major & "." & $minor & " or a later " & $major & ".x."
          check process.finish == 0
        removeDir directory
