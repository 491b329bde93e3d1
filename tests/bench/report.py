"""The table: what was measured, what was wanted, and whether it was reached."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

YES, NO = "✓", "✗"


@dataclass
class Wanted:
    """A figure that a case shall reach."""

    what: str
    wanted: str
    measured: str
    reached: bool

    def __str__(self) -> str:
        return f"{self.what} {self.wanted}: {self.measured} {YES if self.reached else NO}"


def duration(ns: float) -> str:
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if abs(ns) >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns:.3g} ns"


def wanted(case: dict[str, Any]) -> list[Wanted]:
    """All that a case shall reach, the ratio first."""
    found = []
    ours = case["winshm"]["ns"][0]
    if case["aim"]:
        ratio = case["ratio"][0]
        least = case["aim"]
        found.append(Wanted("ratio", f"≥ {least:.3g}", f"{ratio:.3g}", ratio >= least))
    if case.get("ns_aim"):
        most = case["ns_aim"]
        found.append(Wanted("winshm", f"≤ {duration(most)}", duration(ours), ours <= most))
    if case.get("p99_aim"):
        p99, most = case["winshm"]["p99_ns"], case["p99_aim"]
        found.append(Wanted("99 %", f"≤ {duration(most)}", duration(p99), p99 <= most))
        hangs, kills = case["winshm"]["hangs"], case["winshm"]["samples"]
        found.append(Wanted("hangs", f"0 of {kills + hangs}", str(hangs), hangs == 0))
    if case.get("floor_aim"):
        times, most = ours / case["floor_ns"][0], case["floor_aim"]
        # A floor that moved says nothing: the machine was busy.
        reached = steady(case) and times <= most
        shown = f"{times:.3g}" if steady(case) else "unknown, the floor moved"
        found.append(Wanted("times the floor", f"≤ {most:g}", shown, reached))
    if case.get("extra_aim"):
        extra, least = case["winshm"]["extra"][0], case["extra_aim"]
        found.append(Wanted(case["extra"], f"≥ {least:g}", f"{extra:.3g}", extra >= least))
    if "cost_aim" in case:
        cost, least, most = case["cost_ns"]
        shown = f"{cost:.2g} ns [{least:.2g}..{most:.2g}]"
        limit = case["cost_aim"]
        found.append(Wanted("more than C, a call", f"≤ {limit:g} ns", shown, cost <= limit))
    return found


def steady(case: dict[str, Any]) -> bool:
    middle, least, most = case["floor_ns"]
    return most - least <= middle / 4


def head(run: dict[str, Any]) -> None:
    print(machine(run) + f"; load {run['load_before']:.2g}")
    print(
        f"{run['blocks']} pairs of blocks of {run['block_ms']} ms (languages: half of it). "
        "Times are of one operation.\n"
        "The ratio is the peer's time / winshm's in a pair of blocks: "
        "median [least..most]."
    )
    if run["platform"] == "windows":
        print("Of processor time, that of the wineserver is not in it.")
    print()
    print(
        f"{'case':<43} {'peer':<30} {'winshm':>9} {'peer':>9} {'ratio':>8} "
        f"{'[least..most]':<19} processor time; wanted"
    )


def machine(run: dict[str, Any]) -> str:
    about = run["machine"]
    wine = f"; Wine {about['wine']}" if run["platform"] == "windows" else ""
    return f"{about['cpu']}, {about['cores']} cores; {about['kernel']}{wine}; {about['date']}"


def case(case: dict[str, Any]) -> None:
    ours, peer = case["winshm"], case["peer"]
    ratio, least, most = case["ratio"]
    between = f"[{least:.3g}..{most:.3g}]"
    print(
        f"{case['title']:<43} {case['peer_name']:<30} {duration(ours['ns'][0]):>9} "
        f"{duration(peer['ns'][0]):>9} {ratio:>8.3g} {between:<19} "
        f"{duration(ours['cpu_ns'][0])} / {duration(peer['cpu_ns'][0])}"
    )
    more = [str(figure) for figure in wanted(case)]
    if case.get("floor_ns", [0])[0]:
        more.append(f"bare floor {' .. '.join(map(duration, case['floor_ns'][1:]))}")
    if ours.get("samples"):
        more.append(
            f"99 % {duration(ours['p99_ns'])} / {duration(peer['p99_ns'])}, "
            f"most {duration(ours['most_ns'])} / {duration(peer['most_ns'])}"
        )
    if more:
        print(f"    {case['waits']}; " + "; ".join(more))


def idle_wanted(waiter: dict[str, Any]) -> Wanted:
    percent = waiter["percent"] + waiter["server_percent"]
    shown = f"{waiter['percent']:.3g} %"
    if waiter["server_percent"]:
        shown += f" + {waiter['server_percent']:.3g} % more of the wineserver"
    return Wanted("processor time", f"< {waiter['aim']:g} %", shown, percent < waiter["aim"])


def idle(waiter: dict[str, Any]) -> None:
    print(f"{waiter['title']}, {waiter['seconds']:g} s: {idle_wanted(waiter)}")


def curves(points: list[dict[str, Any]]) -> None:
    for curve, of_curve in itertools.groupby(points, key=lambda point: point["curve"]):
        print(f"\n{curve}")
        for series, values in itertools.groupby(of_curve, key=lambda point: point["series"]):
            listed = "  ".join(f"{point['x']}: {duration(point['ns'][0])}" for point in values)
            print(f"    {series}: {listed}")


def system_calls(calls: dict[str, Any]) -> None:
    for step, lines in calls.items():
        print(f"\nsystem calls of {step}: {len(lines)}")
        for call, reason in lines:
            print(f"    {call:<60} {reason}")


def between(spread: list[float]) -> str:
    return f"{spread[0]:.3g} [{spread[1]:.3g}..{spread[2]:.3g}]"


def tails(row: dict[str, Any]) -> None:
    print(
        f"\n{row['writers']} writers, {row['readers']} readers: half of the waits, 999 of 1000, "
        "and the longest; in parentheses the peer's / winshm's in a block; and what the slowest "
        "of all has got, 1 being as much as everybody"
    )
    for lock in row["locks"]:
        print(f"    {lock['lock']:<32} slowest {lock['share'][0]:.2g}, {lock['ops'][0]:,.0f}/s")
        for side in ("writers", "readers"):
            if side in lock:
                waits = (
                    f"{duration(lock[side][key][0])} ({between(lock[side]['ratio'][key])})"
                    for key in ("p50_ns", "p999_ns", "most_ns")
                )
                print(f"        {side}: {'  '.join(waits)}")


def rate(frames: float, row: dict[str, Any]) -> str:
    return f"{frames * row['bytes'] / 1e9:.3g} GB/s"


def frames(row: dict[str, Any]) -> None:
    print(
        f"\n{row['title']}, {row['size']}, to {row['consumers']}: a copy alone "
        f"{rate(row['copy'][0], row)}, a check alone {rate(row['check'][0], row)}; winshm at "
        f"{row['of_copy'][0] * 100:.0f} % of the copy"
    )
    for way in row["ways"]:
        lost = f", {way['lost']} LOST" if way["lost"] else ""
        print(
            f"    {way['title']:<34} {way['frames'][0]:>9,.0f}/s {rate(way['frames'][0], row):>10} "
            f"latency {duration(way['p50_ns'][0])}, 99 % {duration(way['p99_ns'][0])}; "
            f"processor {duration(way['cpu_ns'][0])}; winshm {between(way['ratio'])} times{lost}"
        )


def tail(run: dict[str, Any]) -> None:
    figures = [figure for case in run["cases"] for figure in wanted(case)]
    figures += [idle_wanted(waiter) for waiter in run["idle"]]
    reached = sum(figure.reached for figure in figures)
    if not figures:
        return
    print(f"\n{reached} of {len(figures)} wanted figures reached; not reached:")
    for case in run["cases"]:
        for figure in wanted(case):
            if not figure.reached:
                print(f"    {case['title']}, {case['peer_name']}: {figure}")
    for waiter in run["idle"]:
        if not idle_wanted(waiter).reached:
            print(f"    {waiter['title']}: {idle_wanted(waiter)}")
