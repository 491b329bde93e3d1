# SPDX-License-Identifier: MIT
"""Children that were forked: kept out of the region of their parent, and quiet."""

import os
import subprocess
import sys

import pytest
from conftest import WINDOWS

pytestmark = pytest.mark.skipif(WINDOWS, reason="Windows has no fork")


def test_fork(region):
    """The child's handle is refused, and leaves the parent's region alone."""
    code = (
        "import asyncio, ctypes, gc, os, sys, winshm\n"
        "region = winshm.open(sys.argv[1])\n"
        "view = region.map(0, 4)\n"
        "data, kept, piece = view.data, region.data, region.data[:8]\n"
        "if os.fork():\n"
        "    assert os.wait()[1] == 0\n"
        "    region.data[0] = 1\n"
        "    print(len(region.participants))\n"
        "    del piece, kept, data\n"
        "    view.close(); region.close()\n"
        "else:\n"
        "    calls = [lambda: region.data, lambda: region.info, lambda: region.read(0, 1),\n"
        "             lambda: region.lock().__enter__(), lambda: region.size,\n"
        "             lambda: region.view_as(ctypes.c_char), lambda: view.data,\n"
        "             lambda: region.map(0, 1), lambda: region.__enter__(),\n"
        "             lambda: view.__enter__(), lambda: region.write(0, b'x'),\n"
        "             lambda: region.participants, lambda: region.change_count,\n"
        "             region.acquire, region.release, region.make_consistent,\n"
        "             region.wait_fd, lambda: asyncio.run(region.wait_async()),\n"
        "             lambda: region.wait(timeout=0), region.notify]\n"
        "    for call in calls:\n"
        "        try:\n"
        "            call()\n"
        "        except winshm.Error as error:\n"
        "            assert error.status == winshm.Status.FORKED, error\n"
        "        else:\n"
        "            assert False\n"
        "    assert bytes(kept[:1]) == bytes(data[:1]) == b'\\0'\n"
        "    region.close()\n"
        "    assert region.closed\n"
        "    assert bytes(piece[:1]) == b'\\0'\n"
        "    del piece, view, region, kept, data\n"
        "    gc.collect()\n"
        "    again = winshm.open(sys.argv[1])\n"
        "    again.close()\n"
        "    os._exit(0)\n"
    )
    command = [sys.executable, "-W", "error", "-c", code, region.name]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")
    assert region.data[0] == 1


def test_fork_in_a_with_block(child, region):
    """Its end is quiet in the child, also if a thread of the parent had locks of ours."""
    parent = child(
        "import gc, threading, time\n"
        "region = winshm.open(sys.argv[1])\n"
        "def work():\n"
        "  while go:\n"
        "    with region._guard: time.sleep(1e-4)\n"
        "go = True; thread = threading.Thread(target=work); thread.start()\n"
        "for _ in range(50):\n"
        "  with winshm.open(sys.argv[1]) as other, region.map(0, 1):\n"
        "    child = os.fork()\n"
        "    if not child: region.close(); del other; gc.collect()\n"
        "  if not child: os._exit(0)\n"
        "  assert os.waitpid(child, 0)[1] == 0\n"
        "go = False; thread.join(); region.close()",
        region.name,
        options=("-W", "error"),
    )
    assert parent.end() == ""


def test_fork_in_a_section(child, region):
    """The child leaves the blocks of its parent in silence, and the lock alone."""
    parent = child(
        "import asyncio\n"
        "def forked():\n"
        "  child = os.fork()\n"
        "  if child: assert os.waitpid(child, 0)[1] == 0\n"
        "  return not child\n"
        "async def section():\n"
        "  async with tasks.lock_async(): return forked()\n"
        "name = sys.argv[1]\n"
        "with winshm.open(name) as region, winshm.open(name, tasks=True) as tasks:\n"
        "  with region.lock(): child = forked()\n"
        "  if child: sys.exit()\n"
        "  with region.lock(shared=True): child = forked()\n"
        "  if child or asyncio.run(section()): sys.exit()",
        region.name,
        options=("-W", "error"),
    )
    assert parent.end() == ""
    assert not region.info.lock_state


def test_multiprocessing(child, region):
    """Children that were forked find the parent's object refused, and leave it alone."""
    parent = child(
        "import multiprocessing\n"
        "region = winshm.open(sys.argv[1]); region.data[1] = 7\n"
        "def work():\n"
        "  try: region.data[0] = 1\n"
        "  except winshm.Error as error: assert error.status == winshm.Status.FORKED\n"
        "  else: sys.exit('it has written')\n"
        "  with winshm.open(sys.argv[1]) as again: again.data[2] = 7\n"
        "context = multiprocessing.get_context('fork')\n"
        "with region:\n"
        "  process = context.Process(target=work); process.start(); process.join()\n"
        "  assert process.exitcode == 0 and bytes(region.data[:3]) == b'\\0\\7\\7'",
        region.name,
    )
    assert parent.end() == ""


def test_fork_while_tasks_wait(child, holder, region):
    code = (
        "import asyncio, gc\n"
        "r = winshm.open(sys.argv[1], tasks=True)\n"
        "async def enter():\n"
        "  async with r.lock_async(): print('inside')\n"
        "async def main():\n"
        "  waiting = [asyncio.ensure_future(enter()) for _ in range(5)]\n"
        "  await asyncio.sleep(0.1)\n"
        "  if not os.fork():\n"
        "    try: await enter()\n"
        "    except winshm.Error as error: assert error.status == winshm.Status.FORKED\n"
        "    else: os._exit(1)\n"
        "    r.close(); os._exit(0)\n"
        "  assert os.wait()[1] == 0; print('forked')\n"
        "  await asyncio.gather(*waiting)\n"
        "asyncio.run(main()); r.close()"
    )
    program = child(code, region.name, options=("-W", "error"))
    assert program.line() == "forked"
    holder.go()
    assert program.end().split() == ["inside"] * 5
