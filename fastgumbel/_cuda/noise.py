"""The field written to a device array."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastgumbel._cuda import ids as category_ids
from fastgumbel._cuda.call import Work, int64s
from fastgumbel._cuda.device import current
from fastgumbel._cuda.kernels import noise as kernels
from fastgumbel._cuda.rows import DeviceRows
from fastgumbel._request.coordinates import Coordinates

# A thread goes along a row of at most so many, a warp along longer ones.
_SHORT = 96
# Warps that keep a multiprocessor busy.
_WARPS = 32


def write(out: Any, place: Coordinates) -> None:
    """Write the field to a C-contiguous device array, the categories on its last axis, the other axes rows."""
    device = current()
    view = device.array(out, "out")
    rows = DeviceRows(device, view.reshaped(view.shape or (1,)), place=place)
    with device.stream(view) as stream:
        work = Work(device, stream, rows, False)
        flat = work.wrap(view.reshaped((math.prod(view.shape),)))
        if rows.has_ids:
            for piece in rows.pieces(stream, rows.ids(stream)):
                to = piece.first_row * rows.n, 0, 1
                category_ids.write(work, flat, piece, work.place(piece), to, category_ids.ALONE)
        elif flat.size:
            _launch(work, flat, vectors_of(view.address, view.dtype))


def _launch(work: Work, flat: Any, vectors: tuple[np.int64, np.int64]) -> None:
    n, count, start = work.rows.n, work.rows.count, work.rows.place.start
    (piece,) = work.rows.pieces(work.stream)
    field = work.place(piece)
    arguments = (flat, field, *int64s(n, count), vectors)
    if n <= _SHORT:
        work.each(kernels.fill_short, count, kernels.THREADS, arguments)
        return
    pairs = (start + n - 1) // 128 - start // 128 + 1
    steps, wanted = 32, _WARPS * work.device.attributes.multiprocessors
    while steps > 4 and pairs * count < steps * wanted:
        steps //= 2
    warps = -(-pairs * count // steps)
    more = np.int64(pairs), np.int32(steps)
    work.launch(kernels.fill_long, -(-warps // (kernels.THREADS // 32)), kernels.THREADS, (*arguments, *more))


def vectors_of(address: int, dtype: np.dtype[Any]) -> tuple[np.int64, np.int64]:
    """Where 16 aligned bytes begin in a flat array: at the places i with (i + skew) & mask == 0."""
    return np.int64(address // dtype.itemsize % 16), np.int64(16 // dtype.itemsize - 1)
