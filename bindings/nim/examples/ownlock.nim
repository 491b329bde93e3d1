# SPDX-License-Identifier: MIT

## Locks of your own, one for each part of a region. Run this in two terminals:
##
##     nim c -r ownlock.nim 3
##
## While one works on a part, others can work on other parts. End one with Ctrl+C while it
## has a part, and the next one is told.

import std/[os, strutils]
import winshm

# Words in the region say who has which part: the number of a participant, which no other
# one gets as long as the region exists, or 0. The region's lock guards these words only,
# for as long as it takes to look at them.
type Locks = object
  owner: array[8, uint64]

let region = openOrCreateRegion("example-ownlock", Locks)
let me = region.info.member

proc isPresent(member: uint64): bool =
  for each in region.participants:
    if each.member == member: return true

proc tryTake(part: int, died: var bool): bool =
  region.withRecoveringLock(ownerDied):
    # A word is written or it is not, so there is nothing to repair.
    if ownerDied: region.makeConsistent()
    let owner = region.value.owner[part]
    # It took part when it took the lock: if it is not there now, it has died, or left
    # without a word. Of those who wait one takes its place.
    if owner == 0 or not isPresent(owner):
      region.value.owner[part] = me
      died = owner != 0
      result = true

proc take(part: int): bool =
  ## Takes a part, for which it waits; true if its owner has died.
  # The counter first, then a look: a release that comes in between ends the wait.
  var seen = region.changeCount
  while not tryTake(part, result):
    # A death notifies nobody, so look for it from time to time.
    discard region.tryWait(seen, 200)

proc release(part: int) =
  region.withRecoveringLock(ownerDied):
    if ownerDied: region.makeConsistent()
    region.value.owner[part] = 0
  region.notify()

let part = parseInt(paramStr(1))
if take(part): echo "Who had part ", part, " has died, and may have left it half written."
echo "Part ", part, " is yours, until you press Enter."
discard stdin.readLine()
release(part)
region.close()
