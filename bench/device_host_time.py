"""Time of the host for calls on small device arrays: what a caller pays before the GPU has anything to do.

Nothing in these calls waits for the device, which gets few enough of them to keep up. Each row is printed as it comes,
and what fails does not stop the rest.
"""

from __future__ import annotations

import statistics
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from cases import has
from device_cases import as_cupy, as_torch, empty, on_device
from device_machine import require_device

import fastgumbel as fg

OPTIONS = {"noise": fg.NoiseField(0), "invalid": "mark"}
ROWS, LENGTHS = 4, (10, 1000)
# The driver keeps about a thousand launches waiting, and then makes the host wait.
CALLS, BATCHES = 50, 9


def microseconds(cuda: Any, call: Callable[..., Any], *arguments: Any) -> float:
    """Median over batches, each of which begins when the device has nothing to do; the first is not counted."""
    times = []
    for _ in range(BATCHES + 1):
        cuda.synchronize()
        begin = time.perf_counter()
        for _ in range(CALLS):
            call(*arguments)
        times.append((time.perf_counter() - begin) / CALLS)
    cuda.synchronize()
    return statistics.median(times[1:]) * 1e6


def noise(x: Any) -> tuple[Callable[..., Any], list[Any]]:
    """The call, and what it takes in turn: an array to write to; None makes the others allocate one."""
    call = lambda out: fg.gumbel(x.shape, noise=OPTIONS["noise"], dtype=np.float32, out=out)  # noqa: E731
    return call, [empty(x.shape, np.float32)]


def hard(x: Any) -> tuple[Callable[..., Any], list[Any]]:
    return lambda out: fg.gumbel_max(x, **OPTIONS, out=out), [empty(x.shape[:1], np.intp), None]


def ranked(x: Any) -> tuple[Callable[..., Any], list[Any]]:
    outs = empty((len(x), 3), np.intp), empty((len(x), 3), np.float64)
    return lambda out: fg.gumbel_top_k(x, 3, **OPTIONS, out=out), [outs, None]


def independent(x: Any) -> tuple[Callable[..., Any], list[Any]]:
    return lambda out: fg.categorical(x, **OPTIONS, out=out), [empty(x.shape[:1], np.intp), None]


def relaxed(x: Any) -> tuple[Callable[..., Any], list[Any]]:
    return lambda out: fg.gumbel_softmax(x, 0.5, **OPTIONS, out=out), [empty(x.shape, np.float32), None]


def tangent(x: Any) -> tuple[Callable[..., Any], list[Any]]:
    outs = empty(x.shape, np.float32), empty(x.shape, np.float32)
    return lambda out: fg.gumbel_softmax_jvp((x, 0.5), (x, None), **OPTIONS, out=out), [outs, None]


def given(x: Any) -> tuple[Callable[..., Any], list[Any]]:
    from numba import cuda

    choice = cuda.to_device(np.zeros(len(x), np.intp))
    return lambda out: fg.gumbel_given_choice(x, choice, **OPTIONS, out=out), [empty(x.shape, np.float32), None]


def launch(x: Any) -> tuple[Callable[..., Any], list[Any]]:
    from numba import cuda

    kernel = cuda.jit("void(float32[:, ::1])")(lambda x: None)
    # As many thread blocks as keep a device busy, since Numba warns of fewer.
    return lambda: kernel[1024, 128](x), []


def torch_argmax(x: Any) -> tuple[Callable[..., Any], list[Any]]:
    logits = as_torch(x)
    return lambda: logits.argmax(-1), []


def cupy_argmax(x: Any) -> tuple[Callable[..., Any], list[Any]]:
    array = as_cupy(x)
    return lambda: array.argmax(-1), []


def works() -> Iterator[tuple[str, Callable[[Any], tuple[Callable[..., Any], list[Any]]]]]:
    yield "`gumbel`", noise
    yield "`gumbel_max`", hard
    yield "`gumbel_top_k`, k = 3", ranked
    yield "`categorical`", independent
    yield "`gumbel_softmax`", relaxed
    yield "`gumbel_softmax_jvp`", tangent
    yield "`gumbel_given_choice`", given
    yield "Numba, a kernel that does nothing", launch
    if has("torch"):
        yield "PyTorch, argmax", torch_argmax
    if has("cupy"):
        yield "CuPy, argmax", cupy_argmax


def cell(cuda: Any, call: Callable[..., Any], outs: list[Any]) -> str:
    """Two times, or one where there is nothing to choose."""
    if not outs:
        return f"{microseconds(cuda, call):.0f}"
    return ", ".join(f"{microseconds(cuda, call, out):.0f}" for out in outs)


def main() -> int:
    require_device()
    from numba import cuda

    print("Microseconds of the host a call, float32: median of batches; with `out`, and without where that can be.\n")
    print("| call | " + " | ".join(f"{ROWS} x {n:,}" for n in LENGTHS) + " |")
    print("| --- | " + " | ".join("---" for _ in LENGTHS) + " |", flush=True)
    failed = 0
    for name, make in works():
        try:
            cells = [cell(cuda, *make(on_device((ROWS, n), np.float32))) for n in LENGTHS]
            print(f"| {name} | {' | '.join(cells)} |", flush=True)
        except Exception:
            failed += 1
            print(f"| {name} | failed |", flush=True)
            traceback.print_exc()
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
