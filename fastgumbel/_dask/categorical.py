"""`categorical` of dask arrays: exact integer sums over the shards of a row say which shard holds a draw."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.categorical.shard import shard_draws, shard_sizes, shard_totals
from fastgumbel._dask.block import Block, Call, Faults, Place, earlier_fault, lengths, writable
from fastgumbel._dask.graph import Grid, chain, tree
from fastgumbel._host import categorical as _categorical
from fastgumbel._law.reduce import LIMIT
from fastgumbel._request.ndarrays import freeze

# Largest log-potentials of the rows, their faults, and where the first of the largest is.
Tops = tuple[NDArray[np.float64], Faults, NDArray[np.intp]]


def _tops(block: Block) -> Tops:
    x = block.matrix()
    largest = x.max(-1, initial=-np.inf).astype(np.float64)
    first = block.first + x.argmax(-1) if block.rows.n else np.zeros(len(x), np.intp)
    return largest, block.faults(~(largest < LIMIT)), first


def _merge_tops(one: Tops, two: Tops) -> Tops:
    first = np.where(two[0] > one[0], two[2], one[2])
    return np.maximum(one[0], two[0]), earlier_fault(one[1], two[1]), first


def _potentials(block: Block, tops: Tops) -> NDArray[Any]:
    """The rows; of those of temperature 0 the first of the largest log-potentials alone."""
    x = block.matrix()
    still = np.flatnonzero(block.rows.place.temperatures == 0)
    if still.size:
        x = x.copy()
        chosen = tops[2][still] - block.first
        inside = (chosen >= 0) & (chosen < block.rows.n)
        kept = x[still[inside], chosen[inside]]
        x[still] = -np.inf
        x[still[inside], chosen[inside]] = kept
        freeze(x)
    return x


def _sizes(block: Block, tops: Tops) -> NDArray[np.uint64]:
    sizes = np.empty(block.rows.count, np.uint64)
    shard_sizes(_potentials(block, tops), block.rows.place.temperatures, writable(tops[0]), sizes)
    return sizes


def _totals(block: Block, tops: Tops, sizes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    totals = np.empty(block.rows.count, np.uint64)
    shard_totals(_potentials(block, tops), block.rows.place.temperatures, writable(tops[0]), writable(sizes), totals)
    return totals


def _add(before: NDArray[np.uint64] | None, totals: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return totals if before is None else before + totals


def _draws(
    block: Block,
    tops: Tops,
    sizes: NDArray[np.uint64],
    own: NDArray[np.uint64],
    until: NDArray[np.uint64],
    total: NDArray[np.uint64],
) -> NDArray[np.intp]:
    index = np.empty((block.draws, block.rows.count), np.intp)
    x, known = _potentials(block, tops), (writable(tops[0]), writable(sizes), until - own, writable(total))
    for run, rows, _ in block.runs():
        shard_draws(x, rows.at(0, rows.count), *known, index[run], block.first)
    return index


def _index(call: Call, place: Place, index: NDArray[np.intp], tops: Tops) -> NDArray[np.intp]:
    call.refuse(index < 0, tops[1], place)
    return index.reshape(lengths(place))


def _whole_rows(block: Block) -> tuple[NDArray[np.intp], Tops]:
    """Draws of rows that are not cut."""
    index = np.empty((block.draws, block.rows.count), np.intp)
    for run, rows, _ in block.runs():
        _categorical.draw(rows, index[run])
    invalid = np.any(index < 0, 0)
    return index, (np.empty(0), block.faults(invalid), np.empty(0, np.intp))


def _first(call: Call, place: Place, drawn: tuple[NDArray[np.intp], Tops]) -> NDArray[np.intp]:
    return _index(call, place, *drawn)


def draw(grid: Grid) -> Any:
    """Index of every draw."""
    if grid.shards == 1:
        drawn = tree(grid.by_shard(_whole_rows))
        return grid.results(_first, drawn, grid.result_letters, dtype=np.intp)
    rows, shards = grid.batch_letters, (*grid.batch_letters, grid.category)
    tops = tree(grid.by_row_shard(_tops), _merge_tops), rows
    sizes = tree(grid.by_row_shard(_sizes, *tops), operator.add), rows
    own = grid.by_row_shard(_totals, *tops, *sizes)
    until, total = chain(own, _add)
    index = grid.by_shard(_draws, *tops, *sizes, own, shards, until, shards, total, rows)
    return grid.results(_index, tree(index, np.maximum), grid.result_letters, *tops, dtype=np.intp)
