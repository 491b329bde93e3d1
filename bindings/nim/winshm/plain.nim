# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## Which types may lie in a region: those whose bytes mean the same in every process.

import std/[macros, strutils]

proc inherits(t: NimNode): bool =
  ## Whether objects of this type begin with a pointer that tells their type.
  let symbol = if t.kind == nnkBracketExpr: t[0] else: t
  if t.getTypeImpl[1].kind == nnkOfInherit: return true
  let definition = symbol.getImpl
  if definition.kind != nnkTypeDef or definition[0].kind != nnkPragmaExpr: return false
  for pragma in definition[0][1]:
    if pragma.eqIdent "inheritable": return true

proc stranger(t: NimNode, path: string): string

proc strangerIn(fields: NimNode, path: string): string =
  ## As `stranger`, for the fields of an object, of which some may exist by turns.
  case fields.kind
  of nnkIdentDefs:
    for field in fields[0 .. ^3]:
      let name = if field.kind == nnkPostfix: field[1] else: field
      result = stranger(fields[^2], path & "." & name.strVal)
      if result.len > 0: return
  of nnkRecList, nnkRecCase, nnkOfBranch, nnkElse:
    for part in fields:
      result = strangerIn(part, path)
      if result.len > 0: return
  else: discard # Nothing at all, or the value of a branch.

proc stranger(t: NimNode, path: string): string =
  ## What in a value of type `t` has a meaning in one process only, or nothing.
  let impl = t.getTypeImpl
  # An instance of a generic type has a kind of its own, which says nothing.
  let kind = if t.typeKind in {ntyGenericInst, ntyAlias}: impl.typeKind else: t.typeKind
  case kind
  of ntyBool, ntyChar, ntyEnum, ntySet, ntyRange, ntyInt .. ntyUInt64: discard
  of ntyArray, ntyUncheckedArray: result = stranger(impl[^1], path & "[]")
  of ntyDistinct: result = stranger(impl[0], path)
  of ntyTuple:
    for i, field in impl:
      result = if field.kind == nnkIdentDefs: strangerIn(field, path)
               else: stranger(field, path & "[" & $i & "]")
      if result.len > 0: return
  of ntyObject:
    if t.inherits: return path & " has a pointer to its type, since it can be inherited from"
    result = strangerIn(impl[2], path)
  else: result = path & " is a " & toLowerAscii(($kind)[len("nty") .. ^1])

macro requirePlain*(T: typedesc) =
  ## Ends the compilation if values of type `T` have pointers or references in them.
  let t = T.getTypeInst[1]
  let found = stranger(t, t.repr)
  if found.len > 0:
    error found & ", but only what means the same in every process can be shared. Use " &
      "array[N, char] for text, array[N, T] for a list, an offset in the region for a " &
      "pointer, or write for the bytes alone.", T
  newStmtList()
