"""What a small call costs: every function on ten rows of 21 categories, and on one, over NumPy's own line for it.

Prints the table; with --write, also puts it on its page. One thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from measuring import least_of_calls
from sections import machine, run_table

import fastgumbel as fg

SHAPES = (10, 21), (21,)
# Calls in a batch, of which the mean counts.
BATCH = 100
NESTS = [(0.5, [0, 1, 2]), (0.7, [3, 4])]


def contenders(shape: tuple[int, ...]) -> dict[str, Callable[[], Any]]:
    """NumPy's line, which comes first, and calls of the functions."""
    rng, field = np.random.default_rng(0), fg.NoiseField(1)
    x, dx, w = rng.normal(size=(3, *shape))
    rows, choice = field.at(rows=np.arange(7, 7 + x.size // 21).reshape(shape[:-1])), fg.gumbel_max(x, noise=field)
    return {
        "NumPy's line": lambda: (x + rng.gumbel(size=x.shape)).argmax(-1),
        "`gumbel_max`": partial(fg.gumbel_max, x, noise=field),
        "`gumbel_max`, row ids": partial(fg.gumbel_max, x, noise=rows),
        "`gumbel_max`, `size=5`": partial(fg.gumbel_max, x, size=5, noise=field),
        "`gumbel_max`, `return_max=True`": partial(fg.gumbel_max, x, return_max=True, noise=field),
        "`gumbel_max`, `where=`": partial(fg.gumbel_max, x, where=w < 1, noise=field),
        "`gumbel_top_k`, 3": partial(fg.gumbel_top_k, x, 3, noise=field),
        "`gumbel_softmax`": partial(fg.gumbel_softmax, x, 0.5, noise=field),
        "`gumbel_softmax_jvp`": partial(fg.gumbel_softmax_jvp, (x, 0.5), (dx, None), noise=field),
        "`gumbel_softmax_vjp`": partial(fg.gumbel_softmax_vjp, (x, 0.5), w, noise=field),
        "`gumbel_given_choice`": partial(fg.gumbel_given_choice, x, choice, noise=field),
        "`categorical`": partial(fg.categorical, x, noise=field),
        "`gumbel`": partial(fg.gumbel, shape, noise=field),
        "`gumbel_nested`": partial(fg.gumbel_nested, shape, NESTS, noise=field),
        "`gumbel_above`": partial(fg.gumbel_above, x, 3.0, noise=field),
    }


def _batch(call: Callable[[], Any]) -> None:
    for _ in range(BATCH):
        call()


def table(rounds: int) -> str:
    times = []
    for shape in SHAPES:
        batches = {name: partial(_batch, call) for name, call in contenders(shape).items()}
        times.append(least_of_calls(batches, rounds, time.thread_time))
    lines = [
        f"Measured on {machine('numpy', 'numba')}",
        f"Times over those of NumPy's line, `(x + rng.gumbel(size=x.shape)).argmax(-1)`, and microseconds; float64, "
        f"one thread, best of {rounds} rounds in turn, each of several batches of {BATCH} calls.",
        "",
        "| call | 10 x 21 | microseconds | a row of 21 | microseconds |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name in times[0]:
        cells = [f"{own[name] / own[next(iter(own))]:.2f} | {own[name] / BATCH * 1e6:.1f}" for own in times]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    fg.set_num_threads(1)
    run_table(__doc__, "bench/pages/performance.md", "bench/small.py", table)
