"""The code blocks of the bindings' pages, and how they become programs.

Each fenced block of a page is a program of its own. Comments of HTML on the lines before
it, which nobody sees who reads the page, say what else there is to it:

    <!-- before the others -->         it comes before each block below it
    <!-- in two terminals -->          it is started twice at once: the second time when the
                                       first has printed a line; then both are given an Enter
    <!-- in two terminals: WORD -->    the second is started with this argument
    <!-- Linux -->, <!-- Windows -->   it is for this system alone
    <!-- saved as NAME -->             the commands of the page know it by this name

A block of "text" is what the program above it prints, in two terminals the first one and
then the second. A block of C without main() is the body of one, and one of C# is the
statements of a program. Blocks of "sh", "cmake" and the like are docs_install.py's.
"""

import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)$")
NOTE = re.compile(r"^<!-- (.*) -->$")
KNOWN = re.compile(r"before the others|in two terminals(: \w+)?|Linux|Windows|saved as \S+")
#: What is no program, but belongs to the commands of a page.
TOOLS = ("sh", "cmake", "ini", "xml")


@dataclasses.dataclass
class Block:
    page: str
    line: int
    language: str
    text: str
    notes: list
    says: "str | None" = None
    prelude: str = ""

    @property
    def place(self):
        return f"{self.page}:{self.line}"

    @property
    def name(self):
        """A file's name, and a module's in every language."""
        return re.sub(r"\W", "_", self.page[:-len("README.md")]) + f"line_{self.line}"

    @property
    def saved_as(self):
        return next((note[9:] for note in self.notes if note.startswith("saved as ")), None)

    @property
    def second(self):
        """The arguments in the second terminal, or None if there is none."""
        for note in self.notes:
            if note.startswith("in two terminals"):
                return note.partition(": ")[2].split()
        return None

    def is_for(self, system):
        others = {"Linux", "Windows"} - {system}
        return not others.intersection(self.notes)


def blocks_of(path):
    """All blocks of a page, in their order; ValueError if they break the rules."""
    page = str(path.relative_to(ROOT))
    found, preludes, notes, block = [], {}, [], None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if block is not None:
            if line == "```":
                _close(found, preludes, block)
                block = None
            else:
                block.text += line + "\n"
        elif fence := FENCE.match(line):
            block = Block(page, number + 1, fence[1], "", notes)
            notes = []
        elif note := NOTE.match(line):
            if not KNOWN.fullmatch(note[1]):
                raise ValueError(f"{page}:{number}: there is no rule for {line}")
            notes.append(note[1])
        elif line.startswith("```"):
            raise ValueError(f"{page}:{number}: {line} opens no block")
        elif notes:
            raise ValueError(f"{page}:{number}: there is no block below the comment")
    if block is not None:
        raise ValueError(f"{block.place}: the block has no end")
    return found


def _close(found, preludes, block):
    if block.language == "text":
        if not found or found[-1].says is not None:
            raise ValueError(f"{block.place}: there is no program to print this")
        found[-1].says = block.text
        return
    if not block.language:
        raise ValueError(f"{block.place}: the block is in no language")
    block.prelude = preludes.get(block.language, "")
    if "before the others" in block.notes:
        preludes[block.language] = block.prelude + block.text
    else:
        found.append(block)


def whole(block):
    """The text of the program that a block is."""
    return {"c": _whole_c, "csharp": _whole_csharp}.get(block.language, _joined)(block)


def _joined(block):
    return f"{block.prelude}\n{block.text}" if block.prelude else block.text


def _whole_c(block):
    if "int main(" in block.text:
        # With its own beginning, it may be compiled as it is.
        return block.text if "#include" in block.text else _joined(block)
    includes = re.findall(r"^#include .*$", block.text, re.M)
    body = re.sub(r"^#include .*\n", "", block.text, flags=re.M)
    return "\n".join([*includes, block.prelude, "int main(int argc, char **argv)", "{",
                      "(void)argc, (void)argv;", body, "return 0;", "}", ""])


#: In C# types come after the statements of a program.
TYPES = re.compile(r"^(?:\[.*\]\n)*(?:(?:public|internal|file|static|unsafe|readonly|ref|sealed) )*"
                   r"(?:struct|class|record|enum|interface) ", re.M)
USINGS = re.compile(r"^using (?:static )?[\w.]+;\n", re.M)


def _whole_csharp(block):
    """A namespace with the program, so that many are one project."""
    usings = sorted(set(USINGS.findall(block.prelude + block.text)))
    statements, types = _split(USINGS.sub("", block.text))
    types = USINGS.sub("", block.prelude) + types
    asynchronous = "async Task" if "await " in statements else "void"
    return (f"{''.join(usings)}\nnamespace {block.name}\n{{\n{types}\n"
            f"internal static class Page\n{{\n"
            f"public static {asynchronous} Main(string[] args)\n{{\n"
            f"#line {block.line} \"{ROOT}/{block.page}\"\n{statements}\n#line default\n}}\n}}\n}}\n")


def _split(text):
    first = TYPES.search(text)
    return (text[:first.start()], text[first.start():]) if first else (text, "")
