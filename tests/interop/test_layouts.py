# SPDX-License-Identifier: MIT
"""The same structure has the same layout text in every language."""

from pathlib import Path

EXPECTED = Path(__file__).with_name("layouts") / "expected.txt"


def test_of_layouts(platform, language):
    expected = EXPECTED.read_text("utf-8").splitlines()
    with platform.start(language, "layouts") as program:
        assert [program.line() for _ in expected] == expected
        program.end()
