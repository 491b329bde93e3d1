# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## What leads others to a region, and what outlives it.
{.used.}
import std/[os, strutils, unittest]
import winshm
import ./roles

type
  State = object
    count, done: uint32
  Other = object
    count: uint64

let directory = getTempDir() / fresh() & "-ä"

proc tokenError(token: string): string =
  try: discard importRegion(token)
  except TokenError as error:
    check error.status == WINSHM_E_TOKEN
    result = error.msg

suite "tokens":
  test "a region without a name":
    let region = createUnnamedRegion(64)
    check region.name.len == len("winshm-") + 32
    let other = createUnnamedRegion(64)
    check region.name != other.name
    let again = openRegion(region.name)
    check again.info.id == region.info.id
    for each in [region, other, again]: each.close()
    let named = createRegion("Global\\" & fresh(), 64)
    let names = [named.name.split('\\')[^1], named.name]
    check names[0].startsWith("nim-test-")
    openRegion(names[1]).close()
    named.close()

  test "they lead to this life":
    let region = createUnnamedRegion(State)
    let token = region.exportToken()
    check token.len <= TokenMax and token.allCharsInSet({'!' .. '~'})
    let other = importRegion(token)
    other.store(0, 5'u32)
    check region.value.count == 5
    check other.name == region.name
    other.close()
    let typed = importRegion(token, State)
    inc typed.value.count
    check region.value.count == 6
    check region.info.participants == 2
    typed.close()
    expect MismatchError: discard importRegion(token, Other)
    check region.info.participants == 1
    check "altered" in tokenError(token[0 .. ^2] & (if token[^1] == '0': '1' else: '0'))
    check tokenError("") != "" and tokenError(token[0 .. ^2]) != ""
    expect InvalidError: discard importRegion(token & "\0")
    expect MismatchError: discard importRegion("winshm2" & token[7 .. ^1])
    region.close()
    expect NotFoundError: discard importRegion(token)
    let next = createRegion(fresh(), State)
    let old = next.exportToken()
    let name = next.name
    next.close()
    let heir = createRegion(name, State)
    try:
      discard importRegion(old, State)
      check false
    except WinshmError as error: check error.status == WINSHM_E_REPLACED
    heir.close()

  test "they grant no more than they say":
    let region = createUnnamedRegion(State)
    let reader = importRegion(region.exportToken({rfRead}), State)
    check reader.info.access == {rfRead}
    expect AccessError: reader.store(State())
    expect AccessError: discard reader.exportToken({rfRead, rfWrite})
    let less = importRegion(region.exportToken(), {rfRead, rfNoMap})
    check less.info.access == {rfRead}
    expect InvalidError: discard importRegion(region.exportToken(), {rfRaw})
    for each in [Region(reader), less, Region(region)]: each.close()
    let raw = createUnnamedRegion(64, {rfRaw})
    try:
      discard raw.exportToken()
      check false
    except WinshmError as error: check error.status == WINSHM_E_UNSUPPORTED
    raw.close()

  test "another process takes one":
    let region = createUnnamedRegion(State)
    let other = start("take", [region.exportToken()])
    check other.line == "taken"
    check region.load() == State(count: 1, done: 1)
    check other.finish == 0

suite "files":
  createDir directory

  test "links":
    let path = directory / "state.link"
    let region = createUnnamedRegion(State)
    expect NotFoundError: discard openLink(path)
    region.link(path)
    expect ExistsError: region.link(directory / "second.link")
    let other = openLink(path, State)
    other.value.count = 3
    check region.value.count == 3
    other.close()
    expect MismatchError: discard openLink(path, Other)
    let reader = openLink(path, {rfRead}, timeout = 1000)
    check reader.info.access == {rfRead}
    reader.close()
    region.close()
    check not fileExists(path)
    writeFile path, "no token"
    expect TokenError: discard openLink(path)
    removeFile path
    expect InvalidError: discard openLink(path & "\0")

  test "saving and loading":
    let path = directory / "state.saved"
    let region = createUnnamedRegion(State, capacity = 4096)
    region.value.count = 7
    region.saveTo(path)
    region.value.count = 8
    let seen = region.changeCount
    region.loadFrom(path, timeout = 1000)
    check region.value.count == 7
    check region.changeCount != seen
    # Under a lock that is held, too.
    region.withLock:
      region.value.count = 9
      region.saveTo(path)
      region.value.count = 0
      region.loadFrom(path)
      check region.value.count == 9
    check not fileExists(path & ".winshm-part")
    expect NotFoundError: region.loadFrom(directory / "none")
    expect InvalidError: region.saveTo("")
    expect InvalidError: region.saveTo(path & "\0")
    writeFile path, readFile(path).replace("WINSHM", "WINSHN")
    expect FormatError: region.loadFrom(path)
    check region.value.count == 9
    let reader = openRegion(region.name, {rfRead})
    reader.saveTo(path)
    expect AccessError: reader.loadFrom(path)
    reader.close()
    region.close()

  test "a region is filled with what was saved":
    let path = directory / "state.saved"
    proc fill(region: Region) = region.loadFrom(path)
    let region = createUnnamedRegion(sizeof(State), fill = fill)
    check region.load(State, 0).count == 9
    region.close()
    try:
      discard createUnnamedRegion(sizeof(State), {rfTask}, fill = fill)
      check false
    except WinshmError as error: check error.status == WINSHM_E_DEADLOCK

  test "loading repairs what a death left":
    let path = directory / "state.saved"
    let region = createRegion(fresh(), State)
    let holder = start("hold", [region.name, "lmExclusive"])
    check holder.line == "holding"
    expect WinshmTimeoutError: region.saveTo(path, timeout = 10)
    expect WinshmTimeoutError: region.loadFrom(path, timeout = 10)
    holder.murder()
    expect OwnerDeadError: region.saveTo(path)
    region.loadFrom(path)
    check region.info.lockState == {}
    check region.load().count == 9
    region.close()

  removeDir directory
