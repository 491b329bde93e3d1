# SPDX-License-Identifier: MIT
"""Types that mean something in one process only are refused."""

import ctypes

import pytest
import winshm

pointers = (
    ctypes.py_object,
    ctypes.c_char_p,
    ctypes.c_wchar_p,
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_int),
    ctypes.CFUNCTYPE(None),
)


def fields(base, *members, **more):
    return type("Each", (base,), {**more, "_fields_": list(members)})


def nested(each):
    """Types with each in them, and where that is."""
    inner = fields(ctypes.Structure, ("n", ctypes.c_int), ("p", each))
    yield each, each.__name__
    yield each * 2, r"\[\]"
    yield inner, r"Each\.p is"
    yield fields(ctypes.Union, ("n", ctypes.c_int), ("p", each)), r"Each\.p is"
    yield fields(ctypes.Structure, ("a", inner * 3)), r"Each\.a\[\]\.p is"
    yield fields(ctypes.Structure, ("p", each), _pack_=1, _layout_="ms"), r"Each\.p is"
    yield fields(inner, ("more", ctypes.c_int)), r"Each\.p is"


@pytest.mark.parametrize("each", pointers, ids=lambda each: each.__name__)
def test_addresses_are_refused(region, each):
    with region.lock() as held:
        for ctype, path in nested(each):
            object_ = ctype()
            calls = [
                *(lambda f=f: f(ctype) for f in (region.view_as, region.read_as, held.read_as)),
                *(lambda f=f: f(0, object_) for f in (region.write, held.write)),
                *(lambda f=f: f(0, object_) for f in (region.read_into, held.read_into)),
                lambda: region.write(0, memoryview(object_)),
            ]
            for call in calls:
                with pytest.raises(TypeError, match=f"{path}.*means nothing to other processes"):
                    call()
    assert region.read() == bytes(4096)


def test_what_is_plain_is_not_refused(region):
    inner = fields(ctypes.BigEndianStructure, ("n", ctypes.c_uint16, 3), ("x", ctypes.c_double))
    for ctype in (
        ctypes.c_bool,
        ctypes.c_longdouble,
        ctypes.c_wchar * 3,
        ctypes.c_char * 4,
        fields(ctypes.Structure, ("a", inner * 3), ("OPX", ctypes.c_int)),
        fields(ctypes.Union, ("n", ctypes.c_int64), ("b", ctypes.c_byte * 8)),
    ):
        assert type(region.view_as(ctype)) is ctype or ctype._type_
        region.write(0, region.read_as(ctype))


def test_arrays_of_objects_are_refused(region):
    numpy = pytest.importorskip("numpy")
    inner = numpy.dtype([("x", "<u2"), ("o", object), ("y", "<u8")])
    for dtype, path in (
        (object, "ndarray has"),
        ([("n", "<u4"), ("o", object)], r"ndarray\.o has"),
        ([("n", "<u4"), ("in", inner), ("z", "<u4")], r"ndarray\.in\.o has"),
    ):
        array = numpy.zeros(2, dtype)
        for call in (region.write, region.read_into):
            with pytest.raises(TypeError, match=f"{path} addresses in it"):
                call(0, array)
    for dtype in ("<u4", "<c16", "S5", "U3", [("OPX", "<c8"), ("z", "<f4", 3)]):
        region.write(0, numpy.zeros(2, dtype))
        region.read_into(0, numpy.zeros(2, dtype))


def test_views_refuse_them_too(region):
    with region.map(0, 64) as view, pytest.raises(TypeError, match="c_void_p"):
        view.view_as(ctypes.c_void_p)
    assert winshm.View.view_as is winshm.Region.view_as
