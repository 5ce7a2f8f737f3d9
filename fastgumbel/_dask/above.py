"""`gumbel_above` of dask arrays: blocks searched apart, and what they have joined and put in order in trees."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgumbel._dask.block import Block, Call, lengths, positions
from fastgumbel._dask.extra import da, delayed
from fastgumbel._dask.graph import Grid
from fastgumbel._host.above import Above, coordinates, find
from fastgumbel._request.ndarrays import frozen

# So many parts are joined at a time.
_TOGETHER = 8


class Found(NamedTuple):
    """What a block has: coordinates in the whole result, a line for each axis; values; and positions of invalid rows.

    Such a position is in an array of draws and rows, as noise that is given may hide what is wrong in some draws.
    """

    coordinates: NDArray[np.intp]
    values: NDArray[np.float64]
    invalid: NDArray[np.intp]


def _by_draw_and_row(block: Block, threshold: Any) -> NDArray[np.float64]:
    """Thresholds of a block by draw and row; an axis has one item where all along it are the same."""
    own = np.array(threshold, np.float64, order="C")
    draws = block.draws if own.ndim > len(block.call.batch) else 1
    return frozen(own.reshape(draws, own.size // draws if draws else block.rows.count))


def _search(block: Block, thresholds: NDArray[np.float64]) -> Above:
    """What a block has, in its own coordinates."""
    parts = []
    for run, rows, noise in block.runs():
        own = thresholds[run] if len(thresholds) > 1 else thresholds
        parts.append(find(rows, noise, own, run.stop - run.start))
    if not parts:
        return find(block.rows, None, thresholds, 0)
    return Above(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _search_block(block: Block, threshold: Any) -> Found:
    block.keep_one_each()
    call, lead = block.call, (*block.draw_place, *block.place)
    above = _search(block, _by_draw_and_row(block, threshold))
    call.refuse(above.faulty, block.faults(np.any(above.faulty, 0)), lead)
    starts = np.array([*(part.start for part in lead), block.first], np.intp)
    found = np.stack(coordinates(above, lengths(lead))) + starts[:, np.newaxis]
    invalid = positions(lead, call.size + call.batch)[above.faulty.reshape(-1)]
    return Found(found, above.values, invalid.astype(np.intp))


def _joined(call: Call, parts: list[Found]) -> Found:
    """What blocks have together, in order, without what invalid rows have in any of them."""
    found = np.concatenate([part.coordinates for part in parts], 1)
    values = np.concatenate([part.values for part in parts])
    invalid = np.concatenate([part.invalid for part in parts])
    if invalid.size:
        rows = np.zeros(values.size, np.intp)
        for axis, length in enumerate(call.size + call.batch):
            rows = rows * length + found[axis]
        keep = ~np.isin(rows, invalid)
        found, values = found[:, keep], values[keep]
    order = np.lexsort(found[::-1])
    return Found(found[:, order], values[order], invalid)


def _tree(call: Call, parts: list[Any]) -> Any:
    """What many blocks have together, a few of them in each task."""
    parts = [delayed(_joined)(call, parts[i : i + _TOGETHER]) for i in range(0, len(parts), _TOGETHER)]
    return parts[0] if len(parts) == 1 else _tree(call, parts)


def _coordinate(found: Found, axis: int) -> NDArray[np.intp]:
    own: NDArray[np.intp] = found.coordinates[axis]
    return own


def _value(found: Found) -> NDArray[np.float64]:
    return found.values


def _threshold_operand(grid: Grid, thresholds: NDArray[np.float64]) -> tuple[Any, Any]:
    """Thresholds in the blocks of draws and rows, or of rows, or a single one."""
    call = grid.call
    if len(thresholds) != 1:
        chunks = grid.draw_chunks + grid.batch_chunks
        return da.from_array(thresholds.reshape(call.size + call.batch), chunks=chunks), grid.result_letters
    return grid.row_operand(grid.by_row(thresholds.reshape(() if thresholds.size == 1 else call.batch)))


def sample(grid: Grid, thresholds: NDArray[np.float64]) -> tuple[tuple[Any, ...], Any]:
    """Coordinates and values, in a chunk for each along the first axis of draws, or of rows."""
    grid.refuse_repeats()
    call = grid.call
    blocks = grid.by_shard(_search_block, *_threshold_operand(grid, thresholds)).to_delayed()
    # A single row may turn out to be invalid in any of its shards.
    bands = blocks.reshape(len(blocks) if call.size or call.batch else 1, -1)
    joined = [_tree(call, list(band)) for band in bands]

    def along(part: Any, dtype: Any, *arguments: int) -> Any:
        arrays = [da.from_delayed(delayed(part)(own, *arguments), (np.nan,), dtype) for own in joined]
        return da.concatenate(arrays, allow_unknown_chunksizes=True)

    axes = range(len(call.size) + len(call.batch) + 1)
    return tuple(along(_coordinate, np.intp, axis) for axis in axes), along(_value, np.float64)
