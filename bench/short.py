"""What rows cost where they are short, and a row that is long: compiled code of users, conditioned noise, Gumbel-Rao.

Prints the tables; with --write, also puts them on their page. Contenders take part in turn.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from typing import Any

import numba
import numpy as np
from measuring import least_of_rounds
from sections import machine, replace_section

import fastgumbel as fg
import fastgumbel.jit as fgj

NUMBERS = 2**20
FIELD = fg.NoiseField(1)
KEY = FIELD.key
SHAPES = (100_000, 10), (20_000, 64), (1000, 1000)
SAMPLES = 8


@numba.njit
def by_gumbel_max(x: Any, draw: int, out: Any) -> None:
    for row in range(len(x)):
        out[row] = fgj.gumbel_max(x[row], KEY, row, draw)


@numba.njit
def by_categorical(x: Any, draw: int, out: Any) -> None:
    for row in range(len(x)):
        out[row] = fgj.categorical(x[row], KEY, row, draw)


@numba.njit
def by_inverse_cdf(x: Any, rng: Any, out: Any) -> None:
    for row in range(len(x)):
        weights = x[row]
        top, total = weights.max(), 0.0
        for j in range(weights.size):
            total += np.exp(weights[j] - top)
        u, j, passed = rng.random() * total, 0, np.exp(weights[0] - top)
        while passed < u and j < weights.size - 1:
            j += 1
            passed += np.exp(weights[j] - top)
        out[row] = j


def inside(rounds: int) -> list[str]:
    """Nanoseconds a row in a loop of compiled code, by the number of categories."""
    lines = [
        "| categories | `jit.gumbel_max` | `jit.categorical` | inverse CDF in a loop | `gumbel_max` of all rows |",
        "| --- | --- | --- | --- | --- |",
    ]
    for n in (2, 3, 8, 30, 64, 1000):
        x = np.random.default_rng(n).normal(size=(max(1000, NUMBERS // 4 // n), n))
        out = np.empty(len(x), np.int64)
        times = least_of_rounds(
            {
                "max": partial(by_gumbel_max, x, 0, out),
                "categorical": partial(by_categorical, x, 0, out),
                "inverse": partial(by_inverse_cdf, x, np.random.default_rng(0), out),
                "array": partial(fg.gumbel_max, x, noise=FIELD),
            },
            rounds,
            time.process_time,
        )
        lines.append(f"| {n:,} | {' | '.join(f'{t / len(x) * 1e9:.3g}' for t in times.values())} |")
        print(lines[-1], flush=True)
    return lines


def conditioned(rounds: int) -> list[str]:
    """Nanoseconds a number: of noise, of conditioned noise, of a tangent, and of one of the samples of Gumbel-Rao."""
    lines = [
        f"| rows | `gumbel` | `gumbel_given_choice` | `gumbel_softmax_jvp` | with `rao={SAMPLES}`, a sample |",
        "| --- | --- | --- | --- | --- |",
    ]
    for kind in (np.float32, np.float64):
        for shape in SHAPES:
            x, dx = np.random.default_rng(1).normal(size=(2, *shape)).astype(kind)
            choice, noise = fg.gumbel_max(x, noise=FIELD), np.empty(shape, kind)
            options: dict[str, Any] = {"noise": FIELD, "out": (np.empty(shape, kind), np.empty(shape, kind))}
            times = least_of_rounds(
                {
                    "noise": partial(fg.gumbel, shape, noise=FIELD, dtype=kind, out=noise),
                    "given": partial(fg.gumbel_given_choice, x, choice, noise=FIELD, out=noise),
                    "jvp": partial(fg.gumbel_softmax_jvp, (x, 0.7), (dx, None), **options),
                    "rao": partial(fg.gumbel_softmax_jvp, (x, 0.7), (dx, None), rao=SAMPLES, **options),
                },
                rounds,
                time.process_time,
            )
            times["rao"] /= SAMPLES
            size = " x ".join(f"{n:,}" for n in shape)
            numbers = " | ".join(f"{t / x.size * 1e9:.3g}" for t in times.values())
            lines.append(f"| {size} {np.dtype(kind)} | {numbers} |")
            print(lines[-1], flush=True)
    return lines


def one_row(rounds: int) -> list[str]:
    """Times of two threads over one thread's, of a relaxed sample of a single row."""
    lines = ["| one row of | milliseconds, one thread | two threads / one |", "| --- | --- | --- |"]
    for kind in (np.float32, np.float64):
        for n in (10**6, 10**7):
            x = np.random.default_rng(2).normal(size=n).astype(kind)
            out = np.empty_like(x)

            def relax(threads: int, x: Any = x, out: Any = out) -> None:
                fg.set_num_threads(threads)
                fg.gumbel_softmax(x, 0.7, noise=FIELD, out=out)

            times = least_of_rounds({"one": partial(relax, 1), "two": partial(relax, 2)}, rounds)
            ratio = times["two"] / times["one"]
            lines.append(f"| {n:,} {np.dtype(kind)} | {times['one'] * 1e3:.3g} | {ratio:.2f} |")
            print(lines[-1], flush=True)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="calls of each contender")
    parser.add_argument("--write", action="store_true", help="replace the tables on the page")
    options = parser.parse_args()
    fg.set_num_threads(1)
    about = f"Measured on {machine('numpy', 'numba')}\nLeast of {options.rounds} rounds in turn, "
    text = "\n".join(
        [
            f"{about}processor time of one thread: nanoseconds a row of float64, logits N(0, 1).",
            "",
            *inside(options.rounds),
            "",
            "Nanoseconds a number:",
            "",
            *conditioned(options.rounds),
            "",
            "Relaxed samples of a single row, by the clock on the wall:",
            "",
            *one_row(options.rounds),
        ]
    )
    print(text)
    if options.write:
        replace_section("bench/pages/performance.md", "bench/short.py", text)


if __name__ == "__main__":
    main()
