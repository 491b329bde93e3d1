"""Frames on the move: how many of them get from a producer to its consumers, each looked at
as a whole, and how late. What is measured is in frames/; see frames.h there.

All ways of one cell, and the limits, take turns, a block at a time, as the cases in C do.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

from workers import Worker, Workers

KIB, MIB = 1 << 10, 1 << 20
SIZES = {"4k": 4 * KIB, "64k": 64 * KIB, "1m": MIB, "8m": 8 * MIB}
SIZE_TITLES = {"4k": "4 KiB", "64k": "64 KiB", "1m": "1 MiB", "8m": "8 MiB (a 1080p picture)"}
CONSUMERS = (1, 3)
TITLES = {"c": "C", "python": "Python", "csharp": "C#"}

#: Where they differ: what processes of one language have among themselves.
PAIRS = {
    ("c", "c"): {"linux": ("boost", "bare"), "windows": ("bare",)},
    ("c", "python"): {},
    ("csharp", "python"): {},
    ("python", "csharp"): {},
    ("python", "python"): dict.fromkeys(("linux", "windows"), ("queue", "shared-memory")),
    ("csharp", "csharp"): {"windows": ("events",)},
}
#: The first is what all others are compared with.
OURS = "boxes"
EVERYWHERE = {"linux": (OURS, "locked", "tcp", "local", "zmq"), "windows": (OURS, "locked", "tcp", "local")}
WAYS = {
    "boxes": "winshm: boxes, in place",
    "locked": "winshm: lock, copy, notify",
    "bare": "bare ring that spins (no library)",
    "tcp": "TCP to localhost",
    "local": "Unix socket",
    "zmq": "ZeroMQ",
    "boost": "Boost message queue",
    "queue": "multiprocessing.Queue",
    "shared-memory": "shared_memory + lock",
    "events": "MemoryMappedFile + events",
}
#: The producer starts its consumers itself, and answers for them.
OF_ONE_PROGRAM = {"queue", "shared-memory"}
#: Just-in-time compilers take a while.
WARM = 250_000_000

#: Of one block: frames a second, latency in ns (half, 99 %, all), processor's ns a frame, lost.
Block = tuple[float, float, float, float, float, int]


def spread(values: list[float]) -> list[float]:
    return [statistics.median(values), min(values), max(values)]


def boxes_for(size: int) -> int:
    """How many frames may be under way, whatever the way. What is small is over before a
    sleeper has woken, so it takes more of them to keep both sides at work."""
    return max(2, min(64, MIB // size))


def title_of(way: str, platform: str, pair: tuple[str, str]) -> str:
    if way == "local" and platform == "windows":
        return "named pipe"
    if way == "zmq":
        return "ZeroMQ over tcp" if "csharp" in pair else "ZeroMQ over ipc"
    return WAYS[way]


class Cell:
    """A pair of languages, a size and a number of consumers."""

    def __init__(self, workers: Workers, pair: tuple[str, str], size: int, consumers: int) -> None:
        self.workers, self.pair, self.size, self.consumers = workers, pair, size, consumers
        self.boxes = boxes_for(size)
        self.producer = workers.frames(pair[0], 0)
        self.others = [workers.frames(pair[1], 1 + number) for number in range(consumers)]

    def _order(self, role: str, way: str, name: str, consumers: int, budget: int = 0) -> str:
        return f"{role} {way} {name} {self.size} {self.boxes} {consumers} {budget}"

    def alone(self, worker: Worker, role: str, budget: int) -> float:
        """Frames a second of a copy, or a check, that nobody disturbs."""
        worker.tell(self._order(role, "-", "-", 0, budget))
        frames, ns = worker.numbers()
        return frames * 1e9 / ns

    def block(self, way: str, budget: int) -> Block:
        # NetMQ has no ipc.
        name = ("tcp-" if way == "zmq" and "csharp" in self.pair else "") + self.workers.new_name()
        self.producer.tell(self._order("produce", way, name, self.consumers, budget))
        if way in OF_ONE_PROGRAM:
            given, *taken = [self.producer.numbers() for _ in range(1 + self.consumers)]
        else:
            name = self.producer.line()
            for number, other in enumerate(self.others):
                other.tell(self._order("consume", way, name, number))
            given = self.producer.numbers()
            taken = [other.numbers() for other in self.others]
        # The slowest consumer counts, in each respect.
        rate = min(each[0] * 1e9 / each[2] for each in taken)
        latencies = [max(each[column] for each in taken) for column in (4, 5, 6)]
        cpu = given[2] / given[0] + sum(each[3] / each[0] for each in taken)
        lost = int(sum(given[0] - each[0] for each in taken))
        return rate, latencies[0], latencies[1], latencies[2], cpu, lost


def cell_name(pair: tuple[str, str], size: str, consumers: int) -> str:
    return f"frames/{pair[0]}-{pair[1]}/{size}/{consumers}"


def measure(workers: Workers, only: str, blocks: int, ms: int) -> Iterator[dict[str, Any]]:
    there = set(workers.languages())
    platform = workers.platform
    for pair, more in PAIRS.items():
        # A pair is there for what only its languages have, or everywhere.
        if not set(pair) <= there or (pair == ("csharp", "csharp") and platform not in more):
            continue
        ways = EVERYWHERE[platform] + more.get(platform, ())
        names = {
            cell_name(pair, size, consumers): (size, consumers)
            for size in SIZES
            for consumers in CONSUMERS
        }
        names = {name: key for name, key in names.items() if only in name}
        if names and "csharp" in pair:
            for way in ways:
                Cell(workers, pair, SIZES["64k"], 1).block(way, WARM)
        for name, (size, consumers) in names.items():
            cell = Cell(workers, pair, SIZES[size], consumers)
            yield {
                "name": name,
                "title": f"{TITLES[pair[0]]} → {TITLES[pair[1]]}",
                "consumers": consumers,
                "bytes": SIZES[size],
                "size": SIZE_TITLES[size],
                "boxes": cell.boxes,
                **one(cell, ways, blocks, ms * 1_000_000),
            }


def one(cell: Cell, ways: tuple[str, ...], blocks: int, budget: int) -> dict[str, Any]:
    copies: list[float] = []
    checks: list[float] = []
    found: dict[str, list[Block]] = {way: [] for way in ways}
    for _ in range(blocks):
        copies.append(cell.alone(cell.producer, "fill", budget // 4))
        checks.append(cell.alone(cell.others[0], "check", budget // 4))
        for way in ways:
            found[way].append(cell.block(way, budget))
    ours = [block[0] for block in found[OURS]]
    pair = cell.pair
    result: dict[str, Any] = {
        "copy": spread(copies),
        "check": spread(checks),
        "of_copy": spread([rate / copy for rate, copy in zip(ours, copies)]),
        "ways": [],
    }
    for way, all_blocks in found.items():
        columns = list(zip(*all_blocks))
        result["ways"].append(
            {
                "way": way,
                "title": title_of(way, cell.workers.platform, pair),
                "frames": spread(list(columns[0])),
                "p50_ns": spread(list(columns[1])),
                "p99_ns": spread(list(columns[2])),
                "most_ns": max(columns[3]),
                "cpu_ns": spread(list(columns[4])),
                "lost": sum(columns[5]),
                "ratio": spread([mine / its for mine, its in zip(ours, columns[0])]),
            }
        )
    return result
