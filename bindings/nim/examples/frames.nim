# SPDX-License-Identifier: MIT

## Give frames of one size, such as pictures, to several programs; none is lost or copied.
## Start the first in one terminal, and the second in as many others as you like:
##
##     nim c frames.nim
##     ./frames NAME
##     ./frames NAME take
##
## The other program may be in any language: each has an example called frames. Take what
## is above the main program into your own as it is.
##
## The region has a head, and then two boxes or more, a frame in each. The giver fills the
## next box while the takers look at those before, so nobody waits for anybody who is not
## slower. A box is filled again when each taker has done with it. No lock is held
## meanwhile: it is for the numbers in the head alone, which store and load take for the
## time of a few bytes.
##
## A taker that dies is forgotten within two seconds, and a giver that dies while it fills
## a box has given nothing. Who dies with the lock had only numbers of its own to write, so
## whoever locks next takes it off the list and goes on. A taker that wants the newest
## frame, and not every one, needs no more than write and read.

import std/[monotimes, os, sequtils, times]
import winshm

const
  page = 4096
  places = 8
  patience = 1000 # milliseconds

type
  Place = object
    member: uint64 # its number as a participant; 0: a free place
    taken: uint64  # frames that it has done with
  Head = object    # the first bytes of the region; each box begins at a whole page
    given: uint64  # frames so far
    over: uint64   # 1: there will be no more
    bytes: uint64  # of a frame
    boxes: uint64
    takers: array[places, Place]
  Frames* = object
    region: Region
    bytes*, boxes: int
    count*: uint64 ## Frames that this side has given or done with.
    known: uint64  # giver: what the slowest had taken; taker: what was given
    told: uint64   # taker: what the giver knows of count
    place: int     # taker: where its Place is
    looked: MonoTime # when it last looked who has died

proc stride(bytes: int): int = (bytes + page - 1) div page * page

proc box(frames: Frames): pointer =
  let number = int(frames.count mod uint64(frames.boxes))
  frames.region.span(page + number * stride(frames.bytes), frames.bytes)

proc mend(frames: Frames) =
  ## Under the lock: free the places of takers that are no participants any more. Nothing
  ## else has to be mended when somebody has died with the lock.
  let there = frames.region.participants.mapIt(it.member)
  for place in frames.region.at(Head, 0).takers.mitems:
    if place.member notin there: place.member = 0
  frames.region.makeConsistent()

proc forgetTheDead(frames: Frames) =
  frames.region.withRecoveringLock(ownerDied):
    frames.mend()

template mending(frames: Frames, copyAndReturn: untyped) =
  while true:
    try: copyAndReturn
    except OwnerDeadError: frames.forgetTheDead()

proc tell(frames: Frames, offset: int, number: uint64) =
  ## Write one of the numbers down and wake those who wait for it.
  frames.mending:
    frames.region.store(offset, number)
    return

proc look(frames: Frames, seen: var uint32): Head =
  ## The change counter, and then the numbers: so no change is missed.
  seen = frames.region.changeCount
  frames.mending:
    return frames.region.load(Head, 0)

proc ahead(frames: Frames, first, second: uint64): uint64 =
  ## How many frames: the numbers are somebody else's, and never further apart than that.
  result = first - second
  if result > uint64(frames.boxes):
    quit "another program has written over the numbers of the frames"

proc wait(frames: var Frames, seen: var uint32): bool =
  ## Wait for a change. False: whatever it was, it is time to look who has died.
  discard frames.region.tryWait(seen, patience)
  let now = getMonoTime()
  result = now - frames.looked < initDuration(milliseconds = patience)
  if not result: frames.looked = now

proc createFrames*(name: string, bytes: int, boxes = 2): Frames =
  ## For the giver. More than two boxes let a taker be late now and then, and are worth it
  ## for small frames, which otherwise are over before a sleeper has woken.
  proc setUp(region: Region) =
    region.store(0, Head(bytes: uint64(bytes), boxes: uint64(boxes)))
  let region = createRegion(name, page + boxes * stride(bytes), fill = setUp)
  Frames(region: region, bytes: bytes, boxes: boxes)

proc waitUntilTaken(frames: var Frames, left: int) =
  ## Until no more than this many frames are left that somebody has to take.
  var seen: uint32
  while frames.count - frames.known > uint64(left):
    var most = 0'u64
    for place in frames.look(seen).takers:
      if place.member != 0: most = max(most, frames.ahead(frames.count, place.taken))
    frames.known = frames.count - most
    if most > uint64(left) and not frames.wait(seen):
      frames.forgetTheDead()

proc room*(frames: var Frames): pointer =
  ## Wait until the next box is free. The place for a frame.
  frames.waitUntilTaken(frames.boxes - 1)
  frames.box

proc give*(frames: var Frames) =
  ## Give what is in the place that room has returned.
  inc frames.count
  frames.tell(offsetOf(Head, given), frames.count)

proc finish*(frames: var Frames) =
  ## Wait until all is taken, and end.
  frames.tell(offsetOf(Head, over), 1)
  frames.waitUntilTaken(0)
  frames.region.close()

proc fits(head: Head, size: uint64): bool =
  ## Whether nothing leads out of the region: the numbers are somebody else's.
  head.bytes in 1'u64 .. size and
    head.boxes in 1'u64 .. (size - page) div uint64(stride(int(head.bytes)))

proc openFrames*(name: string): Frames =
  ## For a taker. From now on each frame waits for it.
  let region = openRegion(name)
  if region.size < page: quit name & " has no frames"
  result = Frames(region: region, place: -1)
  region.withRecoveringLock(ownerDied):
    let head = region.load(Head, 0)
    if head.fits(uint64(region.size)):
      result.bytes = int(head.bytes)
      result.boxes = int(head.boxes)
      result.count = head.given
      result.mend()
      let takers = addr region.at(Head, 0).takers
      result.place = takers[].mapIt(it.member).find(0'u64)
      if result.place >= 0:
        takers[result.place] = Place(member: region.info.member, taken: head.given)
  if result.boxes == 0: quit name & " has no frames"
  if result.place < 0: quit name & " has too many takers already"
  result.known = result.count
  result.told = result.count

proc next*(frames: var Frames): pointer =
  ## Wait for the next frame, which stays as it is until done. nil: there will be none.
  var seen: uint32
  while frames.known == frames.count:
    let head = frames.look(seen)
    frames.known = head.given
    if frames.ahead(frames.known, frames.count) == 0 and (head.over != 0 or
        not frames.wait(seen) and not frames.region.info.creatorPresent):
      return nil
  frames.box

proc placeAt(frames: Frames): int = offsetOf(Head, takers) + frames.place * sizeof(Place)

proc done*(frames: var Frames) =
  inc frames.count
  # Of many boxes the giver need not hear one by one.
  if frames.count == frames.known or (frames.count - frames.told) * 2 >= uint64(frames.boxes):
    frames.told = frames.count
    frames.tell(frames.placeAt + offsetOf(Place, taken), frames.count)

proc leave*(frames: Frames) =
  frames.tell(frames.placeAt, 0)
  frames.region.close()

when isMainModule:
  const
    number = 500
    pixels = 320 * 240 # of a picture, which is the same number all over
  type Picture = ptr array[pixels, uint32]

  proc give(name: string) =
    var frames = createFrames(name, sizeof(array[pixels, uint32]), boxes = 3)
    echo "start the takers in other terminals, then press Enter here"
    discard stdin.readLine()
    for count in 0'u32 ..< number:
      for pixel in cast[Picture](frames.room())[].mitems: pixel = count
      frames.give()
    frames.finish()
    echo "gave ", number, " frames"

  proc take(name: string) =
    var frames = openFrames(name)
    var count, whole = 0
    echo "taking"
    while (let picture = cast[Picture](frames.next()); picture != nil):
      if picture[].allIt(it == uint32(count)): inc whole
      inc count
      frames.done()
    frames.leave()
    echo "took ", count, " frames, ", whole, " of them whole and in order"
    if whole != count: quit 1

  let words = commandLineParams()
  if words.len == 2 and words[1] == "take": take(words[0])
  elif words.len == 1: give(words[0])
  else: quit "usage: frames NAME [take]"
