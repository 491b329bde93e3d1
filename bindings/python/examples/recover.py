"""Survive a crash: run this in one terminal, and while it waits for Enter in another one

    python recover.py crash
"""

import ctypes
import os
import sys

import winshm

with winshm.open_or_create("example-recover", 16) as region:
    # Money goes from one account to the other, and their sum should always be the same.
    accounts = region.view_as(ctypes.c_int64 * 2)

    if "crash" in sys.argv:
        with region.lock():
            accounts[0] -= 10
            # The process ends in the midst of its work, as if it had been killed. The
            # system tells nobody, but the lock is not lost.
            os._exit(1)

    input("Crash in another terminal, then press Enter here: ")

    # Without recover=True this would raise OwnerDeadError, and so nobody can work with
    # data that are half written and not notice it.
    with region.lock(recover=True) as held:
        if held.owner_died:
            print(f"The owner of the lock has died and left {list(accounts)}.")
            accounts[1] = -accounts[0]
            # From here on the data are whole again, for everybody.
            region.make_consistent()
        print(f"The accounts are {list(accounts)}.")
