"""Long-lived programs, one of each language, that measure what they are told to."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Worker:
    """A program with the protocol of worker.c, pinned to one processor, or with that of
    frames/main.c, which the system puts where it likes."""

    def __init__(self, command: list[str], env: dict[str, str], cpu: int | None) -> None:
        self._process = subprocess.Popen(
            command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self._process.pid
        # Only now: the library has looked at how many processors there are.
        self.wait_for("ready")
        if cpu is not None:
            for task in os.listdir(f"/proc/{self.pid}/task"):
                os.sched_setaffinity(int(task), {cpu})

    def send(self, operation: str, name: str, size: int = 0, budget: int = 0) -> None:
        self.tell(f"{operation} {name} {size} {budget}")

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            raise SystemExit(f"{self._process.args!r} ended early: a result was wrong")
        return line

    def wait_for(self, word: str) -> None:
        line = self.line()
        if line != word:
            raise SystemExit(f"{self._process.args!r} said {line!r} in place of {word!r}")

    def receive(self) -> tuple[float, float]:
        """Nanoseconds and processor's nanoseconds of one operation."""
        ns, cpu = self.numbers()
        return ns, cpu

    def numbers(self) -> list[float]:
        return [float(word) for word in self.line().split()]

    def run(self, operation: str, name: str, *numbers: int) -> tuple[float, float]:
        self.send(operation, name, *numbers)
        return self.receive()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


def on_processor(pid: int) -> int:
    """Nanoseconds that all threads of a process have run."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        total += int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
    return total


class Workers:
    def __init__(self, platform: str) -> None:
        self.platform = platform
        self.cpus = sorted(os.sched_getaffinity(0))[:2]
        self.wine: list[str] = [] if platform == "linux" else [os.environ["WINE"]]
        out = ROOT / "build" / "bench" / ("linux" if platform == "linux" else "win64")
        #: Where the C programs are; on Windows the DLL is beside them.
        self.programs = out if platform == "linux" else out / "winshm"
        name = "libwinshm.so.0" if platform == "linux" else "winshm.dll"
        self.library = out / "winshm" / name
        self._out = out
        self._workers: dict[tuple[str, str, int], Worker] = {}
        self._names = 0

    def new_name(self) -> str:
        self._names += 1
        return f"winshm-bench-{os.getpid()}-{self._names}"

    def _command(self, language: str, program: str) -> list[str]:
        """program: worker, or frames, which in C# is the same one."""
        script = "worker.py" if program == "worker" else f"{program}/worker.py"
        script = str(ROOT / "tests" / "bench" / script)
        more = [] if program == "worker" else [program]
        if self.platform == "linux":
            return {
                "c": [str(self.programs / program)],
                "python": [os.environ["PYTHON"], "-B", script],
                "nim": [str(self._out / "nim" / program)],
                "csharp": ["dotnet", str(self._out / "csharp" / "worker.dll"), *more],
            }[language]
        return [
            *self.wine,
            *{
                "c": [str(self.programs / f"{program}.exe")],
                "python": [os.environ["WINSHM_WINDOWS_PYTHON"], "-B", script],
                "nim": [str(self._out / "nim" / f"{program}.exe")],
                "csharp": [str(self._out / "csharp" / "worker.exe"), *more],
            }[language],
        ]

    def _env(self) -> dict[str, str]:
        library = str(self.library)
        if self.wine:
            library = "Z:" + library.replace("/", "\\")
        return {**os.environ, "WINSHM_LIBRARY": library}

    def languages(self) -> list[str]:
        """Those that were built."""
        programs = {"nim": self._out / "nim", "csharp": self._out / "csharp"}
        return ["c", "python", *(name for name, path in programs.items() if path.exists())]

    def get(self, language: str, second: bool = False) -> Worker:
        """The worker of a language; the second one has another processor."""
        return self._get(language, "worker", second, self.cpus[second])

    def frames(self, language: str, number: int) -> Worker:
        """One that moves frames."""
        return self._get(language, "frames", number, None)

    def _get(self, language: str, program: str, number: int, cpu: int | None) -> Worker:
        key = language, program, number
        if key not in self._workers:
            self._workers[key] = Worker(self._command(language, program), self._env(), cpu)
        return self._workers[key]

    def watch(self, worker: Worker, seconds: float, after: float) -> tuple[float, float]:
        """Processor time in percent of a worker and of the wineserver, if there is one,
        which serves the whole prefix."""
        servers = self._servers() if self.wine else []
        time.sleep(after)
        began = time.monotonic_ns()
        own, server = on_processor(worker.pid), sum(map(on_processor, servers))
        time.sleep(seconds)
        took = time.monotonic_ns() - began
        own, server = on_processor(worker.pid) - own, sum(map(on_processor, servers)) - server
        return own * 100 / took, server * 100 / took

    def _servers(self) -> list[int]:
        prefix = f"WINEPREFIX={os.environ['WINEPREFIX']}\0".encode()
        found = []
        for process in filter(str.isdigit, os.listdir("/proc")):
            try:
                if not Path(f"/proc/{process}/comm").read_text().startswith("wineserver"):
                    continue
                if prefix in Path(f"/proc/{process}/environ").read_bytes():
                    found.append(int(process))
            except OSError:
                continue
        return found

    def close(self) -> None:
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()
