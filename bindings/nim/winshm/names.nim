# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## The library's messages speak of what C programs call; who programs in Nim shall
## read the names of this binding.

import std/strutils

{.push raises: [].}

func nimName*(c: string): string =
  ## What a name of `winshm.h` is called here, or nothing if it has no other name. The
  ## statuses have none, since the module `winshm` exports them as they are.
  case c
  of "winshm.h": "the documentation"
  of "winshm_create", "WINSHM_CREATE_NEW": "createRegion"
  of "winshm_open", "winshm_open_with", "WINSHM_OPEN_EXISTING": "openRegion"
  of "winshm_open_or_create", "WINSHM_OPEN_OR_CREATE": "openOrCreateRegion"
  of "winshm_options.flags": "the parameter flags"
  of "winshm_options.timeout_ms": "the parameter timeout"
  of "winshm_options.size": "the parameter size"
  of "winshm_options.capacity": "the parameter capacity"
  of "winshm_options.layout_tag": "the parameter layoutTag"
  of "winshm_options.name": "the parameter name"
  of "winshm_options.security": "the parameter security"
  of "WINSHM_READ": "rfRead"
  of "WINSHM_WRITE": "rfWrite"
  of "WINSHM_RAW": "rfRaw"
  of "WINSHM_NO_LOCK": "rfNoLock"
  of "WINSHM_NO_MAP": "rfNoMap"
  of "WINSHM_TASK": "rfTask"
  of "WINSHM_CREATE_LOCKED": "the parameter fill"
  of "WINSHM_SHARED": "lmShared"
  of "WINSHM_EXCLUSIVE": "lmExclusive"
  of "WINSHM_FOREVER": "Forever"
  of "WINSHM_NAME_MAX": "NameMax"
  of "WINSHM_PARTICIPANTS_MAX": "ParticipantsMax"
  of "winshm_close": "close"
  of "winshm_data", "winshm_view_data": "data"
  of "winshm_size", "winshm_view_size": "size"
  of "winshm_get_info": "info"
  of "winshm_get_participants": "participants"
  of "winshm_map": "map"
  of "winshm_unmap": "unmap"
  of "winshm_read": "read"
  of "winshm_write": "write"
  of "winshm_copy_out": "held.read"
  of "winshm_copy_in": "held.write"
  of "winshm_lock": "lock"
  of "winshm_unlock": "unlock"
  of "winshm_make_consistent": "makeConsistent"
  of "winshm_notify": "notify"
  of "winshm_wait": "wait"
  of "winshm_change_count": "changeCount"
  of "winshm_wait_fd": "waitFd"
  of "winshm_wait_handle": "waitHandle"
  of "winshm_get_name": "name"
  of "winshm_export": "exportToken"
  of "winshm_import": "importRegion"
  of "winshm_link": "link"
  of "winshm_open_link": "openLink"
  of "winshm_get_layout": "layout"
  of "winshm_format_layout": "layoutOf"
  of "winshm_options.layout": "the parameter layout"
  of "winshm_resize": "resize"
  of "winshm_save": "saveTo"
  of "winshm_load": "loadFrom"
  of "WINSHM_LAYOUT_MAX": "LayoutMax"
  of "WINSHM_TOKEN_MAX": "TokenMax"
  else: ""

func wordAt(text: string, first: int): string =
  var after = first
  while after < text.len and text[after] in IdentChars: inc after
  text[first ..< after]

func translated(word: string): string =
  result = nimName(word)
  if result.len == 0: result = word

func inNim*(message: string, caller = ""): string =
  ## A message of the library with the names of this binding. It begins with the name
  ## of the function that failed, in place of which `caller` is told if there is one.
  let function = wordAt(message, 0)
  result = if caller.len > 0: caller else: translated(function)
  var at = function.len
  # The name of a region is its user's.
  if message.continuesWith(" '", at):
    let colon = message.find("': ", at)
    if colon > 0:
      result.add message[at ..< colon]
      at = colon
  while at < message.len:
    let word = wordAt(message, at)
    at += word.len
    if word.len == 0:
      result.add message[at]
      inc at
      continue
    if at < message.len and message[at] == '.':
      let member = wordAt(message, at + 1)
      let name = nimName(word & "." & member)
      if name.len > 0:
        result.add name
        at += 1 + member.len
        continue
    result.add translated(word)

func withCure*(message, cure: string): string =
  ## A message that ends with another cure.
  const mark = "]. "
  let at = message.rfind(mark)
  if at < 0: message else: message[0 ..< at + mark.len] & cure

{.pop.}
