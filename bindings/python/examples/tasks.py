"""Share a region from coroutines: run this in two terminals, then press Enter in both."""

import asyncio
import ctypes

import winshm


async def add(region):
    for _ in range(5):
        # All coroutines share a thread, and yet only one at a time is inside. Other
        # processes have their turns between them.
        async with region.lock_async() as held:
            total = held.read_as(ctypes.c_uint64)
            # It may be held across an await; other coroutines run meanwhile.
            await asyncio.sleep(0.01)
            total.value += 1
            held.write(0, total)  # which wakes those who wait for a change


async def show(region):
    seen = region.change_count
    while True:
        seen = await region.wait_async(seen=seen)
        # region.read() would wait for the lock and stop all coroutines. Readers share it.
        async with region.lock_async(shared=True) as held:
            print(f"total {held.read_as(ctypes.c_uint64).value}")


async def main():
    showing = asyncio.create_task(show(region))
    await asyncio.gather(*[add(region) for _ in range(4)])
    # A wait can be cancelled at any moment, and nothing is lost by it.
    showing.cancel()


# tasks=True: the lock belongs to the region object, not to a thread.
with winshm.open_or_create("example-tasks", 8, tasks=True) as region:
    input("Start it twice, then press Enter: ")
    asyncio.run(main())
    total = region.read_as(ctypes.c_uint64).value
    print(f"This process has added 20, and the total is {total}.")
