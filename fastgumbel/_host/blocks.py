"""Work on whole rows, cut into blocks of rows and draws."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.noise_ids import noise_ids
from fastgumbel._host.rows import BUFFER_BYTES, LITTLE, Rows
from fastgumbel._host.threads import even, run

# Numbers in a task: about a millisecond.
_TASK = 2**18


def tasks(rows: Rows, draws: int) -> list[tuple[int, int, int, int]]:
    """Cut rows and draws: (first row, last row, first draw, last draw)."""
    if rows.count == 0 or draws == 0:
        return []
    buffer = BUFFER_BYTES // rows.dtype.itemsize
    if rows.n * rows.count * draws <= buffer:
        return [(0, rows.count, 0, draws)]
    # Noise at category ids has a buffer for all draws of a task.
    counted = not rows.has_ids
    height = even(rows.count, max(1, (_TASK if rows.in_place and counted else buffer) // rows.n))
    width = even(draws, max(1, (_TASK if counted else buffer) // (height * rows.n)))
    if height == rows.count and width == draws:
        return [(0, height, 0, draws)]
    return [
        (r, min(r + height, rows.count), s, min(s + width, draws))
        for r in range(0, rows.count, height)
        for s in range(0, draws, width)
    ]


def run_blocks(rows: Rows, draws: int, work: Any) -> None:
    """Call work(first row, last row, first draw, last draw) for every block of rows and draws."""
    if 0 < rows.n * rows.count * draws <= LITTLE:
        work(0, rows.count, 0, draws)
        return
    cut = tasks(rows, draws)
    run(work, cut, len(cut))


def write_ids(out: NDArray[Any], rows: Rows, task: tuple[int, ...], fresh: bool) -> NDArray[np.uint64]:
    """Write the field at the category ids of the rows to out[draw, row] of a task; the ids as a matrix."""
    r, r1, s, _ = task
    own = rows.ids(r, r1, 0, rows.n)
    together = len(out) if out.flags.c_contiguous else 1
    for d in range(0, len(out), together):
        noise_ids(out[d : d + together], own, rows.at(r, r1, s + d), fresh, rows.place.wide or None)
    return own
