# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## A participant that tests drive: one command a line on standard input, one reply
## a line on standard output. tests/interop drives the peers of all languages alike.
import std/[os, strutils]
import ../../bindings/nim/winshm

proc invalid(what: string) {.noreturn.} =
  # What Nim's types leave no way to say is refused here as the library would.
  let error = newException(WinshmError, what)
  error.statusName = "WINSHM_E_INVALID"
  raise error

proc flags(text: string): set[RegionFlag] =
  let bits = text.parseBiggestUInt
  if bits shr ord(high(RegionFlag)) > 1: invalid("unknown flags")
  cast[set[RegionFlag]](uint8(bits))

proc mode(text: string): LockMode =
  let value = text.parseInt
  if value notin ord(low(LockMode)) .. ord(high(LockMode)): invalid("unknown mode")
  LockMode(value)

proc timeout(text: string): int =
  let value = text.parseBiggestUInt
  if value == uint32.high: Forever else: int(min(value, BiggestUInt(int.high)))

proc number(text: string): int64 = cast[int64](text.parseBiggestUInt)

proc hex(bytes: openArray[byte]): string =
  for b in bytes: result.add b.toHex.toLowerAscii

var region: Region

proc answer(words: seq[string]): string =
  proc word(i: int): string =
    if i >= words.len: invalid("a word is missing")
    words[i]
  case words[0]
  of "create": region = createRegion(word(1), word(2).number, word(3).flags)
  of "open": region = openRegion(word(1), word(2).flags, word(3).timeout)
  of "open_or_create": region = openOrCreateRegion(word(1), word(2).number, word(3).flags)
  of "close": region.close()
  of "lock": region.lock(word(1).mode, word(2).timeout)
  of "unlock": region.unlock(word(1).mode)
  of "repair": region.makeConsistent()
  of "write":
    let text = word(2).parseHexStr
    region.write(word(1).number, text.toOpenArrayByte(0, text.high), word(3).timeout)
  of "read": result = region.read(word(1).number, word(2).parseInt, word(3).timeout).hex
  of "poke":
    let text = word(2).parseHexStr
    for i, c in text: region.at(char, word(1).number + i)[] = c
  of "peek": result = region.toOpenArray(byte, word(1).number, word(2).parseInt).hex
  of "notify": region.notify()
  of "changes": result = $region.changeCount
  of "wait": result = $region.wait(uint32(word(1).parseBiggestUInt), word(2).timeout)
  of "size": result = $region.size
  of "participants": result = $region.participants.len
  of "pid": result = $getCurrentProcessId()
  else: invalid("unknown command")

var line: string
while stdin.readLine(line) and line != "quit":
  var reply: string
  try:
    reply = ("ok " & answer(line.split(' '))).strip(leading = false)
  except WinshmError as error:
    reply = "error " & error.statusName
  except ValueError:
    reply = "error WINSHM_E_INVALID"
  echo reply
  flushFile(stdout)
