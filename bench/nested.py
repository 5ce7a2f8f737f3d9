"""What nests cost: `gumbel_nested` beside `gumbel` of the same size, and beside a loop that seeds a generator a row.

Prints the table; with --write, also puts it on its page. One thread.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from measuring import medians
from sections import machine, run_table

import fastgumbel as fg

TWO_LEVELS = [
    (0.8, [0, 1, (0.5, [2, 3, 4])]),
    (0.7, [5, (0.6, [6, 7]), (0.5, [8, 9])]),
    (0.9, [10, 11, (0.4, [12, 13])]),
    (0.6, [14, (0.7, [15, 16, 17])]),
]
WORKS: list[tuple[str, tuple[int, int], list[Any]]] = [
    ("20,000 x 21, 9 nests in two levels", (20_000, 21), TWO_LEVELS),
    ("1,000,000 x 10, 2 nests", (1_000_000, 10), [(0.5, [0, 1, 2]), (0.7, [5, 6, 7, 8])]),
    ("1,000 x 1,000, 100 nests", (1000, 1000), [(0.5, range(10 * i, 10 * i + 8)) for i in range(100)]),
]
# The loop's rows; its time is scaled to all.
LOOPED = 500


def flat(n: int, nests: list[Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scales of nests, what each adds to each category (by row), and what scales the noise of each category."""
    scales: list[float] = []
    weights: list[np.ndarray] = []
    inner = np.ones(n)

    def walk(nest: Any, outer: float) -> list[int]:
        scale, members = nest
        number = len(scales)
        scales.append(scale)
        weights.append(np.zeros(n))
        below: list[int] = []
        for member in members:
            if isinstance(member, tuple):
                below += walk(member, outer * scale)
            else:
                inner[member] = outer * scale
                below.append(member)
        weights[number][below] = outer
        return below

    for nest in nests:
        walk(nest, 1.0)
    return np.array(scales), np.array(weights), inner


def looped(rows: int, n: int, nests: list[Any]) -> np.ndarray:
    """Nested noise as a loop over rows in NumPy, each of which seeds a generator of its own."""
    scales, weights, inner = flat(n, nests)
    rest = 1 - scales
    out = np.empty((rows, n))
    for row in range(rows):
        rng = np.random.RandomState(row)
        u, e = np.pi * rng.random_sample(scales.size), rng.standard_exponential(scales.size)
        drawn = rest * np.log(np.sin(rest * u) / e) + scales * np.log(np.sin(scales * u)) - np.log(np.sin(u))
        out[row] = inner * rng.gumbel(size=n) + drawn @ weights
    return out


def table(rounds: int) -> str:
    field, vector = fg.NoiseField(1), fg.show_config("dicts")["cpu"]["vector_bits"]
    lines = [
        f"Measured on {machine('numpy', 'numba')}",
        f"Vectors of {vector} bits, one thread; medians of {rounds} rounds in turn.",
        "",
        "| nested noise | dtype | ms | over `gumbel` | over float64 `gumbel` | a `RandomState` a row, over it |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, shape, nests in WORKS:
        out, single = np.empty(shape), np.empty(shape, np.float32)
        contenders = {
            "nested": partial(fg.gumbel_nested, shape, nests, noise=field, out=out),
            "plain": partial(fg.gumbel, shape, noise=field, out=out),
            "nested float32": partial(fg.gumbel_nested, shape, nests, noise=field, dtype=np.float32, out=single),
            "plain float32": partial(fg.gumbel, shape, noise=field, dtype=np.float32, out=single),
            "looped": partial(looped, min(shape[0], LOOPED), shape[1], nests),
        }
        times = medians(contenders, rounds)
        loop = times["looped"] * shape[0] / min(shape[0], LOOPED)
        for dtype, suffix in (("float64", ""), ("float32", " float32")):
            own = times["nested" + suffix]
            ratios = own / times["plain" + suffix], own / times["plain"], loop / own
            lines.append(f"| {name} | {dtype} | {own * 1e3:.3g} | " + " | ".join(f"{r:.3g}" for r in ratios) + " |")
            print(lines[-1], flush=True)
    return "\n".join(lines)


if __name__ == "__main__":
    fg.set_num_threads(1)
    run_table(__doc__, "bench/pages/performance.md", "bench/nested.py", table)
