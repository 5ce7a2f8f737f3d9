"""`gumbel_top_k` of dask arrays: shards searched apart, and combined as the results of threads are."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.top.every import merge_tops, sort_tops
from fastgumbel._dask.block import Block, Call, Faults, Place, earlier_fault, lengths, writable
from fastgumbel._dask.graph import Grid, tree
from fastgumbel._host.top import search
from fastgumbel._request.faults import too_few_message

# Indices and values of draws by rows by places, and the faults of the rows.
Found = tuple[NDArray[np.intp], NDArray[np.float64], Faults]


def _search_shard(places: int, block: Block) -> Found:
    block.keep_one_each()
    index = np.empty((block.draws, block.rows.count, min(places, block.rows.n)), np.intp)
    value = np.empty(index.shape)
    for run, rows, noise in block.runs() if block.rows.n else ():
        search(rows, noise, index[run], value[run])
    index[index >= 0] += block.first
    return index, value, block.faults(np.any(np.isnan(value), (0, 2)))


def _merge(places: int, one: Found, two: Found) -> Found:
    shape = one[0].shape[:2]
    index = np.full((one[0].shape[0] * one[0].shape[1], 1, places), -1, np.intp)
    value = np.full(index.shape, -np.inf)
    for found in (one, two):
        offered = [writable(array).reshape(len(index), 1, array.shape[2]) for array in found[:2]]
        merge_tops(index, value, *offered, 0, 0)
    sort_tops(index, value)
    return index.reshape(*shape, places), value.reshape(*shape, places), earlier_fault(one[2], two[2])


def _refuse_short(call: Call, place: Place, found: Found, k: int) -> None:
    index, value, faults = found
    short = np.any(index[..., k - 1] < 0, 0)
    if call.mark or not short.any():
        return
    spoilt = np.isnan(value[..., 0])
    row = int(short.argmax())
    if spoilt[:, row].any():
        call.refuse(spoilt, faults, place)
    left = (index[:, row, :k] >= 0).sum(-1)
    name = call.draw_of(place, int(left.argmin()), call.name(place, row))
    raise ValueError(too_few_message(name, int(left.min()), k, call.excluded))


def _ranked(k: int, which: int, call: Call, place: Place, found: Found) -> NDArray[Any]:
    """Indices or values of a block, the places where the categories were."""
    _refuse_short(call, place, found, k)
    every: NDArray[Any] = found[:2][which]
    ranked = every[..., :k].reshape(*lengths(place), k)
    return np.moveaxis(ranked, -1, call.axis)


def _threshold(k: int, call: Call, place: Place, found: Found) -> NDArray[np.float64]:
    _refuse_short(call, place, found, k)
    value = found[1]
    last = value[..., k] if value.shape[2] > k else np.where(np.isnan(value[..., 0]), np.nan, -np.inf)
    return last.reshape(lengths(place))


def sample(grid: Grid, k: int, return_threshold: bool) -> tuple[Any, ...]:
    """Indices and values of the k best, with the threshold where that is asked for."""
    places = min(k + bool(return_threshold), grid.call.n)
    grid.refuse_repeats()
    parts = grid.by_shard(partial(_search_shard, places))
    found = tree(parts, partial(_merge, places)), grid.result_letters
    letters = grid.draw_letters + grid.x_letters
    ranked = [
        grid.map(
            partial(_ranked, k, which, grid.call),
            letters,
            *grid.row_places,
            *found,
            dtype=dtype,
            new_axes={grid.category: k},
        )
        for which, dtype in enumerate((np.intp, np.float64))
    ]
    if return_threshold:
        ranked.append(grid.results(partial(_threshold, k), *found, dtype=np.float64))
    return tuple(ranked)
