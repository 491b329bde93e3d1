# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## Regions that are one object. `winshm` exports all of this for programs.

import ./abi, ./bytes, ./facts, ./handles, ./layouts, ./locks, ./opening, ./types

type
  TypedRegion*[T] = distinct Region
    ## A region with a `T` at its beginning, which mostly is all of it. It is a `Region`,
    ## too: whatever takes one takes this.
    ##
    ## .. code-block:: nim
    ##   type State = object
    ##     score: uint32
    ##     name: array[12, char]
    ##
    ##   let region = openOrCreateRegion("Local\\Game", State)
    ##   region.withLock:
    ##     inc region.value.score
    ##   region.notify()
    ##   region.close()
    ##
    ## What the region's creator has said of the bytes, in any language, is compared with
    ## `T` when it is opened: `MismatchError` tells the field that differs. `T` is refused by
    ## the compiler if it has references, strings or sequences in it, or anything else that
    ## another program could not read: see `layoutOf`.
  TypedFill*[T] = proc (value: var T)
    ## Puts the first data into a new region, of which it has the exclusive lock.

converter toRegion*[T](region: TypedRegion[T]): Region {.inline.} =
  ## A typed region as any other one; it stays the same handle.
  Region(region)

{.push raises: [WinshmError].}

proc value*[T](region: TypedRegion[T]): var T =
  ## The object itself, in the shared memory: hold the lock where others may write, and
  ## `notify` after writing. Raises `WINSHM_E_UNSUPPORTED` with `rfNoMap`.
  Region(region).at(T, 0)[]

proc load*[T](region: TypedRegion[T], timeout = Forever): T =
  ## A copy of the object, never torn by a writer that locks.
  Region(region).load(T, 0, timeout)

proc store*[T](region: TypedRegion[T], value: T, timeout = Forever) =
  ## Copies an object into the region under the lock, and notifies.
  Region(region).store(0, value, timeout)

{.pop.}

proc optionsOf[T](kind: typedesc[T], disposition: uint32, flags: set[RegionFlag],
                  capacity = 0'i64): winshm_options =
  # Of one that exists the library compares the size with the layout: it may be larger.
  let size = if disposition == WINSHM_OPEN_EXISTING: 0 else: sizeof(T)
  winshm_options(disposition: disposition, flags: flags.bits, size: uint64(size),
    capacity: capacity.toBytes("capacity"))

func layoutFor[T](kind: typedesc[T], flags: set[RegionFlag]): string =
  # A raw region has no room for what it is.
  if rfRaw in flags: "" else: layoutOf(T)

proc enter[T](kind: typedesc[T], caller, name, security: string, options: var winshm_options,
              flags: set[RegionFlag], fill: TypedFill[T], unnamed = false): TypedRegion[T] {.
    raises: [WinshmError, LibraryError], effectsOf: fill.} =
  let region = enter(caller, options, name, layoutFor(T, flags), security, fill != nil, unnamed)
  if fill != nil:
    fillIfNew(region): fill(region.at(T, 0)[])
  TypedRegion[T](region)

proc createRegion*[T](name: string, kind: typedesc[T], flags: set[RegionFlag] = {},
                      capacity = 0'i64, security = "", fill: TypedFill[T] = nil): TypedRegion[T] {.
    raises: [WinshmError, LibraryError], effectsOf: fill.} =
  ## Creates a region of an object, which must not exist; the rest is as for regions of bytes.
  var options = optionsOf(T, WINSHM_CREATE_NEW, flags, capacity)
  enter(T, "createRegion", name, security, options, flags, fill)

proc createUnnamedRegion*[T](kind: typedesc[T], flags: set[RegionFlag] = {}, capacity = 0'i64,
                             security = "", fill: TypedFill[T] = nil): TypedRegion[T] {.
    raises: [WinshmError, LibraryError], effectsOf: fill.} =
  ## As `createRegion`, with a name that the library draws, for what is handed over.
  var options = optionsOf(T, WINSHM_CREATE_NEW, flags, capacity)
  enter(T, "createUnnamedRegion", "", security, options, flags, fill, unnamed = true)

proc openRegion*[T](name: string, kind: typedesc[T], flags: set[RegionFlag] = {}, timeout = 0,
                    security = ""): TypedRegion[T] {.raises: [WinshmError, LibraryError].} =
  ## Joins a region of an object, which may be the beginning of a larger one. If its fields
  ## are others, `MismatchError` tells the first that differs.
  var options = optionsOf(T, WINSHM_OPEN_EXISTING, flags)
  options.timeout_ms = timeout.toTimeout
  TypedRegion[T](enter("openRegion", options, name, layoutFor(T, flags), security))

proc openOrCreateRegion*[T](name: string, kind: typedesc[T], flags: set[RegionFlag] = {},
                            capacity = 0'i64, security = "",
                            fill: TypedFill[T] = nil): TypedRegion[T] {.
    raises: [WinshmError, LibraryError], effectsOf: fill.} =
  ## Joins a region of an object, or creates it if nobody has it open.
  var options = optionsOf(T, WINSHM_OPEN_OR_CREATE, flags, capacity)
  enter(T, "openOrCreateRegion", name, security, options, flags, fill)

proc compared[T](found: Region, kind: typedesc[T], caller: string,
                 flags: set[RegionFlag]): TypedRegion[T] {.raises: [WinshmError, LibraryError].} =
  ## Joins a region again, so that it is compared with the type. Until then it is kept.
  found.closeAfter:
    let known = found.info
    let name = found.name
    let flags = flags + known.access
    var options = optionsOf(T, WINSHM_OPEN_EXISTING, flags)
    let region = enter(caller, options, name, layoutOf(T), "")
    # Who may only look on does not keep it.
    if region.info.id != known.id:
      region.close()
      raiseOwn(WINSHM_E_REPLACED, "the region '" & name & "' has ended, and another one has " &
        "its name", "Get a new token.")
    result = TypedRegion[T](region)

proc importRegion*[T](token: string, kind: typedesc[T], flags: set[RegionFlag] = {},
                      timeout = 0): TypedRegion[T] {.raises: [WinshmError, LibraryError].} =
  ## Joins the very region that a token was made of, as one of an object: see `openRegion`.
  importRegion(token, flags, timeout).compared(T, "importRegion", flags)

proc openLink*[T](path: string, kind: typedesc[T], flags: set[RegionFlag] = {},
                  timeout = 0): TypedRegion[T] {.raises: [WinshmError, LibraryError].} =
  ## Joins the region that a link file leads to, as one of an object: see `openRegion`.
  openLink(path, flags, timeout).compared(T, "openLink", flags)
