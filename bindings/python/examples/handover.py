"""Hand a region over to another process, which needs to know nothing but a token:

    python handover.py give python handover.py

The first process makes a region without a name, starts the second one with the token as
its last argument, and waits until it has answered. The second may be in any language.
"""

import ctypes
import os
import subprocess
import sys

import winshm


class State(ctypes.LittleEndianStructure):
    _fields_ = [("count", ctypes.c_uint32), ("done", ctypes.c_uint32), ("text", ctypes.c_char * 56)]


def give(command):
    # Nobody else can come upon the region by its name, which the library makes up.
    with winshm.create(None, State) as region:
        region.set(State(1, 0, b"handed over by Python"))
        seen = region.change_count
        with subprocess.Popen([*command, region.export_token()]):
            while not region.get().done:
                # Whoever does not answer has failed, and its errors are on the screen.
                seen = region.wait(seen=seen, timeout=30)
        print(f"handed over: count {region.get().count}")


def take(region):
    with region, region.lock():
        state = region.value
        if state.count != 1 or not state.text:
            sys.exit(f"handed over was {state.count}, {state.text}")
        state.count, state.done = 2, 1
        region.notify()


# A token is text, so it can come in any way. That the structure is the same in the language
# of the other process is checked when the region is opened.
if sys.argv[1:2] == ["give"]:
    give(sys.argv[2:])
else:
    token = os.environ.get("WINSHM_TOKEN") or "".join(sys.argv[1:]) or input()
    take(winshm.import_token(token, State))
