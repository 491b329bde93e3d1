"""Check who includes whom in src, and that every file there stays readable.

Backends alone know the operating system, and know nothing of regions; what is
above them is the same everywhere. Without arguments the tree is checked that
this file lies in.
"""

import pathlib
import re
import sys

MAX_LINES = 450

# What is above the backends may use these system headers and no others.
STANDARD = {
    "errno.h", "inttypes.h", "limits.h", "stdarg.h", "stdatomic.h",
    "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h",
}
# The pause instruction and the like; the contract itself may have them.
COMPILER = {"intrin.h"}
# Backends may include these headers of ours and their own ones.
BELOW = {"file.h", "platform.h", "status.h", "system.h", "winshm.h"}
# Headers at the bottom, which know no other module.
LEAVES = {"crc.h", "layout.h", "name.h", "status.h", "system.h", "text.h", "token.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
CONDITION = re.compile(
    r"^\s*#\s*(?:el)?if.*?\b(_WIN32|_WIN64|WIN32|__linux__|__unix__|__APPLE__"
    r"|_POSIX_VERSION|__MINGW32__|__CYGWIN__)\b", re.M)


def backend_of(path):
    return path.parent.name if path.parent.name != "src" else None


def check_file(path):
    text = path.read_text(encoding="utf-8")
    backend = backend_of(path)
    lines = text.count("\n")
    if lines >= MAX_LINES:
        yield f"{lines} lines are too many (below {MAX_LINES})"
    for kind, name in INCLUDE.findall(text):
        system = kind == "<"
        allowed = STANDARD | COMPILER if path.name == "system.h" else STANDARD
        if system and not backend and name not in allowed:
            yield f"includes <{name}>; only a backend may"
        if system and name == "windows.h" and backend != "win32":
            yield "includes <windows.h>; only win32/ may"
        if system and name == "sys/mman.h" and backend != "posix":
            yield "includes <sys/mman.h>; only posix/ may"
        if not system and backend:
            if name not in BELOW | {f"{backend}.h"}:
                yield f'includes "{name}": a backend knows no upper layer'
        if not system and not backend and "/" in name:
            yield f'includes "{name}", which belongs to a backend'
        if not system and path.name in LEAVES and name not in {"winshm.h", "system.h"}:
            yield f'includes "{name}": it must stand alone'
    if not backend and path.name != "system.h":
        for match in CONDITION.finditer(text):
            yield f"asks for {match.group(1)}; only the backends may"


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    if len(sys.argv) > 1:
        root = pathlib.Path(sys.argv[1])
    files = sorted((root / "src").glob("**/*.[ch]"))
    problems = [f"{path.relative_to(root)}: {problem}"
                for path in files for problem in check_file(path)]
    print("\n".join(problems) or f"{len(files)} files are in order")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
