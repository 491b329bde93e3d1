"""The longest waits for a lock that many want: what tails.c has printed, lock by lock."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterable, Iterator
from typing import Any

#: Of each side: half of the waits, 999 of 1000 and all took no longer.
WAITS = ("p50_ns", "p999_ns", "most_ns")
SIDES = ("writers", "readers")


def spread(values: list[float]) -> list[float]:
    return [statistics.median(values), min(values), max(values)]


def gather(lines: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yields a row for each number of writers and readers, with all its locks; the first
    is winshm, and ratios are what others take / what winshm takes in the same block."""
    for name, of_mix in itertools.groupby(lines, key=lambda line: line["name"]):
        locks: dict[str, list[dict[str, Any]]] = {}
        for line in of_mix:
            locks.setdefault(line["lock"], []).append(line)
        ours = next(iter(locks.values()))
        writers, readers = map(int, name.partition("/")[2].split("+"))
        yield {
            "name": name,
            "writers": writers,
            "readers": readers,
            "locks": [one(lock, blocks, ours) for lock, blocks in locks.items()],
        }


def one(lock: str, blocks: list[dict[str, Any]], ours: list[dict[str, Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {"lock": lock, "share": spread([block["share"] for block in blocks])}
    row["ops"] = spread([block["ops"] * 1e9 / block["ns"] for block in blocks])
    row["cpu_ns"] = spread([block["cpu_ns"] / block["ops"] for block in blocks])
    for side in SIDES:
        # In a short block a side may have been locked out all the time, which its share and
        # its operations tell: there is no wait that has ended.
        pairs = [
            (its[side], mine[side])
            for its, mine in zip(blocks, ours)
            if its[side]["ops"] and mine[side]["ops"]
        ]
        if not pairs:
            continue
        found = row[side] = {key: spread([its[key] for its, _ in pairs]) for key in WAITS}
        found["ops"] = spread([block[side]["ops"] * 1e9 / block["ns"] for block in blocks])
        found["ratio"] = {
            key: spread([its[key] / mine[key] for its, mine in pairs]) for key in WAITS
        }
    return row
