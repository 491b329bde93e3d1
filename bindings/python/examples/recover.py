"""Survive a crash: run this in one terminal, and while it waits for Enter in another one

    python recover.py crash
"""

import ctypes
import os
import sys

import winshm


# Money goes from one account to the other, and together they always have 100.
class Accounts(ctypes.LittleEndianStructure):
    _fields_ = [("mine", ctypes.c_int64), ("yours", ctypes.c_int64)]


def fill(region):
    region.view_as(Accounts).mine = 100


# Who creates the region fills it, and nobody else gets the lock before that is done.
with winshm.open_or_create("example-recover", ctypes.sizeof(Accounts), fill=fill) as region:
    accounts = region.view_as(Accounts)

    if "crash" in sys.argv:
        with region.lock():
            accounts.mine -= 30
            # The process ends in the midst of its work, as if it had been killed. The
            # system tells nobody, but the lock is not lost.
            os._exit(1)

    input("Crash in another terminal, then press Enter here: ")

    # Without recover=True this would raise OwnerDeadError, and so nobody can work with
    # data that are half written and not notice it.
    with region.lock(recover=True) as held:
        if held.owner_died:
            print(f"The owner of the lock has died and left {accounts.mine} and {accounts.yours}.")
            accounts.yours = 100 - accounts.mine
            # From here on the data are whole again, for everybody.
            region.make_consistent()
        print(f"The accounts have {accounts.mine} and {accounts.yours}.")
