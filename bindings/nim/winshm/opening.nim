# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## Creating and opening regions. `winshm` exports for programs all but `enter`.

import ./abi, ./handles, ./locks, ./types

proc enter*(caller: string, options: var winshm_options, name, layout, security: string,
            locked, unnamed = false): Region {.raises: [WinshmError, LibraryError].} =
  ## Opens a region with options that have neither size nor texts yet. With `locked` one
  ## that is created is to be filled.
  requireLibrary()
  if '\0' in name: raiseOwn(WINSHM_E_NAME, "name contains a NUL", "Leave it out.")
  requireText(layout, "layout")
  requireText(security, "security")
  options.struct_size = uint32(sizeof(options))
  if locked: options.flags = options.flags or WINSHM_CREATE_LOCKED
  options.name = if unnamed: nil else: name.cstring
  options.layout = if layout.len == 0: nil else: layout.cstring
  options.security = if security.len == 0: nil else: security.cstring
  var handle: ptr winshm_region
  let status = winshm_open_with(addr options, addr handle)
  if status != WINSHM_OK: raiseFailure(status, caller = caller)
  own(handle, forTasks = (options.flags and WINSHM_TASK) != 0)

proc enter(caller: string, options: var winshm_options, name, layout, security: string,
           fill: Fill, unnamed = false): Region {.
    raises: [WinshmError, LibraryError], effectsOf: fill.} =
  result = enter(caller, options, name, layout, security, fill != nil, unnamed)
  if fill != nil:
    fillIfNew(result): fill(result)

proc createRegion*(name: string, size: int64, flags: set[RegionFlag] = {}, capacity = 0'i64,
                   layoutTag = 0'u64, layout = "", security = "",
                   fill: Fill = nil): Region {.
    raises: [WinshmError, LibraryError], effectsOf: fill.} =
  ## Creates a region, which must not exist. Its bytes are zero. `capacity` is how far
  ## `resize` may make it grow, 0 meaning not at all; what is more than `size` takes no
  ## memory until then. `layout` says what the bytes are, as a text like that of
  ## `layoutOf`. `security` says who may use it: the user alone if it is empty.
  ##
  ## `fill` is called with the new region before anybody else can read it. It holds the
  ## exclusive lock, so others wait for it, and it must not lock. If it raises, the region
  ## is closed and the exception goes on. Who has joined meanwhile, or joins when this
  ## process has died in `fill`, gets the lock from `withRecoveringLock` with `ownerDied`,
  ## and fills the region in its place:
  ##
  ## .. code-block:: nim
  ##   proc setUp(region: Region) = region.store(0, 100)
  ##   let region = openOrCreateRegion("Local\\Scores", 64, fill = setUp)
  ##   region.withRecoveringLock(ownerDied):
  ##     if ownerDied:
  ##       setUp(region)
  ##       region.makeConsistent()
  var options = winshm_options(disposition: WINSHM_CREATE_NEW, flags: flags.bits,
    size: size.toBytes("size"), capacity: capacity.toBytes("capacity"),
    layout_tag: layoutTag)
  enter("createRegion", options, name, layout, security, fill)

proc createUnnamedRegion*(size: int64, flags: set[RegionFlag] = {}, capacity = 0'i64,
                          layoutTag = 0'u64, layout = "", security = "",
                          fill: Fill = nil): Region {.
    raises: [WinshmError, LibraryError], effectsOf: fill.} =
  ## As `createRegion`, with a name that the library draws and no other region has, for
  ## what is handed over: see `exportToken` and `link`. Who may use the region is decided by
  ## `security`, and never by secrecy of the name.
  var options = winshm_options(disposition: WINSHM_CREATE_NEW, flags: flags.bits,
    size: size.toBytes("size"), capacity: capacity.toBytes("capacity"),
    layout_tag: layoutTag)
  enter("createUnnamedRegion", options, "", layout, security, fill, unnamed = true)

proc openRegion*(name: string, flags: set[RegionFlag] = {}, timeout = 0, size = 0'i64,
                 layoutTag = 0'u64, layout = "", security = ""): Region {.
    raises: [WinshmError, LibraryError].} =
  ## Joins a region, for which it waits up to `timeout`. A `size` or `layoutTag` that is
  ## not 0 must be the region's, `size` that of its creation. So must a `layout`, if the
  ## region has one, where upper case and underscores in names do not count: the message
  ## tells the field that differs. The region must be this user's, an administrator's or
  ## the system's, unless `security` is `"anyone"`, which trusts its owner whoever it is.
  var options = winshm_options(disposition: WINSHM_OPEN_EXISTING, flags: flags.bits,
    timeout_ms: timeout.toTimeout, size: size.toBytes("size"), layout_tag: layoutTag)
  enter("openRegion", options, name, layout, security)

proc openOrCreateRegion*(name: string, size: int64, flags: set[RegionFlag] = {},
                         capacity = 0'i64, layoutTag = 0'u64, layout = "",
                         security = "", fill: Fill = nil): Region {.
    raises: [WinshmError, LibraryError], effectsOf: fill.} =
  ## Joins a region, or creates it if nobody has it open. Size 0 joins one of any
  ## size but cannot create it. `fill` is called as by `createRegion`, if this call has
  ## created the region or adopted a block of an outside program.
  var options = winshm_options(disposition: WINSHM_OPEN_OR_CREATE, flags: flags.bits,
    size: size.toBytes("size"), capacity: capacity.toBytes("capacity"),
    layout_tag: layoutTag)
  enter("openOrCreateRegion", options, name, layout, security, fill)

proc importRegion*(token: string, flags: set[RegionFlag] = {}, timeout = 0): Region {.
    raises: [WinshmError, LibraryError].} =
  ## Joins the very region that a token was made of, in any language: see `exportToken`.
  ## Never creates anything. `flags` may have `rfRead`, `rfNoMap` and `rfTask`. `timeout` is
  ## for others who create or open the region at this moment, 0 meaning 5 s: one that has
  ## ended is not waited for, since it cannot come back.
  ##
  ## Raises `TokenError` for a text that is no token, was altered or cut short,
  ## `NotFoundError` if the region has ended, and `WINSHM_E_REPLACED` if another one has
  ## its name since.
  requireLibrary()
  requireText(token, "token")
  var handle: ptr winshm_region
  check winshm_import(token.cstring, flags.bits, timeout.toTimeout, addr handle)
  own(handle, forTasks = rfTask in flags)

proc openLink*(path: string, flags: set[RegionFlag] = {}, timeout = 0): Region {.
    raises: [WinshmError, LibraryError].} =
  ## Joins the region that a link file leads to: see `link`. Never creates anything.
  ## `timeout` is for a file to appear that leads to a living region, too; the rest is as
  ## for `importRegion`. Raises `TokenError` for a file with anything else in it.
  requireLibrary()
  requireText(path, "path")
  var handle: ptr winshm_region
  check winshm_open_link(path.cstring, flags.bits, timeout.toTimeout, addr handle)
  own(handle, forTasks = rfTask in flags)
