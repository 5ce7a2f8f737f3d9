"""What is wrong with rows, by row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastgumbel._host.blocks import tasks
from fastgumbel._host.rows import Rows
from fastgumbel._host.threads import run
from fastgumbel._law.reduce import LIMIT
from fastgumbel._request.faults import Fault


def diagnose(rows: Rows) -> NDArray[np.uint8]:
    """The `Fault` of each row."""
    faults = np.full(rows.count, Fault.EMPTY, np.uint8)
    if rows.n == 0 or rows.count == 0:
        return faults

    def work(r: int, r1: int, _first_draw: int, _last_draw: int) -> None:
        # What is largest is NaN where there is any.
        largest = np.max(rows.piece(r, r1, 0, rows.n), axis=1)
        found = faults[r:r1]
        found[largest > -LIMIT] = Fault.NONE
        found[largest >= LIMIT] = Fault.TOO_LARGE
        found[largest == np.inf] = Fault.INFINITE
        found[np.isnan(largest)] = Fault.NAN

    cut = tasks(rows, 1)
    run(work, cut, len(cut))
    return faults
