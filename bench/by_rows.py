"""Time of one sample against the number of rows; a picture. Time by categories is in `curve.py`.

Needs the extra `plot`. The peers that are installed take part, all on the same data in one process; a point is the
median of several rounds.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from cases import Contender, has, jax_categorical, numpy_ways, on_threads, torch_race
from charts import Line, draw
from measuring import medians
from sections import PICTURES
from tqdm import tqdm

import fastgumbel as fg

ROWS = tuple(10**k for k in range(7))
CATEGORIES = 30
LINES = {
    "fastgumbel": Line("#cc3311", width=2.4),
    "np.max": Line("#000000", "--"),
    "NumPy noise + argmax": Line("#4477aa"),
    "NumPy exponential race": Line("#66ccee"),
    "JAX": Line("#228833"),
    "PyTorch, 1 thread": Line("#aa7722"),
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


def picture(rounds: int) -> Path:
    """Draw the picture; its path."""
    curves: dict[str, list[float]] = {}
    for rows in tqdm(ROWS, unit="point", leave=False):
        x = np.random.default_rng(1).standard_normal((rows, CATEGORIES), np.float32)
        for name, seconds in medians(contenders(x), rounds).items():
            curves.setdefault(name, []).append(seconds / rows * 1e9)
    path = PICTURES / "time_by_rows.png"
    title = f"One sample of each row, float32, N(0, 1); {CATEGORIES} categories a row"
    draw(curves, LINES, ROWS, (title, "rows of a call", "nanoseconds a row"), path)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options: Any = parser.parse_args()
    print(picture(options.rounds))


if __name__ == "__main__":
    main()
