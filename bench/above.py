"""What `gumbel_above` costs beside a sample of each row, the maximum of each row, and Poisson sampling with NumPy.

Prints the table; with --write, also puts it on its page. One thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from measuring import medians
from numpy.typing import NDArray
from sections import machine, run_table

import fastgumbel as fg

FIELD = fg.NoiseField(1)
# Rows, categories, type, spread of the logits, and categories above the threshold in a row.
CASES = [
    (100_000, 50, np.float64, 1.0, 5),
    (5000, 1454, np.float64, 0.0, 30),
    (5000, 1454, np.float64, 1.0, 30),
    (5000, 1454, np.float64, 1.0, 3),
    (64, 131_072, np.float32, 0.0, 100),
    (64, 131_072, np.float32, 1.0, 100),
    (64, 131_072, np.float32, 1.0, 10),
]


def poisson(x: NDArray[Any], threshold: float) -> Callable[[], Any]:
    """Poisson sampling as NumPy has it: a uniform number for each category, against its probability."""
    rng = np.random.default_rng(0)

    def draw() -> Any:
        probability = -np.expm1(-np.exp(x - x.dtype.type(threshold)))
        return np.nonzero(rng.random(x.shape, dtype=x.dtype) < probability)

    return draw


def table(rounds: int) -> str:
    lines = [
        f"Measured on {machine('numpy', 'numba')}",
        f"Time of `gumbel_above` over that of others, one thread; medians of {rounds} rounds in turn.",
        "",
        "| rows | logits | above, a row | over `gumbel_max` | over `np.max` | over NumPy's Poisson sampling |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for rows, n, dtype, spread, wanted in CASES:
        x = (spread * np.random.default_rng(0).normal(size=(rows, n))).astype(dtype)
        threshold = float(np.log(np.exp(x[:64].astype(np.float64)).sum(-1).mean() / wanted))
        times = medians(
            {
                "above": lambda x=x, t=threshold: fg.gumbel_above(x, t, noise=FIELD),
                "gumbel_max": lambda x=x: fg.gumbel_max(x, noise=FIELD),
                "np.max": lambda x=x: x.max(-1),
                "poisson": poisson(x, threshold),
            },
            rounds,
        )
        size = fg.gumbel_above(x, threshold, noise=FIELD)[1].size / rows
        ratios = " | ".join(f"{times['above'] / times[name]:.2f}" for name in ("gumbel_max", "np.max", "poisson"))
        logits = f"N(0, {spread:.0f})" if spread else "equal"
        lines.append(f"| {rows:,} x {n:,} {np.dtype(dtype)} | {logits} | {size:.1f} | {ratios} |")
        print(lines[-1], flush=True)
    return "\n".join(lines)


if __name__ == "__main__":
    fg.set_num_threads(1)
    run_table(__doc__, "bench/pages/performance.md", "bench/above.py", table)
