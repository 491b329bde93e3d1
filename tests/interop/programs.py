# SPDX-License-Identifier: MIT
"""Starts the programs that programs.sh has built and talks to them over pipes."""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "build" / "programs"

#: How long anything may take before it counts as a hang, in seconds. Nothing takes so
#: long by right, but a busy machine that starts Wine comes near.
PATIENCE = float(os.environ.get("WINSHM_TEST_PATIENCE", "60"))

#: How often Wine may try to start a program: one that it could not load ends with 0 or 1,
#: and without a word.
WINE_STARTS = 3

#: The languages as programs are named in tables. c32 is the 32-bit one on Windows.
TITLES = {"c": "C", "python": "Python", "csharp": "C#", "nim": "Nim", "c32": "C 32-bit"}

SOURCES = {
    "share": "tests/interop/share.py",
    "peer": "tests/interop/peer.py",
    "outsider": "tests/interop/outsider.py",
    "recover": "bindings/python/examples/recover.py",
    "handover": "bindings/python/examples/handover.py",
    "frames": "bindings/python/examples/frames.py",
    "layouts": "tests/interop/layouts/layouts.py",
}

#: The examples in C# are one program, which is built under the name of this one of them.
EXAMPLES = {"handover": "Handover", "frames": "Frames"}
EXAMPLES_BUILT = "handover"


class Failure(AssertionError):
    """A program did something else than it should have; the transcript is in it."""


def windows_path(path: Path) -> str:
    """The path as Windows programs under Wine see it."""
    return "Z:" + str(path).replace("/", "\\")


class Platform:
    """linux, or windows, whose programs $WINE runs."""

    def __init__(self, name: str):
        self.windows = name == "windows"
        self.environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        library = ROOT / ("build/win64/winshm.dll" if self.windows else "build/linux/libwinshm.so.0")
        self.environment["WINSHM_LIBRARY"] = self.path(library)
        self.environment["PYTHONPATH"] = self.path(ROOT / "bindings" / "python")

    def path(self, path: Path) -> str:
        """The path as the programs of this platform see it."""
        return windows_path(path) if self.windows else str(path)

    def command(self, language: str, program: str) -> list[str]:
        """The words that start a program."""
        return [*([os.environ["WINE"]] if self.windows else []), *self._words(language, program)]

    def inner_command(self, language: str, program: str) -> list[str]:
        """The words by which a program of this platform starts another one."""
        first, *others = self._words(language, program)
        return [self.path(Path(first)) if self.windows else first, *others]

    def _words(self, language: str, program: str) -> list[str]:
        if language == "python":
            python = os.environ["WINSHM_WINDOWS_PYTHON"] if self.windows else "/usr/bin/python3"
            return [python, "-B", self.path(ROOT / SOURCES[program])]
        folder, name, more = {"c": "", "c32": ""}.get(language, language), program, []
        if language == "csharp":
            folder = f"csharp/{program}"
            if program in EXAMPLES:
                folder, name, more = f"csharp/{EXAMPLES_BUILT}", "Examples", [EXAMPLES[program]]
        if not self.windows:
            built = str(BUILT / "linux" / folder / name)
            return ["dotnet", f"{built}.dll", *more] if language == "csharp" else [built]
        bits = "win32" if language == "c32" else "win64"
        return [str(BUILT / bits / folder / f"{name}.exe"), *more]

    def start(self, language: str, program: str, *arguments: str, **keywords) -> Program:
        command = [*self.command(language, program), *arguments]
        starts = WINE_STARTS if self.windows else 1
        return Program(TITLES[language], command, self.environment, starts=starts, **keywords)


class Program:
    """A running program, whose output is read line by line as it comes."""

    def __init__(self, title, command, environment, transcript=None, on_line=None, starts=1):
        self.title = title
        self.transcript = [] if transcript is None else transcript
        #: The line of output that came last.
        self.last = ""
        self._on_line = on_line
        self._lines = queue.Queue()
        self._told = []
        self._starts = starts
        self._begin = functools.partial(
            subprocess.Popen,
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._start()

    def _start(self):
        self._starts -= 1
        self._process = self._begin()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def _read(self):
        for line in self._process.stdout:
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            self.transcript.append(f"{self.title} > {text}")
            if self._on_line:
                self._on_line(self.title, text)
            self.last = text
            self._lines.put(text)
        self._lines.put(None)

    def fail(self, what: str):
        raise Failure("\n    ".join([f"{self.title}: {what}", *self.transcript]))

    def line(self) -> str:
        """The next line of output."""
        while True:
            try:
                text = self._lines.get(timeout=PATIENCE)
            except queue.Empty:
                self.fail(f"silent for {PATIENCE:g} s")
            if text is not None:
                return text
            if not self._start_again():
                self._lines.put(None)
                self.fail(f"has ended too early, with {self._process.poll()}")

    def _start_again(self) -> bool:
        """Start a program again that has not run: ours say something before such an end."""
        self._reader.join(2)
        try:
            silent = self._process.wait(2) in (0, 1) and not self.last
        except subprocess.TimeoutExpired:
            return False
        if not silent or not self._starts:
            return False
        self.transcript.append(f"{self.title}: has not run, so it is started again")
        self._start()
        for command in self._told:
            self._write(command)
        return True

    def is_silent(self) -> bool:
        """Whether no line is there to be read."""
        return self._lines.empty()

    def tell(self, command: str):
        """Send a command and leave its answer for later."""
        self.transcript.append(f"{self.title} < {command}")
        self._told.append(command)
        self._write(command)

    def _write(self, command: str):
        # Whether a program that takes no commands has ended too early, line() finds out.
        with contextlib.suppress(OSError):
            self._process.stdin.write(command.encode() + b"\n")
            self._process.stdin.flush()

    def ask(self, command: str, expected: str | None = "ok") -> str:
        """Send a command and check its answer, or return any answer if None is expected."""
        self.tell(command)
        return self.answers(expected)

    def answers(self, expected: str | None = "ok") -> str:
        answer = self.line()
        if expected is not None and answer != expected:
            self.fail(f"answered {answer!r} and not {expected!r}")
        return answer

    def number(self, command: str) -> int:
        """Send a command whose answer is a number."""
        word, _, value = self.ask(command, None).partition(" ")
        if word != "ok" or not value.isdecimal():
            self.fail("did not answer with a number")
        return int(value)

    def end(self, status: int = 0, patience: float = PATIENCE):
        """Close the program's input and wait for its end."""
        try:
            self._process.stdin.close()
        except OSError:
            pass
        try:
            ended = self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self.fail(f"is still running after {patience:g} s")
        self._drain()
        if ended != status:
            self.fail(f"ended with {ended} and not with {status}")

    def end_with(self, words: str):
        """As end(), and the last line of its output has to end with these words."""
        self.end()
        if not self.last.endswith(words):
            self.fail(f"has not ended with {words!r}")

    def kill(self):
        """End it at once, without giving it a chance to clean up (SIGKILL)."""
        self._process.kill()
        self._process.wait()
        self._drain()

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def _drain(self):
        # Something that Wine has started may keep the pipe open for longer.
        self._reader.join(2)


def until(condition, patience: float = PATIENCE, what: str = "nothing happens"):
    """Wait for a condition, which is asked again and again."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"{what} for {patience:g} s")
        time.sleep(0.02)
