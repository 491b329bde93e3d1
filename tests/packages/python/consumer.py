"""Installs a package of Python in an empty folder, and uses it there.

Usage: consumer.py HOW PACKAGE

HOW is one of
  venv      into a virtual environment, with the checks of mypy
  sources   the same from the archive of the sources, which CMake builds there
  windows   into a copy of the Windows Python that WINSHM_WINDOWS_PYTHON names
  win32     for a 32-bit Windows Python, which nobody has here: pip only unpacks it, and a
            32-bit program in C uses the DLL
  unpacked  for a machine that is not here: pip only unpacks it
  bare      into a virtual environment without a pip of its own

Where there is no pip, the one from Debian's python3-pip-whl is run out of its wheel, or
that which WINSHM_PIP names. A step that fails says how to repeat it by hand, and leaves
the folder as it is.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HEADER = (ROOT / "include" / "winshm.h").read_text(encoding="utf-8")
VERSION = ".".join(re.findall(r"^#define WINSHM_VERSION_[A-Z]+ (\d+)$", HEADER, re.M))
README = (ROOT / "README.md").read_text(encoding="utf-8")
COUNTER = re.search(r"^```python\n(.*?)^```$", README, re.M | re.S).group(1)

#: What decides over Python, pip and winshm must not come from outside.
OUTSIDE = ("PYTHON", "PIP_", "WINSHM_", "CMAKE_")

WHEELS = Path("/usr/share/python-wheels")
DEBIAN = "/usr/lib/python3/dist-packages"  # It has hatchling.
INSTALL = ("install", "--isolated", "--no-index", "--no-cache-dir",
           "--disable-pip-version-check", "--root-user-action=ignore")

WRONG = """
import winshm
number: str = winshm.create(None, 8).size
"""


class Consumer:
    """Somebody with an empty folder and a package; subclasses tell what machine it is."""

    library = "libwinshm.so.0"

    def __init__(self, package):
        self.package = Path(package).resolve()
        self.folder = Path(tempfile.mkdtemp(prefix="winshm-python-"))
        pip = os.environ.get("WINSHM_PIP") or next(WHEELS.glob("pip-*.whl"))
        self.pip = [self.path(Path(pip).resolve() / "pip")]
        self.python = ["venv/bin/python"]
        self.variables = {}
        (self.folder / "counter.py").write_text(COUNTER, encoding="utf-8")

    def step(self, what, *command, status=0, says="", **variables):
        """Run it here: it has to end with the status and print what the pattern says."""
        print(f"== {what}", flush=True)
        kept = {key: value for key, value in os.environ.items() if not key.startswith(OUTSIDE)}
        chosen = {**self.variables, **variables}
        try:
            done = subprocess.run(command, cwd=self.folder, env={**kept, **chosen}, text=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=300, check=False)
            print(done.stdout, end="", flush=True)
            if done.returncode != status:
                problem = f"it has ended with {done.returncode}, not with {status}"
            elif not re.search(says, done.stdout, re.M | re.S):
                problem = f"it has not printed {says!r}"
            else:
                return
        except (OSError, subprocess.TimeoutExpired) as error:
            problem = error
        line = shlex.join([*(f"{key}={value}" for key, value in chosen.items()), *command])
        sys.exit(f"This step has failed: {what}: {problem}\nTo repeat it by hand:\n"
                 f"    cd {shlex.quote(str(self.folder))}\n"
                 f"    {'env ' if chosen else ''}{line}")

    def path(self, path):
        """A path as the Python has it."""
        return str(path)

    def install(self, **variables):
        self.step("install the package", *self.python, *self.pip, *INSTALL,
                  self.path(self.package), **variables)

    def use(self):
        """What is installed has to find its own library, and the example to count."""
        number, here = re.escape(VERSION), re.escape(self.path(self.folder))
        told = (rf"^winshm {number} in (?P<package>{here}[/\\][^\n]*)\n"
                rf"library {number} from (?P=package)[/\\]{re.escape(self.library)}$")
        self.step("ask what is loaded", *self.python, "-m", "winshm", says=told)
        self.step("ask where nothing can be loaded", *self.python, "-m", "winshm", status=1,
                  says="^[^\n]*nothing, from the environment variable WINSHM_LIBRARY, "
                       "cannot be loaded: [^\n]*$", WINSHM_LIBRARY="nothing")
        self.step("the counter of README.md", *self.python, "counter.py", says=r"^laps: [1-9]\d*$")

    def finish(self):
        shutil.rmtree(self.folder)


def venv(consumer):
    consumer.step("a virtual environment", "/usr/bin/python3", "-m", "venv", "venv")
    consumer.pip = ["-m", "pip"]
    consumer.install()
    consumer.use()
    shutil.copy(Path(__file__).with_name("typed.py"), consumer.folder)
    (consumer.folder / "wrong.py").write_text(WRONG, encoding="utf-8")
    consumer.step("a program with types", *consumer.python, "typed.py",
                  says="^WINSHM_E_NOT_FOUND\n1 1\nsomebody 4096\n1$")
    mypy = ["/usr/bin/mypy", "--strict", "--cache-dir=/dev/null",
            "--python-executable", *consumer.python]
    consumer.step("mypy on the programs", *mypy, "typed.py", "counter.py")
    consumer.step("mypy on a wrong program", *mypy, "wrong.py", status=1,
                  says='has type "int", variable has type "str"')


def sources(consumer):
    """No index has to be asked for hatchling: Debian's is lent to the environment."""
    consumer.step("a virtual environment", "/usr/bin/python3", "-m", "venv", "--without-pip",
                  "venv")
    tools = consumer.folder / "tools"
    tools.mkdir()
    install = [*consumer.python, *consumer.pip, *INSTALL, "--no-build-isolation",
               str(consumer.package)]
    consumer.step("install without CMake", *install, status=1, PYTHONPATH=DEBIAN,
                  PATH=str(tools), says="there is no cmake to build the library")
    for each in ("cmake", "make"):
        (tools / each).symlink_to(shutil.which(each))
    consumer.step("install without a compiler", *install, status=1, PYTHONPATH=DEBIAN,
                  PATH=str(tools), says="CMake could not build the library, and has told why")
    consumer.step("install for another machine", *install, status=1, PYTHONPATH=DEBIAN,
                  CC="aarch64-linux-gnu-gcc", says="has built is not for this Python")
    consumer.step("install the sources", *install, PYTHONPATH=DEBIAN)
    consumer.use()


def bare(consumer):
    consumer.step("a virtual environment", "/usr/bin/python3", "-m", "venv", "--without-pip",
                  "venv")
    consumer.install()
    consumer.use()


def on_wine(consumer, program):
    """The command for a Windows program, with what decides over Wine written down."""
    consumer.variables.update({key: value for key, value in os.environ.items()
                               if key.startswith("WINE") and key != "WINE"})
    return [os.environ["WINE"], program]


class WindowsConsumer(Consumer):
    library = "winshm.dll"

    def path(self, path):
        return "Z:" + str(path).replace("/", "\\")


def windows(consumer):
    program = Path(os.environ["WINSHM_WINDOWS_PYTHON"])
    shutil.copytree(program.parent, consumer.folder / "python")
    consumer.python = on_wine(consumer, f"python/{program.name}")
    consumer.install()
    consumer.use()


def unpacked(consumer):
    """pip puts it where it is told, if the name is right for the platform."""
    platform = consumer.package.stem.split("-")[-1]
    consumer.step(f"unpack the package for {platform}", "/usr/bin/python3", *consumer.pip,
                  *INSTALL, "--target=site", "--only-binary=:all:", f"--platform={platform}",
                  str(consumer.package))
    library = "winshm.dll" if platform.startswith("win") else "libwinshm.so.0"
    consumer.step("look for the library", "test", "-s", f"site/winshm/{library}")


def win32(consumer):
    unpacked(consumer)
    consumer.step("a 32-bit program in C", "i686-w64-mingw32-gcc", "-o", "site/winshm/peer.exe",
                  "-I", str(ROOT / "include"), str(ROOT / "tests/interop/peer.c"),
                  "site/winshm/winshm.dll")
    (consumer.folder / "asked").write_text("create winshm-win32 100 0\nsize\nclose\n")
    wine = shlex.join(on_wine(consumer, "site/winshm/peer.exe"))
    # A busy machine's Wine does not always start a 32-bit program, which then says nothing.
    often = f"for turn in 1 2 3; do {wine} <asked >said; test ! -s said || break; done; cat said"
    consumer.step("the program uses the DLL", "sh", "-c", often, says=r"^ok\nok 100\nok$")


if __name__ == "__main__":
    how, package = sys.argv[1:]
    consumer = (WindowsConsumer if how == "windows" else Consumer)(package)
    {"venv": venv, "sources": sources, "windows": windows, "win32": win32,
     "unpacked": unpacked, "bare": bare}[how](consumer)
    consumer.finish()
