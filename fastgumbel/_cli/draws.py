"""The draws: one noise field read under one table or under two, in chunks, so that memory stays constant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgumbel import NoiseField, gumbel_max
from fastgumbel._cli.counts import Flows, Tally, softmax_in_place
from fastgumbel._cli.output import Sink
from fastgumbel._cli.table import Table

CELLS = 1 << 21  # log-potentials of a chunk: 16 MiB in float64
CHOICES = 1 << 21  # choices of a chunk: 16 MiB
WORK = 1 << 31  # choices times alternatives of a chunk: seconds, so that progress shows and Ctrl-C is heard
# So many choices are many for every kernel.
_MANY = 64


class ChunkSize(NamedTuple):
    """Rows and draws handled at once."""

    rows: int
    draws: int


def chunk_size(rows: int, alternatives: int, draws: int, *, rows_complete: bool) -> ChunkSize:
    """Choose a size; with `rows_complete`, the draws of a row come one after the other in the course of the work.

    Examples
    --------
    >>> chunk_size(10**9, 4, 1000, rows_complete=False)
    ChunkSize(rows=524288, draws=4)
    >>> chunk_size(10**9, 4, 1000, rows_complete=True)
    ChunkSize(rows=2097, draws=1000)
    """
    height = min(rows, max(1, CELLS // alternatives))
    choices = min(CHOICES, WORK // alternatives)
    if rows_complete:
        height = min(height, max(1, choices // draws))
    return ChunkSize(height, min(draws, max(1, choices // height)))


def _spans(total: int, step: int) -> Iterator[tuple[int, int]]:
    """Yield the beginnings and ends that cut 0 to `total` into steps.

    Examples
    --------
    >>> list(_spans(5, 2))
    [(0, 2), (2, 4), (4, 5)]
    """
    for first in range(0, total, step):
        yield first, min(first + step, total)


@dataclass(frozen=True)
class Arm:
    """A table, and where its choices go."""

    table: Table
    tally: Tally
    sink: Sink | None


@dataclass(frozen=True)
class Simulation:
    """The noise that is read: `draws` draws of rows of these ids, or else numbered from `first_row`."""

    seed: int
    first_row: int
    draws: int
    ids: NDArray[np.uint64] | None = None

    def warm_up(self, tables: Sequence[Table], size: ChunkSize) -> None:
        """Draw the first row of every table just as `run` does, so that the clock of `run` sees no kernel compiled.

        What a kernel is compiled for is the type of its arguments, and which kernel it is depends on the alternatives,
        and on whether choices are many.
        """
        noise, rows = self._noise(0, 1, 0), tables[0].shape[0]
        heights, widths = ({b - a for a, b in _spans(*cut)} for cut in ((rows, size.rows), (self.draws, size.draws)))
        for count in {min(height * width, _MANY) for height in heights for width in widths}:
            for table in tables:
                # An invalid row is only marked, as the complaint of `run` says more.
                gumbel_max(table.chunk(0, 1), size=count, noise=noise, invalid="mark")

    def run(self, arms: Sequence[Arm], flows: Flows | None, size: ChunkSize, advance: Callable[[int], object]) -> float:
        """Draw every arm with the same noise, chunk by chunk, and return the seconds spent in drawing alone."""
        seconds = 0.0
        for first, last in _spans(arms[0].table.shape[0], size.rows):
            for arm in arms:
                arm.tally.expect(softmax_in_place(arm.table.doubles(first, last)))
            chunks = [arm.table.chunk(first, last) for arm in arms]
            for draw, end in _spans(self.draws, size.draws):
                noise = self._noise(first, last, draw)
                start = perf_counter()
                choices = [gumbel_max(chunk, size=end - draw, noise=noise) for chunk in chunks]
                seconds += perf_counter() - start
                for arm, chosen in zip(arms, choices, strict=True):
                    arm.tally.count(chosen)
                    if arm.sink is not None:
                        arm.sink.write(chosen, first, draw)
                if flows is not None:
                    flows.count(*choices)
                advance(len(arms) * choices[0].size)
        return seconds

    def _noise(self, first: int, last: int, draw: int) -> NoiseField:
        if self.ids is None:
            rows = np.arange(last - first, dtype=np.uint64) + np.uint64(self.first_row + first)
        else:
            rows = self.ids[first:last]
        return NoiseField(self.seed).at(rows=rows, draw=draw)


def independent_flows(base: NDArray[np.float64], scenario: NDArray[np.float64], *, draws: int, seed: int) -> Flows:
    """Count who changes between two tables of log-potentials, (rows, alternatives), if their draws are independent.

    So simulate those who have no common noise: each run inverts the distribution function at fresh uniforms.
    """
    rows, alternatives = base.shape
    uniforms = np.random.default_rng(seed)
    bounds = [softmax_in_place(table.copy()).cumsum(axis=1) for table in (base, scenario)]
    flows = Flows(alternatives)
    for first, last in _spans(draws, chunk_size(rows, alternatives, draws, rows_complete=False).draws):
        flows.count(*(_invert(bound, uniforms.random((last - first, rows))) for bound in bounds))
    return flows


def _invert(bounds: NDArray[np.float64], uniforms: NDArray[np.float64]) -> NDArray[np.intp]:
    passed = np.zeros(uniforms.shape, np.intp)
    for bound in bounds.T[:-1]:
        passed += uniforms >= bound
    return passed
