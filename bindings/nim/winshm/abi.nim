# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## The C interface of winshm, name for name as in `winshm.h`, which documents it.
##
## The library is loaded when the program starts: from the full path in the
## environment variable `WINSHM_LIBRARY` if that is set, else from beside the
## program, else from where the system looks. `-d:winshmLibrary=NAME` changes the
## file name.
##
## With `-d:winshmLink` the linker binds the library instead. With `-d:winshmStatic` it
## puts the static one into the program, which then needs no other file and does not
## look at `WINSHM_LIBRARY`. `--passL:-LFOLDER` says where the libraries are, if the
## linker does not find them by itself.
##
## A program starts without the library, too. Who calls this module directly must
## first see that `winshmProblem` is empty, as the module `winshm` does: without the
## library every procedure here is a nil pointer.

import std/strutils

type
  winshm_status* = int32
  winshm_region* {.pure.} = object ## Opaque; only `ptr winshm_region` has a use.
  winshm_view* {.pure.} = object ## Opaque; only `ptr winshm_view` has a use.

  winshm_options* {.bycopy.} = object
    struct_size*: uint32
    flags*: uint32
    disposition*: uint32
    timeout_ms*: uint32
    size*: uint64
    capacity*: uint64
    layout_tag*: uint64
    name*: cstring
    security*: cstring
    layout*: cstring

  winshm_info* {.bycopy.} = object
    struct_size*: uint32
    kind*: uint32
    access*: uint32
    lock_kind*: uint32
    size*: uint64
    capacity*: uint64
    id*: array[16, uint8]
    layout_tag*: uint64
    member*: uint64
    creator_start_us*: int64
    creator_pid*: uint32
    creator_present*: uint32
    participants*: uint32
    lock_state*: uint32
    owner_pid*: uint32
    change_count*: uint32
    origin*: uint32
    observer*: uint32

  winshm_participant* {.bycopy.} = object
    struct_size*: uint32
    flags*: uint32
    member*: uint64
    start_us*: int64
    pid*: uint32
    slot*: uint32

  winshm_field* {.bycopy.} = object
    name*: cstring
    fields*: ptr winshm_field
    offset*: uint64
    count*: uint64
    element*: uint64
    field_count*: uint32
    kind*: uint32

proc packageVersion(): seq[string] {.compileTime.} =
  # An installed package has no winshm.h; the package's own file is always there.
  for line in staticRead("../winshm.nimble").splitLines:
    if line.startsWith("version"): return line.split('"')[1].split('.')

const
  WINSHM_VERSION_MAJOR* = uint32(parseUInt(packageVersion()[0]))
  WINSHM_VERSION_MINOR* = uint32(parseUInt(packageVersion()[1]))
  WINSHM_VERSION_PATCH* = uint32(parseUInt(packageVersion()[2]))

  WINSHM_OK* = 0'i32
  WINSHM_E_INVALID* = -1'i32
  WINSHM_E_NAME* = -2'i32
  WINSHM_E_NOT_FOUND* = -3'i32
  WINSHM_E_EXISTS* = -4'i32
  WINSHM_E_ACCESS* = -5'i32
  WINSHM_E_PRIVILEGE* = -6'i32
  WINSHM_E_KIND* = -7'i32
  WINSHM_E_NOT_MANAGED* = -8'i32
  WINSHM_E_SIZE* = -9'i32
  WINSHM_E_RANGE* = -10'i32
  WINSHM_E_FOREIGN* = -11'i32
  WINSHM_E_LAYOUT* = -12'i32
  WINSHM_E_TAG* = -13'i32
  WINSHM_E_HELD* = -14'i32
  WINSHM_E_REPLACED* = -15'i32
  WINSHM_E_NO_MEMORY* = -16'i32
  WINSHM_E_TOO_MANY* = -17'i32
  WINSHM_E_TIMEOUT* = -18'i32
  WINSHM_E_OWNER_DEAD* = -19'i32
  WINSHM_E_NOT_OWNER* = -20'i32
  WINSHM_E_DEADLOCK* = -21'i32
  WINSHM_E_BUSY* = -22'i32
  WINSHM_E_HANDLE* = -23'i32
  WINSHM_E_CLOSED* = -24'i32
  WINSHM_E_FORKED* = -25'i32
  WINSHM_E_FAULT* = -26'i32
  WINSHM_E_CORRUPT* = -27'i32
  WINSHM_E_UNSUPPORTED* = -28'i32
  WINSHM_E_SYSTEM* = -29'i32
  WINSHM_E_FORMAT* = -31'i32
  WINSHM_E_TOKEN* = -30'i32

  WINSHM_FOREVER* = 0xFFFFFFFF'u32
  WINSHM_NAME_MAX* = 200'u32
  WINSHM_PARTICIPANTS_MAX* = 128'u32
  WINSHM_LAYOUT_MAX* = 8191'u32
  WINSHM_TOKEN_MAX* = 1000'u32

  WINSHM_READ* = 0x00000001'u32
  WINSHM_WRITE* = 0x00000002'u32
  WINSHM_RAW* = 0x00000004'u32
  WINSHM_NO_LOCK* = 0x00000008'u32
  WINSHM_NO_MAP* = 0x00000010'u32
  WINSHM_TASK* = 0x00000020'u32
  WINSHM_CREATE_LOCKED* = 0x00000040'u32

  WINSHM_CREATE_NEW* = 1'u32
  WINSHM_OPEN_EXISTING* = 2'u32
  WINSHM_OPEN_OR_CREATE* = 3'u32

  WINSHM_SHARED* = 1'u32
  WINSHM_EXCLUSIVE* = 2'u32

  WINSHM_KIND_MANAGED* = 1'u32
  WINSHM_KIND_RAW* = 2'u32

  WINSHM_LOCK_NONE* = 0'u32
  WINSHM_LOCK_ROBUST* = 1'u32

  WINSHM_STATE_EXCLUSIVE* = 1'u32
  WINSHM_STATE_SHARED* = 2'u32
  WINSHM_STATE_INCONSISTENT* = 4'u32

  WINSHM_ORIGIN_OPENED* = 1'u32
  WINSHM_ORIGIN_CREATED* = 2'u32
  WINSHM_ORIGIN_ADOPTED* = 3'u32

  WINSHM_PARTICIPANT_SELF* = 1'u32
  WINSHM_PARTICIPANT_CREATOR* = 2'u32
  WINSHM_PARTICIPANT_EXCLUSIVE* = 4'u32
  WINSHM_PARTICIPANT_SHARED* = 8'u32
  WINSHM_PARTICIPANT_WAITING* = 16'u32

  WINSHM_FIELD_STRUCT* = 1'u32
  WINSHM_FIELD_U8* = 2'u32
  WINSHM_FIELD_I8* = 3'u32
  WINSHM_FIELD_U16* = 4'u32
  WINSHM_FIELD_I16* = 5'u32
  WINSHM_FIELD_U32* = 6'u32
  WINSHM_FIELD_I32* = 7'u32
  WINSHM_FIELD_U64* = 8'u32
  WINSHM_FIELD_I64* = 9'u32
  WINSHM_FIELD_F32* = 10'u32
  WINSHM_FIELD_F64* = 11'u32
  WINSHM_FIELD_BOOL* = 12'u32
  WINSHM_FIELD_CHAR* = 13'u32
  WINSHM_FIELD_CHAR16* = 14'u32

const winshmBound* = defined(winshmLink) or defined(winshmStatic)
  ## Whether the linker has bound the library, so that none is loaded at run time.

when defined(winshmStatic):
  # By the file's name, since -l would take the shared library if both are there. The
  # rest is what winshm.pc says of the static one.
  when defined(windows): {.passL: "-l:libwinshm_static.a -ladvapi32".}
  else: {.passL: "-l:libwinshm.a -pthread -Wl,-z,nodelete".}
elif defined(winshmLink):
  {.passL: "-lwinshm".}

when winshmBound:
  {.pragma: winshm, importc, cdecl, raises: [], gcsafe.}
else:
  import std/[dynlib, os]

  const winshmLibrary* {.strdefine.} =
    when defined(windows): "winshm.dll" else: "libwinshm.so.0"
  var library: LibHandle

  when defined(windows):
    # std/dynlib knows only LoadLibraryA, which fails for paths outside the code page.
    proc LoadLibraryW(path: WideCString): LibHandle {.
      importc, stdcall, dynlib: "kernel32", raises: [], gcsafe.}

    proc load(path: string): LibHandle = LoadLibraryW(newWideCString(path))
    # As the system says it, but in the middle of a sentence.
    proc loadError(): string = osErrorMsg(osLastError()).strip(leading = false, chars = Whitespace + {'.'})
  else:
    import std/posix
    proc load(path: string): LibHandle = loadLib(path)
    proc loadError(): string = $dlerror()

  proc candidates(): seq[string] =
    let path = getEnv("WINSHM_LIBRARY")
    if path.len > 0: return @[path]
    # Windows begins its own search beside the program.
    when not defined(windows): result.add getAppDir() / winshmLibrary
    result.add winshmLibrary

  proc winshmSymbol(name: cstring): pointer =
    ## The address of a function, or nil. The pragma `dynlib` with a library's name
    ## would end a program that lacks the library before it can say a word. With a
    ## call that gives a pointer, the compiler makes this call for each procedure when
    ## the module starts, with the procedure's name in place of the empty string.
    if library.isNil:
      for path in candidates():
        library = load(path)
        if not library.isNil: break
    if library.isNil: nil else: library.symAddr(name)

  {.pragma: winshm, importc, cdecl, dynlib: winshmSymbol(""), raises: [], gcsafe.}

proc winshm_version*(): uint32 {.winshm.}
proc winshm_version_string*(): cstring {.winshm.}
proc winshm_status_name*(status: winshm_status): cstring {.winshm.}
proc winshm_status_text*(status: winshm_status): cstring {.winshm.}
proc winshm_last_message*(): cstring {.winshm.}
proc winshm_last_os_code*(): int32 {.winshm.}

proc winshm_create*(name: cstring, size: uint64, flags: uint32,
                    `out`: ptr ptr winshm_region): winshm_status {.winshm.}
proc winshm_open*(name: cstring, flags: uint32,
                  `out`: ptr ptr winshm_region): winshm_status {.winshm.}
proc winshm_open_or_create*(name: cstring, size: uint64, flags: uint32,
                            `out`: ptr ptr winshm_region): winshm_status {.winshm.}
proc winshm_open_with*(options: ptr winshm_options,
                       `out`: ptr ptr winshm_region): winshm_status {.winshm.}
proc winshm_close*(region: ptr winshm_region): winshm_status {.winshm.}

proc winshm_data*(region: ptr winshm_region): pointer {.winshm.}
proc winshm_size*(region: ptr winshm_region): uint64 {.winshm.}
proc winshm_get_info*(region: ptr winshm_region,
                      info: ptr winshm_info): winshm_status {.winshm.}
proc winshm_get_participants*(region: ptr winshm_region, `array`: ptr winshm_participant,
                              capacity: uint32, count: ptr uint32): winshm_status {.winshm.}
proc winshm_get_layout*(region: ptr winshm_region, buffer: cstring, capacity: uint32,
                        length: ptr uint32): winshm_status {.winshm.}
proc winshm_format_layout*(fields: ptr winshm_field, count: uint32, size: uint64,
                           buffer: cstring, capacity: uint32,
                           length: ptr uint32): winshm_status {.winshm.}

proc winshm_resize*(region: ptr winshm_region, size: uint64,
                    timeout_ms: uint32): winshm_status {.winshm.}

proc winshm_map*(region: ptr winshm_region, offset: uint64, length: uint64, flags: uint32,
                 `out`: ptr ptr winshm_view): winshm_status {.winshm.}
proc winshm_view_data*(view: ptr winshm_view): pointer {.winshm.}
proc winshm_view_size*(view: ptr winshm_view): uint64 {.winshm.}
proc winshm_unmap*(view: ptr winshm_view): winshm_status {.winshm.}
proc winshm_read*(region: ptr winshm_region, offset: uint64, buffer: pointer, length: uint64,
                  timeout_ms: uint32): winshm_status {.winshm.}
proc winshm_write*(region: ptr winshm_region, offset: uint64, buffer: pointer, length: uint64,
                   timeout_ms: uint32): winshm_status {.winshm.}
proc winshm_copy_out*(region: ptr winshm_region, offset: uint64, buffer: pointer,
                      length: uint64): winshm_status {.winshm.}
proc winshm_copy_in*(region: ptr winshm_region, offset: uint64, buffer: pointer,
                     length: uint64): winshm_status {.winshm.}

proc winshm_save*(region: ptr winshm_region, path: cstring,
                  timeout_ms: uint32): winshm_status {.winshm.}
proc winshm_load*(region: ptr winshm_region, path: cstring,
                  timeout_ms: uint32): winshm_status {.winshm.}

proc winshm_lock*(region: ptr winshm_region, mode: uint32,
                  timeout_ms: uint32): winshm_status {.winshm.}
proc winshm_unlock*(region: ptr winshm_region, mode: uint32): winshm_status {.winshm.}
proc winshm_make_consistent*(region: ptr winshm_region): winshm_status {.winshm.}

proc winshm_notify*(region: ptr winshm_region): winshm_status {.winshm.}
proc winshm_wait*(region: ptr winshm_region, seen: uint32, timeout_ms: uint32,
                  now: ptr uint32): winshm_status {.winshm.}
proc winshm_change_count*(region: ptr winshm_region, now: ptr uint32): winshm_status {.winshm.}
proc winshm_wait_fd*(region: ptr winshm_region, fd: ptr int32): winshm_status {.winshm.}
proc winshm_wait_handle*(region: ptr winshm_region,
                         handle: ptr pointer): winshm_status {.winshm.}
proc winshm_get_name*(region: ptr winshm_region, buffer: cstring, capacity: uint32,
                      length: ptr uint32): winshm_status {.winshm.}
proc winshm_export*(region: ptr winshm_region, access: uint32, buffer: cstring,
                    capacity: uint32, length: ptr uint32): winshm_status {.winshm.}
proc winshm_import*(token: cstring, flags: uint32, timeout_ms: uint32,
                    `out`: ptr ptr winshm_region): winshm_status {.winshm.}
proc winshm_link*(region: ptr winshm_region, path: cstring): winshm_status {.winshm.}
proc winshm_open_link*(path: cstring, flags: uint32, timeout_ms: uint32,
                       `out`: ptr ptr winshm_region): winshm_status {.winshm.}

proc winshmProblem*(): string =
  ## Why the library cannot be used: it was not found, or its version does not fit.
  ## Empty if all is well.
  when not winshmBound:
    let path = candidates()[^1]
    let chosen = getEnv("WINSHM_LIBRARY").len > 0
    let told = path & (if chosen: ", from the environment variable WINSHM_LIBRARY," else: "")
    if library.isNil:
      discard load(path)
      return told & " cannot be loaded (" & loadError() & "). " &
        (if chosen: "Let it name the library's full path, or unset it."
         else: "Set WINSHM_LIBRARY to the library's full path, or put it beside the program " &
           "or where the system looks.")
    if winshmSymbol("winshm_version").isNil:
      return told & " was loaded and is not winshm."
  let version = winshm_version()
  if version shr 16 != WINSHM_VERSION_MAJOR or
      (version shr 8 and 0xFF) < WINSHM_VERSION_MINOR:
    return "the library has version " & $winshm_version_string() & ", but this program needs " &
      $WINSHM_VERSION_MAJOR & "." & $WINSHM_VERSION_MINOR & " or a later " &
      $WINSHM_VERSION_MAJOR & ".x."
