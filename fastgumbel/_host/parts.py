"""A few long rows, each of which all threads share.

The law orders a row's sum by groups. So threads take parts that begin with a group, and what a sum adds up one by one
is kept until all have it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._host.rows import Rows
from fastgumbel._host.threads import even, get_num_threads, run
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


def sharing(n: int) -> Callable[[Callable[[int, int], Any]], list[Any]]:
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


class Sum:
    """The sum of a row of n numbers, of which threads know parts."""

    def __init__(self, n: int) -> None:
        self._terms = np.empty(n // GROUP + n % GROUP)

    def part(self, c: int) -> NDArray[np.float64]:
        """Where the part that begins at category c writes the sums of its groups, and what is behind the last one."""
        return self._terms[c // GROUP :]

    def total(self) -> float:
        """The sum; what was written is lost."""
        # Sums begin with 0, which differs where all terms are -0.
        return float(np.add.accumulate(self._terms, out=self._terms)[-1]) + 0.0
