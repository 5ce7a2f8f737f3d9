"""Noise given a choice."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.given import given_choice
from fastgumbel._host.blocks import run_blocks, write_ids
from fastgumbel._host.rows import Rows, field_at
from fastgumbel._request.field import CATEGORIES, NoiseField


def noise_given(
    rows: Rows, field: NoiseField, ids: NDArray[np.uint64], choices: NDArray[np.intp], out: NDArray[Any]
) -> NDArray[np.uint8]:
    """Write noise given choices[draw, row] to out[draw, row]; by row, what is wrong with it."""
    faulty = np.zeros(rows.count, np.uint8)
    if rows.n == 0:
        faulty[:] = 1
        return faulty

    def work(r: int, r1: int, s: int, s1: int) -> None:
        part, own = out[s:s1, r:r1], None
        if rows.categories is not None:
            own = write_ids(part, rows, field, ids, (r, r1, s, s1), True)
        at = field_at(field.key, ids, r, r1, field.draw, field.start)
        given_choice(rows.piece(r, r1, 0, rows.n), at, choices, out, faulty, (s, s1, r, 0), own is not None)
        if own is not None:
            np.copyto(part, 0, where=(own >= CATEGORIES) & ~np.isnan(part))

    run_blocks(rows, out.shape[0], work)
    return faulty
