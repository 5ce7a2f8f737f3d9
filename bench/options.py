"""What options cost: each hard sampler with a temperature, and with a first draw of its own for each row, in turn.

Prints the table; with --write, also puts it on its page. One thread.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from measuring import medians
from sections import machine, run_table

import fastgumbel as fg

SHAPES = {"1,000,000 x 10": (1_000_000, 10), "10,000 x 1,024": (10_000, 1024), "256 x 131,072": (256, 131_072)}
SAMPLERS: dict[str, Callable[..., Any]] = {
    "gumbel_max": fg.gumbel_max,
    "gumbel_top_k": lambda x, **options: fg.gumbel_top_k(x, 3, **options),
    "categorical": fg.categorical,
}


def variants(rows: int) -> dict[str, dict[str, Any]]:
    """Options beside the plain call, which comes first."""
    field, rng = fg.NoiseField(1), np.random.default_rng(0)
    return {
        "plain": {"noise": field},
        "`temperature=1.0`": {"noise": field, "temperature": 1.0},
        "`temperature=0.7`": {"noise": field, "temperature": 0.7},
        "a temperature a row": {"noise": field, "temperature": rng.uniform(0.5, 2, size=rows)},
        "a draw a row": {"noise": field.at(draw=rng.integers(1000, size=rows))},
    }


def table(rounds: int) -> str:
    names = list(variants(1))[1:]
    lines = [
        f"Measured on {machine('numpy', 'numba')}",
        f"Times over that of the plain call, float32, logits N(0, 1), one thread; medians of {rounds} rounds in turn.",
        "",
        f"| sampler | rows | {' | '.join(names)} |",
        f"| --- | --- |{' --- |' * len(names)}",
    ]
    for size, shape in SHAPES.items():
        x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        for name, sampler in SAMPLERS.items():
            times = medians({n: partial(sampler, x, **own) for n, own in variants(len(x)).items()}, rounds)
            ratios = " | ".join(f"{times[n] / times['plain']:.2f}" for n in names)
            lines.append(f"| `{name}` | {size} | {ratios} |")
            print(lines[-1], flush=True)
    return "\n".join(lines)


if __name__ == "__main__":
    fg.set_num_threads(1)
    run_table(__doc__, "bench/pages/performance.md", "bench/options.py", table)
