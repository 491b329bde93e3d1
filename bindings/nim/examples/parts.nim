# SPDX-License-Identifier: MIT

## A region that is larger than what a program wants to see of it, such as a map of many
## tiles. Only the tiles that it works on take room in its address space:
##
##     nim c -r parts.nim

import winshm

const
  tileSize = 64 * 1024
  tiles = 256

proc paint(pixels: var openArray[uint32], color: uint32) =
  for pixel in pixels.mitems: pixel = color

# Nothing is mapped with rfNoMap, so there is no region.at or region.data.
let region = openOrCreateRegion("example-parts", tiles * tileSize, {rfNoMap})

for tile in [3, 200]:
  # Any offset and any length will do. Offsets in a view count from its own beginning.
  let view = region.map(tile * tileSize, tileSize)
  region.withLock:
    paint(view.toOpenArray(uint32, 0, tileSize div sizeof(uint32)), uint32(tile))
  view.unmap()

# Copies need no view.
for tile in [2, 3, 200]:
  echo "tile ", tile, " begins with ", region.load(uint32, tile * tileSize)

# What lies outside is refused, with an explanation.
try:
  discard region.map(tiles * tileSize, tileSize)
except OutOfRangeError as error:
  echo error.msg

region.close()
