# SPDX-License-Identifier: MIT
"""Copies into and out of a region, and views of its parts."""

import array
import ctypes

import pytest
import winshm


class Pair(ctypes.LittleEndianStructure):
    _fields_ = [("first", ctypes.c_uint32), ("second", ctypes.c_uint64)]


def test_map(region):
    with region.map(1001, 16) as view:
        assert view.size == len(view.data) == 16
        view.data[:2] = b"ab"
        view.view_as(Pair).second = 5
        assert region.read(1001 + Pair.second.offset, 1) == b"\5"
        assert repr(view) == "<winshm.View 16 bytes>"
    assert repr(view) == "<winshm.View 16 bytes, closed>"
    with region.map(1001, 16, readonly=True) as view:
        assert view.data.readonly
    with region.map(0, 4096, readonly=False) as view:
        assert not view.data.readonly
    with pytest.raises(winshm.RangeError) as caught:
        region.map(4000, 97)
    assert isinstance(caught.value, IndexError)
    with pytest.raises(winshm.InvalidError):
        region.map(0, 0)


def test_view_outlives_the_region(name):
    with winshm.create(name, 100) as region:
        region.data[50] = 9
        view = region.map(50, 1)
    assert view.data[0] == 9
    winshm.open(name).close()
    view.close()
    with pytest.raises(winshm.NotFoundError):
        winshm.open(name)


def test_read_and_write(region):
    assert region.read(0, 0) == b""
    for data in (b"x", bytearray(b"xy"), memoryview(b"xyz"), array.array("H", [1, 2, 3])):
        region.write(4000, data)
        expected = bytes(data)
        assert region.read(4000, len(expected)) == expected
    region.write(4000, Pair(1, 2))
    copy = region.read_as(Pair, 4000)
    assert (copy.first, copy.second) == (1, 2)
    region.write(8, b"")
    region.write(8, memoryview(bytearray(b"abcdef"))[::2])
    assert region.read(8, 3) == b"ace"
    assert region.read(4095) == b"\0"
    assert region.read(4096) == b""
    assert len(region.read()) == 4096


def test_read_into(region):
    region.write(10, b"0123456789")
    buffer = bytearray(b"....")
    region.read_into(12, memoryview(buffer)[1:3])
    assert buffer == b".23."
    values = array.array("B", bytes(3))
    region.read_into(10, values)
    assert values.tobytes() == b"012"
    region.read_into(10, bytearray())
    with pytest.raises(TypeError):
        region.read_into(0, b"constant")


def test_numbers_that_are_no_ints(region):
    """Such as those of numpy."""

    class Number:
        def __init__(self, value):
            self.value = value

        def __index__(self):
            return self.value

    region.write(Number(4), b"abc")
    assert region.read(Number(4), Number(3)) == b"abc"
    region.read_into(Number(5), buffer := bytearray(2))
    assert buffer == b"bc"
    with region.map(Number(6), Number(1)) as view:
        assert bytes(view.data) == b"c"


def test_bytes_that_were_read_are_the_callers_own(region):
    """Python has one object for all empty bytes, and one for each single byte."""
    region.data[:3] = b"\1\2\3"
    for length in (0, 1, 2):
        first, second = region.read(0, length), region.read(1, length)
        assert (first, second) == (b"\1\2"[:length], b"\2\3"[:length])
    assert [bytes([value])[0] for value in range(4)] == [0, 1, 2, 3]


def test_copies_outside_the_region(region):
    for offset, length in [(4096, 1), (0, 4097), (2**64 - 1, 1), (2**64 - 1, 2), (1, 2**62)]:
        with pytest.raises(winshm.RangeError):
            region.read(offset, length)
    with pytest.raises(winshm.RangeError):
        region.read(5000)
    with pytest.raises(winshm.RangeError):
        region.write(4095, b"ab")
    assert region.read(4095) == b"\0"
