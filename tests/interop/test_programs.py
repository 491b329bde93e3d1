# SPDX-License-Identifier: MIT
"""The tests between programs notice a program that misbehaves."""

import os
import sys

import pytest
from programs import Failure, Program

LOOP = "import sys\nfor line in sys.stdin:\n    {}"


@pytest.mark.parametrize(
    ("reaction", "complaint"),
    [
        ("print('ok 2', flush=True)", "answered 'ok 2' and not 'ok'"),
        ("sys.exit(3)", "has ended too early"),
        ("pass", "silent for 2 s"),
    ],
    ids=["wrong answer", "early end", "silence"],
)
def test_misbehaviour_is_noticed(reaction, complaint, monkeypatch):
    monkeypatch.setattr("programs.PATIENCE", 2)
    command = [sys.executable, "-c", LOOP.format(reaction)]
    with Program("fake", command, os.environ) as program:
        with pytest.raises(Failure, match=f"(?s)fake: {complaint}\n    fake < size"):
            program.ask("size")
