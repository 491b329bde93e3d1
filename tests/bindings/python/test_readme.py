# SPDX-License-Identifier: MIT
"""The programs in the README do what it says."""

import re
import uuid

import pytest
from conftest import PACKAGE

README = (PACKAGE / "README.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## (.*)\n((?:(?!^## ).*\n)*)", README, re.MULTILINE))
#: What is declared in the first section is known in the others.
FIRST = "Typed regions"


def programs(section):
    return re.findall(r"^```python\n(.*?)^```$", SECTIONS[section], re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("section", [title for title in SECTIONS if programs(title)])
def test_of_readme(section, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    unique = f'"winshm-test-{uuid.uuid4().hex}"'
    declarations = programs(FIRST)[0].partition("\nwith ")[0]
    names = {}
    exec(declarations, names)
    for program in programs(section):
        # Other runs of the tests have regions, too.
        exec(re.sub(r'(?<=[(])"(game|log)"', unique, program), names)
    assert list(tmp_path.glob("*.link")) == []
    if section == FIRST:
        assert capsys.readouterr().out.splitlines() == [
            re.search("# (score:.*)", README)[1],
            "[{'full': 0, 'length': 0}, {'full': 0, 'length': 1}, {'full': 0, 'length': 0}] "
            "b'J\\xc3\\xbcrgen'",
        ]


def test_all_sections_have_been_found():
    assert [title for title in SECTIONS if programs(title)] == [
        "Typed regions",
        "Growing",
        "Handing over",
        "Saving",
    ]
