"""Calls on an emulated device whose kernels the report describes: a table, one entry a kernel and type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import fastgumbel as fg


@dataclass(frozen=True)
class Case:
    """A call of a public function; `bytes` must pass through memory whatever the kernel does."""

    name: str
    elements: int
    bytes: int
    # Takes an emulated device, which the package believes to be the current one.
    run: Callable[[Any], object]


def noise(shape: tuple[int, ...], dtype: Any) -> Case:
    kind, noise = np.dtype(dtype), fg.NoiseField(1)
    count = int(np.prod(shape))

    def run(device: Any) -> object:
        return fg.gumbel(shape, noise=noise, dtype=kind, out=device.empty(shape, kind, None))

    return Case(f"`gumbel` {named(shape)} {kind}", count, count * kind.itemsize, run)


def named(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{n:,}" for n in shape)


# An emulated device has two multiprocessors, so these stand for about sixty times as many rows.
SHORT, LONG = (8192, 10), (16, 16_384)


def cases() -> Iterator[Case]:
    for shape in (SHORT, LONG):
        for dtype in (np.float32, np.float64):
            yield noise(shape, dtype)
