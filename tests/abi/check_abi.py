"""Check that everybody agrees on what the library exports.

    check_abi.py [--machine AMD64|X86|ARM64] BINARY...

winshm.h, winshm.def, tests/abi/exports.txt and each built winshm.dll or
libwinshm.so must name the same functions; every function must be documented;
binaries must carry the header's version and need nothing but the system. What the
headers in tests/abi promise is kept. DLLs are for that machine, and on 64-bit ones
exceptions find their way through every function by tables.
"""

import argparse
import pathlib
import re
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DLLS = re.compile(r"(kernel32|advapi32|msvcrt|ucrtbase|vcruntime\d+"
                  r"|api-ms-win-crt-[a-z]+-l1-1-0)\.dll", re.I)
MACHINES = {0x8664: "AMD64", 0x14C: "X86", 0xAA64: "ARM64"}
LIBRARIES = re.compile(r"(libc|libpthread|ld-linux[\w-]*|libasan|libubsan"
                       r"|libtsan|libgcc_s|libm|libdl|librt)\.so\.[\d.]+")

problems = []


def expect(condition, problem):
    if not condition:
        problems.append(problem)


def same(what, names, expected):
    missing, extra = expected - names, names - expected
    expect(not missing, f"{what} lacks {', '.join(sorted(missing))}")
    expect(not extra, f"{what} has also {', '.join(sorted(extra))}")


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def parameters_of(declaration):
    inside = declaration[declaration.index("(") + 1:declaration.rindex(")")]
    if inside.strip() == "void":
        return []
    return [re.search(r"(\w+)\s*$", one).group(1) for one in inside.split(",")]


def check_header(versions):
    """Return the declared functions and the version."""
    text = read("include/winshm.h")
    part = dict(re.findall(
        r"^#define WINSHM_VERSION_(MAJOR|MINOR|PATCH) (\d+)$", text, re.M))
    pattern = r"/\*\*((?:(?!\*/).)*)\*/\s*((?:WINSHM_MUST_CHECK )?WINSHM_API[^;]*);"
    names = set()
    for comment, declaration in re.findall(pattern, text, re.S):
        name = re.search(r"\b(winshm_\w+)\s*\(", declaration).group(1)
        names.add(name)
        expect("WINSHM_CALL" in declaration, f"{name} lacks WINSHM_CALL")
        for tag in ("return", "threadsafety", "since"):
            found = re.findall(rf"^ \* @{tag}\b", comment, re.M)
            expect(len(found) == 1, f"{name} has {len(found)} times @{tag}")
        since = re.search(r"@since (\S+)", comment)
        expect(since and since.group(1) == versions.get(name),
               f"{name}: @since is not what exports.txt says")
        documented = re.findall(r"@param\s+(\w+)", comment)
        expect(documented == parameters_of(declaration),
               f"{name}: @param tells of {documented}, "
               f"not of {parameters_of(declaration)}")
    count = len(re.findall(r"^(?:WINSHM_MUST_CHECK )?WINSHM_API\b", text, re.M))
    expect(count == len(names), f"{count - len(names)} functions of winshm.h "
                                "are not documented")
    return names, (int(part["MAJOR"]), int(part["MINOR"]), int(part["PATCH"]))


def check_def(expected):
    lines = [line.split(";")[0].split() for line in
             read("winshm.def").splitlines()]
    lines = [line for line in lines if line]
    names = {line[0] for line in lines if line[0].startswith("winshm_")}
    same("winshm.def", names, expected)
    # An ordinal or an alias would be a second thing to keep for ever.
    expect(all(len(line) == 1 for line in lines
               if line[0].startswith("winshm_")),
           "winshm.def says more than names")


def promises(text):
    """What programs take out of a header: constants, members of structs in their
    order, and declarations of functions."""
    code = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    constants = dict(re.findall(r"^#define (WINSHM_\w+) (\S+)$", code, re.M))
    constants.update(re.findall(r"XX\((WINSHM_\w+), (-?\d+),", code))
    structs = {name: [" ".join(member.split()) for member in body.split(";")][:-1]
               for body, name in
               re.findall(r"typedef struct \w+ \{(.*?)\} (\w+);", code, re.S)}
    functions = {" ".join(one.split()) for one in
                 re.findall(r"^(?:WINSHM_MUST_CHECK )?(WINSHM_API[^;]*;)", code, re.M)}
    return constants, structs, functions


def check_frozen():
    """What was released stays; structs grow at their ends."""
    constants, structs, functions = promises(read("include/winshm.h"))
    for header in sorted(ROOT.glob("tests/abi/*/winshm.h")):
        version = header.parent.name
        was_constants, was_structs, was_functions = promises(
            header.read_text(encoding="utf-8"))
        for name, value in was_constants.items():
            if not name.startswith("WINSHM_VERSION"):
                expect(constants.get(name) == value,
                       f"{name} is {constants.get(name)}, and was {value} in {version}")
        for name, members in was_structs.items():
            expect(structs.get(name, [])[:len(members)] == members,
                   f"{name} does not begin as in {version}")
        for function in sorted(was_functions - functions):
            expect(False, f"{version} declares {function}")


class Pe:
    """What is needed of a DLL, read by hand."""

    def __init__(self, data):
        self.data = data
        header = struct.unpack_from("<I", data, 0x3C)[0] + 4
        self.machine = MACHINES.get(struct.unpack_from("<H", data, header)[0])
        sections, optional_size = (struct.unpack_from("<H", data, header + 2)[0],
                                   struct.unpack_from("<H", data, header + 16)[0])
        optional = header + 20
        magic = struct.unpack_from("<H", data, optional)[0]
        self.directories = optional + (112 if magic == 0x20B else 96)
        self.flags = struct.unpack_from("<H", data, optional + 70)[0]
        self.sections = [
            struct.unpack_from("<IIII", data, optional + optional_size + 8 + i * 40)
            for i in range(sections)]

    def at(self, address):
        for size, start, raw_size, raw in self.sections:
            if start <= address < start + max(size, raw_size):
                return address - start + raw
        raise ValueError(hex(address))

    def directory(self, index):
        return struct.unpack_from("<II", self.data, self.directories + index * 8)

    def text(self, address):
        start = self.at(address)
        return self.data[start:self.data.index(b"\0", start)].decode()

    def exports(self):
        table = self.at(self.directory(0)[0])
        name, count, names = (struct.unpack_from("<I", self.data, table + at)[0]
                              for at in (12, 24, 32))
        start = self.at(names)
        return self.text(name), {
            self.text(address) for address in
            struct.unpack_from(f"<{count}I", self.data, start)}

    def imports(self):
        at = self.at(self.directory(1)[0])
        while any(self.data[at:at + 20]):
            yield self.text(struct.unpack_from("<I", self.data, at + 12)[0])
            at += 20

    def functions(self):
        """Of the table of functions, where each begins, and whether it has a handler."""
        address, size = self.directory(3)
        entry = 12 if self.machine == "AMD64" else 8
        for at in range(self.at(address), self.at(address) + size, entry):
            begin, *_, unwind = struct.unpack_from(f"<{entry // 4}I", self.data, at)
            if entry == 8 and unwind & 3:  # packed, or a part of another function
                yield begin, False
            else:
                info = struct.unpack_from("<I", self.data, self.at(unwind & ~3))[0]
                yield begin, bool(info & (8 if entry == 12 else 1 << 20))

    def versions(self):
        """File and product version of the fixed part of VERSIONINFO."""
        address, size = self.directory(2)
        if size == 0:
            return None
        start = self.at(address)
        at = self.data.find(b"\xBD\x04\xEF\xFE", start, start + size)
        words = struct.unpack_from("<IIII", self.data, at + 8)
        return [(high >> 16, high & 0xFFFF, low >> 16)
                for high, low in (words[0:2], words[2:4])]


def check_dll(path, expected, version, machine):
    pe = Pe(path.read_bytes())
    expect(machine in (None, pe.machine), f"{path} is for {pe.machine}")
    if pe.machine != "X86":
        functions = list(pe.functions())
        expect(len(functions) > len(expected), f"{path} has a table of {len(functions)}")
        expect(functions == sorted(functions), f"{path}: its functions are not in order")
        # The copy's, at least; see copy.c.
        expect(any(handler for _, handler in functions), f"{path} has no handlers")
    name, names = pe.exports()
    same(path.name, names, expected)
    expect(name == "winshm.dll", f"{path} calls itself {name}")
    for dll in pe.imports():
        expect(DLLS.fullmatch(dll), f"{path} needs {dll}")
    expect(pe.versions() == [version, version],
           f"{path} says version {pe.versions()}, winshm.h {version}")
    # DYNAMIC_BASE and NX_COMPAT.
    expect(pe.flags & 0x140 == 0x140, f"{path} lacks ASLR or DEP")


def check_so(path, expected, version):
    def tool(*command):
        return subprocess.run([*command, str(path)], check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    symbols = tool("nm", "-D", "--defined-only").split()[2::3]
    # A sanitizer's runtime exports names of its own.
    names = {s for s in symbols if not s.startswith(("__asan", "__ubsan",
                                                     "__odr_asan"))}
    same(path.name, names, expected)
    dynamic = tool("readelf", "-dW")
    soname = re.search(r"SONAME.*\[(.*)\]", dynamic).group(1)
    expect(soname == f"libwinshm.so.{version[0]}", f"{path}: soname {soname}")
    expect(path.resolve().name.endswith("so.%d.%d.%d" % version),
           f"{path} is called {path.resolve().name}, not {version}")
    for needed in re.findall(r"NEEDED.*\[(.*)\]", dynamic):
        expect(LIBRARIES.fullmatch(needed), f"{path} needs {needed}")
    expect("TEXTREL" not in dynamic, f"{path} has text relocations")


def main():
    versions = dict(line.split() for line in
                    read("tests/abi/exports.txt").splitlines()
                    if line and not line.startswith("#"))
    names, version = check_header(versions)
    same("winshm.h", names, set(versions))
    check_def(names)
    check_frozen()
    parser = argparse.ArgumentParser()
    parser.add_argument("--machine", type=str.upper)
    parser.add_argument("binaries", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()
    for path in arguments.binaries:
        if path.read_bytes()[:2] == b"MZ":
            check_dll(path, names, version, arguments.machine)
        else:
            check_so(path, names, version)
    print("\n".join(problems) or f"{len(names)} functions, all agree")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
