# SPDX-License-Identifier: MIT

## A number that several programs count together. Start this in two terminals, and leave
## the first one open until the second has counted, too:
##
##     nim c -r counter.nim

import winshm

# Who comes first creates the region, and its bytes are 0; the others join it.
let region = openOrCreateRegion("example-counter", sizeof(int64))

# A pointer into the shared bytes: what one program writes there, all can see.
let counter = region.at(int64, 0)

for _ in 1 .. 1000:
  # Without the lock two programs could read the same number, and one would be lost.
  region.withLock:
    inc counter[]

# A copy of the value, which takes the lock for the moment that it needs.
echo "the counter is at ", region.load(int64, 0), "; press Enter to leave"
discard stdin.readLine()

# The region ends when the last program that has it open leaves it.
region.close()
