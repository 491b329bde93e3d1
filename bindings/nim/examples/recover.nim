# SPDX-License-Identifier: MIT

## What becomes of the data when a program dies while it changes them. Start the first in
## one terminal, and while it waits for Enter the second in another:
##
##     nim c -r recover.nim
##     nim c -r recover.nim crash

import std/os
import winshm

# Money goes from one account to the other, and together they always have 100.
type Accounts = object
  mine, yours: int64

proc fill(region: Region) = region.at(Accounts, 0).mine = 100

# Who creates the region fills it, and nobody else gets the lock before that is done.
let region = openOrCreateRegion("example-recover", sizeof(Accounts), fill = fill)
let accounts = region.at(Accounts, 0)

if paramCount() > 0:
  region.withLock:
    accounts.mine -= 30
    quit "this program ends in the middle of a payment"

echo "crash in another terminal, then press Enter here"
discard stdin.readLine()

# The lock is not lost, but nobody comes upon half a payment without being told.
try:
  region.withLock: echo "nobody has crashed"
except OwnerDeadError:
  echo "the data may be half written"

# Here somebody says that it can repair them. Until then all others are told, too.
region.withRecoveringLock(ownerDied):
  if ownerDied:
    accounts.yours = 100 - accounts.mine
    region.makeConsistent()
  echo "the accounts have ", accounts.mine, " and ", accounts.yours

region.close()
