"""The field at category ids, on a device: written beside the rows, as many at once as scratch memory holds."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgumbel._device import Device
from fastgumbel._device_rows import DeviceRows, Piece, View, view_of
from fastgumbel.noise import NoiseField

# Bytes of noise at once: more rows and draws than they hold, one at least, are read one part after another.
_SCRATCH = 2**26


class Kind(NamedTuple):
    """What is written: the field, or exponentials that it does not use, and what in empty places."""

    fresh: bool
    empty: float


# The field by itself, where it stands beside log-potentials that exclude empty places, and what `condition` takes.
ALONE, BESIDE, FRESH = Kind(False, -np.inf), Kind(False, 0.0), Kind(True, -1.0)


def write(
    device: Device,
    stream: Any,
    out: Any,
    categories: Any,
    ids: Any,
    at: tuple[np.uint64, ...],
    to: tuple[int, int, int],
    kind: Kind,
) -> None:
    """Write what the category ids of a piece and the row ids name, from a place on.

    `to` is (first place in a flat array, distance of draws, draws).
    """
    kernels = importlib.import_module("fastgumbel._kernels.cuda_ids")
    count = to[2] * categories.shape[0] * categories.shape[1]
    if count:
        what = np.bool_(kind.fresh), out.dtype.type(kind.empty)
        arguments = (out, categories, ids, at, tuple(map(np.int64, to)), *what)
        device.launch(kernels.write_at, -(-count // kernels.THREADS), kernels.THREADS, stream, arguments)


def noisy_pieces(
    device: Device,
    stream: Any,
    rows: DeviceRows,
    field: NoiseField,
    ids: NDArray[np.uint64],
    draws: int,
    dtype: np.dtype[Any],
) -> Iterator[tuple[Piece, int, int, View]]:
    """Pieces of rows that have category ids, their first draw, its number of draws, and noise by draw, row, category.

    The noise stays until the next part is asked for.
    """
    line = max(1, rows.n * dtype.itemsize)
    height = min(rows.count, max(1, _SCRATCH // line))
    depth = min(draws, max(1, _SCRATCH // (height * line)))
    scratch = device.empty(depth * height * rows.n, dtype, stream)
    for piece in rows.pieces(stream, rows.ids(stream), height):
        here = piece.x.shape[0]
        own = device.put(ids[piece.first_row : piece.first_row + here], stream)
        for first in range(0, draws, depth):
            count = min(depth, draws - first)
            at = (field.key, np.uint64(piece.first_row), np.uint64(field.draw + first), np.uint64(0))
            write(device, stream, scratch, piece.beside, own, at, (0, here * rows.n, count), BESIDE)
            steps = here * rows.n * dtype.itemsize, rows.n * dtype.itemsize, dtype.itemsize
            yield piece, first, count, view_of(scratch, "noise").part(0, (count, here, rows.n), steps)
