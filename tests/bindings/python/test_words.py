# SPDX-License-Identifier: MIT
"""Messages of the library speak Python."""

import errno
import inspect
import itertools
import pickle
import re

import pytest
import winshm
from conftest import ROOT, WINDOWS, in_a_thread
from winshm import _abi
from winshm._words import CURES, WORDS, in_python

C_NAME = re.compile(r"\bwinshm_\w+(?:\(\)|\.\w+)?|\bWINSHM_[A-Z_]+|\bwinshm\.h\b")
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|\\\n|#include [^\n]*|"((?:[^"\\\n]|\\.)*)"|\s+|.', re.S)


def literals(path):
    """The string literals of a C file, those that follow each other being one."""
    tokens = (each for each in TOKEN.finditer(path.read_text("utf-8")) if not is_space(each))
    for is_text, group in itertools.groupby(tokens, lambda each: each[1] is not None):
        if is_text:
            yield "".join(each[1] for each in group)


def is_space(token):
    return token[1] is None and (len(token[0]) > 1 or token[0].isspace())


def test_all_names_of_messages_are_known():
    files = [ROOT / "include" / "winshm.h", *(ROOT / "src").rglob("*.[ch]")]
    texts = [text for path in files for text in literals(path)]
    found = {name for text in texts for name in C_NAME.findall(text)}
    assert {"winshm_options.timeout_ms", "winshm_get_info()", "WINSHM_READ"} <= found
    assert len(found) > 30
    statuses = {_abi.quick.winshm_status_name(each).decode() for each in winshm.Status}
    names = found - statuses - {"WINSHM_E_UNKNOWN"}
    assert {name for name in names if name.replace("()", "") not in WORDS} == set()
    assert {name for name in names if C_NAME.search(in_python(name))} == set()


def test_functions_and_options_are_known():
    """As messages may come to speak of any."""
    told = {"winshm_version", "winshm_version_string", "winshm_status_name"}
    told |= {"winshm_status_text", "winshm_last_message", "winshm_last_os_code"}
    expected = {name for name, *_ in _abi.FUNCTIONS} - told
    expected |= {f"winshm_options.{field}" for field, *_ in _abi.winshm_options._fields_}
    assert expected <= set(WORDS)


OWNERS = {
    "winshm": winshm,
    "region": winshm.Region,
    "view": winshm.View,
    "held": winshm.Held,
}


@pytest.mark.parametrize("word", sorted({*WORDS.values(), *CURES.values()}))
def test_words_are_names_of_this_package(word):
    for owner, member in re.findall(r"(\w+)\.(\w+)", word):
        assert hasattr(OWNERS[owner], member)
    calls = (winshm.create, winshm.open, winshm.Region.lock, winshm.Region.map)
    known = {name for call in calls for name in inspect.signature(call).parameters}
    assert {*re.findall(r"(\w+)=", word), *re.findall("argument (.*)", word)} <= known


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("winshm_lock 'a': x [WINSHM_E_TIMEOUT].", "region.lock() 'a': x [WINSHM_E_TIMEOUT]."),
        ("Ask winshm_get_info().", "Ask region.info."),
        ("Use WINSHM_READ, winshm_options.size.", "Use readonly=True, the argument size."),
        ("winshm_read 'WINSHM_RAW winshm_map': x", "region.read() 'WINSHM_RAW winshm_map': x"),
        ("winshm_read 'it's winshm_map': x", "region.read() 'it's winshm_map': x"),
        ("One's WINSHM_RAW is another's.", "One's raw=True is another's."),
        (
            "winshm_read 'x]. ': y [WINSHM_E_OWNER_DEAD]. Lock, unlock.",
            "region.read() 'x]. ': y [WINSHM_E_OWNER_DEAD]. "
            "Repair the data under region.lock(recover=True), "
            "then call region.make_consistent().",
        ),
        ("winshm_later() gives WINSHM_LATER", "winshm_later() gives WINSHM_LATER"),
    ],
)
def test_translation(message, expected):
    assert in_python(message) == expected


def test_errnos(name, region):
    with pytest.raises(winshm.NotFoundError) as caught:
        winshm.open(f"{name}-2")
    assert (caught.value.errno, caught.value.strerror) == (errno.ENOENT, "no such region or file")
    assert str(caught.value).startswith("winshm.open() ")
    assert pickle.loads(pickle.dumps(caught.value)).errno == errno.ENOENT
    if WINDOWS:
        assert caught.value.winerror == caught.value.os_code == 2
    with pytest.raises(winshm.ExistsError) as caught:
        winshm.create(name, 1)
    assert caught.value.errno == errno.EEXIST
    with winshm.open(name, readonly=True) as reader:
        with pytest.raises(winshm.AccessError) as caught:
            reader.write(0, b"x")
    assert caught.value.errno == errno.EACCES
    with region.lock(), pytest.raises(winshm.TimeoutError) as caught:
        in_a_thread(region.acquire, timeout=0)
    assert caught.value.errno == errno.ETIMEDOUT
    if WINDOWS:
        assert caught.value.winerror is None


@pytest.mark.skipif(WINDOWS, reason="os_code is no errno there")
def test_errno_is_the_code_of_the_system_where_that_is_of_the_same_sort():
    access, late = winshm.Status.ACCESS, winshm.Status.TIMEOUT
    assert winshm.AccessError(access, "x", errno.EPERM).errno == errno.EPERM
    assert winshm.AccessError(access, "x", errno.ENOENT).errno == errno.EACCES
    assert winshm.TimeoutError(late, "x", errno.EBADF).errno == errno.ETIMEDOUT
