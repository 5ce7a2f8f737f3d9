"""The field written to an array: cut into tasks and shared among threads."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel import _threads
from fastgumbel._kernels.cpu_ids import write_at
from fastgumbel._kernels.cpu_noise import fill_long, fill_short
from fastgumbel._rows import ids_of, index_of
from fastgumbel.noise import CATEGORIES, NoiseField

# Numbers in a task: a fraction of a millisecond.
_TASK = 2**18
_SHORT = 256


def write(out: NDArray[Any], field: NoiseField, ids: NDArray[np.uint64], categories: NDArray[np.int64] | None) -> None:
    """Write the field to an array, the categories on its last axis, the other axes rows in C order.

    `categories` are their ids, of the shape of the array: an empty place gets -inf. None counts from the field's start.
    """
    if out.size == 0:
        return
    batch, n = out.shape[:-1], out.shape[-1]
    count = math.prod(batch)
    in_place = out.flags.c_contiguous and out.flags.aligned and out.dtype.isnative
    matrix = out.reshape(count, n) if in_place else None
    # Few rows leave lanes empty, long ones outgrow the cache.
    fill = fill_short if n <= min(_SHORT, 16 * count) else fill_long

    def work(r: int, r1: int, c: int, c1: int) -> None:
        if matrix is None:
            piece = np.empty((r1 - r, c1 - c), out.dtype.newbyteorder("="))
        else:
            piece = matrix[r:r1] if c1 - c == n else matrix[r, c:c1].reshape(1, c1 - c)
        some = ids[r:r1] if ids.size else ids
        if categories is None:
            fill(piece, some, (field.key, np.uint64(r), np.uint64(field.draw), np.uint64(field.start + c)))
        else:
            own = ids_of(categories, r, r1, c, c1)
            write_at(piece[np.newaxis], own, some, (field.key, np.uint64(r), np.uint64(field.draw)), False)
            np.copyto(piece, -np.inf, where=own >= CATEGORIES)
        if matrix is None:
            out[index_of(batch, r, r1, c, c1)] = piece

    _threads.run(work, _cut(count, n), -(-out.size // _TASK))


def _cut(count: int, n: int) -> Iterator[tuple[int, int, int, int]]:
    height, width = max(1, _TASK // n), min(n, _TASK)
    for r in range(0, count, height):
        for c in range(0, n, width):
            yield r, min(r + height, count), c, min(c + width, n)
