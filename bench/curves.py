"""Time of one sample against the number of categories, and against the number of rows; two pictures.

Needs the extra `plot`. The peers that are installed take part, all on the same data in one process; a point is the
median of several rounds.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from cases import Contender, has, jax_categorical, numpy_ways, on_threads, torch_race
from measuring import medians
from sections import PICTURES, machine
from tqdm import tqdm

import fastgumbel as fg

CATEGORIES = tuple(4**k for k in range(1, 12))
ROWS = tuple(10**k for k in range(7))
# Rows of so many categories in the second picture, and so many log-potentials at least in the first.
WIDTH, ITEMS = 30, 2**20
COLOURS = {
    "fastgumbel": "#cc3311",
    "np.max": "#000000",
    "NumPy noise + argmax": "#4477aa",
    "NumPy exponential race": "#66ccee",
    "JAX": "#228833",
    "PyTorch, 1 thread": "#aa7722",
}


def contenders(x: np.ndarray) -> dict[str, Contender]:
    noise = fg.NoiseField(0)
    ways = numpy_ways(x)
    found = {"fastgumbel": on_threads(1, lambda: fg.gumbel_max(x, noise=noise)), "np.max": lambda: np.max(x, axis=-1)}
    found |= {name: ways[name] for name in ("NumPy noise + argmax", "NumPy exponential race")}
    if has("jax"):
        found["JAX"] = jax_categorical(x)
    if has("torch"):
        found["PyTorch, 1 thread"] = torch_race(x)
    return found


def points(shapes: list[tuple[int, int]], rounds: int, per: Callable[[int, int], float]) -> dict[str, list[float]]:
    """Nanoseconds of each contender at each shape, divided by `per` of it."""
    curves: dict[str, list[float]] = {}
    for shape in tqdm(shapes, unit="shape", leave=False):
        x = np.random.default_rng(1).standard_normal(shape, np.float32)
        for name, seconds in medians(contenders(x), rounds).items():
            curves.setdefault(name, []).append(seconds / per(*shape) * 1e9)
    return curves


def draw(curves: dict[str, list[float]], places: tuple[int, ...], labels: tuple[str, str, str], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.8))
    axes = figure.subplots()
    for name, values in curves.items():
        wide = 2.4 if name == "fastgumbel" else 1.2
        dashes = "--" if name == "np.max" else "-"
        axes.plot(places, values, dashes, color=COLOURS[name], linewidth=wide, marker="o", markersize=3, label=name)
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


def pictures(rounds: int) -> Iterator[Path]:
    """Draw both pictures; their paths."""
    shapes = [(max(1, ITEMS // n), n) for n in CATEGORIES]
    curves = points(shapes, rounds, lambda rows, n: rows * n)
    path = PICTURES / "time_by_categories.png"
    title = "One sample of each row, float32, N(0, 1); about a million log-potentials a call, four million at the end"
    draw(curves, CATEGORIES, (title, "categories of a row", "nanoseconds a log-potential"), path)
    yield path
    curves = points([(rows, WIDTH) for rows in ROWS], rounds, lambda rows, _: rows)
    path = PICTURES / "time_by_rows.png"
    title = f"One sample of each row, float32, N(0, 1); {WIDTH} categories a row"
    draw(curves, ROWS, (title, "rows of a call", "nanoseconds a row"), path)
    yield path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options: Any = parser.parse_args()
    for path in pictures(options.rounds):
        print(path)


if __name__ == "__main__":
    main()
