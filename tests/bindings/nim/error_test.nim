# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## Which exceptions there are, and that their messages speak of Nim's names.
{.used.}
import std/[os, strutils, unittest]
import winshm, winshm/names
import ./roles

const
  # The operators of std/os would join paths for the target, not for this machine.
  root = currentSourcePath()[0 ..< ^len("tests/bindings/nim/error_test.nim")]
  header = staticRead(root & "include/winshm.h")

proc sources(directory: string): string =
  for kind, name in walkDir(directory, relative = true):
    let path = directory & "/" & name
    if kind == pcDir: result.add sources(path)
    elif name.endsWith(".c") or name.endsWith(".h"): result.add staticRead(path)

const library = sources(root & "src")

proc literals(text: string): seq[string] =
  ## The string literals of a C text, of which those side by side are one.
  var at = 0
  var fresh = true # Whether the next one begins anew.
  while at < text.len:
    if text.continuesWith("/*", at): at = text.find("*/", at) + 2
    elif text[at] == '\'':
      at = text.find('\'', at + (if text[at + 1] == '\\': 3 else: 2)) + 1
      fresh = true
    elif text.continuesWith("#include", at):
      at = text.find('\n', at)
      fresh = true
    elif text[at] == '"':
      if fresh: result.add ""
      fresh = false
      inc at
      while text[at] != '"':
        if text[at] == '\\':
          # What the letter after it means is no letter.
          result[^1].add ' '
          inc at
        else: result[^1].add text[at]
        inc at
      inc at
    else:
      # Of the formats of <inttypes.h> the text goes on behind them.
      if text[at] notin Whitespace + {'\\'}: fresh = true
      inc at

proc namesOfC(text: string): seq[string] =
  ## What is called so in C only, with the member if it is a structure's.
  var at = 0
  while at < text.len:
    var after = at
    while after < text.len and text[after] in IdentChars: inc after
    let word = text[at ..< after]
    at = max(after, at + 1)
    if word.startsWith("WINSHM_E_"): continue # So it is called in Nim, too.
    if word.startsWith("WINSHM_"): result.add word
    elif word.startsWith("winshm_") and word.len > len("winshm_"):
      if after + 1 < text.len and text[after] == '.' and text[after + 1] in IdentStartChars:
        inc after
        while after < text.len and text[after] in IdentChars: inc after
      result.add text[at - word.len ..< after]

proc statusMap(): string =
  let first = header.find("#define WINSHM_STATUS_MAP")
  header[first ..< header.find("enum {", first)]

suite "exceptions":
  test "each has its type":
    let name = fresh()
    let region = createRegion(name, 64, layoutTag = 2)
    expect NotFoundError: discard openRegion(name & "-none")
    expect ExistsError: discard createRegion(name, 64)
    expect MismatchError: discard openRegion(name, size = 65)
    expect MismatchError: discard openRegion(name, layoutTag = 1)
    expect InvalidError: discard createRegion("a/b", 64)
    expect InvalidError: discard createRegion(fresh(), 0)
    expect InvalidError: discard openRegion(name, timeout = -2)
    expect OutOfRangeError: discard region.at(int64, 64)
    expect OutOfRangeError: discard region.load(int64, 64)
    expect WinshmTimeoutError: region.wait(region.changeCount, 0)
    let reader = openRegion(name, {rfRead})
    expect AccessError: reader.store(0, 1'u8)
    reader.close()
    expect ClosedError: reader.lock()
    region.lock()
    try: region.lock()
    except WinshmError as error:
      # None of the types above.
      check error.status == WINSHM_E_DEADLOCK
      check $error.name == "WinshmError"
    region.unlock()
    region.close()

suite "messages":
  test "negative numbers stay what they are":
    let region = createRegion(fresh(), 64)
    template says(offset, length: int, call: untyped) =
      try:
        call
        check false
      except OutOfRangeError as error:
        check ("offset is " & $offset & " and length " & $length) in error.msg
    says(-1, 8): discard region.load(int64, -1)
    says(-2, 1): region.store(-2, 'x')
    says(-3, 8): discard region.map(-3, 8)
    says(0, -4): discard region.map(0, -4)
    region.withLock:
      says(-5, 8): discard region.held.load(int64, -5)
      says(-6, 2): region.held.write(-6, [1'u8, 2])
    region.close()

  test "the library's texts were understood":
    check literals("f(\"a\\\"b\" /* \"x\" */\n \"c\", '\"', \"d\")") == @["a bc", "d"]
    check namesOfC("winshm_lock: winshm_size() in WINSHM_READ, winshm_info.kind. winshm.h " &
      "[WINSHM_E_NAME]. winshm_close.") ==
      @["winshm_lock", "winshm_size", "WINSHM_READ", "winshm_info.kind", "winshm_close"]
    check literals(statusMap()).len >= 60
    check "winshm_make_consistent" in literals(library)

  test "every name that they mention has one in Nim":
    for text in literals(statusMap()) & literals(library):
      for name in namesOfC(text):
        checkpoint name
        check nimName(name).len > 0

  test "they speak of Nim's names":
    check inNim("winshm_lock 'winshm_lock': WINSHM_READ and winshm_size(), see " &
      "winshm_options.size. winshm_close. [WINSHM_E_NAME] winshm.h .winshm") ==
      "lock 'winshm_lock': rfRead and size(), see the parameter size. close. " &
      "[WINSHM_E_NAME] the documentation .winshm"
    check inNim("winshm_lock: its text", "withLock") == "withLock: its text"
    check inNim("") == ""
    try: discard openRegion("WINSHM_READ", timeout = 1)
    except NotFoundError as error:
      check error.msg.startsWith("openRegion 'WINSHM_READ': no such region")
      check "[WINSHM_E_NOT_FOUND]" in error.msg
