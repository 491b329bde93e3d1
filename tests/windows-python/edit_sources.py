"""Makes the CPython 3.11.2 sources compile with MinGW.

CPython supports one compiler on Windows, Microsoft's, and often asks for that
compiler where it means Windows or its C library (the UCRT).  This build uses the
same C library, so most of the edits only let MinGW take the branches that were
written for Windows.  Every edit must find its text exactly as often as expected;
otherwise the sources are not the ones this recipe was written for, and it stops.
"""

import re
import sys
from pathlib import Path

# What PC/pyconfig.h settles for Microsoft's compiler and leaves open for GCC.
# The C library's pid_t has 64 bits here, and SIZEOF_PID_T has to agree with it.
PYCONFIG_FOR_GCC = """\
#define MS_WIN64
#define COMPILER "[GCC " __VERSION__ " 64 bit (AMD64)]"
#define PY_SUPPORT_TIER 0
#define PYD_PLATFORM_TAG "win_amd64"
#define Py_WINVER 0x0602
#define Py_NTDDI 0x06020000
#if defined(Py_BUILD_CORE) || defined(Py_BUILD_CORE_BUILTIN) || defined(Py_BUILD_CORE_MODULE)
#ifndef NTDDI_VERSION
#define NTDDI_VERSION Py_NTDDI
#endif
#ifndef WINVER
#define WINVER Py_WINVER
#endif
#ifndef _WIN32_WINNT
#define _WIN32_WINNT Py_WINVER
#endif
#endif
typedef long long Py_ssize_t;
#define PY_SSIZE_T_MAX LLONG_MAX
#define HAVE_PY_SSIZE_T 1
#define HAVE_UINTPTR_T 1
#define HAVE_INTPTR_T 1
#define HAVE_STD_ATOMIC 1
#define HAVE_BUILTIN_ATOMIC 1
"""

# The UCRT exports this function, but MinGW's headers do not declare it.
THREAD_LOCAL_HANDLER = """\
   extern _invalid_parameter_handler __cdecl
   _set_thread_local_invalid_parameter_handler(_invalid_parameter_handler);
"""

# Wine refuses this query for a plain file that was inherited as a standard
# stream; its size is enough for Python to read from it or write to it.
FSTAT_FALLBACK = """\
        LARGE_INTEGER size;
        if (GetLastError() == ERROR_INVALID_HANDLE && GetFileSizeEx(h, &size)) {
            status->st_mode = _S_IFREG | 0666;
            status->st_size = size.QuadPart;
            return 0;
        }
"""

# Files in which every test for Microsoft's compiler is a test for Windows, and
# the number of lines that hold such a test.
COMPILER_TESTS = {
    "Include/fileobject.h": 1,
    "Include/internal/pycore_fileutils.h": 1,
    "Modules/posixmodule.c": 4,
    "Modules/selectmodule.c": 1,
    "Modules/timemodule.c": 4,
    "PC/invalid_parameter_handler.c": 2,
    "Python/pylifecycle.c": 1,
}

# Each entry is a file, a text that occurs in it once, and the text to put there.
REPLACEMENTS = [
    ("PC/pyconfig.h", '#define COMPILER "[gcc]"\n', PYCONFIG_FOR_GCC),
    ("PC/pyconfig.h",
     "#define SIZEOF_PID_T SIZEOF_INT", "#define SIZEOF_PID_T SIZEOF_LONG_LONG"),
    ("PC/pyconfig.h",
     "#if defined(_MSC_VER) && _MSC_VER >= 1310\n#define HAVE_WCSFTIME",
     "#ifdef MS_WINDOWS\n#define HAVE_WCSFTIME"),
    ("Include/internal/pycore_fileutils.h",
     "   extern _invalid_parameter_handler _Py_silent",
     THREAD_LOCAL_HANDLER + "   extern _invalid_parameter_handler _Py_silent"),
    # MinGW has the protocol numbers as macros; an alias of the same name would
    # hide the number.
    ("Modules/socketmodule.c",
     "#ifdef MS_WINDOWS\n#define IPPROTO_ICMP ", "#ifdef _MSC_VER\n#define IPPROTO_ICMP "),
    ("Modules/socketmodule.c",
     "#elif defined(_MSC_VER) && _MSC_VER>1201", "#elif defined(MS_WINDOWS)"),
    # The header declares this function as external.
    ("Python/dynload_win.c", "static int\n_Py_CheckPython3", "int\n_Py_CheckPython3"),
    ("Python/fileutils.c",
     "    if (!GetFileInformationByHandle(h, &info)) {\n",
     "    if (!GetFileInformationByHandle(h, &info)) {\n" + FSTAT_FALLBACK),
    # Clang compiles this file, and it has structured exception handling.
    ("Modules/_ctypes/callproc.c",
     "defined(__MINGW32__)", "(defined(__MINGW32__) && !defined(__clang__))"),
    # ctypes takes an unknown compiler for one of 1998 and would offer its C library.
    ("Lib/ctypes/util.py", "            return 6\n", "            return 14\n"),
    ("PC/python_exe.rc", "icons\\python.ico", "icons/python.ico"),
]


def test_windows_instead_of_compiler(text):
    """Return the text with its compiler tests changed, and how many lines that were."""
    changed = 0
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if re.match(r"\s*#\s*(if|ifdef|ifndef|elif)\b.*\b_MSC_VER\b", line):
            line = re.sub(r"\b_MSC_VER\s*>=\s*\d+", "defined(_WIN32)", line)
            lines[number] = re.sub(r"\b_MSC_VER\b", "_WIN32", line)
            changed += 1
    return "".join(lines), changed


def edit_file(path, edit, expected):
    """Apply an edit that returns the new text and the number of places it changed."""
    text, changed = edit(path.read_text(encoding="utf-8"))
    if changed != expected:
        sys.exit(f"{path}: expected {expected} place(s) to edit, found {changed}")
    path.write_text(text, encoding="utf-8")


def edit_sources(root):
    """Edit the unpacked CPython sources below root."""
    for name, expected in COMPILER_TESTS.items():
        edit_file(root / name, test_windows_instead_of_compiler, expected)
    for name, old, new in REPLACEMENTS:
        edit_file(root / name,
                  lambda text: (text.replace(old, new), text.count(old)), 1)


if __name__ == "__main__":
    edit_sources(Path(sys.argv[1]))
