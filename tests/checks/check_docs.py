"""Checks the documents: the front page by doing what it says.

Usage: sh tests/harness/own_shm.sh python3 tests/checks/check_docs.py [LANGUAGE...]

The first fenced block of README.md has the commands that install the library, here into
build/readme. All others are pairs of a program, which is saved under the name that the
commands use, and the commands that run it. LANGUAGE: those to be tried, of c, csharp,
nim and python; all if there is none.

What any Markdown file links to must exist, and the vocabulary of bindings/README.md.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACE = ROOT / "build" / "readme"
NAMES = {"c": "counter.c", "csharp": "counter.cs", "nim": "counter.nim",
         "python": "counter.py"}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")

#: Holds the region open, so that each program finds what the one before it has left.
WITNESS = """
import sys, winshm
region = winshm.create("demo", 4096)
print("ready", flush=True)
sys.stdin.read()
"""


def broken_links():
    folders = (".github", "bindings", "src", "tests")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.md")]
    for path in [*ROOT.glob("*.md"), *paths]:
        for target, heading in LINK.findall(path.read_text(encoding="utf-8")):
            if ":" in target:
                continue
            found = path.parent / target if target else path
            if not found.exists():
                yield f"{path.relative_to(ROOT)}: there is no {target}"
            elif heading and heading not in headings(found):
                yield f"{path.relative_to(ROOT)}: {found.name} has no #{heading}"


def strange_words():
    """Names in the columns of bindings/README.md that their bindings do not have."""
    table = re.findall(r"^\| (.*) \| (.*) \| (.*) \| (.*) \|$",
                       (ROOT / "bindings/README.md").read_text(encoding="utf-8"), re.M)
    sources = [ROOT / "include", *(ROOT / "bindings" / each for each in
                                   ("csharp", "nim", "python"))]
    for column, folder in enumerate(sources):
        known = {word for path in folder.rglob("*")
                 if path.suffix in (".h", ".cs", ".nim", ".py")
                 for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))}
        for row in table:
            for name in re.findall(r"`([^`]*)`", row[column]):
                if not set(re.findall(r"\w+", name)) <= known:
                    yield f"bindings/README.md: {folder.name} has no {name}"


def headings(path):
    text = path.read_text(encoding="utf-8")
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-")
            for title in re.findall(r"^#+ (.*)$", text, re.M)}


def environment():
    """This machine stays as it is: what is installed goes below PLACE."""
    tools = PLACE / "tools"
    tools.mkdir()
    library = PLACE / "installed/usr/local/lib"
    for name, does in {"sudo": 'exec "$@"',
                       "ldconfig": f'exec /sbin/ldconfig -n "{library}"'}.items():
        (tools / name).write_text(f"#!/bin/sh\n{does}\n")
        (tools / name).chmod(0o755)
    return {**{key: value for key, value in os.environ.items()
               if key not in ("PYTHONPATH", "WINSHM_LIBRARY")},
            "PATH": f"{tools}:{os.environ['PATH']}",
            "DESTDIR": str(PLACE / "installed"),
            "CMAKE_GENERATOR": "Ninja",
            "LD_LIBRARY_PATH": str(library),
            "PKG_CONFIG_PATH": str(library / "pkgconfig"),
            "PYTHONDONTWRITEBYTECODE": "1"}


def run(commands, env):
    return subprocess.run(["sh", "-euc", commands], cwd=PLACE, env=env, text=True,
                          check=True, stdout=subprocess.PIPE).stdout


def blocks():
    """Each fenced block's language and text."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = BLOCK.findall(text)
    assert text.count("```") == 2 * len(found), "a fence of README.md has no other end"
    return found


def main():
    wanted = sys.argv[1:] or list(NAMES)
    problems = [*broken_links(), *strange_words()]
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    (PLACE / "winshm").symlink_to(ROOT)
    env = environment()
    (_, install), *rest = blocks()
    run(install, env)
    witness = subprocess.Popen(
        ["python3", "-c", WITNESS], text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, env={**env, "PYTHONPATH": str(ROOT / "bindings/python")})
    witness.stdout.readline()

    count = 0
    for (language, program), (shell, commands) in zip(rest[::2], rest[1::2], strict=True):
        if language not in NAMES or shell != "sh":
            problems.append(f"README.md: {language or 'nothing'} before {shell or 'nothing'}"
                            " is no program before the commands that run it")
        elif language in wanted:
            wanted.remove(language)
            (PLACE / NAMES[language]).write_text(program, encoding="utf-8")
            count += 1
            said = run(commands, env).split()[-1:]
            if said != [str(count)]:
                problems.append(f"the program in {language} says {said}, not {count}")
    problems += [f"README.md has no program in {each}" for each in wanted]
    witness.communicate()
    print("\n".join(problems) or f"README.md is right: {count} programs count to {count}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
