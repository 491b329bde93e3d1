"""Lists the system calls of opening and closing a region on Linux, with their reasons.

Usage: system_calls.py [FOLDER] [--json]

FOLDER has the library, build/linux if it is not said. Fails if there is a call whose
reason is not known: then give it one below, or spare the call.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: The first pattern that is found in a call counts. Byte 0 of the control file is the
#: life lock, byte 1 + n the presence of the participant in slot n.
REASONS = [
    (r"^getpid", "a handle is not valid in a forked child; who takes part is told by its pid"),
    (r"^geteuid", "bookkeeping that another user owns is not trusted"),
    (r"^openat\(.*\.winshm\"", "the control file: says whether there is a region"),
    (r"^openat\(.*/proc/self/fd", "a description to map: mapped locks stay in a fork"),
    (r"^openat\(", "the data"),
    (r"^newfstatat\(AT_FDCWD", "the name still means the file that is locked"),
    (r"^(newfstatat|fstat|statx)", "exact size and identity: cut or replaced files are told"),
    (r"F_OFD_SETLK, \{l_type=F_WRLCK.*l_start=0,", "life lock: nobody else opens or leaves"),
    (r"F_OFD_SETLK, \{l_type=F_WRLCK.*EAGAIN", "this slot is taken by a living participant"),
    (r"F_OFD_SETLK, \{l_type=F_WRLCK", "presence: held as long as this participant lives"),
    (r"F_OFD_GETLK", "is anybody present besides? Without, there is no region"),
    (r"F_OFD_SETLK, \{l_type=F_UNLCK.*l_start=0, l_len=1\}", "life lock, released"),
    (r"F_OFD_SETLK, \{l_type=F_UNLCK", "presence and life lock, even if a fork has them"),
    (r"^mmap\(NULL, 65536", "the view of the control block"),
    (r"^mmap", "the view of the data"),
    (r"^munmap", "a view, given back"),
    (r"^membarrier", "threads at work on the handle are seen, without a fence in each call"),
    (r"^close", "the descriptor"),
]


def reason(call: str) -> str:
    return next((why for pattern, why in REASONS if re.search(pattern, call)), "")


def trace(library: Path) -> dict[str, list[tuple[str, str]]]:
    out = ROOT / "build" / "system_calls"
    log = out.with_suffix(".log")
    source = ROOT / "tests" / "bench" / "system_calls.c"
    linked = [library / "libwinshm.so", f"-Wl,-rpath,{library}"]
    compiler = ["gcc", "-O2", "-I", ROOT / "include"]
    subprocess.run([*compiler, "-o", out, source, *linked], check=True)
    subprocess.run(["strace", "-o", log, out], check=True)
    calls: dict[str, list[tuple[str, str]]] = {}
    step = ""
    for line in log.read_text(encoding="utf-8").splitlines():
        mark = re.match(r'write\(-1, "(\w+)"', line)
        if mark:
            step = mark[1]
        elif step in ("open", "close"):
            short = re.sub(r'"/dev/shm/winshm-system-calls', '"NAME', line)
            calls.setdefault(step, []).append((re.sub(r"\s+=", " =", short), reason(line)))
    return calls


def main() -> None:
    folders = [word for word in sys.argv[1:] if word != "--json"]
    calls = trace(Path(folders[0] if folders else ROOT / "build" / "linux"))
    if "--json" in sys.argv:
        print(json.dumps(calls))
        return
    for step, lines in calls.items():
        print(f"{step}: {len(lines)} system calls")
        for call, why in lines:
            print(f"    {call:<100.100}  {why or 'WITHOUT A REASON'}")
    if any(not why for lines in calls.values() for _, why in lines):
        sys.exit(1)


main()
