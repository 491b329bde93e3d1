"""Give frames of one size, such as pictures, to several programs; none is lost or copied.

    python frames.py NAME           gives five hundred pictures
    python frames.py NAME take      takes them; run it as often as you like before

The other program may be in any language: each has an example called frames. Import Giver and
Taker from here, or take them into your own program as they are.

The region has a head, and then two boxes or more, a frame in each. The giver fills the next
box while the takers look at those before, so nobody waits for anybody who is not slower. A
box is filled again when each taker has done with it. No lock is held meanwhile: it is for the
numbers in the head alone, which write() and read() take for the time of a few bytes.

A taker that dies is forgotten within two seconds, and a giver that dies while it fills a box
has given nothing. Who dies with the lock had only numbers of its own to write, so whoever locks
next takes it off the list and goes on. A taker that wants the newest frame, and not every
one, needs no more than region.write() and region.read().
"""

import struct
import sys
import time

import winshm

PAGE, PLACES, PATIENCE = 4096, 8, 1.0
#: Frames given so far, 1 when that was all, bytes of a frame, boxes; then the takers: a
#: participant's number, or 0 for a free place, and the frames that it has done with.
HEAD = struct.Struct("<4Q" + "2Q" * PLACES)
GIVEN, OVER, TAKERS = 0, 8, 32


def _stride(size):
    return -(-size // PAGE) * PAGE


class _Frames:
    def __init__(self, region, size, boxes):
        self.region, self.boxes = region, boxes
        starts = range(PAGE, PAGE + boxes * _stride(size), _stride(size))
        #: A memoryview of each box. numpy.frombuffer() takes it as it is.
        self._views = [region.data[start : start + size] for start in starts]
        self.count = self._known = 0
        self._looked = time.monotonic()

    def _mend(self):
        """Under the lock: free the places of takers that are no participants any more.

        Nothing else has to be mended when somebody has died with the lock.
        """
        there = {0, *(each.member for each in self.region.participants)}
        for place in range(TAKERS, HEAD.size, 16):
            if struct.unpack("<Q", self.region.read(place, 8))[0] not in there:
                self.region.write(place, bytes(8))
        self.region.make_consistent()

    def _forget_the_dead(self):
        with self.region.lock(recover=True):
            self._mend()

    def _copy(self, copy, *arguments):
        while True:
            try:
                return copy(*arguments)
            except winshm.OwnerDeadError:
                self._forget_the_dead()

    def _tell(self, offset, number):
        """Write one of the numbers down and wake those who wait for it."""
        self._copy(self.region.write, offset, struct.pack("<Q", number))

    def _look(self):
        """The change counter, and then the numbers: so no change is missed."""
        return self.region.change_count, HEAD.unpack(self._copy(self.region.read, 0, HEAD.size))

    def _ahead(self, first, second):
        """How many frames: the numbers are somebody else's, and never further apart than that."""
        if not 0 <= first - second <= self.boxes:
            raise ValueError("another program has written over the numbers of the frames")
        return first - second

    def _box(self):
        return self._views[self.count % self.boxes]

    def _wait(self, seen):
        """Wait for a change. False: whatever it was, it is time to look who has died."""
        try:
            self.region.wait(seen=seen, timeout=PATIENCE)
        except winshm.TimeoutError:
            pass
        now = time.monotonic()
        if now - self._looked < PATIENCE:
            return True
        self._looked = now
        return False

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if not exception[0]:
            self._end()
        self._views.clear()
        self.region.__exit__(*exception)


class Giver(_Frames):
    """Give frames: fill what room() returns, then call give().

    More than two boxes let a taker be late now and then, and are worth it for small frames,
    which otherwise are over before a sleeper has woken.
    """

    def __init__(self, name, size, boxes=2):
        head = HEAD.pack(0, 0, size, boxes, *[0, 0] * PLACES)
        total = PAGE + boxes * _stride(size)
        region = winshm.create(name, total, fill=lambda region: region.write(0, head))
        super().__init__(region, size, boxes)

    def room(self):
        """Wait until the next box is free, and return it."""
        self._await(self.boxes - 1)
        return self._box()

    def give(self):
        self.count += 1
        self._tell(GIVEN, self.count)

    def takers(self):
        """How many there are."""
        return sum(member != 0 for member in self._look()[1][4::2])

    def _await(self, left):
        """Wait until no more than this many frames are left that somebody has to take."""
        while self.count - self._known > left:
            seen, (_, _, _, _, *takers) = self._look()
            taken = (taken for member, taken in zip(takers[::2], takers[1::2]) if member)
            most = max((self._ahead(self.count, each) for each in taken), default=0)
            self._known = self.count - most
            if most > left and not self._wait(seen):
                self._forget_the_dead()

    def _end(self):
        self._tell(OVER, 1)
        self._await(0)


class Taker(_Frames):
    """Take frames: for frame in taker. Each stays as it is until the loop goes on."""

    def __init__(self, name):
        region = winshm.open(name)
        room = region.size - PAGE
        if room < 0:
            raise ValueError(f"{name} has no frames")
        with region.lock(recover=True):
            given, _, size, boxes, *_ = HEAD.unpack(region.read(0, HEAD.size))
            # The numbers are somebody else's, and so may be anything.
            if not 0 < size <= room or not 0 < boxes <= room // _stride(size):
                raise ValueError(f"{name} has no frames")
            super().__init__(region, size, boxes)
            self._mend()
            members = self._look()[1][4::2]
            if 0 not in members:
                raise ValueError(f"{name} has {PLACES} takers already")
            self.count = self._known = self._told = given
            self._place = TAKERS + 16 * members.index(0)
            region.write(self._place, struct.pack("<2Q", region.info.member, given))

    def __iter__(self):
        while self._await():
            yield self._box()
            self._done()

    def _await(self):
        """Wait for a frame. False: there will be none."""
        while self._known == self.count:
            seen, (self._known, over, *_) = self._look()
            if self._ahead(self._known, self.count) == 0:
                if over or not self._wait(seen) and not self.region.info.creator_present:
                    return False
        return True

    def _done(self):
        self.count += 1
        # Of many boxes the giver need not hear one by one.
        if self.count == self._known or (self.count - self._told) * 2 >= self.boxes:
            self._told = self.count
            self._tell(self._place + 8, self.count)

    def _end(self):
        self._tell(self._place, 0)


FRAMES, PIXELS = 500, 320 * 240


def give(name):
    # A picture of 320 by 240 is the same number all over.
    with Giver(name, PIXELS * 4, boxes=3) as giver:
        input("start the takers in other terminals, then press Enter here\n")
        for number in range(FRAMES):
            giver.room()[:] = struct.pack("<I", number) * PIXELS
            giver.give()
    print(f"gave {FRAMES} frames")


def take(name):
    count = whole = 0
    with Taker(name) as taker:
        print("taking", flush=True)
        for picture in taker:
            whole += picture == struct.pack("<I", count) * PIXELS
            count += 1
    print(f"took {count} frames, {whole} of them whole and in order")
    sys.exit(whole != count)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        give(sys.argv[1])
    elif sys.argv[2:] == ["take"]:
        take(sys.argv[1])
    else:
        sys.exit("usage: frames.py NAME [take]")
