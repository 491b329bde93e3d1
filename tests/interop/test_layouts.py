# SPDX-License-Identifier: MIT
"""The same ten structures have the same layout text in each language."""

from programs import ROOT


def test_the_same_words_in_all_languages(platform, language):
    expected = (ROOT / "tests/interop/layouts/expected.txt").read_text(encoding="ascii")
    with platform.start(language, "layouts") as program:
        for line in expected.splitlines():
            program.answers(line)
        program.end()
