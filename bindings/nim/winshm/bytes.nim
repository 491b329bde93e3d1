# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## The bytes of a region or a view, in place and copied. `winshm` exports all of this for
## programs.

import ./abi, ./facts, ./handles, ./plain, ./types

{.push raises: [WinshmError].}

proc size*(view: View): int64 =
  ## The view's size in bytes.
  int64(winshm_view_size(view.raw))

proc data*(region: Region): pointer =
  ## The region's first byte, which keeps its address also if the region grows: only the
  ## first `size` bytes may be touched. Raises `WINSHM_E_UNSUPPORTED` with `rfNoMap`.
  result = winshm_data(region.raw)
  if result.isNil:
    discard region.info
    raiseOwn(WINSHM_E_UNSUPPORTED, "the region was opened with rfNoMap",
      "Map a part of it with map.")

proc data*(view: View): pointer =
  ## The view's first byte.
  result = winshm_view_data(view.raw)
  if result.isNil: raiseOwn(WINSHM_E_HANDLE, "the view is not one of this process",
    "Map the part here, too.")

proc map*(region: Region, offset, length: int64, flags: set[RegionFlag] = {}): View =
  ## Maps a part of the region, as the region is or as `flags`, which may be
  ## `{rfRead}` or `{rfWrite}`, say.
  var handle: ptr winshm_view
  let (offset, length) = region.raw.toRange(offset, length)
  check winshm_map(region.raw, offset, length, flags.bits, addr handle)
  own(handle)

proc span*(mapped: Region or View, offset, length: int64): pointer =
  ## The byte at `offset`, after which `length` bytes are known to be mapped.
  let first = mapped.data
  let size = uint64(mapped.size)
  # As unsigned numbers negative ones are too large.
  if cast[uint64](length) > size or cast[uint64](offset) > size - cast[uint64](length):
    raiseRange(offset, length, size)
  cast[pointer](cast[uint](first) + uint(offset))

proc at*[T](mapped: Region or View, kind: typedesc[T], offset: int64): ptr T =
  ## The value of type `T` at `offset`, in place: `region.at(uint32, 64)[] = 1`.
  requirePlain(T)
  cast[ptr T](mapped.span(offset, sizeof(T)))

# Only of something that has an address, which an UncheckedArray behind a call has
# not, does Nim make a mutable open array.
type Unbounded[T] = array[int.high div sizeof(T), T]

proc unbounded[T](mapped: Region or View, kind: typedesc[T], offset: int64,
                  count: SomeInteger): ptr Unbounded[T] =
  requirePlain(T)
  let size = uint64(mapped.size)
  # Where the product below could overflow, the range is wrong anyway.
  if count < 0: raiseRange(offset, int64(count), size)
  if uint64(count) > size:
    raiseRange(offset, int64(min(uint64(count), uint64(int64.high))), size)
  cast[ptr Unbounded[T]](mapped.span(offset, int64(count) * sizeof(T)))

func last(count: SomeInteger): int =
  # Of a count that `unbounded` has refused this must not raise a defect.
  cast[int](count) -% 1

template toOpenArray*(mapped: Region or View, T: typedesc, offset: int64,
                      count: SomeInteger): untyped =
  ## `count` values of type `T` from `offset`, in place, to be passed as `openArray[T]`
  ## or `var openArray[T]`. The expression `count` is evaluated twice. What there is now can
  ## be had: a region that has grown since has more.
  toOpenArray(unbounded(mapped, T, offset, count)[], 0, last(count))

# While a region is filled, the lock is held for whoever copies.

proc copyOut(region: Region, offset: int64, room: pointer, length, timeout: int) =
  let handle = region.raw
  let (offset, length) = handle.toRange(offset, length)
  check(if region.isFilling: winshm_copy_out(handle, offset, room, length)
        else: winshm_read(handle, offset, room, length, timeout.toTimeout))

proc copyIn(region: Region, offset: int64, bytes: pointer, length, timeout: int) =
  let handle = region.raw
  let (offset, length) = handle.toRange(offset, length)
  check(if region.isFilling: winshm_copy_in(handle, offset, bytes, length)
        else: winshm_write(handle, offset, bytes, length, timeout.toTimeout))

proc read*(region: Region, offset: int64, buffer: var openArray[byte], timeout = Forever) =
  ## Fills `buffer` from `offset`, never torn by a writer that locks.
  let room = if buffer.len == 0: nil else: addr buffer[0]
  region.copyOut(offset, room, buffer.len, timeout)

proc read*(region: Region, offset: int64, length: int, timeout = Forever): seq[byte] =
  ## Copies `length` bytes from `offset`.
  let size = region.size
  if length < 0 or length > size: raiseRange(offset, length, uint64(size))
  result = newSeq[byte](length)
  region.read(offset, result, timeout)

proc write*(region: Region, offset: int64, bytes: openArray[byte], timeout = Forever) =
  ## Copies `bytes` to `offset` under the lock, and notifies.
  let first = if bytes.len == 0: nil else: unsafeAddr bytes[0]
  region.copyIn(offset, first, bytes.len, timeout)

proc load*[T](region: Region, kind: typedesc[T], offset: int64, timeout = Forever): T =
  ## A copy of the value of type `T` at `offset`, taken as `read` does.
  requirePlain(T)
  region.copyOut(offset, addr result, sizeof(T), timeout)

proc store*[T](region: Region, offset: int64, value: T, timeout = Forever) =
  ## Copies a value to `offset` as `write` does.
  requirePlain(T)
  region.copyIn(offset, unsafeAddr value, sizeof(T), timeout)

{.pop.}
