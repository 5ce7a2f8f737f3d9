"""Relaxed samples of a few long rows, each of which all threads share.

The law orders a row's sum by groups. So threads take parts that begin with a group, and what the sum adds up one by one
is kept until all have it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.softmax.part import decay_part, largest_of_part, log_part, perturb_part
from fastgumbel._host.rows import Rows
from fastgumbel._host.threads import even, get_num_threads, run
from fastgumbel._law.reduce import INVALID_ROW, LIMIT
from fastgumbel._law.sums import GROUP

# Rows of fewer bytes, which take less than a millisecond, are not cut.
_LONG = 2**22
# Categories of a part at most, and what parts are multiples of.
_PART, _GRAIN = 2**17, 512
# At least so many whole rows a thread end together well enough.
_ROWS = 4


def pays(rows: Rows, draws: int) -> bool:
    """Whether rows are so long and so few that threads should share each."""
    if rows.n * rows.dtype.itemsize < _LONG:
        return False
    threads = get_num_threads()
    return threads > 1 and 0 < rows.count * draws < _ROWS * threads


def relax_rows(rows: Rows, rates: NDArray[Any], y: NDArray[Any], log: bool, faulty: NDArray[np.uint8]) -> None:
    """Write samples, or with `log` their logarithms, to y[draw, row]; faulty[row] becomes INVALID_ROW."""
    for row in range(rows.count):
        top = _top(rows, row)
        if -LIMIT < top < LIMIT:
            for draw, line in enumerate(y[:, row]):
                _relax_row(rows, (row, draw), top, rates[row], line, log)
        else:
            faulty[row] = INVALID_ROW
            y[:, row] = np.nan


def _sharing(n: int) -> Callable[[Callable[[int, int], Any]], list[Any]]:
    """A function that calls another for each part of n categories, on all threads, and lists what it returns."""
    step = -(-even(n, _PART) // _GRAIN) * _GRAIN
    cut = [(i, c, min(c + step, n)) for i, c in enumerate(range(0, n, step))]

    def share(work: Callable[[int, int], Any]) -> list[Any]:
        results: list[Any] = [None] * len(cut)

        def work_on(i: int, c: int, c1: int) -> None:
            results[i] = work(c, c1)

        run(work_on, cut, len(cut))
        return results

    return share


def _top(rows: Rows, row: int) -> Any:
    """Largest log-potential of a row, NaN if any is NaN."""

    def survey(c: int, c1: int) -> Any:
        return largest_of_part(rows.piece(row, row + 1, c, c1))

    return rows.dtype.type(np.max(_sharing(rows.n)(survey)))


def _relax_row(rows: Rows, at: tuple[int, int], top: Any, rate: Any, line: NDArray[Any], log: bool) -> None:
    """Write a sample of a row, in a draw, to `line`."""
    row, draw = at
    share = _sharing(rows.n)
    sums = np.empty(rows.n // GROUP + rows.n % GROUP)

    def perturb(c: int, c1: int) -> Any:
        return perturb_part(rows.piece(row, row + 1, c, c1), rows.at(row, row + 1, draw, c), top, line[c:c1])

    largest = rows.dtype.type(np.max(share(perturb)))

    def decay(c: int, c1: int) -> None:
        part = line[c:c1]
        decay_part(part.copy() if log else part, largest, rate, sums[c // GROUP :])

    share(decay)
    total = np.add.accumulate(sums, out=sums)[-1]

    def end(c: int, c1: int) -> None:
        if log:
            log_part(line[c:c1], largest, rate, total)
        else:
            line[c:c1] *= line.dtype.type(1 / total)

    share(end)
