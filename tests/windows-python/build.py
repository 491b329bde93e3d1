"""Cross-builds CPython 3.11 for 64-bit Windows with MinGW, from unpacked tarballs.

Usage: build.py DOWNLOADS WORK OUT LOG START

DOWNLOADS holds the tarballs of CPython, libffi and zlib, WORK is scratch space, OUT
becomes the folder with python.exe, LOG receives what the tools print and START is
the time, in seconds since 1970, from which the progress lines count.

The lists of source files and frozen modules come from CPython's own Visual Studio
projects, so this file names only what differs from them.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from edit_sources import edit_sources

HOST = "x86_64-w64-mingw32"
GCC = f"{HOST}-gcc"
CLANG = f"clang --target={HOST}"

# Implicit declarations and conversions cut pointers to 32 bits on this target.
# MinGW's own printf family is off because CPython expects the UCRT's.
CFLAGS = """-std=gnu11 -O1 -fwrapv -fno-strict-aliasing -fms-extensions -w
    -Werror=implicit-function-declaration -Werror=int-conversion
    -DNDEBUG -DWIN32 -D_M_X64 -D_UCRT -D__USE_MINGW_ANSI_STDIO=0""".split()

CORE_DEFINES = ["Py_BUILD_CORE", "Py_BUILD_CORE_BUILTIN", "Py_ENABLE_SHARED",
                "_Py_HAVE_ZLIB", 'MS_DLL_ID="3.11"', 'PY3_DLLNAME=L"python3"']
CORE_LIBRARIES = ["version", "ws2_32", "pathcch", "bcrypt", "advapi32", "shell32",
                  "ole32", "oleaut32", "uuid"]

# The third number of the file version: 3.11.2 final, as Microsoft's tools build it.
VERSION_FIELD = 2150

# What the test of a ctypes binding does not need from the standard library.
LEFT_OUT = ("test", "tests", "idlelib", "tkinter", "turtle*", "lib2to3", "ensurepip",
            "site-packages", "__pycache__")


@dataclass
class Extension:
    """What an extension module needs besides the source list of its project."""
    defines: tuple = ()
    includes: tuple = ()
    quoted_includes: tuple = ()
    libraries: tuple = ()
    exports: tuple = ()


EXTENSIONS = {
    "_asyncio": Extension(),
    "_ctypes": Extension(defines=("USING_MALLOC_CLOSURE_DOT_C=1",),
                         libraries=("ffi", "ole32", "oleaut32", "uuid"),
                         exports=("DllGetClassObject", "DllCanUnloadNow")),
    "_decimal": Extension(defines=("CONFIG_64", "ANSI", "HAVE_UINT128_T"),
                          quoted_includes=("Modules/_decimal",
                                           "Modules/_decimal/libmpdec")),
    "_elementtree": Extension(defines=("XML_STATIC",), includes=("Modules/expat",)),
    "_multiprocessing": Extension(libraries=("ws2_32",)),
    "_overlapped": Extension(libraries=("ws2_32",)),
    "_queue": Extension(),
    "_socket": Extension(libraries=("ws2_32", "iphlpapi")),
    "_uuid": Extension(libraries=("rpcrt4",)),
    "_zoneinfo": Extension(),
    "pyexpat": Extension(defines=("PYEXPAT_EXPORTS", "XML_STATIC"),
                         includes=("Modules/expat",)),
    "select": Extension(libraries=("ws2_32",)),
    "unicodedata": Extension(),
}


class Builder:
    """Runs the tools of one build and remembers where everything is."""

    def __init__(self, downloads, work, out, log, start):
        self.downloads, self.work, self.out = Path(downloads), Path(work), Path(out)
        self.log, self.start = Path(log), float(start)
        self.objects = self.work / "objects"
        self.pool = ThreadPoolExecutor(os.cpu_count())

    def step(self, text):
        line = f"[{time.time() - self.start:4.0f} s] {text}\n"
        sys.stdout.write(line)
        sys.stdout.flush()
        with self.log.open("a") as log:
            log.write(line)

    def run(self, command, cwd=None):
        """Run a tool; what it prints goes to the log in one piece.

        A failure ends the build, also from a worker: its future passes the exit on.
        """
        done = subprocess.run([str(word) for word in command], cwd=cwd, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, errors="replace", check=False)
        report = f"$ {shlex.join(str(word) for word in command)}\n{done.stdout}"
        if done.returncode:
            sys.exit(f"{report}exit status {done.returncode}")
        with self.log.open("a") as log:
            log.write(report)
        return done.stdout

    def parallel(self, function, items):
        """Apply the function to all items on all cores and return the results."""
        return list(self.pool.map(function, items))

    def unpack(self, prefix):
        """Unpack the one tarball whose name starts with the prefix."""
        (tarball,) = self.downloads.glob(f"{prefix}_*.tar.*")
        target = self.work / prefix
        with tarfile.open(tarball) as archive:
            archive.extractall(target)
        (folder,) = target.iterdir()
        return folder

    def unpack_all(self):
        self.python, self.ffi, self.zlib = self.parallel(
            self.unpack, ("python3.11", "libffi", "zlib"))
        edit_sources(self.python)

    def build_libffi(self):
        self.run(["./configure", f"--host={HOST}", "--disable-shared", "--enable-static",
                  "--disable-docs"], cwd=self.ffi)
        self.run(["make", f"-j{os.cpu_count()}"], cwd=self.ffi)
        (library,) = self.ffi.glob("**/.libs/libffi.a")
        (header,) = self.ffi.glob("**/include/ffi.h")
        return library.parent, header.parent

    def project_items(self, project, tag):
        """Yield file and XML element of each item with the tag in a project."""
        tree = ElementTree.parse(self.python / "PCbuild" / f"{project}.vcxproj")
        for item in tree.iterfind(f".//{{*}}{tag}"):
            name = item.get("Include")
            if name:
                name = name.replace("$(zlibDir)", str(self.zlib)).replace("\\", "/")
                yield Path(os.path.normpath(self.python / "PCbuild" / name)), item

    def sources(self, project):
        """Return the C files of a project with the definitions meant for each alone."""
        found = []
        for path, item in self.project_items(project, "ClCompile"):
            text = item.findtext("{*}PreprocessorDefinitions", "")
            text = text.replace("$(PyVPath)", r"..\\..").replace("$(PyDebugExt)", "")
            defines = [word.strip() for word in text.split(";")]
            found.append((path, [word for word in defines if word and word[0] != "%"]))
        return found

    def freeze_modules(self):
        """Write the frozen modules; Debian's own Python 3.11 has the same bytecode."""
        modules = []
        for tag in ("None", "GetPath"):
            for path, item in self.project_items("_freeze_module", tag):
                header = item.findtext("{*}OutFile").replace("\\", "/")
                header = self.python / header.replace("$(PySourcePath)", "")
                modules.append((item.findtext("{*}ModName"), path, header))
        tool = self.python / "Programs/_freeze_module.py"
        self.parallel(lambda module: self.run([sys.executable, tool, *module]), modules)
        frozen = [f"{header}:{name}" for name, _, header in modules if name != "getpath"]
        self.run([sys.executable, self.python / "Tools/scripts/deepfreeze.py", *frozen,
                  "-o", self.python / "Python/deepfreeze/deepfreeze.c"])

    def write_specs(self):
        """Make GCC link with the UCRT, as the official Python does, not with msvcrt."""
        specs = self.work / "ucrt.specs"
        specs.write_text(self.run([GCC, "-dumpspecs"]).replace("-lmsvcrt", "-lucrt"))
        self.link_command = [GCC, f"-specs={specs}", "-static-libgcc", "-s"]

    def compile_job(self, group, source, defines, includes=(), quoted_includes=()):
        """Return the object file and the command that makes it."""
        target = self.objects / group / f"{source.parent.name}-{source.stem}.o"
        target.parent.mkdir(parents=True, exist_ok=True)
        # GCC has no __try, which turns an access violation into an OSError here.
        compiler = CLANG.split() if source.name == "callproc.c" else [GCC]
        folders = [f"-I{self.python / name}"
                   for name in ("Include", "Include/internal", "PC", "Python", *includes)]
        # libmpdec has an io.h of its own, which must not hide the system's.
        for name in quoted_includes:
            folders += ["-iquote", self.python / name]
        return target, [
            *compiler, *CFLAGS, *(f"-D{define}" for define in defines), *folders,
            f"-I{self.zlib}", f"-I{self.ffi_include}", "-c", source, "-o", target]

    def compile_all(self, jobs):
        """Compile in parallel, the largest files first, so that none comes last alone."""
        jobs = sorted(jobs, key=lambda job: -Path(job[1][-3]).stat().st_size)
        self.parallel(self.run, [command for _, command in jobs])

    def resources(self, name, script):
        """Compile a resource script of CPython's for the binary with the given name."""
        wrapper = self.objects / f"{name}.rc"
        wrapper.write_text(f'#define ORIGINAL_FILENAME "{name}"\n'
                           f'#define FIELD3 {VERSION_FIELD}\n#include "{script}"\n')
        target = wrapper.with_suffix(".res.o")
        folders = [f"-I{self.python / name}" for name in ("PC", "Include")]
        self.run([f"{HOST}-windres", *folders, wrapper, target])
        return target

    def build_binaries(self):
        core = [self.compile_job("core", path, CORE_DEFINES + defines)
                for path, defines in self.sources("pythoncore")]
        program = [self.compile_job("python", path, ["Py_BUILD_CORE", "_CONSOLE"])
                   for path, _ in self.sources("python")]
        extensions = {
            name: [self.compile_job(name, path, list(extension.defines),
                                    extension.includes, extension.quoted_includes)
                   for path, _ in self.sources(name)]
            for name, extension in EXTENSIONS.items()}
        jobs = [*core, *program, *(job for group in extensions.values() for job in group)]
        self.step(f"compile {len(jobs)} files")
        self.compile_all(jobs)

        self.step(f"link python311.dll, python.exe and {len(extensions)} extensions")
        (self.out / "DLLs").mkdir(parents=True)
        import_library = self.objects / "libpython311.a"
        self.run([*self.link_command, "-shared", "-o", self.out / "python311.dll",
                  f"-Wl,--out-implib,{import_library}", *(target for target, _ in core),
                  self.resources("python311.dll", "python_nt.rc"),
                  *(f"-l{name}" for name in CORE_LIBRARIES)])
        self.run([*self.link_command, "-municode", "-Wl,--stack,2000000",
                  "-o", self.out / "python.exe", *(target for target, _ in program),
                  self.resources("python.exe", "python_exe.rc"), import_library])
        self.parallel(
            lambda name: self.link_extension(name, extensions[name], import_library),
            extensions)

    def link_extension(self, name, jobs, import_library):
        extension = EXTENSIONS[name]
        definitions = self.objects / f"{name}.def"
        exports = [f"PyInit_{name}", *(f"{item} PRIVATE" for item in extension.exports)]
        definitions.write_text("EXPORTS\n" + "\n".join(exports) + "\n")
        self.run([*self.link_command, "-shared", "-o", self.out / "DLLs" / f"{name}.pyd",
                  *(target for target, _ in jobs), definitions, import_library,
                  f"-L{self.ffi_library}", *(f"-l{item}" for item in extension.libraries)])

    def install_library(self):
        shutil.copytree(self.python / "Lib", self.out / "Lib",
                        ignore=shutil.ignore_patterns(*LEFT_OUT))
        (self.out / "Lib/site-packages").mkdir()
        shutil.copy(self.python / "LICENSE", self.out / "LICENSE.txt")

    def build(self):
        self.step("unpack and edit the sources")
        self.unpack_all()
        self.objects.mkdir()
        self.write_specs()
        self.step("build libffi and freeze the modules of the start-up")
        libffi = self.pool.submit(self.build_libffi)
        self.freeze_modules()
        self.ffi_library, self.ffi_include = libffi.result()
        self.build_binaries()
        self.step("install the standard library")
        self.install_library()


if __name__ == "__main__":
    builder = Builder(*sys.argv[1:])
    try:
        builder.build()
    finally:
        # On a failure, the tools that still run end first, so that the report of the
        # one that failed ends the log.
        builder.pool.shutdown(cancel_futures=True)
