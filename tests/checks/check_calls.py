"""Check that every function of the system that the library calls is in the table of
instrument_posix.h or instrument_win32.h, so that nothing goes past fault injection and
kill points, and that the table has nothing else.

check_calls.py NM TABLE OBJECT...
"""

import re
import subprocess
import sys

# These touch nothing but the caller's own memory, or tell what never changes.
PURE = {
    # The C language's strings, memory and numbers.
    "memchr", "memcpy", "memset", "memcmp", "memmove", "strchr", "strcmp", "strlen", "strncmp",
    "strrchr", "strtoll", "snprintf", "wcscat", "wcschr", "wcscpy", "wcslen", "wcsstr",
    "_snwprintf", "strcspn", "strerrordesc_np", "sigfillset", "sigdelset",
    "pthread_attr_init", "pthread_attr_setdetachstate", "pthread_attr_setstacksize",
    "pthread_attr_destroy",
    "__mingw_vsnprintf", "__stdio_common_vswprintf", "__snprintf_chk", "__memcpy_chk",
    # What compilers call on their own.
    "_GLOBAL_OFFSET_TABLE_", "__errno_location", "__tls_get_addr", "__stack_chk_fail",
    "__udivdi3", "__umoddi3", "__udivmoddi4", "___chkstk_ms", "__chkstk", "__C_specific_handler",
    # What 32-bit Windows has instead of the last one: frames of this thread's stack.
    "RtlUnwind",
    # This thread's last error; numbers and pseudo-handles of this process.
    "GetLastError", "SetLastError", "GetCurrentProcess", "GetCurrentProcessId",
    "GetCurrentThread", "GetProcessHeap",
    # Text from one encoding to another, predicates of SIDs, and rights spelt out.
    "MultiByteToWideChar", "WideCharToMultiByte", "EqualSid", "IsWellKnownSid", "MapGenericMask",
}

# Only the DLL calls these, while it is unloaded: nobody is there to be told.
UNLOADING = {"FlsFree", "TlsFree"}

# The instrumented library has stand-ins of other names.
OURS = re.compile(r"(winshm|wshm|instrument)_")


def imported(nm, objects):
    listing = subprocess.run([nm, *objects], check=True, capture_output=True,
                             text=True).stdout
    for kind, name in re.findall(r"\b([A-Za-z]) (\S+)$", listing, re.M):
        # ARM64: atomic operations, by instructions that this machine has.
        if kind != "U" or name.startswith("__aarch64_"):
            continue
        # Windows: a pointer to import, and the bytes of arguments of 32-bit calls.
        name = re.sub(r"^__imp_", "", name)
        name = re.sub(r"^_(.*)@\d+$", r"\1", name)
        # Linux: files of 64 bits.
        yield re.sub(r"^(f?open|openat|pread|pwrite|fcntl|l?f?stat|fstatat|fstatvfs|ftruncate|mmap|(?:posix_)?fallocate|getrlimit|lseek)64$",
                     r"\1", name)


def main():
    nm, table, *objects = sys.argv[1:]
    with open(table, encoding="utf-8") as file:
        known = set(re.findall(r"^#define (\w+)", file.read(), re.M))
    known = {name for name in known if not name.startswith("INSTRUMENT_")}
    called = set()
    for name in imported(nm, objects):
        # 32-bit Windows puts an underscore before every name of C.
        plain = name[1:] if name[:1] == "_" and name[1:] in PURE else name
        if not OURS.match(plain.lstrip("_")) and plain not in PURE | UNLOADING:
            called.add(plain)
    problems = [f"{name} is called and not in the table" for name in called - known]
    problems += [f"{name} is in the table and not called" for name in known - called]
    print("\n".join(sorted(problems)) or f"{len(known)} functions, all of them in the table")
    return 1 if problems or not called else 0


if __name__ == "__main__":
    sys.exit(main())
