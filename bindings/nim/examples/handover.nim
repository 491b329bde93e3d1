# SPDX-License-Identifier: MIT

## Hand a region over to another process, which needs to know nothing but a token. Any of
## the examples called handover, in any language, can be the other one:
##
##     nim c handover.nim
##     ./handover give ./handover
##
## Or both know the path of a file:
##
##     ./handover link state.link
##     ./handover open state.link

import std/[os, osproc, streams, strutils]
import winshm

# Other languages have the same structure in their own words. Whoever opens the region is
# compared with it.
type State = object
  count, done: uint32
  text: array[56, char]

proc say(state: var State) =
  const words = "handed over by Nim"
  state.count = 1
  for i, letter in words: state.text[i] = letter

proc waitFor(region: TypedRegion[State]) =
  # The counter first, then the data: so no change is missed.
  var seen = region.changeCount
  while region.load().done == 0: seen = region.wait(seen, 30_000)
  echo "handed over: count ", region.load().count

proc give(command: seq[string]) =
  # Nobody comes upon this region by accident: the library draws its name.
  let region = createUnnamedRegion(State, fill = say)
  let child = startProcess(command[0], args = command[1 .. ^1], options = {poUsePath})
  child.inputStream.writeLine region.exportToken()
  child.inputStream.flush()
  region.waitFor()
  if child.waitForExit() != 0: quit "the command has failed"
  region.close()

proc link(path: string) =
  let region = createUnnamedRegion(State, fill = say)
  # The file is there as long as the region is open here.
  region.link(path)
  region.waitFor()
  region.close()

proc take(region: TypedRegion[State]) =
  region.withLock:
    if region.value.count != 1 or region.value.text[0] == '\0':
      quit "something else was handed over"
    region.value.count = 2
    region.value.done = 1
  region.notify()
  region.close()

let words = commandLineParams()
if words.len > 1 and words[0] == "give": give(words[1 .. ^1])
elif words.len == 2 and words[0] == "link": link(words[1])
# The other one may come later, so there may be no file yet.
elif words.len == 2 and words[0] == "open": take(openLink(words[1], State, timeout = 30_000))
else:
  # A token is text, so it can come in any way.
  var token = getEnv("WINSHM_TOKEN")
  if token.len == 0: token = if words.len > 0: words[0] else: stdin.readLine().strip()
  take(importRegion(token, State))
