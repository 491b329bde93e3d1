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
        ("sys.exit(3)", "has ended too early, with 3"),
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


def starting(ending, starts, flag):
    """A program that ends at its first start, and answers what it is told at the next."""
    code = (
        f"import pathlib, sys\nflag = pathlib.Path({str(flag)!r})\n"
        f"if not flag.exists():\n    flag.touch()\n    {ending}\nprint('heard', input())"
    )
    return Program("fake", [sys.executable, "-c", code], os.environ, starts=starts)


def test_what_has_not_run_is_started_again(tmp_path):
    with starting("sys.exit()", 2, tmp_path / "flag") as program:
        assert program.ask("size", None) == "heard size"
        assert "fake: has not run, so it is started again" in program.transcript
        program.end()


@pytest.mark.parametrize(
    ("ending", "starts"),
    [("sys.exit()", 1), ("sys.exit(3)", 2), ("sys.exit(print('here'))", 2)],
    ids=["no more starts", "with an error", "has spoken"],
)
def test_what_has_run_is_not_started_again(ending, starts, tmp_path):
    with starting(ending, starts, tmp_path / "flag") as program:
        program.tell("size")
        with pytest.raises(Failure, match="has ended too early"):
            while program.line() != "heard size":
                pass
