"""A program of somebody who lets mypy check all types, and what it prints."""

import asyncio
import ctypes
from typing import List

import winshm


class State(ctypes.LittleEndianStructure):
    _fields_ = [("score", ctypes.c_uint32), ("name", ctypes.c_char * 12)]


def count(region: winshm.TypedRegion[State]) -> int:
    with region.lock(recover=True, timeout=5) as held:
        if held.owner_died:
            region.make_consistent()
        region.value.score += 1
    region.notify()
    score: int = region.get().score
    return score


def roles(region: winshm.Region) -> List[winshm.Roles]:
    return [each.roles for each in region.participants]


async def count_in_turn(region: winshm.Region) -> int:
    async with region.lock_async(timeout=5.0) as held:
        number = held.read_as(ctypes.c_uint64)
        number.value += 1
        held.write(0, number)
    return number.value


def main() -> None:
    try:
        winshm.open("winshm-not-there", State).close()
    except winshm.NotFoundError as error:
        print(error.name)
    with winshm.create(None, State, capacity=4096) as region:
        print(count(region), len(roles(region)))
        copy = region.get()
        copy.name = b"somebody"
        region.set(copy)
        token: str = region.export_token()
        with winshm.import_token(token, State, readonly=True) as other:
            print(other.get().name.decode(), other.info.capacity)
    with winshm.create(None, 8, tasks=True) as shared:
        print(asyncio.run(count_in_turn(shared)))


if __name__ == "__main__":
    main()
