"""Locks of your own, one for each part of a region: run this in two terminals

    python ownlock.py 3

While one works on part 3, others can work on other parts. Words in the region say who has
which part. The region's lock guards these words only, for as long as it takes to look.
"""

import contextlib
import ctypes
import sys

import winshm


class Locks(ctypes.LittleEndianStructure):
    # The number of the participant that has the part, or 0. No two ever have the same one.
    _fields_ = [("owner", ctypes.c_uint64 * 8)]


class PartLock:
    """Keeps others out of a part, in a with block."""

    def __init__(self, region, part):
        self.region, self.part = region, part
        self.owner_died = False

    @contextlib.contextmanager
    def owners(self):
        with self.region.lock(recover=True) as held:
            if held.owner_died:
                # A word is written or it is not, so there is nothing to repair.
                self.region.make_consistent()
            yield self.region.value.owner

    def take(self):
        with self.owners() as owners:
            owner = owners[self.part]
            if owner in {each.member for each in self.region.participants}:
                return False
            # Who is no participant any more has died, or owner is 0.
            self.owner_died = owner != 0
            owners[self.part] = self.region.info.member
            return True

    def __enter__(self):
        # The counter first, and then a look: a release that comes in between ends the wait.
        seen = self.region.change_count
        while not self.take():
            # Who dies notifies nobody, so look again from time to time.
            with contextlib.suppress(winshm.TimeoutError):
                seen = self.region.wait(seen=seen, timeout=0.5)
        return self

    def __exit__(self, *_):
        with self.owners() as owners:
            owners[self.part] = 0
        self.region.notify()


part = int(sys.argv[1])
with winshm.open_or_create("example-ownlock", Locks) as region:
    with PartLock(region, part) as lock:
        if lock.owner_died:
            print(f"Who had part {part} has died, and may have left it half written.")
        input(f"Part {part} is yours, until you press Enter: ")
