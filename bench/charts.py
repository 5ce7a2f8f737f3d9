"""How times are drawn against sizes; needs the extra `plot`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from sections import machine


class Line(NamedTuple):
    """How a curve looks."""

    colour: str
    dashes: str = "-"
    width: float = 1.2


def draw(
    curves: Mapping[str, list[float]],
    lines: Mapping[str, Line],
    places: Sequence[int],
    labels: tuple[str, str, str],
    path: Path,
) -> None:
    """Draw curves over the same places; the labels are those of the picture and of its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.8))
    axes = figure.subplots()
    for name, values in curves.items():
        colour, dashes, width = lines[name]
        axes.plot(places, values, dashes, color=colour, linewidth=width, marker="o", markersize=3, label=name)
    title, x_label, y_label = labels
    axes.set(xscale="log", yscale="log", xlabel=x_label, ylabel=y_label)
    axes.set_title(title, loc="left", fontsize=10)
    axes.grid(which="major", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    figure.text(0.01, 0.01, machine("numpy", "numba", "jax", "torch"), fontsize=6, color="#777777")
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=110)
