"""What `curve.py` measures in processes of their own: how many processors they have is set before libraries ask.

A process answers requests, a line each: ``[function, arguments]`` in JSON, answered by seconds by contender.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np
from cases import (
    Contender,
    has,
    jax_categorical,
    jax_softmax,
    jax_softmax_jvp,
    numpy_ways,
    on_threads,
    torch_multinomial,
    torch_race,
)
from measuring import least_of_calls

import fastgumbel as fg

Seconds = dict[str, float]
DTYPES = "float32", "float64"
# Rows of up to so many categories are also raced by NumPy's exponentials.
RACE = 100
# How far apart log-potentials are.
SPREADS = {"N(0, 1)": 1.0, "N(0, 2²)": 2.0, "equal": 0.0}


@lru_cache(maxsize=2)
def log_potentials(rows: int, n: int, law: str, dtype: str) -> np.ndarray:
    x = np.random.default_rng(1).standard_normal((rows, n), np.float32)
    return (x * np.float32(SPREADS[law])).astype(dtype)


@lru_cache
def loops() -> dict[str, Contender]:
    """A loop that touches no memory, once, and twice on two threads."""
    import numba

    @numba.njit(nogil=True)
    def loop(n: int) -> int:
        word = np.uint64(1)
        for _ in range(n):
            word ^= word << np.uint64(13)
            word ^= word >> np.uint64(7)
            word ^= word << np.uint64(17)
        return word

    pool = ThreadPoolExecutor(1)

    def twice() -> None:
        other = pool.submit(loop, 5_000_000)
        loop(5_000_000)
        other.result()

    return {"loop": lambda: loop(5_000_000), "two loops": twice}


def curve(rows: int, n: int, threads: int, rounds: int) -> Seconds:
    """One sample of each row. On one thread: seconds of the processor, which is the only one; on two: of the clock."""
    x, noise = log_potentials(rows, n, "N(0, 1)", "f"), fg.NoiseField(0)
    found: dict[str, Contender] = {"fastgumbel": on_threads(threads, lambda: fg.gumbel_max(x, noise=noise))}
    if threads == 1:
        found["np.max"] = lambda: np.max(x, axis=-1)
        found |= numpy_ways(x)
    else:
        found["one thread"] = on_threads(1, lambda: fg.gumbel_max(x, noise=noise))
        found |= loops()
    if has("jax"):
        found["JAX"] = jax_categorical(x)
    if has("torch"):
        found["PyTorch exponential race"] = torch_race(x, threads)
        found["PyTorch multinomial"] = torch_multinomial(x, threads)
    return least_of_calls(found, rounds, time.process_time if threads == 1 else time.perf_counter)


def over_max(rows: int, n: int, law: str, rounds: int) -> Seconds:
    """float32 and float64 beside `np.max`, on one thread; for short rows also beside NumPy's exponential race."""
    noise, found = fg.NoiseField(0), dict[str, Contender]()
    for dtype in DTYPES:
        x = log_potentials(rows, n, law, dtype)
        found[dtype] = on_threads(1, lambda x=x: fg.gumbel_max(x, noise=noise))
        found[f"{dtype} np.max"] = lambda x=x: np.max(x, axis=-1)
        if n <= RACE:
            found[f"{dtype} race"] = numpy_ways(x)["NumPy exponential race"]
    return least_of_calls(found, rounds, time.process_time)


def kernels(rows: int, n: int, law: str, rounds: int) -> Seconds:
    """Each kernel of `gumbel_max`, also where another one serves, on one thread."""
    from fastgumbel._cpu.stage import STAGE
    from fastgumbel._host import max as served

    x, noise = log_potentials(rows, n, law, "f"), fg.NoiseField(0)
    usual = served.SHORT, served.MIDDLE, served.MIDDLE_OF_MANY

    def with_limits(short: int, middle: int) -> Contender:
        def call() -> Any:
            served.SHORT, served.MIDDLE, served.MIDDLE_OF_MANY = short, middle, middle
            return fg.gumbel_max(x, noise=noise)

        return on_threads(1, call)

    found = {"max_short": with_limits(n, n), "max_long": with_limits(0, 0)}
    if n <= 128 * STAGE:
        found["max_middle"] = with_limits(0, n)
    seconds = least_of_calls(found, rounds, time.process_time)
    served.SHORT, served.MIDDLE, served.MIDDLE_OF_MANY = usual
    return seconds


def relaxed(rows: int, n: int, rounds: int) -> Seconds:
    """Relaxed samples and their tangents, each library with its default number of threads."""
    x, dx = log_potentials(rows, n, "N(0, 1)", "f"), np.random.default_rng(2).standard_normal((rows, n), np.float32)
    noise, out, d_out = fg.NoiseField(0), np.empty_like(x), np.empty_like(x)
    found: dict[str, Contender] = {
        "sample": lambda: fg.gumbel_softmax(x, noise=noise),
        "sample out": lambda: fg.gumbel_softmax(x, noise=noise, out=out),
        "tangent": lambda: fg.gumbel_softmax_jvp((x, 1.0), (dx, None), noise=noise),
        "tangent out": lambda: fg.gumbel_softmax_jvp((x, 1.0), (dx, None), noise=noise, out=(out, d_out)),
        "sample JAX": jax_softmax(x),
        "tangent JAX": jax_softmax_jvp(x, dx[None]),
    }
    return least_of_calls(found, rounds)


def samples(rows: int, n: int, law: str, dtype: str, rounds: int) -> Seconds:
    """Samples alone, on one thread, for the comparison of two checkouts."""
    x, noise = log_potentials(rows, n, law, dtype), fg.NoiseField(0)
    call = on_threads(1, lambda: fg.gumbel_max(x, noise=noise))
    return least_of_calls({"fastgumbel": call}, rounds, time.process_time)


def vectors() -> Seconds:
    """Bits of vector registers that compiled code may use."""
    return {"bits": fg.show_config("dicts")["cpu"]["vector_bits"]}


FUNCTIONS: dict[str, Callable[..., Seconds]] = {
    function.__name__: function for function in (curve, over_max, kernels, relaxed, samples, vectors)
}


def main() -> None:
    processors = int(sys.argv[1])
    if processors and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:processors])
    for line in sys.stdin:
        name, arguments = json.loads(line)
        print(json.dumps(FUNCTIONS[name](*arguments)), flush=True)


if __name__ == "__main__":
    main()
