# SPDX-License-Identifier: MIT
"""share ROLE REGION [ARG]: the Python one of the programs that share a region."""
import sys
import time
from ctypes import LittleEndianStructure, c_uint32, c_uint64

import winshm

BOX_0, BOX_1 = 4096, 4096 + 262144  # where their bytes begin


class Box(LittleEndianStructure):
    _fields_ = [("full", c_uint32), ("length", c_uint32)]


class Layout(LittleEndianStructure):
    _fields_ = [("counter", c_uint64), ("boxes", Box * 3), ("reserved", c_uint64 * 4),
                ("a", c_uint32), ("b", c_uint32)]


def count(region, layout, times):
    for _ in range(int(times)):
        with region.lock():
            layout.counter += 1
    print(f"Python: added {times}")


def relay(region, layout):
    source, target, total, length = layout.boxes[0], layout.boxes[1], 0, None
    while length != 0:  # which ends the stream
        seen = region.change_count
        with region.lock():
            if ready := source.full and not target.full:
                total += (length := source.length)
                region.data[BOX_1:BOX_1 + length] = region.data[BOX_0:BOX_0 + length]
                target.full, target.length, source.full, source.length = 1, length, 0, 0
        region.notify() if ready else region.wait(seen=seen)
    print(f"Python: relayed {total} bytes")


def hold(region, layout):
    with region.lock():
        layout.a += 1  # and before b follows, this process is killed
        print("Python: holding", flush=True)
        time.sleep(1e6)


def repair(region, layout):
    with region.lock(timeout=10, recover=True) as held:
        if held.owner_died:
            layout.b = layout.a
            region.make_consistent()
    print(f"Python: the owner died, repaired, b = {layout.b}" if held.owner_died
          else "Python: nothing to repair")
    sys.exit(not held.owner_died)


with winshm.open(sys.argv[2], timeout=10) as region:
    globals()[sys.argv[1]](region, region.view_as(Layout), *sys.argv[3:])
