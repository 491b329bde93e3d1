"""What is compared between languages: the bindings with C, and with what each has itself.

Long-lived workers take turns, a block at a time, as the cases in C do.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from workers import Workers

Pair = tuple[str, str]
BOTH = ("linux", "windows")
NEITHER_WAITS = "neither waits"


@dataclass
class Case:
    """Operations are those of the workers."""

    name: str
    title: str
    ours: Pair
    peer: Pair
    peer_name: str
    aim: float = 0  #: peer / winshm shall be at least this
    cost_aim: float | None = None  #: winshm - peer in ns for one call shall be at most this
    calls: int = 1  #: calls of the library in one operation
    size: int = 4096
    on: tuple[str, ...] = BOTH
    waits: str = NEITHER_WAITS
    answers: tuple[str, str] | None = None  #: what the second workers do, ours and peer

    def languages(self) -> set[str]:
        return {self.ours[0], self.peer[0]}


def binding(language: str, title: str, aim: float) -> list[Case]:
    """What one call costs more than in C."""
    return [
        Case(
            f"{language}/{operation}",
            f"{title}: {words}",
            (language, operation),
            ("c", operation),
            "the same in C",
            cost_aim=aim,
            calls=calls,
        )
        for operation, words, calls in (("lock", "lock + unlock", 2), ("notify", "notify", 1))
    ]


def copies(language: str, title: str, copy: str) -> list[Case]:
    return [
        Case(
            f"{language}/{operation}-{short}",
            f"{title}: {operation}, {long}",
            (language, operation),
            (language, peer),
            copy,
            aim=0.95,
            size=size,
        )
        for operation, peer in (("write", "copy-in"), ("read", "copy-out"))
        for short, long, size in (
            ("64k", "64 KiB", 64 << 10),
            ("1m", "1 MiB", 1 << 20),
            ("64m", "64 MiB", 64 << 20),
        )
    ]


def against(
    name: str, title: str, ours: Pair, peer: Pair, peer_name: str, aim: float = 0, **more: Any
) -> Case:
    return Case(name, title, ours, peer, peer_name, aim=aim, **more)


OPEN = "open + close, 4 KiB"
PAIR = "exclusive lock + unlock, uncontended"
ASK = "request + response of 64 bytes"
ONE_BLOCKS = "winshm spins, then blocks; the peer blocks"
WINDOWS = ("windows",)

CASES = [
    # C against what the other languages' programs use.
    against(
        "exclusive/dotnet-mutex",
        PAIR,
        ("c", "lock"),
        ("csharp", "mutex"),
        ".NET Mutex",
        2500,
        on=WINDOWS,
    ),
    against(
        "open/dotnet",
        OPEN,
        ("c", "open"),
        ("csharp", "map-mutex"),
        ".NET MemoryMappedFile + Mutex",
        1 / 1.5,
        on=WINDOWS,
    ),
    against(
        "open/python",
        OPEN,
        ("c", "open"),
        ("python", "shared-open"),
        "Python SharedMemory",
        0.5,
        on=("linux",),
    ),
    # C#.
    *binding("csharp", "C#", 5),
    against(
        "csharp/bare-notify",
        "C#: notify",
        ("csharp", "notify"),
        ("csharp", "bare-notify"),
        "a bare P/Invoke call",
    ),
    *copies("csharp", "C#", "Buffer.MemoryCopy"),
    against(
        "csharp/mutex",
        f"C#: {PAIR}",
        ("csharp", "lock"),
        ("csharp", "mutex"),
        ".NET Mutex",
    ),
    against(
        "csharp/event",
        "C#: notify, nobody waits",
        ("csharp", "notify"),
        ("csharp", "event"),
        ".NET EventWaitHandle.Set",
        on=WINDOWS,
    ),
    against(
        "csharp/open",
        f"C#: {OPEN}",
        ("csharp", "open"),
        ("csharp", "map-mutex"),
        ".NET MemoryMappedFile + Mutex",
        on=WINDOWS,
    ),
    against(
        "csharp/write-array",
        "C#: write, 64 KiB",
        ("csharp", "write"),
        ("csharp", "write-array"),
        ".NET WriteArray (no lock)",
        size=64 << 10,
        on=WINDOWS,
    ),
    against(
        "csharp/request",
        f"C#: {ASK}",
        ("csharp", "ask"),
        ("csharp", "event-ask"),
        ".NET block + two events",
        on=WINDOWS,
        waits=ONE_BLOCKS,
        answers=("answer", "event-answer"),
    ),
    # Nim. A difference of half a nanosecond is none.
    *binding("nim", "Nim", 0.5),
    *copies("nim", "Nim", "copyMem"),
    against(
        "nim/open",
        f"Nim: {OPEN}",
        ("nim", "open"),
        ("nim", "memfile-open"),
        "Nim memfiles (no lock)",
    ),
    # Python.
    against(
        "python/lock",
        "Python: acquire + release",
        ("python", "lock"),
        ("python", "bare-lock"),
        "two bare ctypes calls",
        1 / 1.2,
    ),
    against(
        "python/notify",
        "Python: notify",
        ("python", "notify"),
        ("python", "bare-notify"),
        "a bare ctypes call",
        1 / 1.2,
    ),
    *copies("python", "Python", "ctypes.memmove"),
    against(
        "python/process-lock",
        f"Python: {PAIR}",
        ("python", "lock"),
        ("python", "process-lock"),
        "multiprocessing.Lock",
    ),
    against(
        "python/locked-write",
        "Python: write 64 bytes, locked",
        ("python", "write-64"),
        ("python", "mmap-64"),
        "mmap + multiprocessing.Lock",
    ),
    against(
        "python/open",
        f"Python: {OPEN}",
        ("python", "open"),
        ("python", "shared-open"),
        "SharedMemory (no lock)",
    ),
    against(
        "python/open-mmap",
        f"Python: {OPEN}",
        ("python", "open"),
        ("python", "mmap-open"),
        "mmap (no lock)",
    ),
    against(
        "python/request",
        f"Python: {ASK}",
        ("python", "ask"),
        ("python", "pipe-ask"),
        "multiprocessing Pipe",
        waits=ONE_BLOCKS,
        answers=("answer", "pipe-answer"),
    ),
]


def spread(values: list[float]) -> list[float]:
    return [statistics.median(values), min(values), max(values)]


def block(workers: Workers, case: Case, ours: bool, budget: int) -> tuple[float, float]:
    language, operation = case.ours if ours else case.peer
    name = workers.new_name()
    worker = workers.get(language)
    if case.answers is None:
        return worker.run(operation, name, case.size, budget)
    worker.send(operation, name, case.size, budget)
    worker.wait_for("started")
    second = workers.get(language, second=True)
    second.run(case.answers[not ours], name, case.size, budget)
    return worker.receive()


def measure(workers: Workers, only: str, blocks: int, ms: int) -> Iterator[dict[str, Any]]:
    """Yields results in the form of the cases in C."""
    there = set(workers.languages())
    warm: set[tuple[Pair, int]] = set()
    for case in CASES:
        if workers.platform not in case.on or not case.languages() <= there:
            continue
        if only not in case.name:
            continue
        # Just-in-time compilers take a while, and the first touch of everything too.
        for ours, pair in ((True, case.ours), (False, case.peer)):
            if (pair, case.size) not in warm:
                block(workers, case, ours, 300_000_000 if pair[0] == "csharp" else 10_000_000)
                warm.add((pair, case.size))
        sides: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
        for _ in range(blocks):
            for ours in (True, False):
                sides[ours].append(block(workers, case, ours, ms * 1_000_000))
        pairs = list(zip(sides[True], sides[False]))
        ratios = [peer[0] / ours[0] for ours, peer in pairs]
        result: dict[str, Any] = {
            "name": case.name,
            "title": case.title,
            "peer_name": case.peer_name,
            "waits": case.waits,
            "aim": case.aim,
            "ratio": spread(ratios),
            "ratios": ratios,
            "bytes": case.size,
        }
        if case.cost_aim is not None:
            result["cost_aim"] = case.cost_aim
            result["cost_ns"] = spread([(o[0] - p[0]) / case.calls for o, p in pairs])
        for side, key in ((True, "winshm"), (False, "peer")):
            result[key] = {
                "ns": spread([ns for ns, _ in sides[side]]),
                "cpu_ns": spread([cpu for _, cpu in sides[side]]),
            }
        yield result
