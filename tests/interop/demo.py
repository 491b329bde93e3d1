# SPDX-License-Identifier: MIT
"""The demonstration that demo.sh runs: real programs in four languages share one block.

What stands behind a | was printed by one of them.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from programs import TITLES, Failure, Platform, until, windows_path

#: What each program adds, and what it adds again after a death and a repair.
EACH, AFTER = 250_000, 1000
MINIMUM = 50_000_000
#: What may take a while on a busy machine, in seconds.
LONG = 900

began = time.monotonic()


def say(text):
    # In one piece, as several threads speak.
    sys.stdout.write(f"[{time.monotonic() - began:5.1f}s] {text}\n")
    sys.stdout.flush()


class Demo:
    def __init__(self, platform, languages):
        self.platform = platform
        self.languages = [code for code in languages if code != "c32"]
        # The 32-bit program is the one that watches, where there are such programs.
        self.watcher = "c32" if "c32" in languages else "c"
        self.programs = []
        #: Seconds until a program that was started has come to its wait, as a rule.
        self.settle = 2 if platform.windows else 0.7
        self.name = f"winshm-demo-{os.getpid()}"

    def start(self, language, program, *arguments):
        started = self.platform.start(
            language, program, *arguments, on_line=lambda title, text: say(f"{title:>12} | {text}")
        )
        self.programs.append(started)
        return started

    def share(self, language, role, region, *arguments):
        return self.start(language, "share", role, region, *map(str, arguments))

    def watch(self, region, target):
        watcher = self.start(self.watcher, "watch", region, str(target))
        watcher.line()
        return watcher

    def stop(self):
        for program in self.programs:
            program.kill()

    def path(self, path):
        return windows_path(path) if self.platform.windows else str(path)

    def run_to_end(self, programs, words, progress=lambda: None):
        """Wait until all have ended with these words; one that fails ends the wait."""
        deadline = time.monotonic() + LONG
        report = time.monotonic() + 1
        while running := [program for program in programs if not program.has_ended()]:
            for program in set(programs) - set(running):
                program.end_with(words)
            if time.monotonic() > deadline:
                running[0].fail(f"takes longer than {LONG} s")
            if time.monotonic() > report:
                report += 1
                progress()
            time.sleep(0.02)
        for program in programs:
            program.end_with(words)

    def count(self):
        """All languages add to one counter at the same time."""
        region, total = f"{self.name}-count", EACH * len(self.languages)
        say(f"(a) {len(self.languages)} programs add {EACH:,} each to one counter, under the lock")
        # All but the one in C wait until somebody creates the region.
        early = [code for code in self.languages if code != "c"]
        counting = [self.share(code, "count", region, EACH) for code in early]
        time.sleep(self.settle)
        watcher = self.watch(region, total)
        counting.append(self.share("c", "count", region, EACH))
        self.run_to_end(counting, f": added {EACH}")
        until(watcher.has_ended, 30, f"all have added, and the counter is not {total:,}")
        watcher.end_with(f"the counter is {total} of {total}")
        say(f"(a) the counter is exactly {total:,}")

    def relay(self, folder):
        """A file travels through the block from program to program."""
        source, target, region = real_file(folder), folder / "copy", f"{self.name}-relay"
        size = source.stat().st_size
        say(f"(b) C -> Python -> C# -> Nim pass on {source} ({size:,} bytes)")
        relaying = [
            self.share("nim", "relay", region, self.path(target)),
            self.share("csharp", "relay", region),
            self.share("python", "relay", region),
        ]
        time.sleep(self.settle)
        start = time.monotonic()
        relaying.append(self.share("c", "relay", region, self.path(source)))

        def progress():
            arrived = target.stat().st_size
            say(f"    {arrived:,} bytes have arrived ({arrived * 100 // size} %)")

        self.run_to_end(relaying, f": relayed {size} bytes", progress)
        seconds = time.monotonic() - start
        before, after = digest(source), digest(target)
        say(f"    SHA-256 before {before}")
        say(f"    SHA-256 after  {after}")
        if before != after:
            raise Failure("the file has changed on its way")
        say(f"(b) the same at both ends, {size / 1e6 / seconds:.0f} MB/s from file to file")

    def deaths(self):
        """Each program in turn is killed as the lock's owner, and the next one repairs."""
        ring = [*self.languages, *(["c32"] if self.watcher == "c32" else []), "c"]
        pairs, region = list(zip(ring, ring[1:])), f"{self.name}-death"
        titles = " -> ".join(TITLES[code] for code in ring)
        say(f"(c) each is killed while it holds the lock, and the next one repairs: {titles}")
        target = AFTER * len(pairs)
        watcher = self.watch(region, target)
        for number, (owner, heir) in enumerate(pairs, 1):
            holding = self.share(owner, "hold", region)
            until(lambda: "holding" in holding.line(), what="nobody holds the lock")
            waiting = self.share(heir, "repair", region)
            time.sleep(self.settle)
            if waiting.has_ended() or not waiting.is_silent():
                waiting.fail("did not wait for an owner that is alive")
            say(f"    {TITLES[heir]} waits; {TITLES[owner]}, which holds the lock, gets SIGKILL")
            start = time.monotonic()
            holding.kill()
            waiting.line()
            milliseconds = (time.monotonic() - start) * 1000
            waiting.end_with(f": the owner died, repaired, b = {number}")
            say(f"    that took {milliseconds:.0f} ms; {TITLES[heir]} goes on")
            self.run_to_end([self.share(heir, "count", region, AFTER)], f": added {AFTER}")
        watcher.end_with(f"the counter is {target} of {target}")
        say(f"(c) {len(pairs)} owners died, {len(pairs)} heirs repaired, no update was lost")


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files(top):
    """The sizes and paths of all files below a folder that can be read."""
    try:
        entries = list(os.scandir(top))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from files(entry.path)
        elif entry.is_file(follow_symlinks=False) and os.access(entry.path, os.R_OK):
            yield entry.stat(follow_symlinks=False).st_size, entry.path


def real_file(folder):
    """A file of this machine that is large enough; else several of them in one archive."""
    found = []
    for top in ("/usr/lib", "/usr/bin", "/usr/share", "/var/cache/apt", "/var/lib/apt"):
        for size, path in files(top):
            if size >= MINIMUM:
                return Path(path)
            found.append((size, path))
    archive = folder / "files.tar"
    with tarfile.open(archive, "w") as tar:
        for _, path in sorted(found, reverse=True):
            tar.add(path)
            if archive.stat().st_size >= MINIMUM:
                break
    return archive


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--platform", choices=["linux", "windows"], required=True)
    parser.add_argument("--languages", required=True, help="c,python,...")
    options = parser.parse_args()
    # The programs that were started are ended on every way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    demo = Demo(Platform(options.platform), options.languages.split(","))
    try:
        with tempfile.TemporaryDirectory(prefix="winshm-") as folder:
            demo.count()
            if "csharp" in demo.languages:
                demo.relay(Path(folder))
            else:
                say("(b) is left out: without C# a link of the chain is missing")
            demo.deaths()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
    finally:
        demo.stop()


if __name__ == "__main__":
    main()
