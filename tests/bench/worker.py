"""The Python side of what is compared between languages; for the protocol see worker.c."""

from __future__ import annotations

import ctypes
import mmap
import multiprocessing
import os
import statistics
import sys
import time
import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import connection, resource_tracker, shared_memory
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bindings" / "python"))

import winshm  # noqa: E402  (from this checkout)
from winshm import _abi  # noqa: E402

WINDOWS = sys.platform == "win32"
REGION_BYTES = 4096
FOREVER = 0xFFFFFFFF

# In this version attaching registers a block for removal, with a process of its own;
# who only attaches does not want that.
resource_tracker.register = lambda *_: None  # type: ignore[assignment]
resource_tracker.unregister = lambda *_: None  # type: ignore[assignment]


def measure(budget: int, statement: str, **names: Any) -> tuple[float, float]:
    """Nanoseconds and processor's nanoseconds of one execution: the median of chunks."""
    timer = timeit.Timer(statement, globals=names)
    chunk = 1
    while timer.timeit(chunk) < 100e-6 and chunk < 1 << 16:
        chunk *= 2
    samples, cpu = [], time.process_time_ns()
    end = time.perf_counter_ns() + budget
    while not samples or time.perf_counter_ns() < end:
        samples.append(timer.timeit(chunk) * 1e9 / chunk)
    cpu = time.process_time_ns() - cpu
    return statistics.median(samples), cpu / (chunk * len(samples))


@contextmanager
def created(name: str, size: int = REGION_BYTES) -> Iterator[winshm.Region]:
    with winshm.create(name, size) as region:
        yield region


def bare() -> ctypes.CDLL:
    """The library as a program calls it that has only ctypes."""
    library = ctypes.CDLL(_abi.find())
    for name, argtypes, restype in _abi.FUNCTIONS:
        getattr(library, name).argtypes = argtypes
        getattr(library, name).restype = restype
    return library


def lock(name: str, size: int, budget: int) -> tuple[float, float]:
    with created(name) as region:
        return measure(budget, "r.acquire(); r.release()", r=region)


def with_lock(name: str, size: int, budget: int) -> tuple[float, float]:
    with created(name) as region:
        return measure(budget, "with r.lock(): pass", r=region)


def notify(name: str, size: int, budget: int) -> tuple[float, float]:
    with created(name) as region:
        return measure(budget, "r.notify()", r=region)


def bare_lock(name: str, size: int, budget: int) -> tuple[float, float]:
    library = bare()
    with created(name) as region:
        return measure(
            budget,
            "lock(h, 2, forever); unlock(h, 2)",
            lock=library.winshm_lock,
            unlock=library.winshm_unlock,
            h=region._handle,
            forever=FOREVER,
        )


def bare_notify(name: str, size: int, budget: int) -> tuple[float, float]:
    function = bare().winshm_notify
    with created(name) as region:
        return measure(budget, "notify(h)", notify=function, h=region._handle)


def open_close(name: str, size: int, budget: int) -> tuple[float, float]:
    with created(name):
        return measure(budget, "open(n).close()", open=winshm.open, n=name)


def copy(statement: str) -> Callable[[str, int, int], tuple[float, float]]:
    """Both sides copy between the same sort of memory, all of it touched."""

    def run(name: str, size: int, budget: int) -> tuple[float, float]:
        buffer = bytearray(b"\1") * size
        mine = (ctypes.c_char * size).from_buffer(buffer)
        with created(name, size) as region:
            region.write(0, buffer)
            shared = ctypes.addressof(ctypes.c_char.from_buffer(region.data))
            names = {"r": region, "b": buffer, "m": mine, "s": shared, "n": size}
            return measure(budget, statement, move=ctypes.memmove, **names)

    return run


def write_64(name: str, size: int, budget: int) -> tuple[float, float]:
    with created(name) as region:
        return measure(budget, "r.write(0, b)", r=region, b=b"\1" * 64)


def ask(name: str, size: int, budget: int) -> tuple[float, float]:
    """64 bytes there and back, until the first one is 0."""
    with created(name) as there, created(name + "-back") as back:
        print("started", flush=True)
        out, into, message = there.data, back.data, b"\1" * 64

        def once(seen: list[int] = [0]) -> None:  # noqa: B006  (a cell, on purpose)
            out[:64] = message
            there.notify()
            seen[0] = back.wait(seen=seen[0])
            bytes(into[:64])

        result = measure(budget, "once()", once=once)
        out[0] = 0
        there.notify()
        return result


def answer(name: str, size: int, budget: int) -> tuple[float, float]:
    with winshm.open(name) as there, winshm.open(name + "-back") as back:
        into, out, seen = there.data, back.data, 0
        while True:
            seen = there.wait(seen=seen)
            message = bytes(into[:64])
            if message[0] == 0:
                return 0, 0
            out[:64] = message
            back.notify()


# What Python itself has.


def process_lock(name: str, size: int, budget: int) -> tuple[float, float]:
    return measure(budget, "lock.acquire(); lock.release()", lock=multiprocessing.Lock())


def shared_open(name: str, size: int, budget: int) -> tuple[float, float]:
    keeper = shared_memory.SharedMemory(name, create=True, size=REGION_BYTES)
    result = measure(budget, "open(n).close()", open=shared_memory.SharedMemory, n=name)
    keeper.close()
    keeper.unlink()
    return result


def map_block(name: str) -> mmap.mmap:
    if WINDOWS:
        return mmap.mmap(-1, REGION_BYTES, tagname=name)
    file = os.open(f"/dev/shm/{name}", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.ftruncate(file, REGION_BYTES)
        return mmap.mmap(file, REGION_BYTES)
    finally:
        os.close(file)


@contextmanager
def mapped(name: str) -> Iterator[mmap.mmap]:
    with map_block(name) as block:
        yield block
    if not WINDOWS:
        os.unlink(f"/dev/shm/{name}")


def mmap_open(name: str, size: int, budget: int) -> tuple[float, float]:
    with mapped(name):
        return measure(budget, "open(n).close()", open=map_block, n=name)


def mmap_64(name: str, size: int, budget: int) -> tuple[float, float]:
    with mapped(name) as block:
        return measure(
            budget,
            "with lock: m[0:64] = b",
            lock=multiprocessing.Lock(),
            m=block,
            b=b"\1" * 64,
        )


def address(name: str) -> str:
    return rf"\\.\pipe\{name}" if WINDOWS else f"\0{name}"


def pipe_ask(name: str, size: int, budget: int) -> tuple[float, float]:
    """A Connection is what multiprocessing.Pipe() returns."""
    with connection.Listener(address(name)) as listener:
        print("started", flush=True)
        with listener.accept() as pipe:
            result = measure(
                budget,
                "send(b); receive()",
                send=pipe.send_bytes,
                receive=pipe.recv_bytes,
                b=b"\1" * 64,
            )
            pipe.send_bytes(b"\0" * 64)
            return result


def pipe_answer(name: str, size: int, budget: int) -> tuple[float, float]:
    with connection.Client(address(name)) as pipe:
        while (message := pipe.recv_bytes())[0] != 0:
            pipe.send_bytes(message)
        return 0, 0


OPERATIONS: dict[str, Callable[[str, int, int], tuple[float, float]]] = {
    "lock": lock,
    "with-lock": with_lock,
    "notify": notify,
    "open": open_close,
    "read": copy("r.read_into(0, b)"),
    "write": copy("r.write(0, b)"),
    "write-64": write_64,
    "ask": ask,
    "answer": answer,
    "bare-lock": bare_lock,
    "bare-notify": bare_notify,
    "copy-out": copy("move(m, s, n)"),
    "copy-in": copy("move(s, m, n)"),
    "process-lock": process_lock,
    "shared-open": shared_open,
    "mmap-open": mmap_open,
    "mmap-64": mmap_64,
    "pipe-ask": pipe_ask,
    "pipe-answer": pipe_answer,
}


def main() -> None:
    try:
        # The library looks at the number of processors before it is pinned.
        winshm.open("winshm-bench-none")
    except winshm.NotFoundError:
        pass
    print("ready", flush=True)
    for line in sys.stdin:
        operation, name, size, budget = line.split()
        ns, cpu = OPERATIONS[operation](name, int(size), int(budget))
        print(f"{ns:.6g} {cpu:.6g}", flush=True)


main()
