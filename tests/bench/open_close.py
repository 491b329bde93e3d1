"""Opens and closes a shared block that exists, again and again.

Usage: open_close.py NAME NANOSECONDS; prints how often, the nanoseconds that
it took, and those that the processor worked.
"""

import sys
import time
from multiprocessing import resource_tracker, shared_memory


def main() -> None:
    name, budget = sys.argv[1], int(sys.argv[2])
    # In this version attaching registers the block for removal, with a process
    # of its own; whoever only attaches does not want that.
    resource_tracker.register = lambda *_: None
    shared_memory.SharedMemory(name).close()

    count = 0
    cpu = time.process_time_ns()
    began = time.perf_counter_ns()
    while (now := time.perf_counter_ns()) - began < budget:
        for _ in range(8):
            shared_memory.SharedMemory(name).close()
        count += 8
    print(count, now - began, time.process_time_ns() - cpu)


main()
