"""Checks the documents: the programs of the bindings' pages by running them.

Usage: sh tests/harness/own_shm.sh python3 tests/checks/check_docs.py [LANGUAGE...]

LANGUAGE: those whose pages are tried, of c, csharp, nim and python; all if there is none.
They run with the library in build/linux, and if WINE is a command that runs Windows
programs also with that in build/win64. docs_blocks.py has the rules for what is a program.
The commands that install something are tried by tests/packages/pages.sh.

What any Markdown file links to must exist, and the vocabulary of bindings/README.md.
"""

import concurrent.futures
import os
import re
import sys

from docs_blocks import ROOT, TOOLS, blocks_of
from docs_run import LANGUAGES, problems_of

BLOCK = re.compile(r"^```.*?^```$", re.M | re.S)
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
FRONT = ROOT / "README.md"
SPOKEN = {"c": ("c", "cpp"), "csharp": ("csharp",), "nim": ("nim",), "python": ("python",)}


def broken_links():
    folders = (".github", "bindings", "src", "tests")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.md")]
    for path in [*ROOT.glob("*.md"), *paths]:
        for target, heading in LINK.findall(BLOCK.sub("", path.read_text(encoding="utf-8"))):
            if ":" in target:
                continue
            found = path.parent / target if target else path
            if not found.exists():
                yield f"{path.relative_to(ROOT)}: there is no {target}"
            elif heading and heading not in headings(found):
                yield f"{path.relative_to(ROOT)}: {found.name} has no #{heading}"


def headings(path):
    text = path.read_text(encoding="utf-8")
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-")
            for title in re.findall(r"^#+ (.*)$", text, re.M)}


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


def programs(language):
    """The programs in a language, of its page and of the front page."""
    return [block for path in (ROOT / "bindings" / language / "README.md", FRONT)
            for block in blocks_of(path) if block.language in SPOKEN[language]]


def unknown_blocks():
    known = {*TOOLS, *(word for words in SPOKEN.values() for word in words)}
    for path in [FRONT, *(ROOT / "bindings").rglob("README.md")]:
        for block in blocks_of(path):
            if block.language not in known:
                yield f"{block.place}: nobody runs what is in {block.language}"


def main():
    wanted = sys.argv[1:] or list(LANGUAGES)
    systems = ["Linux", *(["Windows"] if os.environ.get("WINE") else [])]
    problems = [*broken_links(), *strange_words(), *unknown_blocks()]
    pages = {language: programs(language) for language in wanted}

    def tried(language):
        # One system after the other, as they share what .NET's compiler makes.
        return [problem for system in systems
                for problem in problems_of(language, pages[language], system)]

    # Nim takes as long as the others together, so it begins.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for found in pool.map(tried, sorted(wanted, key=lambda each: each != "nim")):
            problems += found
    count = sum(block.is_for(system) for system in systems
                for blocks in pages.values() for block in blocks)
    print("\n".join(problems) or
          f"the documents are right: {count} programs on {' and '.join(systems)}")
    if len(systems) == 1:
        print("WINE is not set: no program was tried on Windows")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
