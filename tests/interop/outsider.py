# SPDX-License-Identifier: MIT
"""A program that knows nothing of winshm and shares a block by Python's own means.

It answers one command a line on standard input with "ok [HEX]" or "error NAME".
"""

import mmap
import sys


class Windows:
    """mmap.mmap() with a tagname, which both creates and opens."""

    def __init__(self, name, size, create):
        self.map = mmap.mmap(-1, size, tagname=name)
        self.bytes = memoryview(self.map)

    def close(self):
        self.bytes.release()
        self.map.close()


class Posix:
    """multiprocessing.shared_memory."""

    def __init__(self, name, size, create):
        from multiprocessing import resource_tracker, shared_memory

        self.created = create
        self.memory = shared_memory.SharedMemory(name, create, size)
        # The tracker would remove the name at the end of any process that has used it.
        resource_tracker.unregister(f"/{name}", "shared_memory")
        self.bytes = self.memory.buf

    def close(self):
        from _posixshmem import shm_unlink

        name = self.memory.name
        self.bytes.release()
        self.memory.close()
        if self.created:
            try:
                shm_unlink(f"/{name}")
            except FileNotFoundError:
                pass


def answer(block, command, words):
    if command in ("create", "open"):
        kind = Windows if sys.platform == "win32" else Posix
        return kind(words[0], int(words[1]), command == "create"), "ok"
    if command == "poke":
        data = bytes.fromhex(words[1])
        block.bytes[int(words[0]) : int(words[0]) + len(data)] = data
    elif command == "peek":
        data = block.bytes[int(words[0]) : int(words[0]) + int(words[1])]
        return block, f"ok {data.hex()}"
    elif command == "close":
        block.close()
        return None, "ok"
    else:
        return block, "error usage"
    return block, "ok"


def main():
    block = None
    for line in sys.stdin:
        command, *words = line.split()
        if command == "quit":
            break
        try:
            block, reply = answer(block, command, words)
        except OSError as error:
            reply = f"error {type(error).__name__}"
        print(reply, flush=True)


main()
