"""`gumbel_max` of dask arrays: shards searched apart, and combined as the results of threads are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.max.given import merge_results
from fastgumbel._dask.block import Block, Call, Faults, Place, earlier_fault, lengths, writable
from fastgumbel._dask.graph import Grid, tree
from fastgumbel._host import max as _max

# Indices and values of draws by rows, and the faults of the rows.
Found = tuple[NDArray[np.intp], NDArray[np.float64], Faults]


def _search_shard(block: Block) -> Found:
    index = np.empty((block.draws, block.rows.count), np.intp)
    value = np.empty(index.shape)
    for run, rows, noise in block.runs():
        _max.search(rows, noise, index[run], value[run])
    index[index >= 0] += block.first
    return index, value, block.faults(np.any(np.isnan(value), 0))


def _merge(one: Found, two: Found) -> Found:
    index, value = one[0].copy(), one[1].copy()
    other = [writable(array).reshape(-1, 1) for array in two[:2]]
    merge_results(index.reshape(-1, 1), value.reshape(-1, 1), *other, 0, 0)
    return index, value, earlier_fault(one[2], two[2])


def search(grid: Grid) -> Any:
    """Indices and values of the samples, by draw and row."""
    grid.refuse_repeats()
    return tree(grid.by_shard(_search_shard), _merge)


def _index(call: Call, place: Place, found: Found) -> NDArray[np.intp]:
    index, _, faults = found
    call.refuse(index < 0, faults, place)
    return index.reshape(lengths(place))


def _value(call: Call, place: Place, found: Found) -> NDArray[np.float64]:
    index, value, faults = found
    call.refuse(index < 0, faults, place)
    return np.where(index < 0, np.nan, value).reshape(lengths(place))


def sample(grid: Grid, return_max: bool) -> Any:
    """Index of every sample, with its value where that is asked for."""
    found = search(grid), grid.result_letters
    index = grid.results(_index, *found, dtype=np.intp)
    return (index, grid.results(_value, *found, dtype=np.float64)) if return_max else index
