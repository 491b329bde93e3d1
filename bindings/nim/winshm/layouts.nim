# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## What the bytes of a type are, in the words of `winshm.h`, found out by the compiler.

import std/[atomics, importutils, macros, strutils, typetraits]
import ./abi, ./plain

type
  Kind = object
    text: string # Such as "u32", or "{x:f32@0; y:f32@4; size 8}".
    count: int # Of the elements of an array, or 0.
  Shape = object
    text, problem: string
    names: seq[string] # As names are compared.

const
  texts = ["char", "char16"]
  nameMax = 63
  depthMax = 8 # How deep structures lie in the outermost one.

proc addNames(fields: NimNode, names: var seq[string]) =
  case fields.kind
  of nnkIdentDefs:
    for field in fields[0 .. ^3]:
      names.add (if field.kind == nnkPostfix: field[1] else: field).strVal
  of nnkRecList, nnkRecCase, nnkOfBranch, nnkElse, nnkTupleTy:
    for part in fields: addNames(part, names)
  else: discard # Nothing at all, or the value of a branch.

proc hasBits(t: NimNode): bool =
  ## Whether a member of the type has a place of less than a byte.
  proc asks(node: NimNode): bool =
    if node.kind == nnkPragma:
      for pragma in node:
        if pragma.len > 0 and pragma[0].eqIdent "bitsize": return true
    for part in node:
      if asks(part): return true
  let symbol = if t.kind == nnkBracketExpr: t[0] else: t
  if symbol.kind != nnkSym: return false
  let definition = symbol.getImpl
  if definition.kind != nnkTypeDef: return false
  # Another name for a type has no members of its own.
  asks(definition) or hasBits(definition[2])

proc addField[T](shape: var Shape, name: string, offset: int, kind: typedesc[T],
                 depth: int) {.compileTime.}

macro addFields(T: typedesc, probe, shape, depth: untyped): untyped =
  ## Calls `addField` for each field that an object or a named tuple ever has.
  let t = T.getTypeInst[1]
  let impl = t.getTypeImpl
  var names: seq[string]
  addNames(if impl.kind == nnkObjectTy: impl[2] else: impl, names)
  result = newStmtList()
  if t.hasBits:
    let problem = t.repr & " has bit fields, the place of which compilers choose"
    return quote do: `shape`.problem = `problem`
  if names.len == 0 or impl.kind == nnkTupleConstr:
    let problem = t.repr & " has no field with a name"
    return quote do: `shape`.problem = `problem`
  for name in names:
    let field = ident(name)
    result.add quote do:
      addField(`shape`, `name`, offsetOf(`probe`[], `field`),
        typeof(`probe`[].`field`), `depth`)

template inner[T](A: typedesc[Atomic[T]]): typedesc = T
template element[I, T](A: typedesc[array[I, T]]): typedesc = T

proc kindOf[T](kind: typedesc[T], shape: var Shape, depth: int): Kind {.compileTime.}

proc addField[T](shape: var Shape, name: string, offset: int, kind: typedesc[T],
                 depth: int) =
  if shape.problem.len > 0: return # The first one is told.
  let kind = kindOf(T, shape, depth)
  if shape.problem.len > 0:
    shape.problem = name & ": " & shape.problem
    return
  if name.len > nameMax or not name.allCharsInSet(IdentChars):
    shape.problem = "the field " & name & " has a name with more than A-Z, a-z, 0-9 and _, or " &
      "with more than " & $nameMax & " letters"
    return
  let folded = name.replace("_").toLowerAscii
  if folded in shape.names:
    shape.problem = "another field has the name " & name & " but for upper case and underscores"
    return
  shape.names.add folded
  shape.text.add name & ":" & kind.text
  if kind.count > 0: shape.text.add "[" & $kind.count & "]"
  shape.text.add "@" & $offset & "; "

proc addStruct[T](kind: typedesc[T], shape: var Shape, depth: int) {.compileTime.} =
  when T is object: privateAccess(T)
  var probe: ptr T
  if depth > depthMax:
    shape.problem = $T & " lies too deep: " & $depthMax & " structures may be around it"
    return
  addFields(T, probe, shape, depth + 1)
  shape.text.add "size " & $sizeof(T)

proc kindOf[T](kind: typedesc[T], shape: var Shape, depth: int): Kind =
  const bits {.used.} = $(8 * sizeof(T))
  when T is Atomic: kindOf(inner(T), shape, depth)
  elif T is Utf16Char: Kind(text: "char16")
  elif T is distinct: kindOf(distinctBase(T), shape, depth)
  elif T is bool: Kind(text: "bool")
  elif T is char: Kind(text: "char")
  elif T is SomeFloat: Kind(text: "f" & bits)
  elif T is SomeSignedInt: Kind(text: "i" & bits)
  elif T is SomeUnsignedInt: Kind(text: "u" & bits)
  elif T is enum: Kind(text: (if ord(low(T)) < 0: "i" else: "u") & bits)
  elif T is set:
    # Where larger ones lie Nim and the C compiler do not agree.
    if sizeof(T) > 8:
      shape.problem = "a set of more than 64 has no kind: let it be an array of numbers"
    Kind(text: "u" & bits)
  elif T is array:
    result = kindOf(element(T), shape, depth)
    if result.count > 0 and result.text in texts:
      shape.problem = "an array of texts has no kind: let each be a field of an object of its own"
    result.count = max(result.count, 1) * len(T)
    if len(T) == 0: shape.problem = "an array has no elements"
  elif T is object or T is tuple:
    var nested: Shape
    addStruct(T, nested, depth)
    shape.problem = nested.problem
    Kind(text: "{" & nested.text & "}")
  else:
    shape.problem = $T & " has no kind in layout texts"
    Kind()

proc shapeOf[T](kind: typedesc[T]): Shape {.compileTime.} =
  addStruct(T, result, 0)
  if result.problem.len == 0 and result.text.len > int(WINSHM_LAYOUT_MAX):
    result.problem = "its text would have more than " & $WINSHM_LAYOUT_MAX & " bytes"
  if result.problem.len > 0: result.problem = $T & " has no layout: " & result.problem

proc layoutOf*[T: object or tuple](kind: typedesc[T]): string =
  ## What the bytes of an object are, as the compiler knows it: its layout text, such as
  ## `score:u32@0; name:char[12]@4; size 16`, which is the same for this object in all
  ## languages. `winshm.h` describes it at `winshm_format_layout`.
  ##
  ## Enumerations and sets of up to 64 are numbers of their size, without a sign unless a value of
  ## the enumeration is negative, and a distinct type or an `Atomic` is what it is made of. `array[N, char]` is text in UTF-8, filled up with NUL,
  ## and `array[N, Utf16Char]` in UTF-16. Arrays of arrays are one with all their elements.
  ## The members of a `{.union.}` and the branches of a `case` overlap. `int` and `uint`
  ## have the size of a pointer, so programs of 32 and of 64 bits differ in them.
  ##
  ## The compiler refuses what other programs could not read: references, strings,
  ## sequences, bit fields, arrays of texts, large sets, fields without a name, and names with more
  ## than ASCII letters, digits and `_`.
  requirePlain(T)
  const shape = shapeOf(T)
  when shape.problem.len > 0: {.error: shape.problem.}
  shape.text
