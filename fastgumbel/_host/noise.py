"""The field written to an array: cut into tasks and shared among threads."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.noise import noise_long, noise_short
from fastgumbel._cpu.noise_ids import noise_ids
from fastgumbel._host.rows import field_at, ids_of, index_of
from fastgumbel._host.threads import even, run
from fastgumbel._request.coordinates import Coordinates
from fastgumbel._request.ids import IDS

# Numbers in a task: a fraction of a millisecond.
_TASK = 2**18
_SHORT = 256


def fill(
    lines: NDArray[Any], rows: tuple[int, int], column: int, place: Coordinates, own: NDArray[np.uint64] | None
) -> None:
    """Write the field to a C-contiguous matrix, categories from a column on.

    `rows` are the number of the first line, counting the rows of a draw, then those of the next, and the number of rows
    of a draw; lines are of one draw, or whole draws. `own` are the category ids of the rows instead, from `ids_of`.
    """
    (first, count), (n_lines, n) = rows, lines.shape
    if own is not None:
        draw, row = divmod(first, count)
        height = min(n_lines, count)
        at = field_at(place, row, row + height, draw)
        noise_ids(lines.reshape(-1, height, n), own, at, False, place.wide or None)
        return
    # Few lines leave slots empty, long ones outgrow the cache.
    kernel = noise_short if n <= min(_SHORT, 16 * n_lines) else noise_long
    kernel(lines, field_at(place, 0, count, 0, column), first, count)


def write(out: NDArray[Any], place: Coordinates) -> None:
    """Write the field to an array, the categories on its last axis, the other axes rows in C order.

    A place that category ids leave empty gets -inf.
    """
    rows = math.prod(out.shape[:-1])

    def work(piece: NDArray[Any], row: int, column: int, own: NDArray[np.uint64] | None) -> None:
        fill(piece, (row, rows), column, place, own)

    write_pieces(out, place, work, _TASK)


Work: TypeAlias = Callable[[NDArray[Any], int, int, "NDArray[np.uint64] | None"], None]


def write_pieces(out: NDArray[Any], place: Coordinates, work: Work, size: int) -> None:
    """Write an array in pieces of about so many items, by work(piece, row, column, own), and -inf to empty places.

    A piece is a C-contiguous matrix that begins at this row and column; `own` are its category ids, as in `fill`.
    """
    if out.size == 0:
        return
    out = np.asarray(out)
    batch, n = out.shape[:-1], out.shape[-1]
    count = math.prod(batch)
    in_place = out.flags.c_contiguous and out.flags.aligned and out.dtype.isnative
    matrix = out.reshape(count, n) if in_place else None

    def task(r: int, r1: int, c: int, c1: int) -> None:
        if matrix is None:
            piece = np.empty((r1 - r, c1 - c), out.dtype.newbyteorder("="))
        else:
            piece = matrix[r:r1] if c1 - c == n else matrix[r, c:c1].reshape(1, c1 - c)
        own = None if place.categories is None else ids_of(place.categories, r, r1, c, c1)
        work(piece, r, c, own)
        if own is not None:
            np.copyto(piece, -np.inf, where=own >= IDS)
        if matrix is None:
            out[index_of(batch, r, r1, c, c1)] = piece

    if out.size <= size:
        task(0, count, 0, n)
    else:
        run(task, _cut(count, n, size), -(-out.size // _TASK))


def _cut(count: int, n: int, size: int) -> Iterator[tuple[int, int, int, int]]:
    height, width = even(count, max(1, size // n)), even(n, _TASK)
    for r in range(0, count, height):
        for c in range(0, n, width):
            yield r, min(r + height, count), c, min(c + width, n)
