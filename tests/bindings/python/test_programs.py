# SPDX-License-Identifier: MIT
"""The example program and the interoperability peer, each as a process of its own."""

import ctypes
import os
import sys

import pytest
import winshm
from conftest import ROOT

SHARE = ROOT / "tests" / "interop" / "share.py"
PEER = ROOT / "tests" / "interop" / "peer.py"
BOX = 262144


class Shared(ctypes.LittleEndianStructure):
    _fields_ = [
        ("counter", ctypes.c_uint64),
        ("boxes", ctypes.c_uint32 * 2 * 3),
        ("reserved", ctypes.c_uint64 * 4),
        ("a", ctypes.c_uint32),
        ("b", ctypes.c_uint32),
    ]


@pytest.fixture
def shared(name):
    with winshm.create(name, 4096 + 3 * BOX) as region:
        yield region


def output_of(process):
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    return output.strip()


def test_share_count(shared, start):
    counters = [start(SHARE, "count", shared.name, 500) for _ in range(2)]
    assert [output_of(each) for each in counters] == ["Python: added 500"] * 2
    assert shared.read_as(Shared).counter == 1000


def test_share_relay(shared, start):
    relay = start(SHARE, "relay", shared.name)
    layout = shared.view_as(Shared)
    pieces = [os.urandom(BOX), b"x", os.urandom(1000), b""]
    received = []
    sending = list(pieces)
    while len(received) < len(pieces):
        seen = shared.change_count
        moved = False
        with shared.lock(timeout=20):
            if sending and not layout.boxes[0][0]:
                piece = sending.pop(0)
                shared.write(4096, piece)
                layout.boxes[0][:] = [1, len(piece)]
                moved = True
            if layout.boxes[1][0]:
                received.append(shared.read(4096 + BOX, layout.boxes[1][1]))
                layout.boxes[1][:] = [0, 0]
                moved = True
        if moved:
            shared.notify()
        else:
            shared.wait(seen=seen, timeout=20)
    assert received == pieces
    assert output_of(relay) == f"Python: relayed {BOX + 1001} bytes"
    assert list(layout.boxes[0]) == [0, 0]


def test_share_hold_and_repair(shared, start):
    holder = start(SHARE, "hold", shared.name)
    assert holder.stdout.readline().strip() == "Python: holding"
    holder.kill()
    holder.wait()
    assert shared.view_as(Shared).b == 0
    repairer = start(SHARE, "repair", shared.name)
    assert output_of(repairer) == "Python: the owner died, repaired, b = 1"
    again = start(SHARE, "repair", shared.name)
    assert again.communicate()[0].strip() == "Python: nothing to repair"
    assert again.returncode == 1


def ask(peer, command):
    peer.stdin.write(command + "\n")
    peer.stdin.flush()
    return peer.stdout.readline().rstrip("\n")


def test_peer(name, start):
    first, second = start(PEER), start(PEER)
    script = [
        (first, f"open {name} 0 0", "error WINSHM_E_NOT_FOUND"),
        (first, f"create {name} 100 0", "ok"),
        (second, f"create {name} 100 3", "error WINSHM_E_EXISTS"),
        (second, f"open_or_create {name} 101 0", "error WINSHM_E_SIZE"),
        (second, f"open {name} 64 0", "error WINSHM_E_INVALID"),
        (second, f"open {name} 3 100", "ok"),
        (first, "size", "ok 100"),
        (first, "participants", "ok 2"),
        (first, "pid", f"ok {first.pid}"),
        (first, "changes", "ok 0"),
        (first, "lock 2 4294967295", "ok"),
        (second, "lock 1 10", "error WINSHM_E_TIMEOUT"),
        (second, "unlock 2", "error WINSHM_E_NOT_OWNER"),
        (second, "lock 3 10", "error WINSHM_E_INVALID"),
        (first, "unlock 2", "ok"),
        (second, "write 4 00ff80 1000", "ok"),
        (second, "write 4  1000", "ok"),
        (first, "read 3 5 1000", "ok 0000ff8000"),
        (first, "read 3 0 1000", "ok "),
        (first, "read 99 2 0", "error WINSHM_E_RANGE"),
        (first, "poke 98 abcd", "ok"),
        (second, "peek 97 3", "ok 00abcd"),
        (first, "wait 0 0", "ok 2"),
        (first, "wait 2 0", "error WINSHM_E_TIMEOUT"),
        (second, "notify", "ok"),
        (first, "changes", "ok 3"),
        (second, "lock 1 0", "ok"),
        (first, "lock 1 0", "ok"),
        (first, "close", "error WINSHM_E_BUSY"),
        (first, "unlock 1", "ok"),
        (second, "unlock 1", "ok"),
        (second, "lock 2 0", "ok"),
    ]
    for peer, command, expected in script:
        if command == "pid" and sys.platform == "win32":
            continue
        assert (command, ask(peer, command)) == (command, expected)
    second.kill()
    second.wait()
    for command, expected in [
        ("lock 1 5000", "error WINSHM_E_OWNER_DEAD"),
        ("read 0 1 5000", "error WINSHM_E_OWNER_DEAD"),
        ("lock 2 5000", "error WINSHM_E_OWNER_DEAD"),
        ("repair", "ok"),
        ("unlock 2", "ok"),
        ("lock 1 5000", "ok"),
        ("unlock 1", "ok"),
        ("close", "ok"),
        ("size", "error WINSHM_E_CLOSED"),
    ]:
        assert (command, ask(first, command)) == (command, expected)
    first.communicate("quit\n", timeout=20)
    assert first.returncode == 0


def test_peer_ends_with_its_input(start):
    peer = start(PEER)
    peer.communicate(timeout=20)
    assert peer.returncode == 0
