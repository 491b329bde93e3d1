# SPDX-License-Identifier: MIT
"""A region that has no name goes from one language to another.

Who gives it starts the other program, which finds the token in the environment, in an
argument or at its standard input; or both know the path of a link file.
"""

import pytest

#: Which language hands over to which, each in a way of its own.
PAIRS = [("csharp", "python"), ("python", "c"), ("c", "nim")]


def pytest_generate_tests(metafunc):
    if "giver" in metafunc.fixturenames:
        there = metafunc.config.getoption("--languages").split(",")
        pairs = [each for each in PAIRS if set(each) <= set(there)]
        metafunc.parametrize(("giver", "taker"), pairs)


def test_of_tokens(platform, giver, taker):
    command = platform.inner_command(taker, "handover")
    with platform.start(giver, "handover", "give", *command) as program:
        program.end_with("handed over: count 2")


def test_of_link_files(platform, tmp_path, request):
    if not {"nim", "csharp"} <= set(request.config.getoption("--languages").split(",")):
        pytest.skip("needs Nim and C#")
    path = tmp_path / "handover.link"
    place = platform.path(path)
    with platform.start("nim", "handover", "link", place) as giver:
        with platform.start("csharp", "handover", "open", place) as taker:
            taker.end()
        giver.end_with("handed over: count 2")
    assert not path.exists()
