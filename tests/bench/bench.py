"""Runs the benchmark of one platform, prints the table and writes it down as JSON.

Usage: bench.py linux|windows OUT.json [--quick] [--only PART] [--kills N] [--without PART]...

bench.sh builds what this starts. PART of --only is a part of a case's name; --without
leaves out cases, languages, growth, idle, calls, tails or frames. What is left out stays in
OUT.json as it was.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import languages
import moving
import report
import tails
from workers import ROOT, Workers

PARTS = ("cases", "languages", "growth", "idle", "calls", "tails", "frames")
#: Where a part's results are, and by what they are told apart.
RESULTS = {"cases": "name", "curves": "curve", "idle": "name", "tails": "name", "frames": "name"}


def lines_of(program: list[str]) -> Iterator[dict[str, Any]]:
    """What the C program measures, line by line."""
    with subprocess.Popen(
        program, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode != 0:
        sys.exit(f"{program[-1]} ended with {process.returncode}: a result was wrong")


def machine() -> dict[str, Any]:
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = re.search(r"^model name\s*: (.*)$", cpu, re.M)
    return {
        "cpu": model[1] if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": f"{platform.system()} {platform.release()}",
        "wine": os.environ.get("WINE_VERSION", ""),
        "date": datetime.date.today().isoformat(),
    }


def idle(workers: Workers, seconds: float) -> Iterator[dict[str, Any]]:
    """What a waiter costs while nothing happens, seen from outside."""
    # The wineserver is never quite at rest.
    rest = workers.watch(workers.get("c"), seconds - 1.0, after=0.5)[1] if workers.wine else 0
    for what in ("lock", "change"):
        name = workers.new_name()
        holder, waiter = workers.get("c"), workers.get("c", second=True)
        holder.run("hold", name)
        budget = int(seconds * 1e9)
        waiter.send(f"await-{what}", name, budget=budget)
        # The first moments are a beginning, not idleness.
        percent, server = workers.watch(waiter, seconds - 1.0, after=0.5)
        server = max(server - rest, 0)
        waiter.receive()
        holder.run("let-go", name)
        yield {
            "name": f"idle/{what}",
            "title": f"a waiter for {'the lock' if what == 'lock' else 'a change'}, idle",
            "percent": percent,
            "server_percent": server,
            "seconds": seconds - 1.0,
            "aim": 0.1,
        }


def system_calls(workers: Workers) -> dict[str, Any]:
    command = [sys.executable, ROOT / "tests/bench/system_calls.py", workers.library.parent]
    found = subprocess.run([*command, "--json"], stdout=subprocess.PIPE, check=True)
    return json.loads(found.stdout)


def add_to(out: Path, run: dict[str, Any]) -> dict[str, Any]:
    """What was measured before, with what is measured now in its place."""
    if not out.exists():
        return run
    before = json.loads(out.read_text(encoding="utf-8"))
    for part, key in RESULTS.items():
        names = {each[key] for each in run[part]}
        kept = [each for each in before.get(part, []) if each[key] not in names]
        before[part] = kept + run[part]
    before.setdefault("about", {}).update(run["about"])
    if "system_calls" in run:
        before["system_calls"] = run["system_calls"]
    return before


def lines(run: dict[str, Any]) -> str:
    """JSON with a line for each case, point and waiter."""

    def value(of: Any) -> str:
        if isinstance(of, list) and of:
            return "[\n  " + ",\n  ".join(map(json.dumps, of)) + "\n]"
        return json.dumps(of)

    return "{\n" + ",\n".join(f"{json.dumps(key)}: {value(run[key])}" for key in run) + "\n}\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("platform", choices=("linux", "windows"))
    parser.add_argument("out", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--kills", type=int)
    parser.add_argument("--without", action="append", default=[])
    options = parser.parse_args()
    # A row appears as soon as it is known, into a file, too.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]

    blocks, ms = (3, 50) if options.quick else (9, 200)
    kills = options.kills or (15 if options.quick else 200)
    on_windows = options.platform == "windows"
    workers = Workers(options.platform)
    program = [*workers.wine, str(workers.programs / ("bench.exe" if on_windows else "bench"))]
    filters = ["--only", options.only] if options.only else []
    run: dict[str, Any] = {
        "machine": machine(),
        "platform": options.platform,
        "blocks": blocks,
        "block_ms": ms,
        "load_before": os.getloadavg()[0],
        "cases": [],
        "curves": [],
        "idle": [],
        "tails": [],
        "frames": [],
        "about": {},
    }
    parts = set(PARTS) - set(options.without)
    if options.only:
        parts -= {"idle", "calls"}
    whole = parts == set(PARTS)

    report.head(run)
    if "cases" in parts:
        sizes = ["--blocks", str(blocks), "--ms", str(ms), "--kills", str(kills)]
        for case in lines_of([*program, *sizes, *filters]):
            run["cases"].append(case)
            report.case(case)
    if "languages" in parts:
        for case in languages.measure(workers, options.only, blocks, ms // 2):
            run["cases"].append(case)
            report.case(case)
    # Runtimes that only sit there have timers of their own.
    workers.close()
    if "idle" in parts:
        for waiter in idle(workers, 4 if options.quick else 20):
            run["idle"].append(waiter)
            report.idle(waiter)
    workers.close()
    if "growth" in parts:
        rounds = "1" if options.quick else "5"
        run["curves"] = list(lines_of([*program, "--growth", "--blocks", rounds, *filters]))
        report.curves(run["curves"])
    if "calls" in parts and not on_windows:
        run["system_calls"] = system_calls(workers)
        report.system_calls(run["system_calls"])
    if "tails" in parts:
        sizes = ["--blocks", str(blocks if options.quick else 5), "--ms", str(2 * ms)]
        run["about"]["tails"] = run["machine"]
        load = os.getloadavg()[0]
        for row in tails.gather(lines_of([*program, "--tails", *sizes, *filters])):
            run["tails"].append({**row, "load": load})
            report.tails(row)
    if "frames" in parts:
        run["about"]["frames"] = run["machine"]
        # Without what its own rows add to it.
        load = os.getloadavg()[0]
        for row in moving.measure(workers, options.only, min(blocks, 5), 2 * ms):
            run["frames"].append({**row, "load": load})
            report.frames(row)
            # So much takes so long that an end on the way is no loss.
            options.out.write_text(lines(run if whole else add_to(options.out, run)), encoding="utf-8")
    workers.close()
    run["load_after"] = os.getloadavg()[0]
    report.tail(run)
    options.out.write_text(lines(run if whole else add_to(options.out, run)), encoding="utf-8")


main()
