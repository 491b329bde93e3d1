# SPDX-License-Identifier: MIT

## What becomes of the data when a program dies while it changes them. This one starts
## itself a second time, to have somebody who does:
##
##     nim c -r recover.nim

import std/[os, osproc]
import winshm

# Two accounts. Money goes from one to the other, and they always have 100 together.
type Accounts = object
  mine, yours: int64

let region = openOrCreateRegion("example-recover", sizeof(Accounts))
let accounts = region.at(Accounts, 0)

if paramCount() > 0:
  region.withLock:
    accounts.mine -= 30
    quit "this program ends in the middle of a payment"

region.withLock: accounts[] = Accounts(mine: 100, yours: 0)
let other = startProcess(getAppFilename(), args = ["die"], options = {poParentStreams})
discard other.waitForExit()

# The lock is not lost, but nobody comes upon half a payment without being told.
try:
  region.withLock: echo "this is never seen"
except OwnerDeadError:
  echo "the data may be half written"

# Here somebody says that it can repair them. Until then all others are told, too.
region.withRecoveringLock(ownerDied):
  if ownerDied:
    accounts.yours = 100 - accounts.mine
    region.makeConsistent()

region.withLock: echo "repaired: ", accounts.mine, " and ", accounts.yours
region.close()
