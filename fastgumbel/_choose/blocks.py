"""How the work is cut so that memory stays constant."""

from collections.abc import Iterator
from typing import NamedTuple

CELLS = 1 << 21  # log-potentials of a block: 16 MiB in float64
CHOICES = 1 << 21  # choices of a block: 16 MiB
WORK = 1 << 31  # choices times alternatives of a block: seconds, so that progress shows and Ctrl-C is heard


class BlockSize(NamedTuple):
    """Rows and draws handled at once."""

    rows: int
    draws: int


def block_size(rows: int, alternatives: int, draws: int, *, rows_complete: bool) -> BlockSize:
    """Choose a size; with `rows_complete`, a row's draws come one after the other in the course of the work.

    Examples
    --------
    >>> block_size(10**9, 4, 1000, rows_complete=False)
    BlockSize(rows=524288, draws=4)
    >>> block_size(10**9, 4, 1000, rows_complete=True)
    BlockSize(rows=2097, draws=1000)
    """
    height = min(rows, max(1, CELLS // alternatives))
    choices = min(CHOICES, WORK // alternatives)
    if rows_complete:
        height = min(height, max(1, choices // draws))
    return BlockSize(height, min(draws, max(1, choices // height)))


def spans(total: int, step: int) -> Iterator[tuple[int, int]]:
    """Yield the beginnings and ends that cut 0 to `total` into steps.

    Examples
    --------
    >>> list(spans(5, 2))
    [(0, 2), (2, 4), (4, 5)]
    """
    for first in range(0, total, step):
        yield first, min(first + step, total)
