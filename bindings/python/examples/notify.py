"""Wait for messages: run this in one terminal, and in another one

    python notify.py some words
"""

import sys

import winshm

NAME, SIZE = "example-notify", 200


def send(words):
    # Only who waits for messages creates the region. If nobody does, this fails at once, and
    # the exception says what to do.
    with winshm.open(NAME) as region:
        # write() takes the lock, copies the bytes, and wakes all who wait for a change.
        region.write(0, words.encode()[:SIZE].ljust(SIZE, b"\0"))


def show():
    with winshm.create(NAME, SIZE) as region:
        print("Waiting for messages; bye ends it.", flush=True)
        words, seen = "", region.change_count
        while words != "bye":
            # The counter first, the data after it: what is written while we look at the
            # data differs from what was seen, and ends the next wait at once.
            seen = region.wait(seen=seen)
            words = region.read().rstrip(b"\0").decode(errors="replace")
            print(words, flush=True)


if len(sys.argv) > 1:
    send(" ".join(sys.argv[1:]))
else:
    show()
