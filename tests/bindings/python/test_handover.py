# SPDX-License-Identifier: MIT
"""Regions that are handed over by a token or a link file."""

import ctypes
import os

import pytest
import winshm
from conftest import WINDOWS
from winshm import Status


class State(ctypes.Structure):
    _fields_ = [("count", ctypes.c_uint32), ("done", ctypes.c_uint32)]


class Drifted(ctypes.Structure):
    _fields_ = [("count", ctypes.c_uint32), ("done", ctypes.c_uint16)]


@pytest.fixture
def unnamed():
    with winshm.create(None, State) as region:
        yield region


def test_unnamed_regions_have_names(unnamed):
    assert unnamed.name.startswith("winshm-")
    assert unnamed.name in repr(unnamed)
    with winshm.create(None, 8) as other:
        assert other.name != unnamed.name
    with winshm.open(unnamed.name, State) as again:
        again.value.count = 3
    assert unnamed.value.count == 3
    with winshm.create(None, 8, raw=True) as raw, winshm.open(raw.name, raw=True) as again:
        assert again.size >= 8


def test_only_create_makes_unnamed_ones():
    for opener in (winshm.open, winshm.open_or_create):
        with pytest.raises(TypeError, match="name must be a str"):
            opener(None, 8)


@pytest.mark.parametrize("way", ["environment", "argument", "standard input"])
def test_token_reaches_a_child(unnamed, child, monkeypatch, way):
    unnamed.value.count = 1
    token = unnamed.export_token()
    assert token.isascii()
    assert len(token) <= winshm.TOKEN_MAX
    source = {
        "environment": "os.environ['WINSHM_TOKEN']",
        "argument": "sys.argv[1]",
        "standard input": "input()",
    }[way]
    if way == "environment":
        monkeypatch.setenv("WINSHM_TOKEN", token)
    process = child(
        f"with winshm.import_token({source}) as r:\n"
        "    assert r.fields.count == 1\n"
        "    r.fields.count = 2",
        *([token] if way == "argument" else []),
    )
    if way == "standard input":
        process.process.stdin.write(token)
    process.end()
    assert unnamed.value.count == 2


def test_access_of_tokens(unnamed):
    readonly, both = unnamed.export_token(readonly=True), unnamed.export_token(readonly=False)
    assert unnamed.export_token() == both != readonly
    with winshm.import_token(readonly) as reader:
        assert reader.info.readonly
        assert reader.data.readonly
        assert reader.name == unnamed.name
        assert reader.export_token() == readonly
        with pytest.raises(winshm.AccessError):
            reader.export_token(readonly=False)
    with winshm.import_token(both, readonly=True) as reader:
        assert reader.info.readonly
    with winshm.import_token(both, no_map=True, tasks=True) as other:
        with pytest.raises(ValueError, match="no_map"):
            other.data  # noqa: B018
        assert other.lock_async
        other.acquire()
        other.release()
    for bad in ("x", 2):
        with pytest.raises(TypeError, match="readonly must be"):
            unnamed.export_token(readonly=bad)


def test_types_of_tokens(unnamed):
    token = unnamed.export_token()
    with winshm.import_token(token, State) as typed:
        typed.value.done = 5
        assert len(unnamed.participants) == 2
    assert unnamed.value.done == 5
    with winshm.import_token(unnamed.export_token(readonly=True), State) as reader:
        assert reader.get().done == 5
    told = r"^winshm\.import_token\(\) .* 'done' is u16 @4 here, u32 @4 in the region"
    with pytest.raises(winshm.Error, match=told):
        winshm.import_token(token, Drifted)
    assert len(unnamed.participants) == 1


def test_token_is_of_one_life(name):
    with winshm.create(name, 8) as region:
        token = region.export_token()
    with pytest.raises(winshm.NotFoundError, match=r"^winshm\.import_token\(\) "):
        winshm.import_token(token)
    with winshm.create(name, 8), pytest.raises(winshm.Error) as caught:
        winshm.import_token(token)
    assert caught.value.status == Status.REPLACED


def test_texts_that_are_no_tokens(unnamed):
    token = unnamed.export_token()
    for wrong in ("", "x", token[:-1], token + " ", token.upper(), token.replace(":w:", ":r:")):
        with pytest.raises(winshm.TokenError) as caught:
            winshm.import_token(wrong)
        assert caught.value.status == Status.TOKEN
        assert isinstance(caught.value, ValueError)
    with pytest.raises(winshm.Error, match="LAYOUT"):
        winshm.import_token("winshm2" + token[7:])
    with pytest.raises(TypeError, match="token must be a str"):
        winshm.import_token(token.encode())
    with winshm.create(None, 8, raw=True) as raw:
        with pytest.raises(winshm.Error, match="UNSUPPORTED"):
            raw.export_token()


def test_link(unnamed, tmp_path):
    path = tmp_path / "größe.link"
    unnamed.link(path)
    assert path.read_text("ascii") == unnamed.export_token() + "\n"
    with winshm.open_link(path, State) as other:
        other.value.count = 9
    with winshm.open_link(os.fsencode(path), readonly=True) as other:
        assert other.fields.count == 9
    for again in (path, tmp_path / "another"):
        with pytest.raises(winshm.ExistsError):
            unnamed.link(again)
    unnamed.close()
    assert not path.exists()


def test_link_takes_the_place_of_a_stale_one_only(tmp_path):
    path = tmp_path / "x.link"
    with winshm.create(None, 8) as region:
        region.link(path)
        stale = path.read_bytes()
        with winshm.create(None, 8) as other, pytest.raises(winshm.ExistsError):
            other.link(path)
    path.write_bytes(stale)
    with pytest.raises(winshm.NotFoundError):
        winshm.open_link(path)
    with winshm.create(None, 8) as region:
        region.link(path)
        winshm.open_link(path).close()
    path.write_text("letter")
    with winshm.create(None, 8) as region, pytest.raises(winshm.ExistsError):
        region.link(path)
    with pytest.raises(winshm.TokenError):
        winshm.open_link(path)
    assert path.read_text() == "letter"


def test_waiting_for_a_link(tmp_path, child):
    path = tmp_path / "x.link"
    with pytest.raises(winshm.NotFoundError, match=r"^winshm\.open_link\(\) "):
        winshm.open_link(path)
    with pytest.raises(winshm.NotFoundError):
        winshm.open_link(path, timeout=0.3)
    process = child(
        "import time; time.sleep(0.4)\n"
        "r = winshm.create(None, 8); r.link(sys.argv[1])\n"
        "sys.stdin.readline(); r.close()",
        str(path),
    )
    with winshm.open_link(path, timeout=60) as region:
        assert region.size == 8
    process.go()
    process.end()


def test_paths(unnamed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    unnamed.link("relative.link")
    monkeypatch.chdir("/")
    winshm.open_link(tmp_path / "relative.link").close()
    with winshm.create(None, 8) as other:
        for bad in ("", "x" * 5000):
            with pytest.raises(winshm.InvalidError):
                other.link(bad)
        with pytest.raises(ValueError, match="path has a NUL inside"):
            other.link("a\0b")
        with pytest.raises(TypeError):
            other.link(3)
        if not WINDOWS:
            with pytest.raises(ValueError, match="path has .* no UTF-8"):
                other.link(b"\xff")
