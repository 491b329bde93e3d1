# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## Compares the module `abi` with winshm.h: the C compiler tells the layouts, and
## the text of the header everything else.
{.used.}
import std/[macros, sets, strutils, unittest]
import winshm, winshm/abi

const
  # The operators of std/os would join paths for the target, not for this machine.
  root = currentSourcePath()[0 ..< ^len("tests/bindings/nim/header_test.nim")]
  headerPath = root & "include/winshm.h"
  header = staticRead(headerPath)
  binding = staticRead(root & "bindings/nim/winshm/abi.nim")
  package = staticRead(root & "bindings/nim/winshm.nimble")

proc withoutComments(text: string): string =
  var rest = text
  while (let first = rest.find("/*"); first >= 0):
    result.add rest[0 ..< first]
    rest = rest[rest.find("*/", first) + 2 .. ^1]
  result.add rest

const code = header.withoutComments

type
  Constant = tuple[name: string, value: int64]
  Struct = tuple[name: string, members: seq[string]]

proc parseConstants(): seq[Constant] =
  for line in code.splitLines:
    let words = line.splitWhitespace
    if words.len == 3 and words[0] == "#define" and words[2][0].isDigit:
      let digits = words[2].strip(leading = false, chars = {'u'})
      let value = if digits.startsWith("0x"): fromHex[int64](digits) else: parseInt(digits)
      result.add (words[1], value)
    elif line.strip.startsWith("XX("):
      let parts = line.strip[3 .. ^1].split(',')
      result.add (parts[0], int64(parts[1].strip.parseInt))

proc nimType(c: string): string =
  ## The Nim type for a C type, written as the compiler does.
  let c = c.replace("const ").strip
  if not c.endsWith('*'):
    return if c.endsWith("int32_t") or c.endsWith("int64_t"): c[0 .. ^3] else: c
  let target = c[0 .. ^2].strip
  case target
  of "void": "pointer"
  of "char": "cstring"
  else: "ptr " & target.nimType

proc parseSignatures(): seq[tuple[name, signature: string]] =
  let declarations = code[code.find("extern \"C\"") .. ^1]
  for part in declarations.split("WINSHM_API ")[1 .. ^1]:
    let text = part[0 ..< part.find(';')].replace("\n", " ")
    let call = text.find("WINSHM_CALL")
    let open = text.find('(')
    var parameters: seq[string]
    for parameter in text[open + 1 ..< text.rfind(')')].split(','):
      if parameter.strip == "void": continue
      let at = parameter.rfind({' ', '*'})
      parameters.add parameter[at + 1 .. ^1] & ": " & parameter[0 .. at].nimType
    result.add (text[call + "WINSHM_CALL".len ..< open].strip,
      "proc (" & parameters.join(", ") & "): " & text[0 ..< call].nimType)

proc parseStructs(): seq[Struct] =
  for part in code.split("typedef struct ")[1 .. ^1]:
    let open = part.find('{')
    if open < 0 or open > part.find(';'): continue # An opaque type.
    var struct: Struct = (part[0 ..< open].strip, @[])
    for member in part[open + 1 ..< part.find('}')].split(';'):
      let name = member.split('[')[0].strip
      if name.len > 0: struct.members.add name[name.rfind({' ', '*'}) + 1 .. ^1]
    result.add struct

const
  constants = parseConstants()
  signatures = parseSignatures()
  structs = parseStructs()

macro boundConstants(): untyped =
  result = newNimNode(nnkBracket)
  for constant in constants:
    let bound = newDotExpr(ident"abi", ident(constant.name))
    result.add quote do: int64(`bound`)

macro boundSignatures(): untyped =
  result = newNimNode(nnkBracket)
  for function in signatures:
    let bound = newDotExpr(ident"abi", ident(function.name))
    result.add quote do: $typeof(`bound`)

proc measure(): (string, int) =
  ## C for the sizes of all structs and their members and the members' offsets.
  for struct in structs:
    result[0].add "sizeof(" & struct.name & "),"
    inc result[1]
    for member in struct.members:
      result[0].add "offsetof(" & struct.name & "," & member & "),"
      result[0].add "sizeof(((" & struct.name & " *)0)->" & member & "),"
      inc result[1], 2

const
  measured = measure()
  includeHeader = "/*INCLUDESECTION*/\n#include <stddef.h>\n#include \"" & headerPath & "\"\n"
  measurements = "static const unsigned measured[] = {" & measured[0] & "};\n"
{.emit: includeHeader.}
{.emit: "/*TYPESECTION*/\n" & measurements.}
var measuredByC {.importc: "measured", nodecl.}: array[measured[1], cuint]

suite "winshm.h and the binding":
  test "the header was understood":
    check constants.len >= 60
    check signatures.len == 41
    check structs.len == 4

  test "constants":
    let bound = boundConstants()
    for i, constant in constants:
      checkpoint constant.name
      check bound[i] == constant.value

  test "functions":
    let bound = boundSignatures()
    for i, function in signatures:
      checkpoint function.name
      check bound[i].split('{')[0] == function.signature

  test "nothing that is not in the header":
    var names: HashSet[string]
    for constant in constants: names.incl constant.name
    for function in signatures: names.incl function.name
    for line in binding.splitLines:
      let words = line.replace("*", " ").splitWhitespace
      if words.len > 1 and words[0] == "proc" and words[1].startsWith("winshm_"):
        check words[1] in names
      elif words.len > 1 and words[0].startsWith("WINSHM_") and words[1] == "=":
        check words[0] in names

  test "layouts":
    var bound: seq[cuint]
    var at = 0
    template compare(T: typedesc) =
      var value: T
      check $T == structs[at].name
      bound.add cuint(sizeof(T))
      var members: seq[string]
      for name, member in value.fieldPairs:
        members.add name
        bound.add cuint(cast[uint](addr member) - cast[uint](addr value))
        bound.add cuint(sizeof(member))
      check members == structs[at].members
      inc at
    compare winshm_options
    compare winshm_info
    compare winshm_participant
    compare winshm_field
    check bound == @measuredByC

  test "every status is exported":
    macro exported(): untyped =
      result = newNimNode(nnkBracket)
      for constant in constants:
        if constant.name.startsWith("WINSHM_E_"):
          result.add newDotExpr(ident"winshm", ident(constant.name))
    check exported().len == 31
    for status in exported(): check statusName(status).startsWith("WINSHM_E_")

  test "enumerations are the header's bits":
    check cast[uint8]({rfRead}) == uint8(WINSHM_READ)
    check cast[uint8]({rfWrite}) == uint8(WINSHM_WRITE)
    check cast[uint8]({rfRaw}) == uint8(WINSHM_RAW)
    check cast[uint8]({rfNoLock}) == uint8(WINSHM_NO_LOCK)
    check cast[uint8]({rfNoMap}) == uint8(WINSHM_NO_MAP)
    check cast[uint8]({rfTask}) == uint8(WINSHM_TASK)
    check cast[uint8]({lsExclusive}) == uint8(WINSHM_STATE_EXCLUSIVE)
    check cast[uint8]({lsShared}) == uint8(WINSHM_STATE_SHARED)
    check cast[uint8]({lsInconsistent}) == uint8(WINSHM_STATE_INCONSISTENT)
    check cast[uint8]({pfSelf}) == uint8(WINSHM_PARTICIPANT_SELF)
    check cast[uint8]({pfCreator}) == uint8(WINSHM_PARTICIPANT_CREATOR)
    check cast[uint8]({pfExclusive}) == uint8(WINSHM_PARTICIPANT_EXCLUSIVE)
    check cast[uint8]({pfShared}) == uint8(WINSHM_PARTICIPANT_SHARED)
    check cast[uint8]({pfWaiting}) == uint8(WINSHM_PARTICIPANT_WAITING)
    check ord(lmShared) == int(WINSHM_SHARED)
    check ord(lmExclusive) == int(WINSHM_EXCLUSIVE)
    check ord(rkManaged) == int(WINSHM_KIND_MANAGED)
    check ord(rkRaw) == int(WINSHM_KIND_RAW)
    check ord(roOpened) == int(WINSHM_ORIGIN_OPENED)
    check ord(roCreated) == int(WINSHM_ORIGIN_CREATED)
    check ord(roAdopted) == int(WINSHM_ORIGIN_ADOPTED)

  test "versions":
    let version = $WINSHM_VERSION_MAJOR & "." & $WINSHM_VERSION_MINOR & "." &
      $WINSHM_VERSION_PATCH
    check ("version       = \"" & version & "\"") in package
    check libraryVersion() == version
    check winshm_version() ==
      (WINSHM_VERSION_MAJOR shl 16 or WINSHM_VERSION_MINOR shl 8 or WINSHM_VERSION_PATCH)

  test "texts":
    check statusName(WINSHM_E_TIMEOUT) == "WINSHM_E_TIMEOUT"
    check statusName(-4711) == "WINSHM_E_UNKNOWN"
    check statusText(WINSHM_E_TIMEOUT) == "the time-out ran out"
