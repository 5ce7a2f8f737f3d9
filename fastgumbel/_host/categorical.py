"""Draws that read no field: which way to go, cut into tasks and shared among threads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.categorical.many import BUCKETS, BUCKETS_LONG, GUIDED, LONG, build, draw_built, draw_rows
from fastgumbel._cpu.categorical.short import draw_short
from fastgumbel._host.max import refuse
from fastgumbel._host.result import INDEX, delivered, room
from fastgumbel._host.rows import Rows, inputs_of, rows_of
from fastgumbel._host.threads import run
from fastgumbel._request.request import Request

# Rows of at most so many categories go side by side through the vector slots, for at most so many draws.
SHORT = 256
FEW = 32
# So many draws of a row are shared among threads, in parts of so many.
MANY = 2**17
_PART = 2**15
# Threads can share the rows instead: it takes up to so many times as many draws where there are several.
_ROWS = 8
# Work in a task, in log-potentials and draws: about a millisecond.
_TASK = 2**17


def _buckets(n: int, draws: int) -> int:
    """Number of buckets that n categories need for so many draws: a power of two, or 0."""
    if n > GUIDED * draws:
        return 0
    return int(1 << (n * (BUCKETS if n <= LONG else BUCKETS_LONG) - 1).bit_length())


def sample(request: Request, out: Any) -> Any:
    """What `categorical` does."""
    request.check_no_categories()
    rows, shape = rows_of(request), request.draw_shape + request.batch
    index = room("out", out, shape, INDEX, (request.draws, rows.count), -1, inputs_of(request))
    draw(rows, index)
    refuse(request, rows, index)
    return delivered(index, out, shape, -1)


def draw(rows: Rows, index: NDArray[np.intp]) -> None:
    """Write the category of every draw (axis 0) of every row (axis 1), -1 in invalid rows."""
    draws = index.shape[0]
    if rows.n == 0:
        index.fill(-1)
    if rows.n == 0 or index.size == 0:
        return
    if draws >= MANY * min(rows.count, _ROWS):
        for row in range(rows.count):
            _draw_one(rows, row, index)
        return
    buckets = _buckets(rows.n, draws)

    def work(r: int, r1: int) -> None:
        x, at = rows.piece(r, r1, 0, rows.n), rows.at(r, r1)
        if rows.n <= SHORT and draws <= FEW:
            draw_short(x, at, index, (0, draws, r, 0))
        else:
            draw_rows(x, at, index, (0, draws, r, 0), buckets)

    height = max(1, _TASK // (rows.n + draws))
    if not rows.in_place:
        height = min(height, max(1, rows.width // rows.n))
    run(work, _cut(rows.count, height), -(-rows.count // height))


def _draw_one(rows: Rows, row: int, index: NDArray[np.intp]) -> None:
    """Draws of one row, which are many, shared among threads."""
    draws = index.shape[0]
    sums, guide = np.empty(rows.n, np.uint64), np.empty(_buckets(rows.n, draws), np.uint32)
    at = rows.at(row, row + 1)
    table = sums, guide, np.uint64(build(rows.piece(row, row + 1, 0, rows.n), at, sums, guide))

    def work(s: int, s1: int) -> None:
        draw_built(table, at, index, (s, s1, row, 0))

    run(work, _cut(draws, _PART), -(-draws // _PART))


def _cut(end: int, step: int) -> Iterator[tuple[int, int]]:
    return ((first, min(first + step, end)) for first in range(0, end, step))
