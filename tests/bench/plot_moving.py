"""Draws the longest waits for a lock, and frames on the move, and writes both as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import report
from drawing import FIGURES, PLATFORMS, beside, caption, right_of, save
from matplotlib import pyplot
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

SIDES = {"writers": "#c2571a", "readers": "#1f6fb2"}
#: The ways that frames go, winshm first.
COLOURS = {
    "boxes": "#1f6fb2",
    "locked": "#7fb2dd",
    "tcp": "#c2571a",
    "local": "#2f8f5b",
    "zmq": "#7a56a8",
    "boost": "#b08d1e",
    "bare": "#8a8f93",
    "queue": "#b3446c",
    "shared-memory": "#5b4a3f",
    "events": "#b08d1e",
}


def about(run: dict[str, Any], part: str) -> dict[str, Any]:
    """The machine as it was when this part was measured, which may be another day."""
    machine = run.get("about", {}).get(part, run["machine"])
    return {"machine": machine, "load_before": max(row["load"] for row in run[part])}


def as_cases(run: dict[str, Any], peers: dict[str, str]) -> dict[str, dict[str, Any]]:
    """One peer of a row, in the form of the cases in C: the longest wait of a writer, or the
    time for a frame."""
    found = {}
    for row in run.get("tails", []):
        locks = {lock["lock"]: lock["writers"] for lock in row["locks"] if "writers" in lock}
        if (peer := locks.get(peers.get(row["name"], ""))) is not None:
            mine = row["locks"][0]["writers"]
            found[row["name"]] = {
                "ratio": peer["ratio"]["most_ns"],
                "winshm": {"ns": mine["most_ns"]},
                "peer": {"ns": peer["most_ns"]},
            }
    for row in run.get("frames", []):
        ways = {way["way"]: way for way in row["ways"]}
        if (way := ways.get(peers.get(row["name"], ""))) is not None:
            mine = row["ways"][0]
            found[row["name"]] = {
                "ratio": way["ratio"],
                "winshm": {"ns": [1e9 / frames for frames in mine["frames"]]},
                "peer": {"ns": [1e9 / frames for frames in way["frames"]]},
            }
    return found


def tails(runs: list[dict[str, Any]], path: Path) -> None:
    """For each lock how long half of the waits took, 999 of 1000, and the longest; and what
    the slowest has got."""
    runs = [run for run in runs if run.get("tails")]
    if not runs:
        return
    lines = sum(2 + len(row["locks"]) for run in runs for row in run["tails"])
    figure, axes = pyplot.subplots(figsize=(9.5, 1.4 + 0.27 * lines))
    place = 0.0
    for run in runs:
        for row in run["tails"]:
            readers = f", {row['readers']} readers" if row["readers"] else ""
            title = f"{row['writers']} writers{readers}".replace("1 writers", "1 writer")
            beside(axes, place, f"{PLATFORMS[run['platform']][1]}: {title}", weight="bold")
            for lock in row["locks"]:
                place += 1
                beside(axes, place, lock["lock"], color="#4a5258", fontsize=8.5)
                for offset, (side, colour) in zip((-0.17, 0.17), SIDES.items()):
                    if side in lock:
                        waits = [lock[side][key][0] for key in ("p50_ns", "p999_ns", "most_ns")]
                        at = [place + offset] * 3
                        axes.plot(waits, at, "-", color=colour, linewidth=1.5, alpha=0.5)
                        for wait, mark in zip(waits, "|.D"):
                            axes.plot(max(wait, 10), at[0], mark, color=colour, markersize=5)
                share = lock["share"][0]
                shown = f"{share:.2f}" if share >= 0.005 else "starves"
                right_of(axes, (1, place), ("axes fraction", "data"), shown, **FIGURES)
            place += 1.5
    axes.set_xscale("log")
    axes.set_xlim(10, None)
    axes.set_ylim(place - 0.5, -0.8)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda ns, _: report.duration(ns)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="x", which="major")
    axes.set_axisbelow(True)
    axes.set_xlabel(
        "a wait for the lock: half of them (|), 999 of 1000 (•), the longest (◆)\n"
        + caption([about(run, "tails") for run in runs])
    )
    handles = [Line2D([], [], color=colour, label=side) for side, colour in SIDES.items()]
    axes.legend(handles=handles, ncol=2, loc="lower left", bbox_to_anchor=(0, 1))
    share = "part of the slowest\n(1: all have the same)"
    right_of(axes, (1, 1.01), "axes fraction", share, **FIGURES)
    axes.set_title("Who has to wait, and who starves", loc="left", pad=26, weight="bold")
    save(figure, path)


def frames(run: dict[str, Any], path: Path) -> None:
    """A diagram for each pair of languages and number of consumers."""
    rows = run.get("frames", [])
    if not rows:
        return
    pairs = list(dict.fromkeys(row["title"] for row in rows))
    counts = sorted({row["consumers"] for row in rows})
    shape = {"figsize": (10, 2.6 * len(pairs)), "squeeze": False, "sharex": True, "sharey": True}
    figure, grid = pyplot.subplots(len(pairs), len(counts), **shape)
    titles: dict[str, str] = {}
    for i, pair in enumerate(pairs):
        for k, count in enumerate(counts):
            axes = grid[i][k]
            cells = [row for row in rows if (row["title"], row["consumers"]) == (pair, count)]
            cells.sort(key=lambda row: row["bytes"])
            sizes = [row["bytes"] for row in cells]
            limit = [min(row["copy"][0], row["check"][0]) * row["bytes"] / 1e9 for row in cells]
            axes.plot(sizes, limit, ":", color="#22272b", linewidth=1)
            for way in cells[0]["ways"] if cells else []:
                titles.setdefault(way["way"], way["title"].replace(" over ipc", ""))
                found = [next(w for w in row["ways"] if w["way"] == way["way"]) for row in cells]
                rates = [w["frames"][0] * b / 1e9 for w, b in zip(found, sizes)]
                width = 2.2 if way["way"] == "boxes" else 1.1
                axes.plot(sizes, rates, "o-", color=COLOURS[way["way"]], lw=width, markersize=3)
            to = "one consumer" if count == 1 else f"{count} consumers"
            axes.set_title(f"{pair}, {to}", loc="left", fontsize=9, weight="bold")
            axes.set_xscale("log", base=2)
            axes.set_yscale("log")
            axes.set_xticks(
                sizes, [row["size"].partition(" (")[0] for row in cells]
            )
            axes.yaxis.set_major_formatter(FuncFormatter(lambda gb, _: f"{gb:g} GB/s"))
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_minor_formatter(NullFormatter())
            axes.grid(which="major")
    handles = [Line2D([], [], color=COLOURS[way], label=title) for way, title in titles.items()]
    label = "the slower of a copy alone and a check alone"
    handles.append(Line2D([], [], color="#22272b", linestyle=":", label=label))
    figure.legend(handles=handles, ncol=3, loc="upper center", bbox_to_anchor=(0.5, 0))
    name = PLATFORMS[run["platform"]][1]
    title = f"Frames on the move, each checked whole, on {name}"
    figure.suptitle(title, x=0.02, ha="left", weight="bold")
    figure.text(0.02, 0, caption([about(run, "frames")]), va="bottom", **FIGURES)
    figure.tight_layout(rect=(0, 0.02, 1, 0.99))
    save(figure, path)


def table(runs: list[dict[str, Any]], path: Path) -> None:
    """All figures of both, for those who want to read them."""
    text = ["# Waits for a lock, and frames on the move", ""]
    for run in runs:
        name = PLATFORMS[run["platform"]][1]
        for row in run.get("tails", []):
            text += [
                f"## {name}: {row['writers']} writers, {row['readers']} readers",
                "",
                "A ratio is the peer's / winshm's in one block: median [least..most].",
                "",
                "| lock | part of the slowest | who | half | 99.9 % | longest | ratio 99.9 % | longest |",
                "| --- | --- | --- | --- | --- | --- | --- | --- |",
            ]
            for lock in row["locks"]:
                for side in SIDES:
                    if side in lock:
                        its = lock[side]
                        waits = " | ".join(
                            report.duration(its[key][0]) for key in ("p50_ns", "p999_ns", "most_ns")
                        )
                        ratios = " | ".join(
                            report.between(its["ratio"][key]) for key in ("p999_ns", "most_ns")
                        )
                        share = f"{lock['share'][0]:.2g}"
                        text.append(f"| {lock['lock']} | {share} | {side} | {waits} | {ratios} |")
            text.append("")
        for row in run.get("frames", []):
            text += [
                f"## {name}: {row['title']}, {row['size']}, to {row['consumers']}",
                "",
                f"A copy alone {report.rate(row['copy'][0], row)}, a check alone "
                f"{report.rate(row['check'][0], row)}.",
                "",
                "| way | frames/s | rate | latency | 99 % | processor | lost | winshm is times as fast |",
                "| --- | --- | --- | --- | --- | --- | --- | --- |",
            ]
            for way in row["ways"]:
                times = (report.duration(way[key][0]) for key in ("p50_ns", "p99_ns", "cpu_ns"))
                text.append(
                    f"| {way['title']} | {way['frames'][0]:,.0f} "
                    f"| {report.rate(way['frames'][0], row)} | {' | '.join(times)} "
                    f"| {way['lost']} | {report.between(way['ratio'])} |"
                )
            text.append("")
    path.write_text("\n".join(text), encoding="utf-8")
