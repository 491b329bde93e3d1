"""Draws the benchmark's runs: headline.svg, ratios.svg, bindings.svg, growth.svg, tails.svg
and frames.svg, and writes moving.md.

Usage: plot.py FOLDER RUN.json...

A run is what bench.py wrote for one platform.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
from pathlib import Path
from typing import Any

import plot_moving
import report
from drawing import (
    FASTER,
    FIGURES,
    PLATFORMS,
    SERIES,
    SLOWER,
    WANTED,
    beside,
    caption,
    plain,
    right_of,
    save,
    size,
)
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

#: What the front page shows of the run on Linux, in words for those who see nothing else.
HEADLINE = {
    "exclusive/robust-mutex": ("Lock and unlock", "robust pthread mutex"),
    "contended/2-processes": ("The same, two processes competing", "robust pthread mutex"),
    "tails/4+4": ("Longest wait of a writer, 4 writers, 4 readers", "pthread rwlock"),
    "snapshot/64-bytes": ("Consistent copy of 64 bytes, busy writer", "pthread rwlock, memcpy"),
    "notify/nobody-waits": ("Notify when nobody waits", "atomic add, FUTEX_WAKE"),
    "wake/round-trip": ("Wake a sleeping process, and back", "two futexes"),
    "frames/c-c/8m/1": ("An 8 MiB picture, C to C", "Unix socket"),
    "frames/csharp-python/1m/1": ("A frame of 1 MiB, C# to Python", "TCP"),
}
#: Which peer that is.
HEADLINE_WAYS = {"tails/4+4": "pthread rwlock", "frames/c-c/8m/1": "local", "frames/csharp-python/1m/1": "tcp"}
Row = tuple[str, dict[str, Any]]  #: platform, case


def legend(axes: Axes, runs: list[dict[str, Any]], more: list[Line2D]) -> None:
    handles = [
        Line2D([], [], color=PLATFORMS[run["platform"]][0], marker="o", label=name)
        for run in runs
        for name in [PLATFORMS[run["platform"]][1]]
    ]
    corner = {"loc": "lower left", "bbox_to_anchor": (0, 1)}
    axes.legend(handles=handles + more, ncol=4, handlelength=1.4, **corner)


def ratios(runs: list[dict[str, Any]], rows: list[Row], title: str, path: Path) -> None:
    """A row for each peer, grouped by what is compared."""
    if not rows:
        return
    languages = list(dict.fromkeys(language(case) for _, case in rows))
    order = {
        case["title"]: (languages.index(language(case)), place)
        for place, (_, case) in reversed(list(enumerate(rows)))
    }
    rows = sorted(rows, key=lambda row: (order[row[1]["title"]], row[0]))
    height = len(rows) + 1.25 * len(order)
    figure, axes = pyplot.subplots(figsize=(9.5, 1 + 0.21 * height))
    place = 0.0
    for name, group in itertools.groupby(rows, key=lambda row: row[1]["title"]):
        place += 0.35
        beside(axes, place, name, weight="bold")
        for platform, case in group:
            place += 1
            bar(axes, place, PLATFORMS[platform][0], case)
        place += 0.9
        axes.axhline(place - 0.25, color="#e3e3dd", linewidth=0.8, zorder=0)
    axes.set_xscale("log")
    left, right = axes.get_xlim()
    axes.set_xlim(min(left, 0.5), right * 4)
    axes.axvspan(axes.get_xlim()[0], 1, color="#c0392b", alpha=0.05, zorder=0, linewidth=0)
    axes.axvline(1, color="#8a8f93", linewidth=0.9, zorder=1)
    axes.set_ylim(place - 0.2, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_formatter(FuncFormatter(plain))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="x", which="major")
    axes.set_axisbelow(True)
    axes.set_xlabel(
        "the peer's time / winshm's: right of 1 winshm is faster; median, and least to most of "
        f"{max(run['blocks'] for run in runs)} pairs of blocks\n{caption(runs)}"
    )
    mark = Line2D([], [], color=WANTED, marker="|", linestyle="", markersize=9, label="wanted")
    legend(axes, runs, [mark])
    right_of(axes, (1, 1), "axes fraction", "winshm : peer", **FIGURES)
    axes.set_title(title, loc="left", pad=26, fontsize=12, weight="bold")
    save(figure, path)


def headline(run: dict[str, Any], path: Path) -> None:
    """A bar for each case of the front page, with both times in figures."""
    cases = {case["name"]: case for case in run["cases"]}
    cases |= plot_moving.as_cases(run, HEADLINE_WAYS)
    if not HEADLINE.keys() <= cases.keys():
        return
    figure, axes = pyplot.subplots(figsize=(8.5, 0.8 + 0.42 * len(HEADLINE)))
    for place, (name, (what, peer)) in enumerate(HEADLINE.items()):
        ratio = cases[name]["ratio"][0]
        ours, theirs = (report.duration(cases[name][side]["ns"][0]) for side in ("winshm", "peer"))
        colour = FASTER if ratio >= 1 else SLOWER
        axes.barh(place, ratio - 1, left=1, height=0.55, color=colour)
        text = f"{ratio:.3g}× as fast" if ratio >= 1 else f"takes {1 / ratio:.2g}× as long"
        right_of(axes, (max(ratio, 1), place), "data", text, color=colour, weight="bold")
        beside(axes, place - 0.17, what)
        beside(axes, place + 0.25, f"{ours}; {peer}: {theirs}", **FIGURES)
    axes.set_xscale("log")
    axes.set_xlim(0.15, max(3000, 20 * max(cases[name]["ratio"][0] for name in HEADLINE)))
    axes.axvline(1, color="#8a8f93", linewidth=0.9)
    axes.set_ylim(len(HEADLINE) - 0.5, -0.5)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    machine = {**run, "machine": {**run["machine"], "wine": ""}}
    axes.text(1, len(HEADLINE) - 0.3, caption([machine]), **FIGURES)
    axes.set_title("winshm and what it replaces, on Linux", loc="left", weight="bold")
    save(figure, path)


def language(case: dict[str, Any]) -> str:
    return case["title"].partition(": ")[0] if ": " in case["title"] else ""


def bar(axes: Axes, place: float, colour: str, case: dict[str, Any]) -> None:
    """The median as a bar from 1 on, the range, and what was wanted."""
    median, least, most = case["ratio"]
    broad = {"linewidth": 5, "alpha": 0.22, "solid_capstyle": "butt"}
    axes.plot([1, median], [place, place], color=colour, **broad)
    axes.plot([least, most], [place, place], "|-", color=colour, linewidth=1.6, markersize=5)
    axes.plot(median, place, "o", color=colour, markersize=5)
    if case["aim"]:
        axes.plot(case["aim"], place, "|", color=WANTED, markersize=12, markeredgewidth=1.6)
    shown = f"{median:,.0f}×" if median >= 100 else f"{median:.3g}×"
    if "cost_ns" in case:
        shown = f"{case['cost_ns'][0]:+.2g} ns a call, wanted ≤ {case['cost_aim']:g}"
    end = max(most, case["aim"], 1)
    right_of(axes, (end, place), "data", shown, fontsize=8, color=colour, weight="bold")
    times = [report.duration(case[side]["ns"][0]) for side in ("winshm", "peer")]
    right_of(axes, (1, place), ("axes fraction", "data"), " : ".join(times), **FIGURES)
    beside(axes, place, case["peer_name"], color="#4a5258", fontsize=8.5)


def growth(runs: list[dict[str, Any]], path: Path) -> None:
    """A diagram for each curve; the line's style tells the platform."""
    curves = list(dict.fromkeys(point["curve"] for run in runs for point in run["curves"]))
    if not curves:
        return
    lines = -(-(len(curves) + 1) // 2)
    figure, grid = pyplot.subplots(lines, 2, figsize=(10, 3.1 * lines), squeeze=False)
    for axes, curve in itertools.zip_longest(grid.flat, curves):
        if curve is not None:
            diagram(axes, runs, curve)
        else:
            axes.axis("off")
    platforms = [PLATFORMS[run["platform"]] for run in runs]
    styles = [Line2D([], [], color="#4a5258", linestyle=p[2], label=p[1]) for p in platforms]
    axes = grid.flat[len(curves)]
    axes.legend(handles=styles, loc="center", fontsize=11)
    about = caption(runs).replace(" · ", "\n")
    axes.text(0.5, 0.25, about, ha="center", va="center", transform=axes.transAxes, **FIGURES)
    figure.suptitle(
        "The cost of an operation, and what it grows with", x=0.02, ha="left", weight="bold"
    )
    figure.tight_layout(rect=(0, 0, 1, 0.99))
    save(figure, path)


def diagram(axes: Axes, runs: list[dict[str, Any]], curve: str) -> None:
    names: list[str] = []
    for run in runs:
        points = [point for point in run["curves"] if point["curve"] == curve]
        for series, group in itertools.groupby(points, key=lambda point: point["series"]):
            if series not in names:
                names.append(series)
            values = list(group)
            axes.plot(
                [point["x"] for point in values],
                [point["ns"][0] for point in values],
                PLATFORMS[run["platform"]][2],
                color=SERIES[names.index(series) % len(SERIES)],
                marker="o",
                markersize=3,
                linewidth=1.5,
            )
    xs = sorted({p["x"] for run in runs for p in run["curves"] if p["curve"] == curve})
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    if len(xs) <= 8:
        axes.set_xticks(xs, [str(x) for x in xs])
    else:
        axes.set_xticks(xs[::5], [size(x) for x in xs[::5]])
    low, high = axes.get_ylim()
    # At least a power of ten, or noise looks like growth.
    axes.set_ylim(10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda ns, _: report.duration(ns)))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())
    axes.grid(which="major")
    axes.set_title(curve, loc="left", fontsize=10, weight="bold")
    colours = itertools.cycle(SERIES)
    handles = [Line2D([], [], color=colour, label=name) for name, colour in zip(names, colours)]
    axes.legend(handles=handles, fontsize=8)


def main() -> None:
    folder = Path(sys.argv[1])
    runs = [json.loads(Path(path).read_text(encoding="utf-8")) for path in sys.argv[2:]]
    rows = [(run["platform"], case) for run in runs for case in run["cases"]]
    of_bindings = [row for row in rows if language(row[1])]
    others = [row for row in rows if not language(row[1])]
    for run in runs:
        if run["platform"] == "linux":
            headline(run, folder / "headline.svg")
    ratios(runs, others, "winshm and its peers", folder / "ratios.svg")
    ratios(runs, of_bindings, "winshm's bindings and their peers", folder / "bindings.svg")
    growth(runs, folder / "growth.svg")
    plot_moving.tails(runs, folder / "tails.svg")
    for run in runs:
        windows = "-windows" if run["platform"] == "windows" else ""
        plot_moving.frames(run, folder / f"frames{windows}.svg")
    plot_moving.table(runs, folder / "moving.md")


if __name__ == "__main__":
    main()
