"""The field at category ids, on a device: written beside the rows, as many at once as scratch memory holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.repeats import first_repeat
from fastgumbel._cuda.call import Work, int64s
from fastgumbel._cuda.kernels import ids as kernels
from fastgumbel._cuda.kernels.parameters import Field
from fastgumbel._cuda.rows import DeviceRows, Piece
from fastgumbel._cuda.view import View, view_of
from fastgumbel._request.faults import repeat_message
from fastgumbel._request.ndarrays import unrepeated

# Bytes of noise at once: more rows and draws than they hold, one at least, are read one part after another.
_SCRATCH = 2**26


class Kind(NamedTuple):
    """What is written: the field, or exponentials that it does not use, and what in empty places."""

    fresh: bool
    empty: float


# The field by itself, where it stands beside log-potentials that exclude empty places, and what `condition` takes.
ALONE, BESIDE, FRESH = Kind(False, -np.inf), Kind(False, 0.0), Kind(True, -1.0)


def refuse_repeats(rows: DeviceRows) -> None:
    """Raise where a category id stands twice in a row: which place counts would have to be read from the device."""
    if rows.place.categories is None or 0 in rows.shape:
        return
    categories = np.moveaxis(rows.place.categories, rows.axis, -1)
    lines = unrepeated(categories)
    lines = np.ascontiguousarray(np.broadcast_to(lines, (*lines.shape[:-1], rows.n))).reshape(-1, rows.n)
    found = first_repeat(lines.view(np.uint64))
    if found >= 0:
        remedy = "pass where= to exclude all but the largest of its places, or host arrays"
        row = found // rows.n if len(lines) == rows.count else 0
        name = rows.name(row)
        raise ValueError(repeat_message(name, int(lines[found // rows.n, found % rows.n]), remedy))


def write(work: Work, out: Any, piece: Piece, field: Field, to: tuple[int, int, int], kind: Kind) -> None:
    """Write what the category ids beside a piece name in its field.

    `to` is (first place in a flat array, distance of draws, draws).
    """
    count = to[2] * piece.beside.shape[0] * piece.beside.shape[1]
    what = np.bool_(kind.fresh), out.dtype.type(kind.empty)
    arguments = (out, piece.beside, field, int64s(*to), *what)
    work.each(kernels.write_at, count, kernels.THREADS, arguments)


def noisy_pieces(work: Work, draws: int, dtype: np.dtype[Any]) -> Iterator[tuple[Piece, int, int, View]]:
    """Pieces of rows that have category ids, their first draw, its number of draws, and noise by draw, row, category.

    The noise stays until the next part is asked for.
    """
    rows = work.rows
    line = max(1, rows.n * dtype.itemsize)
    height = min(rows.count, max(1, _SCRATCH // line))
    depth = min(draws, max(1, _SCRATCH // (height * line)))
    scratch = work.scratch("noise at ids", depth * height * rows.n, dtype)
    for piece in rows.pieces(work.stream, rows.ids(work.stream), height):
        here = piece.x.shape[0]
        for first in range(0, draws, depth):
            count = min(depth, draws - first)
            write(work, scratch, piece, work.place(piece, first), (0, here * rows.n, count), BESIDE)
            steps = here * rows.n * dtype.itemsize, rows.n * dtype.itemsize, dtype.itemsize
            yield piece, first, count, view_of(scratch, "noise").part(0, (count, here, rows.n), steps)
