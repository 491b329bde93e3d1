# SPDX-License-Identifier: MIT

## One program listens, others tell it something. Start this in two terminals:
##
##     nim c -r notify.nim
##     nim c -r notify.nim hello
##
## The listener ends when it is told "bye".

import std/[os, strutils]
import winshm

# A string is a pointer, which means nothing to another program. These are plain bytes.
type Text = array[200, char]

if paramCount() > 0:
  let words = commandLineParams().join(" ")
  var text: Text
  for i in 0 ..< min(words.len, text.len): text[i] = words[i]
  try:
    let region = openRegion("example-notify")
    region.store(0, text) # Writes under the lock, and wakes those who wait.
  except NotFoundError:
    quit "nobody listens: start one without a word first"
else:
  let region = openOrCreateRegion("example-notify", sizeof(Text))
  # No change is missed: take the counter, look at the data, then wait with the counter.
  # Of several messages that come at once the last one is heard.
  var seen = region.changeCount
  echo "listening"
  var words = ""
  while words != "bye":
    seen = region.wait(seen)
    words = region.load(Text, 0).join.strip(chars = {'\0'})
    echo words
  region.close()
