"""The Python side of what is measured with frames on the move; for the protocol see main.c."""

from __future__ import annotations

import ctypes
import os
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

BINDING = Path(__file__).resolve().parents[3] / "bindings" / "python"
sys.path[:0] = [str(BINDING), str(BINDING / "examples")]

import winshm  # noqa: E402  (from this checkout)
from frames import Giver, Taker  # noqa: E402  (the example is what is measured)

WINDOWS = sys.platform == "win32"
PAGE, CONSUMERS, END, MASK = 4096, 4, 2**64 - 1, 2**64 - 1
MIX = 0x9E3779B97F4A7C15
PIPE_BUFFER = 65536

now = time.perf_counter_ns

if WINDOWS:
    # There is no numpy here.
    library = ctypes.CDLL(str(Path(os.environ["WINSHM_LIBRARY"]).with_name("frame.dll")))
    u64 = ctypes.c_uint64
    library.frame_stamp.argtypes = [ctypes.c_void_p, u64, u64, u64]
    library.frame_paint.argtypes = library.frame_sum.argtypes = [ctypes.c_void_p, u64]
    library.frame_sum.restype = u64

    def address(frame: Any) -> int:
        return ctypes.addressof(ctypes.c_char.from_buffer(frame))

    def paint(frame: bytearray) -> None:
        library.frame_paint(address(frame), len(frame))

    def stamp(frame: bytearray, number: int) -> None:
        library.frame_stamp(address(frame), len(frame), number, now())

    def look(frame: Any) -> tuple[int, int, int]:
        words = memoryview(frame).cast("Q")
        number, began = words[0], words[1]
        words.release()
        return number, began, library.frame_sum(address(frame), len(frame))

else:
    import numpy

    def paint(frame: bytearray) -> None:
        words = numpy.frombuffer(frame, numpy.uint64)
        words[:] = numpy.arange(len(words), dtype=numpy.uint64) * numpy.uint64(MIX)

    def stamp(frame: bytearray, number: int) -> None:
        words = numpy.frombuffer(frame, numpy.uint64)
        words[:: PAGE // 8] = number
        words[1] = now()

    def look(frame: Any) -> tuple[int, int, int]:
        words = numpy.frombuffer(frame, numpy.uint64)
        return int(words[0]), int(words[1]), int(words.sum())


def right_sum(size: int, number: int, began: int) -> int:
    words, pages = size // 8, size // PAGE
    painted = words * (words - 1) // 2 - 1 - PAGE // 8 * (pages * (pages - 1) // 2)
    return (MIX * painted + pages * number + began) & MASK


class Job:
    def __init__(self, name: str, size: int, boxes: int, consumers: int) -> None:
        self.name, self.size, self.boxes = name, size, boxes
        #: Of a consumer its number.
        self.consumers = self.number = consumers


def frames_of(job: Job, receive: Callable[[memoryview], int | None]) -> Iterator[bytearray]:
    """Each frame that comes in pieces of any size; all are in the same place."""
    frame = bytearray(job.size)
    view = memoryview(frame)
    while True:
        come = 0
        while come < len(frame):
            more = receive(view[come:])
            assert more
            come += more
        yield frame


class Way:
    """How frames get from one to others. A consumer iterates over take()."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def make(self) -> str:
        """The producer's objects, and what leads to them."""
        raise NotImplementedError

    def meet(self) -> None:
        """Wait for the consumers, where that takes a call."""

    def give(self, frame: bytearray) -> None:
        raise NotImplementedError

    def end(self) -> None:
        """Wait until all is taken, where nothing else does, and let go."""

    def take(self) -> Iterator[Any]:
        raise NotImplementedError


class Boxes(Way):
    def make(self) -> str:
        self.giver = Giver(self.job.name, self.job.size, self.job.boxes)
        return self.job.name

    def meet(self) -> None:
        while self.giver.takers() < self.job.consumers:
            time.sleep(0.001)

    def give(self, frame: bytearray) -> None:
        self.giver.room()[:] = frame
        self.giver.give()

    def end(self) -> None:
        with self.giver:
            pass

    def take(self) -> Iterator[Any]:
        with Taker(self.job.name) as taker:
            yield from taker


class Locked(Way):
    """One frame, which all copy under the lock. Before it there are numbers: of frames given,
    and of those that each consumer has taken."""

    def make(self) -> str:
        self.region = winshm.create(self.job.name, PAGE + self.job.size)
        self.count = 0
        return self.job.name

    def all_taken(self) -> None:
        while True:
            seen = self.region.change_count
            numbers = memoryview(self.region.read(0, 8 * (1 + CONSUMERS))).cast("Q")
            if all(taken == self.count for taken in numbers[1 : 1 + self.job.consumers]):
                return
            self.region.wait(seen=seen)

    def give(self, frame: bytearray) -> None:
        self.all_taken()
        self.count += 1
        with self.region.lock():
            self.region.write(PAGE, frame)
            self.region.write(0, self.count.to_bytes(8, "little"))

    def end(self) -> None:
        self.all_taken()
        self.region.close()

    def take(self) -> Iterator[Any]:
        frame = bytearray(self.job.size)
        count = 0
        with winshm.open(self.job.name) as region:
            while True:
                seen = region.change_count
                if int.from_bytes(region.read(0, 8), "little") == count:
                    region.wait(seen=seen)
                    continue
                region.read_into(PAGE, frame)
                count += 1
                region.write(8 + 8 * self.job.number, count.to_bytes(8, "little"))
                yield frame


class Sockets(Way):
    def open(self) -> socket.socket:
        raise NotImplementedError

    def meet(self) -> None:
        self.sockets = [self.listener.accept()[0] for _ in range(self.job.consumers)]
        self.listener.close()

    def give(self, frame: bytearray) -> None:
        for each in self.sockets:
            each.sendall(frame)

    def end(self) -> None:
        for each in self.sockets:
            # Until the consumer has closed its end.
            assert each.recv(1) == b""
            each.close()

    def take(self) -> Iterator[Any]:
        with self.open() as stream:
            yield from frames_of(self.job, stream.recv_into)


class Tcp(Sockets):
    def make(self) -> str:
        self.listener = socket.create_server(("127.0.0.1", 0))
        return str(self.listener.getsockname()[1])

    def meet(self) -> None:
        super().meet()
        for each in self.sockets:
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def open(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", int(self.job.name)))


class Unix(Sockets):
    def make(self) -> str:
        self.listener = socket.socket(socket.AF_UNIX)
        # In the abstract name space, so that nothing is left behind.
        self.listener.bind(f"\0{self.job.name}")
        self.listener.listen(CONSUMERS)
        return self.job.name

    def open(self) -> socket.socket:
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(f"\0{self.job.name}")
        return stream


class Pipes(Way):
    """Named pipes of Windows."""

    def make(self) -> str:
        import _winapi as api

        self.api = api
        mode = api.PIPE_WAIT
        path = rf"\\.\pipe\{self.job.name}"
        outbound = 2
        self.pipes = [
            api.CreateNamedPipe(path, outbound, mode, CONSUMERS, PIPE_BUFFER, PIPE_BUFFER, 0, 0)
            for _ in range(self.job.consumers)
        ]
        return self.job.name

    def meet(self) -> None:
        connected = 535
        for each in self.pipes:
            try:
                self.api.ConnectNamedPipe(each)
            except OSError as error:
                if error.winerror != connected:
                    raise

    def give(self, frame: bytearray) -> None:
        for each in self.pipes:
            written, _ = self.api.WriteFile(each, frame)
            assert written == len(frame)

    def end(self) -> None:
        for each in self.pipes:
            ctypes.windll.kernel32.FlushFileBuffers(ctypes.c_void_p(each))  # type: ignore
            self.api.CloseHandle(each)

    def take(self) -> Iterator[Any]:
        with open(rf"\\.\pipe\{self.job.name}", "rb", buffering=0) as stream:
            yield from frames_of(self.job, stream.readinto)


class Zmq(Way):
    #: Sockets that close take along what a receiver with a full queue has not read yet. So
    #: those of a producer stay until it makes the next ones, when all has been taken.
    kept: Zmq | None = None

    def make(self) -> str:
        import zmq

        if Zmq.kept is not None:
            Zmq.kept.context.destroy()
        self.context = zmq.Context()
        self.sockets, addresses = [], []
        for number in range(self.job.consumers):
            push = self.context.socket(zmq.PUSH)
            push.sndhwm = self.job.boxes
            tcp = self.job.name.startswith("tcp")
            push.bind("tcp://127.0.0.1:*" if tcp else f"ipc://@{self.job.name}-{number}")
            addresses.append(push.last_endpoint.decode().rstrip("\0"))
            self.sockets.append(push)
        return ",".join(addresses)

    def give(self, frame: bytearray) -> None:
        for each in self.sockets:
            each.send(frame)

    def end(self) -> None:
        Zmq.kept = self

    def take(self) -> Iterator[Any]:
        import zmq

        with zmq.Context() as context, context.socket(zmq.PULL) as pull:
            pull.rcvhwm = self.job.boxes
            pull.connect(self.job.name.split(",")[self.job.number])
            while True:
                yield pull.recv(copy=False).buffer


WAYS: dict[str, type[Way]] = {
    "boxes": Boxes,
    "locked": Locked,
    "tcp": Tcp,
    "local": Pipes if WINDOWS else Unix,
    "zmq": Zmq,
}


def produce(way: Way, say: Callable[[str], Any], budget: int) -> str:
    frame, frames = bytearray(way.job.size), 0
    paint(frame)
    say(way.make())
    way.meet()
    # The first frame waits for connections, and is not counted.
    stamp(frame, 0)
    way.give(frame)
    began, cpu = now(), time.process_time_ns()
    while frames == 0 or now() - began < budget:
        frames += 1
        stamp(frame, frames)
        way.give(frame)
    stamp(frame, END)
    way.give(frame)
    way.end()
    return f"{frames} {now() - began} {time.process_time_ns() - cpu}"


def consume(way: Way) -> str:
    samples: list[int] = []
    frames = lost = first = ended = cpu = 0
    taken = way.take()
    for frame in taken:
        number, began, total = look(frame)
        if total != right_sum(len(frame), number, began):
            sys.exit(f"frame {number} is not whole")
        if number == END:
            # What is looked at in place must not be, when it is closed.
            del frame
            break
        ended = now()
        if not first:
            first, cpu = ended, time.process_time_ns()
            continue
        frames += 1
        lost = number - frames
        samples.append(ended - began)
    cpu = time.process_time_ns() - cpu
    # Goes on after what has been given last, so that it is acknowledged.
    next(taken, None) if isinstance(way, Boxes) else taken.close()
    samples.sort()
    middle, late = statistics.median(samples), samples[(len(samples) - 1) * 99 // 100]
    return f"{frames} {lost} {ended - first} {cpu} {middle:.0f} {late} {samples[-1]}"


def alone(job: Job, budget: int, copies: bool) -> str:
    """The limits: copies into boxes that nobody looks at, or looks without copies."""
    frame, frames = bytearray(job.size), 0
    paint(frame)
    stamp(frame, 1)
    boxes = [bytearray(frame) for _ in range(job.boxes)]
    views = [memoryview(box) for box in boxes]
    began = now()
    while frames == 0 or now() - began < budget:
        if copies:
            stamp(frame, frames)
            views[frames % job.boxes][:] = frame
        else:
            number, time_, total = look(boxes[frames % job.boxes])
            assert total == right_sum(job.size, number, time_)
        frames += 1
    return f"{frames} {now() - began}"


def main() -> None:
    from of_python import WAYS as OF_PYTHON
    from of_python import together

    print("ready", flush=True)
    for line in sys.stdin:
        role, way, name, *numbers = line.split()
        size, boxes, consumers, budget = map(int, numbers)
        job = Job(name, size, boxes, consumers)
        if role in ("fill", "check"):
            print(alone(job, budget, role == "fill"), flush=True)
        elif way in OF_PYTHON:
            together(OF_PYTHON[way](job), budget)
        elif role == "produce":
            print(produce(WAYS[way](job), lambda said: print(said, flush=True), budget), flush=True)
        else:
            print(consume(WAYS[way](job)), flush=True)


if __name__ == "__main__":
    main()
