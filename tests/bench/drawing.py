"""What all pictures of the benchmark look like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
# The same run gives the same picture, which is a card of its own on any background.
# Text stays text: outlines would make the files four times as large.
matplotlib.rcParams.update(
    {
        "svg.hashsalt": "winshm",
        "svg.fonttype": "none",
        "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
        "font.size": 9,
        "figure.facecolor": "#fbfbf9",
        "axes.facecolor": "#fbfbf9",
        "savefig.facecolor": "#fbfbf9",
        "axes.edgecolor": "#b9b9b2",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "grid.color": "#e3e3dd",
        "text.color": "#22272b",
        "axes.labelcolor": "#22272b",
        "xtick.color": "#4a5258",
        "ytick.color": "#22272b",
        "legend.frameon": False,
    }
)

from matplotlib import pyplot  # noqa: E402  (after the choice of the backend)
from matplotlib.axes import Axes  # noqa: E402

PLATFORMS = {
    "linux": ("#1f6fb2", "Linux", "-"),
    "windows": ("#c2571a", "Windows on Wine", "--"),
}
FASTER, SLOWER = "#1f6fb2", "#c2571a"
SERIES = ("#1f6fb2", "#c2571a", "#2f8f5b", "#7a56a8")
WANTED = "#22272b"



def plain(number: float, _: Any = None) -> str:
    return f"{number:,.0f}" if number >= 1 else f"{number:g}"


def caption(runs: list[dict[str, Any]]) -> str:
    about = runs[0]["machine"]
    wine = next((run["machine"]["wine"] for run in runs if run["machine"]["wine"]), "")
    load = max(run["load_before"] for run in runs)
    return (
        f"{about['cpu']}, {about['cores']} cores · {about['kernel']}"
        + (f" · Wine {wine}" if wine else "")
        + f" · {about['date']}"
        + (f" · busy with other things: load {load:.0f}" if load > about["cores"] + 1 else "")
    )


def save(figure: Any, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight", pad_inches=0.2)
    pyplot.close(figure)


def beside(axes: Axes, place: float, text: str, **style: Any) -> None:
    """Left of the picture."""
    where = axes.get_yaxis_transform()
    axes.text(-0.005, place, text, ha="right", va="center", transform=where, **style)


FIGURES: dict[str, Any] = {"fontsize": 7.5, "color": "#6a7177"}


def right_of(axes: Axes, at: tuple[float, float], where: Any, text: str, **style: Any) -> None:
    moved = {"xytext": (6, 0), "textcoords": "offset points", "va": "center"}
    axes.annotate(text, at, xycoords=where, **moved, **style)


def size(count: int) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count} {unit}"
        count //= 1024
    raise AssertionError


