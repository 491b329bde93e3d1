"""Frames through what Python itself has for its own processes, which one has to start the
others for: the producer answers with its line and then with each consumer's."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterator
from multiprocessing import shared_memory
from typing import Any

from worker import CONSUMERS, PAGE, Job, Way, consume, produce


class OfPython(Way):
    """Its consumers get the same object."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.here = multiprocessing.Semaphore(0)

    def make(self) -> str:
        return self.job.name

    def meet(self) -> None:
        """Processes take a while to begin, above all where they are not forked."""
        for _ in range(self.job.consumers):
            self.here.acquire()

    def leave(self) -> None:
        """In a consumer: all is taken."""


class Queues(OfPython):
    """multiprocessing.Queue, one for each consumer."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.queues = [multiprocessing.Queue(job.boxes) for _ in range(job.consumers)]

    def give(self, frame: bytearray) -> None:
        # The queue reads it later, in a thread of its own.
        copy = bytearray(frame)
        for each in self.queues:
            each.put(copy)

    def end(self) -> None:
        for each in self.queues:
            each.close()
            each.join_thread()

    def take(self) -> Iterator[Any]:
        while True:
            yield self.queues[self.job.number].get()


class Locked(OfPython):
    """One frame in shared memory, which all copy under a lock."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.changed = multiprocessing.Condition()
        self.memory = shared_memory.SharedMemory(job.name, create=True, size=PAGE + job.size)
        self.numbers = self.memory.buf[: 8 * (1 + CONSUMERS)].cast("Q")
        self.count = 0

    def __getstate__(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in ("job", "here", "changed", "memory")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.numbers = self.memory.buf[: 8 * (1 + CONSUMERS)].cast("Q")
        self.count = 0

    def all_taken(self) -> bool:
        return all(taken == self.count for taken in self.numbers[1 : 1 + self.job.consumers])

    def give(self, frame: bytearray) -> None:
        with self.changed:
            self.changed.wait_for(self.all_taken)
            self.count += 1
            self.memory.buf[PAGE : PAGE + len(frame)] = frame
            self.numbers[0] = self.count
            self.changed.notify_all()

    def end(self) -> None:
        with self.changed:
            self.changed.wait_for(self.all_taken)
        self.numbers.release()
        self.memory.close()
        self.memory.unlink()

    def take(self) -> Iterator[Any]:
        frame = bytearray(self.job.size)
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.numbers[0] != self.count)
                frame[:] = self.memory.buf[PAGE : PAGE + len(frame)]
                self.count += 1
                self.numbers[1 + self.job.number] = self.count
                self.changed.notify_all()
            yield frame

    def leave(self) -> None:
        self.numbers.release()
        self.memory.close()


WAYS: dict[str, type[OfPython]] = {"queue": Queues, "shared-memory": Locked}


def consumer(way: OfPython, number: int, results: Any) -> None:
    way.job.number = number
    way.here.release()
    results.put((number, consume(way)))
    way.leave()


def together(way: OfPython, budget: int) -> None:
    results = multiprocessing.SimpleQueue()
    consumers = [
        multiprocessing.Process(target=consumer, args=(way, number, results))
        for number in range(way.job.consumers)
    ]
    for each in consumers:
        each.start()
    lines = [produce(way, lambda said: None, budget)]
    lines += [line for _, line in sorted(results.get() for _ in consumers)]
    for each in consumers:
        each.join()
        if each.exitcode:
            sys.exit("a consumer has failed")
    print("\n".join(lines), flush=True)
