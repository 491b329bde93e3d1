# SPDX-License-Identifier: MIT
"""The raw layer against winshm.h, and what loading refuses."""

import ctypes
import re
import shutil
import subprocess

import pytest
import winshm
from conftest import PACKAGE, ROOT, WINDOWS, Child
from winshm import _abi, _info

HEADER = (ROOT / "include" / "winshm.h").read_text(encoding="utf-8")
#: Comments out and lines joined, so that plain patterns find declarations.
CODE = re.sub(r"/\*.*?\*/|\\\n", " ", HEADER, flags=re.DOTALL)
STRUCTS = [
    _abi.winshm_options,
    _abi.winshm_info,
    _abi.winshm_participant,
    _abi.winshm_field,
]


def header_constants():
    found = re.findall(r"^#define WINSHM_(\w+) (0x[0-9A-F]+|\d+)u?$", CODE, re.MULTILINE)
    return {name: int(value, 0) for name, value in found}


def test_constants_are_those_of_the_header():
    expected = header_constants()
    for part in ("MAJOR", "MINOR", "PATCH"):
        expected.pop(f"VERSION_{part}")
    actual = {
        name: value
        for name, value in vars(_abi).items()
        if name.isupper() and isinstance(value, int)
    }
    assert actual == expected
    assert len(actual) >= 28


def test_statuses_are_those_of_the_header():
    found = re.findall(r"XX\(WINSHM_(?:E_)?(\w+),\s*(-?\d+),", CODE)
    assert {name: int(value) for name, value in found} == {
        status.name: int(status) for status in _abi.Status
    }


def test_library_knows_the_statuses():
    for status in winshm.Status:
        prefix = "" if status == 0 else "E_"
        name = _abi.quick.winshm_status_name(status).decode()
        assert name == f"WINSHM_{prefix}{status.name}"


CTYPES = {
    "uint32_t": ctypes.c_uint32,
    "int32_t": ctypes.c_int32,
    "uint64_t": ctypes.c_uint64,
    "winshm_status": ctypes.c_int32,
    "const char *": ctypes.c_char_p,
    "char *": ctypes.c_char_p,
    "const void *": ctypes.c_void_p,
    "void *": ctypes.c_void_p,
    "void **": ctypes.POINTER(ctypes.c_void_p),
    "int32_t *": ctypes.POINTER(ctypes.c_int32),
    "uint32_t *": ctypes.POINTER(ctypes.c_uint32),
    "winshm_region *": ctypes.c_void_p,
    "winshm_region **": ctypes.POINTER(ctypes.c_void_p),
    "winshm_view *": ctypes.c_void_p,
    "winshm_view **": ctypes.POINTER(ctypes.c_void_p),
    "const winshm_options *": ctypes.POINTER(_abi.winshm_options),
    "winshm_info *": ctypes.POINTER(_abi.winshm_info),
    "winshm_participant *": ctypes.POINTER(_abi.winshm_participant),
    "const winshm_field *": ctypes.POINTER(_abi.winshm_field),
}


def as_ctype(declaration):
    """Translate "type name" or "type *name"; a result has no name."""
    spelled = re.match(r"((?:const )?\w+(?: \**)?)", declaration.strip()).group(1)
    return CTYPES[spelled.strip()]


def test_functions_are_those_of_the_header():
    pattern = r"WINSHM_API ([\w ]+?\**)\s*WINSHM_CALL\s*(winshm_\w+)\s*\(([^)]*)\)"
    declarations = re.findall(pattern, CODE)
    assert len(declarations) == len(re.findall(r"WINSHM_CALL\s*winshm_\w+\s*\(", CODE))
    expected = []
    for result, name, arguments in declarations:
        split = [] if arguments.strip() == "void" else arguments.split(",")
        expected.append((name, [as_ctype(each) for each in split], as_ctype(result)))
    assert [each[0] for each in _abi.FUNCTIONS] == [each[0] for each in expected]
    assert expected == _abi.FUNCTIONS


@pytest.mark.skipif(shutil.which("gcc") is None, reason="asks gcc for the layouts")
def test_structures_are_laid_out_as_in_c(tmp_path):
    print_lines = [
        f'printf("{struct.__name__} {field} %zu %zu\\n", '
        f"offsetof({struct.__name__}, {field}), sizeof(((({struct.__name__} *)0))->{field}));"
        for struct in STRUCTS
        for field, *_ in struct._fields_
    ] + [
        f'printf("{struct.__name__} . 0 %zu\\n", sizeof({struct.__name__}));'
        for struct in STRUCTS
    ]
    source = tmp_path / "probe.c"
    source.write_text(
        "#include <stddef.h>\n#include <stdio.h>\n#include <winshm.h>\n"
        "int main(void) {\n" + "\n".join(print_lines) + "\n}\n"
    )
    probe = tmp_path / "probe"
    include = ROOT / "include"
    subprocess.run(["gcc", "-I", str(include), "-o", str(probe), str(source)], check=True)
    output = subprocess.run([str(probe)], check=True, stdout=subprocess.PIPE, text=True).stdout
    expected = {tuple(line.split()) for line in output.splitlines()}
    actual = set()
    for struct in STRUCTS:
        actual.add((struct.__name__, ".", "0", str(ctypes.sizeof(struct))))
        for field, *_ in struct._fields_:
            place = getattr(struct, field)
            actual.add((struct.__name__, field, str(place.offset), str(place.size)))
    assert actual == expected


@pytest.mark.parametrize("struct", STRUCTS)
def test_structures_have_the_fields_of_the_header(struct):
    body = re.search(
        rf"typedef struct {struct.__name__} {{(.*?)}} {struct.__name__};", CODE, re.DOTALL
    ).group(1)
    fields = re.findall(r"(\w+)(?:\[\d+\])?;", body)
    assert [field for field, *_ in struct._fields_] == fields


def test_enums_have_all_values_of_the_header():
    enums = {
        "KIND_": winshm.Kind,
        "LOCK_": winshm.LockKind,
        "STATE_": winshm.LockState,
        "ORIGIN_": winshm.Origin,
        "PARTICIPANT_": winshm.Roles,
    }
    constants = header_constants()
    for prefix, enum in enums.items():
        expected = {
            name[len(prefix) :]: value
            for name, value in constants.items()
            if name.startswith(prefix)
        }
        assert {each.name: int(each) for each in enum} == expected


def test_info_tells_all_that_the_header_has():
    raw = {field for field, *_ in _abi.winshm_info._fields_} - {"struct_size", "access"}
    assert raw | {"readonly"} == set(winshm.Info.__dataclass_fields__)
    raw = {field for field, *_ in _abi.winshm_participant._fields_} - {"struct_size", "flags"}
    assert raw | {"roles"} == set(winshm.Participant.__dataclass_fields__)


def test_values_of_a_later_library_stay_numbers():
    raw = _abi.winshm_info(kind=77, lock_kind=78, origin=79, lock_state=8)
    info = _info.Info._from_raw(raw)
    assert (info.kind, info.lock_kind, info.origin, info.lock_state) == (77, 78, 79, 8)
    error = winshm.Error(-1000)
    assert (error.status, error.name) == (-1000, "WINSHM_E_UNKNOWN")


@pytest.mark.parametrize("loaded", [0x010300, 0x010301, 0x0104FF, 0x01FF00])
def test_version_gate_passes(monkeypatch, loaded):
    monkeypatch.setattr(_abi, "VERSION", "1.3.0")
    _abi.check_version(loaded, "x")


@pytest.mark.parametrize("loaded", [0x000900, 0x020000, 0x020300, 0x0102FF, 0x010000, 0])
def test_version_gate_refuses(monkeypatch, loaded):
    """Another major version, or a smaller minor one."""
    monkeypatch.setattr(_abi, "VERSION", "1.3.0")
    found = f"{loaded >> 16}.{loaded >> 8 & 0xFF}"
    with pytest.raises(ImportError, match=rf"is winshm {found}, but this package needs 1\.3"):
        _abi.check_version(loaded, "x")


def test_library_version():
    assert winshm.library_version().split(".")[0] == winshm.__version__.split(".")[0]


def import_with(monkeypatch, library):
    monkeypatch.setenv("WINSHM_LIBRARY", str(library))
    importer = Child("")
    errors = importer.process.communicate()[1]
    importer.clear()
    assert importer.process.returncode == 1
    return errors.splitlines()[-1]


def test_import_without_the_library(monkeypatch, tmp_path):
    chosen = tmp_path / "nothing"
    last = import_with(monkeypatch, chosen)
    told = f"{chosen}, from the environment variable WINSHM_LIBRARY,"
    assert last.startswith(f"ImportError: {told} cannot be loaded: ")
    assert "unset it" in last
    monkeypatch.delenv("WINSHM_LIBRARY")
    with pytest.raises(ImportError, match="^nothing cannot be loaded: .* let WINSHM_LIBRARY"):
        _abi.load("nothing")


def test_import_of_another_library(monkeypatch):
    other = "kernel32.dll" if WINDOWS else "libm.so.6"
    assert "is not a winshm library" in import_with(monkeypatch, other)


@pytest.mark.skipif(WINDOWS or shutil.which("gcc") is None, reason="builds a library")
@pytest.mark.parametrize(
    ("version", "message"),
    [(99 << 16, "is winshm 99.0, but"), (_abi.quick.winshm_version(), "is not a winshm")],
)
def test_import_of_a_fake(monkeypatch, tmp_path, version, message):
    source, library = tmp_path / "fake.c", tmp_path / "fake.so"
    source.write_text(f"unsigned winshm_version(void) {{ return {version}; }}\n")
    command = ["gcc", "-shared", "-fPIC", "-o", str(library), str(source)]
    subprocess.run(command, check=True)
    assert message in import_with(monkeypatch, library)


def test_library_is_looked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("WINSHM_LIBRARY", "chosen")
    assert _abi.find() == "chosen"
    monkeypatch.delenv("WINSHM_LIBRARY")
    monkeypatch.setattr(_abi, "__file__", str(tmp_path / "_abi.py"))
    file_name = "winshm.dll" if WINDOWS else "libwinshm.so.0"
    assert _abi.find() == file_name
    (tmp_path / file_name).touch()
    assert _abi.find() == str(tmp_path / file_name)


def test_nothing_public_is_left_out():
    for exported in winshm.__all__:
        each = getattr(winshm, exported)
        if isinstance(each, type) and issubclass(each, Exception):
            assert each.__module__ == "winshm"
    assert sorted(winshm.__all__, key=lambda each: (not each.isupper(), each)) == winshm.__all__
    assert (PACKAGE / "winshm" / "py.typed").exists()
