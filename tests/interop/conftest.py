# SPDX-License-Identifier: MIT
"""What the tests between programs share, and the table of language pairs.

    python3 -m pytest tests/interop --platform windows --languages c,python,nim
"""

from __future__ import annotations

import uuid

import pytest
from programs import TITLES, Platform

RESULTS = pytest.StashKey()
MARKS = {"passed": "ok", "failed": "FAIL"}


def pytest_addoption(parser):
    parser.addoption("--platform", choices=["linux", "windows"], default="linux")
    parser.addoption(
        "--languages",
        default="c,python,csharp,nim",
        help=f"those that were built, of {','.join(TITLES)}",
    )


def pytest_configure(config):
    config.stash[RESULTS] = {}


def languages(config):
    return config.getoption("--languages").split(",")


def pytest_generate_tests(metafunc):
    for name in ("first", "second", "language"):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, languages(metafunc.config))


@pytest.fixture(scope="session")
def platform(request):
    return Platform(request.config.getoption("--platform"))


@pytest.fixture(scope="session")
def idle(platform):
    """Programs that wait for the next test, since starting them is what takes time."""
    programs = []
    yield programs
    for each in programs:
        each.end()


@pytest.fixture
def start(platform, idle, request):
    """Starts programs that share one transcript, or takes idle ones."""
    busy, transcript = [], []

    def begin(language, program):
        fitting = [each for each in idle if each.key == (language, program)]
        if fitting:
            started = fitting[0]
            idle.remove(started)
            started.transcript = transcript
        else:
            started = platform.start(language, program, transcript=transcript)
            started.key = language, program
        busy.append(started)
        return started

    failed = request.session.testsfailed
    yield begin
    for each in busy:
        # After a failure nobody knows what state a program is in.
        if request.session.testsfailed > failed or each.has_ended():
            each.kill()
        else:
            idle.append(each)


@pytest.fixture
def name():
    """A name that nobody else uses."""
    return f"winshm-{uuid.uuid4().hex[:12]}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    pair = getattr(item, "callspec", None) and item.callspec.params
    if pair and {"first", "second"} <= set(pair) and (call.when == "call" or report.failed):
        key = item.originalname, pair["first"], pair["second"]
        item.config.stash[RESULTS][key] = MARKS.get(report.outcome, report.outcome)


def pytest_terminal_summary(terminalreporter, config):
    """Print a table of language pairs for each test that ran over pairs."""
    results = config.stash[RESULTS]
    titles = {code: TITLES[code] for code in languages(config)}
    width = max(len(title) for title in titles.values()) + 2
    for test in dict.fromkeys(key[0] for key in results):
        what = test.removeprefix("test_").replace("_", " ")
        terminalreporter.section(f"{config.getoption('--platform')}: {what}")
        terminalreporter.line("".join(f"{title:>{width}}" for title in ["", *titles.values()]))
        for first, title in titles.items():
            cells = [results.get((test, first, second), "-") for second in titles]
            terminalreporter.line("".join(f"{cell:>{width}}" for cell in [title, *cells]))
