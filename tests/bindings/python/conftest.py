# SPDX-License-Identifier: MIT
"""What the tests of the Python binding share.

They need pytest only, and the library: WINSHM_LIBRARY names it, else it is the one
that the project's build has made. On a Windows Python, where Debian's pytest is pure
Python enough, PYTHONPATH=Z:\\usr\\lib\\python3\\dist-packages makes it importable, and
PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 keeps plug-ins out.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
import uuid
from concurrent import futures
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "bindings" / "python"
WINDOWS = sys.platform == "win32"
BUILT = "build/win64/winshm.dll" if WINDOWS else "build/linux/libwinshm.so.0"

sys.path.insert(0, str(PACKAGE))
os.environ.setdefault("WINSHM_LIBRARY", str(ROOT / BUILT))

import winshm  # noqa: E402


def _becomes_others():
    """Root may, but where a user namespace knows nobody else."""
    if WINDOWS or os.geteuid() != 0:
        return False
    first, _, count = Path("/proc/self/uid_map").read_text().split()[:3]
    return int(first) + int(count) > 65534


becomes_others = pytest.mark.skipif(not _becomes_others(), reason="becomes other users")

#: Takes the lock and says so; lets go, or is killed, when told.
HOLDER = (
    "r = winshm.open(sys.argv[1])\n"
    "with r.lock(shared=len(sys.argv) > 2):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.readline()\n"
    "r.close()"
)


class Child:
    """Another Python process that runs a piece of code; its output is read line by line.

    The code finds winshm, sys and os imported.
    """

    def __init__(self, code: str, *arguments: str, options: tuple[str, ...] = ()) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *options, "-c", f"import os, sys, winshm\n{code}", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(PACKAGE), "PYTHONUNBUFFERED": "1"},
        )
        # Whatever a test does wrong, no child outlives it for long.
        self._timer = threading.Timer(60, self.process.kill)
        self._timer.start()

    def line(self) -> str:
        """The next line of output."""
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return line.rstrip()

    def go(self) -> None:
        """Let the child's sys.stdin.readline() return."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """End it as the system does: no finalizer of it runs."""
        self.process.kill()
        self.process.wait()

    def end(self) -> str:
        """Wait for its successful end; the rest of its output and errors."""
        output, errors = self.process.communicate()
        assert self.process.returncode == 0, errors
        return (output + errors).rstrip()

    def clear(self) -> None:
        self._timer.cancel()
        self.process.kill()
        self.process.communicate()


def in_a_thread(function, *arguments, **keywords):
    """Call it in a thread of its own; what it returns or raises."""
    with futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments, **keywords).result()


def until(condition, seconds=10):
    """Wait until condition() is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def lock_threads():
    return [each for each in threading.enumerate() if each.name == "winshm-lock"]


def free(region):
    """Whether nobody holds the lock; in another participant's eyes."""
    with winshm.open(region.name) as other:
        try:
            other.acquire(timeout=10)
        except winshm.TimeoutError:
            return False
        other.release()
        return True


def run(coroutine):
    """Run it, but not for ever."""
    return asyncio.run(asyncio.wait_for(coroutine, 60))


async def turns():
    """Let all tasks come to where they wait."""
    for _ in range(5):
        await asyncio.sleep(0)


async def enter(region, hold=0, log=None, **keywords):
    async with region.lock_async(**keywords) as held:
        if log is not None:
            log.append(held)
        await asyncio.sleep(hold)


def leftovers(name):
    """What of the region can be seen after everybody has left it."""
    return [] if WINDOWS else [str(path) for path in Path("/dev/shm").glob(f"{name}*")]


@pytest.fixture
def name():
    """A name that nobody else uses."""
    name = f"winshm-test-{uuid.uuid4().hex}"
    yield name
    # The test itself has left nothing open, or this would fail. What children that were
    # killed have left is cleaned up by this new life of the region.
    winshm.create(name, 1).close()
    assert leftovers(name) == []


@pytest.fixture
def child(name):
    # They end before name looks for what is left.
    children = []

    def start(*arguments, **keywords):
        children.append(Child(*arguments, **keywords))
        return children[-1]

    yield start
    for each in children:
        each.clear()


@pytest.fixture
def region(name):
    with winshm.create(name, 4096) as region:
        yield region


@pytest.fixture
def tasks(region):
    """The same region, opened for tasks."""
    with winshm.open(region.name, tasks=True) as tasks:
        yield tasks


@pytest.fixture
def holder(child, region):
    holder = child(HOLDER, region.name)
    assert holder.line() == "held"
    return holder


@pytest.fixture
def start():
    """Starts Python programs, which find the package."""
    running = []

    def start(*command):
        process = subprocess.Popen(
            [sys.executable, *map(str, command)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={
                **os.environ,
                "PYTHONPATH": str(PACKAGE),
                "PYTHONUNBUFFERED": "1",
                "PYTHONIOENCODING": "utf-8",
            },
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()
