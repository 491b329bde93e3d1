"""Count together: run this in two terminals at once."""

import contextlib
import ctypes

import winshm

# Whoever comes first creates the region, the others join it. It exists as long as somebody
# has it open, so the count begins anew when all have left.
with winshm.open_or_create("example-counter", 8) as region:
    # The shared memory itself, seen as one number of 64 bits.
    counter = region.view_as(ctypes.c_uint64)

    # The end of the input leaves, too.
    with contextlib.suppress(EOFError):
        while input("Enter adds one, q leaves: ") != "q":
            # To add one is to read and then to write. Under the lock no other process
            # comes in between, so that no addition is lost.
            with region.lock():
                counter.value += 1
                now = counter.value
            print(f"That makes {now}.")
