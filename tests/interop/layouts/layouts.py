# SPDX-License-Identifier: MIT
"""Prints the layout texts of ten structures, which are the same in all languages."""

from ctypes import LittleEndianStructure as Structure
from ctypes import Union, c_bool, c_char, c_double, c_float, c_int8, c_int16, c_int32, c_int64
from ctypes import c_uint8, c_uint16, c_uint32, c_uint64

from winshm import char16, layout_of


class Box(Structure):
    _fields_ = [("full", c_uint32), ("length", c_uint32)]


class Inner(Structure):
    _fields_ = [("x", c_int16), ("y", c_int16)]


class Outer(Structure):
    _fields_ = [("box", Box), ("flags", c_uint8 * 3), ("inner", Inner * 2)]


class S1(Structure):
    _fields_ = [("score", c_uint32), ("lives", c_uint8), ("ready", c_bool), ("ratio", c_double)]


class S2(Structure):
    _fields_ = [
        ("a", c_uint8),
        ("b", c_int8),
        ("c", c_uint16),
        ("d", c_int16),
        ("e", c_uint32),
        ("f", c_int32),
        ("g", c_uint64),
        ("h", c_int64),
        ("i", c_float),
        ("j", c_double),
        ("k", c_bool),
    ]


class S3(Structure):
    _fields_ = [("tag", c_uint8), ("box", Box)]


class S4(Structure):
    _fields_ = [("score", c_uint32), ("boxes", Box * 3)]


class S5(Structure):
    _fields_ = [("ids", c_uint16 * 5), ("values", c_double * 2)]


class S6(Structure):
    _fields_ = [("name", c_char * 16), ("id", c_uint32), ("note", c_char * 7)]


class S7(Structure):
    _fields_ = [("a", c_uint32), ("b", c_int64), ("c", c_uint8), ("d", c_double)]


class S8(Structure):
    _pack_ = 1
    _fields_ = [("a", c_uint8), ("b", c_uint32), ("c", c_uint16), ("d", c_uint64)]


class S9(Union):
    _fields_ = [("word", c_uint32), ("real", c_float), ("halves", c_uint16 * 2)]


class S10(Structure):
    _fields_ = [("items", Outer * 2), ("title", char16 * 8)]


for each in (S1, S2, S3, S4, S5, S6, S7, S8, S9, S10):
    print(f"{each.__name__}: {layout_of(each)}")
