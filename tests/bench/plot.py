"""Draws the ratios of a run of the benchmark.

Usage: plot.py RUN.json PICTURE.svg
"""

import json
import sys
from typing import Any

import matplotlib

matplotlib.use("svg")
# Text stays text, and the same run gives the same picture.
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "winshm"})

from matplotlib import pyplot  # noqa: E402  (after the choice of the backend)

FASTER, SLOWER, AIM = "#2a7f62", "#b8562f", "#444444"


def label(case: dict[str, Any]) -> str:
    return f"{case['title']}\nagainst {case['peer_name']}"


def draw(run: dict[str, Any], path: str) -> None:
    cases = run["cases"]
    figure, axes = pyplot.subplots(figsize=(10, 1.4 + 0.46 * len(cases)))
    for row, case in enumerate(cases):
        median, least, most = case["ratio"]
        colour = FASTER if median >= 1 else SLOWER
        axes.plot([least, most], [row, row], color=colour, linewidth=2, alpha=0.5)
        axes.plot(median, row, "o", color=colour, markersize=6)
        axes.annotate(
            f"{median:.3g}×",
            (most, row),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=colour,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )
        if case["aim"]:
            axes.plot(case["aim"], row, "|", color=AIM, markersize=13)
    axes.set_xscale("log")
    left, right = axes.get_xlim()
    axes.set_xlim(min(left, 0.5), right * 2)
    axes.axvline(1, color=AIM, linewidth=0.8)
    axes.set_yticks(range(len(cases)), [label(case) for case in cases], fontsize=8)
    axes.invert_yaxis()
    axes.grid(axis="x", which="major", linewidth=0.4)
    axes.set_xlabel(
        "the peer's time / winshm's: median, least and most of "
        f"{run['blocks']} pairs of blocks; a stroke is the aim"
    )
    axes.set_title(
        f"winshm {run['winshm']}: how many times as fast as its peers\n"
        f"{run['machine']}; {run['system']}",
        fontsize=10,
    )
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        draw(json.load(file), sys.argv[2])


main()
