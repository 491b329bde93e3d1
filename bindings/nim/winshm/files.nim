# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## Files that lead to a region or keep what was in it. `winshm` exports all of this for
## programs. Paths are UTF-8, and relative to the working directory of the moment.

import ./abi, ./handles, ./types

{.push raises: [WinshmError].}

proc link*(region: Region, path: string) =
  ## Puts a token into a file, by which `openLink` finds the region: see `exportToken`. The
  ## file appears whole, and is removed when this handle is closed. What is there already
  ## is replaced only if it is the link of a region that has ended; otherwise
  ## `ExistsError` is raised, as it is for a second link of a handle.
  requireText(path, "path")
  check winshm_link(region.raw, path.cstring)

proc requireFreeLock(region: Region) =
  # It would wait for itself. That other tasks lock is nothing that could be known here.
  if region.isForTasks and region.isFilling:
    raiseOwn(WINSHM_E_DEADLOCK, "the lock is held while the region is filled",
      "Save and load later, or without rfTask.")

proc saveTo*(region: Region, path: string, timeout = Forever) =
  ## Saves a consistent copy of the region in a file, which is the old one or the new one
  ## whatever happens, and whole. The lock is held shared for the copy, unless this thread
  ## holds it or there is none: then nobody may write meanwhile. Of a region opened with
  ## `rfTask` nobody may hold it. `timeout` is for the lock and for others who save there.
  requireText(path, "path")
  region.requireFreeLock()
  check winshm_save(region.raw, path.cstring, timeout.toTimeout)

proc loadFrom*(region: Region, path: string, timeout = Forever) =
  ## Replaces the region's bytes by what `saveTo` has saved, here or in another language,
  ## and notifies. The file is checked wholly before a byte changes: `FormatError` if it is
  ## none or was damaged, `MismatchError` if the layout or the size does not fit. The lock is
  ## taken exclusively, unless this thread holds it so or there is none; of a region opened
  ## with `rfTask` nobody may hold it. Where an owner has died in its section this repairs
  ## the data.
  requireText(path, "path")
  region.requireFreeLock()
  check winshm_load(region.raw, path.cstring, timeout.toTimeout)

{.pop.}
