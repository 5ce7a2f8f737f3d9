"""`categorical` of dask arrays: exact integer sums over the shards of a row say which shard holds a draw."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.categorical_shard import shard_draws, shard_sizes, shard_totals
from fastgumbel._dask.graph import Block, Call, Faults, Grid, Place, chain, earlier_fault, lengths, tree, writable
from fastgumbel._host import categorical as _categorical
from fastgumbel._law.reduce import LIMIT

# Largest log-potentials of the rows, and their faults.
Tops = tuple[NDArray[np.float64], Faults]


def _tops(block: Block) -> Tops:
    largest = block.matrix().max(-1, initial=-np.inf).astype(np.float64)
    return largest, block.faults(~(largest < LIMIT))


def _merge_tops(one: Tops, two: Tops) -> Tops:
    return np.maximum(one[0], two[0]), earlier_fault(one[1], two[1])


def _sizes(block: Block, tops: Tops) -> NDArray[np.uint64]:
    sizes = np.empty(block.rows.count, np.uint64)
    shard_sizes(block.matrix(), writable(tops[0]), sizes)
    return sizes


def _totals(block: Block, tops: Tops, sizes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    totals = np.empty(block.rows.count, np.uint64)
    shard_totals(block.matrix(), writable(tops[0]), writable(sizes), totals)
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
    known = writable(tops[0]), writable(sizes), until - own, writable(total)
    for run, rows in block.runs():
        shard_draws(block.matrix(), rows.at(0, rows.count), *known, index[run], block.first)
    return index


def _index(call: Call, place: Place, index: NDArray[np.intp], tops: Tops) -> NDArray[np.intp]:
    call.refuse(np.any(index < 0, 0), tops[1], place)
    return index.reshape(lengths(place))


def _whole_rows(block: Block) -> tuple[NDArray[np.intp], Tops]:
    """Draws of rows that are not cut."""
    index = np.empty((block.draws, block.rows.count), np.intp)
    for run, rows in block.runs():
        _categorical.draw(rows, index[run])
    invalid = np.any(index < 0, 0)
    return index, (np.empty(0), block.faults(invalid))


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
