# SPDX-License-Identifier: MIT
"""The Python peer of the interoperability tests.

Reads one command a line from stdin and answers each with one line, "ok [VALUES]" or
"error WINSHM_E_NAME". It has one region at a time. Numbers are decimal, bytes
hexadecimal, FLAGS and MODE the values of winshm.h, TIMEOUT in milliseconds.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bindings" / "python"))

import winshm  # noqa: E402

READ, WRITE, RAW, NO_LOCK, NO_MAP = 1, 2, 4, 8, 16
SHARED, EXCLUSIVE = 1, 2
FOREVER = 0xFFFFFFFF


class Unspeakable(Exception):
    """The idiomatic layer has no way to ask for this; the library would refuse it."""


def keywords(flags, *known):
    """Translate flags to the keyword arguments of those that are known."""
    names = {READ: "readonly", RAW: "raw", NO_LOCK: "no_lock", NO_MAP: "no_map"}
    if flags & WRITE:
        flags &= ~READ
    if flags & ~(sum(known) | WRITE):
        raise Unspeakable
    return {names[bit]: True for bit in known if flags & bit}


def seconds(milliseconds):
    return None if milliseconds == FOREVER else milliseconds / 1000


def is_shared(mode):
    if mode not in (SHARED, EXCLUSIVE):
        raise Unspeakable
    return mode == SHARED


class Peer:
    """Each method is a command; its annotations say how to read the words."""

    region = None

    def create(self, name: str, size: int, flags: int):
        options = keywords(flags, RAW, NO_LOCK, NO_MAP)
        self.region = winshm.create(name, size, **options)

    def open(self, name: str, flags: int, timeout: int):
        options = keywords(flags, READ, RAW, NO_MAP)
        self.region = winshm.open(name, timeout=seconds(timeout), **options)

    def open_or_create(self, name: str, size: int, flags: int):
        options = keywords(flags, RAW, NO_LOCK, NO_MAP)
        self.region = winshm.open_or_create(name, size, **options)

    def close(self):
        self.region.close()

    def lock(self, mode: int, timeout: int):
        shared = is_shared(mode)
        held = self.region.acquire(
            shared=shared, timeout=seconds(timeout), recover=not shared
        )
        if held.owner_died:
            return "error WINSHM_E_OWNER_DEAD"
        return None

    def unlock(self, mode: int):
        self.region.release(shared=is_shared(mode))

    def repair(self):
        self.region.make_consistent()

    def write(self, offset: int, data: bytes.fromhex, timeout: int):
        self.region.write(offset, data, timeout=seconds(timeout))

    def read(self, offset: int, length: int, timeout: int):
        return self.region.read(offset, length, timeout=seconds(timeout)).hex()

    def poke(self, offset: int, data: bytes.fromhex):
        self.region.data[offset : offset + len(data)] = data

    def peek(self, offset: int, length: int):
        return self.region.data[offset : offset + length].hex()

    def notify(self):
        self.region.notify()

    def changes(self):
        return self.region.change_count

    def wait(self, seen: int, timeout: int):
        return self.region.wait(seen=seen, timeout=seconds(timeout))

    def size(self):
        return self.region.size

    def participants(self):
        return len(self.region.participants)

    def pid(self):
        return os.getpid()


def answer(peer, command, words):
    method = getattr(peer, command)
    parsers = [kind for name, kind in method.__annotations__.items() if name != "return"]
    try:
        value = method(*[parse(word) for parse, word in zip(parsers, words)])
    except winshm.Error as error:
        return f"error {error.name}"
    except Unspeakable:
        return "error WINSHM_E_INVALID"
    if isinstance(value, str) and value.startswith("error "):
        return value
    return "ok" if value is None else f"ok {value}"


def main():
    peer = Peer()
    sys.stdin.reconfigure(encoding="utf-8")
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    for line in sys.stdin:
        # At single spaces: HEX may be empty.
        command, *words = line.rstrip("\r\n").split(" ")
        if command == "quit":
            break
        print(answer(peer, command, words), flush=True)


main()
