# SPDX-License-Identifier: MIT
"""The examples, as somebody runs them who reads them."""

import sys
import time

import pytest
from conftest import PACKAGE

EXAMPLES = PACKAGE / "examples"


class Terminal:
    def __init__(self, process):
        self.process = process

    def shows(self, text):
        """Wait for it; nothing else may come before."""
        assert self.process.stdout.read(len(text)) == text

    def type(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def end(self):
        """What else it shows."""
        # communicate() would not have what shows() has read ahead.
        output = self.process.stdout.read()
        assert self.process.wait(20) == 0
        return output


@pytest.fixture
def run(start):
    def run(example, *arguments):
        return Terminal(start(EXAMPLES / f"{example}.py", *arguments))

    return run


def test_counter(run):
    prompt = "Enter adds one, q leaves: "
    terminals = [run("counter"), run("counter")]
    for terminal in terminals:
        terminal.shows(prompt)
    for now in range(1, 5):
        terminal = terminals[now % 2]
        terminal.type("")
        terminal.shows(f"That makes {now}.\n{prompt}")
    terminals[0].type("q")
    terminals[1].process.stdin.close()
    terminals[1].process.stdin = None
    for terminal in terminals:
        assert terminal.end() == ""


def test_notify(run):
    waiting = run("notify")
    waiting.shows("Waiting for messages; bye ends it.\n")
    assert run("notify", "some", "wörds").end() == ""
    waiting.shows("some wörds\n")
    run("notify", "bye").end()
    assert waiting.end() == "bye\n"


def test_recover(run):
    waiting = run("recover")
    waiting.shows("Crash in another terminal, then press Enter here: ")
    assert run("recover", "crash").process.wait(20) == 1
    waiting.type("")
    waiting.shows("The owner of the lock has died and left 70 and 0.\n")
    assert waiting.end() == "The accounts have 70 and 30.\n"


def test_ownlock(run):
    prompt = "Part {} is yours, until you press Enter: "
    first, other = run("ownlock", 3), run("ownlock", 4)
    first.shows(prompt.format(3))
    other.shows(prompt.format(4))
    second = run("ownlock", 3)
    # Long enough to look twice who is alive: it shows nothing before the end of the first.
    time.sleep(1.2)
    first.process.kill()
    second.shows("Who had part 3 has died, and may have left it half written.\n")
    second.shows(prompt.format(3))
    third = run("ownlock", 3)
    time.sleep(0.3)
    second.type("")
    third.shows(prompt.format(3))
    for terminal in (third, other):
        terminal.type("")
    for terminal in (second, third, other):
        assert terminal.end() == ""


def test_handover(run):
    command = [sys.executable, str(EXAMPLES / "handover.py")]
    assert run("handover", "give", *command).end() == "handed over: count 2\n"


def test_parts(run):
    terminals = []
    for number in range(2):
        terminals.append(run("parts"))
        terminals[-1].shows(f"There were {number} pictures, and this process has painted one")
    for terminal in terminals:
        terminal.type("")
        terminal.end()


def test_tasks(run):
    terminals = [run("tasks"), run("tasks")]
    for terminal in terminals:
        terminal.shows("Start it twice, then press Enter: ")
    for terminal in terminals:
        terminal.type("")
    lines = [terminal.end().splitlines() for terminal in terminals]
    said = "This process has added 20, and the total is "
    totals = [int(each[-1].replace(said, "").rstrip(".")) for each in lines]
    assert max(totals) == 40
    assert min(totals) >= 20
    assert all(line.startswith("total ") for each in lines for line in each[:-1])
    assert all(len(each) > 2 for each in lines)
