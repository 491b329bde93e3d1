# SPDX-License-Identifier: MIT

## A project as a user of the package has it: two processes share a structure. It prints
## the library's version and 42.
import std/[os, osproc]
import winshm

type Score = object
  best, last: uint32

if paramCount() == 1:
  let region = importRegion(paramStr(1), Score)
  region.withLock:
    region.value.last = region.value.best + 1
  region.close()
else:
  let region = createUnnamedRegion(Score)
  region.withLock:
    region.value.best = 41
  let other = startProcess(getAppFilename(), args = [region.exportToken()],
    options = {poParentStreams})
  doAssert other.waitForExit() == 0
  other.close()
  echo libraryVersion(), " ", region.load().last
  region.close()
