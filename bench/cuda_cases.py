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
    kind = np.dtype(dtype)
    count = int(np.prod(shape))

    def run(device: Any) -> object:
        return fg.gumbel(shape, noise=NOISE, dtype=kind, out=device.empty(shape, kind, None))

    return Case(named("gumbel", shape, kind), count, count * kind.itemsize, run)


def hard(shape: tuple[int, ...], dtype: Any) -> Case:
    x = normal(shape, dtype)

    def run(device: Any) -> object:
        return fg.gumbel_max(device.put(x, None), noise=NOISE)

    return Case(named("gumbel_max", shape, x.dtype), x.size, x.nbytes + 8 * int(np.prod(shape[:-1])), run)


def hard_at_ids(shape: tuple[int, ...], dtype: Any) -> Case:
    """Rows of 30 of 5,000 zones, say, whose ids come from the host."""
    x = normal(shape, dtype)
    zones = np.random.default_rng(2).random((shape[0], 5000)).argpartition(shape[1], -1)[:, : shape[1]]
    noise = NOISE.at(categories=zones)

    def run(device: Any) -> object:
        return fg.gumbel_max(device.put(x, None), noise=noise)

    moved = x.nbytes + 8 * x.size + 8 * int(np.prod(shape[:-1]))
    return Case(f"{named('gumbel_max', shape, x.dtype)} at category ids", x.size, moved, run)


def relaxed(shape: tuple[int, ...], dtype: Any) -> Case:
    x = normal(shape, dtype)

    def run(device: Any) -> object:
        return fg.gumbel_softmax(device.put(x, None), 0.5, noise=NOISE)

    return Case(named("gumbel_softmax", shape, x.dtype), x.size, 2 * x.nbytes, run)


def tangent(shape: tuple[int, ...], dtype: Any) -> Case:
    x, dx = normal(shape, dtype), normal(shape, dtype)

    def run(device: Any) -> object:
        return fg.gumbel_softmax_jvp((device.put(x, None), 0.5), (device.put(dx, None), None), noise=NOISE)

    return Case(named("gumbel_softmax_jvp", shape, x.dtype), x.size, 4 * x.nbytes, run)


def given(shape: tuple[int, ...], dtype: Any) -> Case:
    x, choice = normal(shape, dtype), np.zeros(shape[:-1], np.intp)

    def run(device: Any) -> object:
        return fg.gumbel_given_choice(device.put(x, None), device.put(choice, None), noise=NOISE)

    return Case(named("gumbel_given_choice", shape, x.dtype), x.size, 2 * x.nbytes + choice.nbytes, run)


def ranked(shape: tuple[int, ...], dtype: Any) -> Case:
    x, k = normal(shape, dtype), min(64, shape[-1] // 3)

    def run(device: Any) -> object:
        return fg.gumbel_top_k(device.put(x, None), k, noise=NOISE)

    name = f"{named('gumbel_top_k', shape, x.dtype)}, k = {k}"
    return Case(name, x.size, x.nbytes + 16 * k * int(np.prod(shape[:-1])), run)


def independent(shape: tuple[int, ...], dtype: Any) -> Case:
    """One draw of each short row; of long ones as many as they have categories."""
    x, size = normal(shape, dtype), None if shape[-1] < 100 else shape[-1]

    def run(device: Any) -> object:
        return fg.categorical(device.put(x, None), size, noise=NOISE)

    draws = (size or 1) * int(np.prod(shape[:-1]))
    draws_each = "" if size is None else f", {size:,} draws"
    return Case(named("categorical", shape, x.dtype) + draws_each, x.size, x.nbytes + 8 * draws, run)


def named(function: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
    return f"`{function}` {' x '.join(f'{n:,}' for n in shape)} {dtype}"


def normal(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    return np.random.default_rng(1).standard_normal(shape).astype(dtype)


NOISE = fg.NoiseField(1)

# An emulated device has two multiprocessors, so these stand for about sixty times as many rows. There are enough long
# ones of `gumbel_max`, whose kernel makes segments of them otherwise.
SHORT, LONG, MORE = (4096, 10), (2, 65_536), (8, 65_536)


def cases() -> Iterator[Case]:
    for make, shapes in (
        (noise, (SHORT, LONG)),
        (hard, (SHORT, MORE)),
        (hard_at_ids, ((2048, 30),)),
        (ranked, (SHORT, MORE)),
        (independent, (SHORT, LONG)),
        (relaxed, (SHORT, LONG)),
        (tangent, (SHORT, LONG)),
        (given, (SHORT, LONG)),
    ):
        for shape in shapes:
            for dtype in (np.float32, np.float64):
                yield make(shape, dtype)
