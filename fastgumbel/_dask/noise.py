"""The noise field as a dask array, written chunk by chunk."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from fastgumbel._dask.block import Place, lengths, positions
from fastgumbel._dask.extra import ArraySliceDep, da
from fastgumbel._dask.graph import cut
from fastgumbel._host import noise as _noise
from fastgumbel._request.coordinates import NOWHERE, Coordinates, coordinates_of
from fastgumbel._request.field import NoiseField
from fastgumbel._request.ndarrays import frozen


def write(field: NoiseField, shape: tuple[int, ...], chunks: Any, kind: Any) -> Any:
    """An array of at least one axis, the last of which counts categories."""
    place = coordinates_of(field, shape[:-1], shape)
    chunks = cut("chunks", chunks, shape, kind)
    letters = tuple(range(len(shape)))
    ids: tuple[Any, Any] = (None, None)
    if place.rows.size:
        ids = da.from_array(place.rows.reshape(shape[:-1]), chunks=chunks[:-1]), letters[:-1]
    draws: tuple[Any, Any] = (None, None)
    if place.draws.size:
        draws = da.from_array(place.draws.reshape(shape[:-1]), chunks=chunks[:-1]), letters[:-1]
    categories: tuple[Any, Any] = (None, None)
    if place.categories is not None:
        categories = da.from_array(place.categories, chunks=chunks), letters
    alike = place._replace(rows=place.rows[:0], draws=place.draws[:0], categories=None)
    fill = partial(_fill_block, alike, shape[:-1], kind)
    operands = ArraySliceDep(chunks), letters, *ids, *draws, *categories
    return da.blockwise(fill, letters, *operands, align_arrays=False, meta=np.empty((0,) * len(shape), kind))


def _fill_block(
    whole: Coordinates, batch: tuple[int, ...], kind: Any, block: Place, ids: Any, draws: Any, categories: Any
) -> Any:
    # Arrays that came from another process are not read-only any more, as kernels want them.
    rows = frozen(positions(block[:-1], batch) if ids is None else np.ascontiguousarray(ids).reshape(-1))
    start = whole.start + block[-1].start if categories is None else 0
    noise = np.empty(lengths(block), kind)
    own = NOWHERE.draws if draws is None else frozen(np.ascontiguousarray(draws).reshape(-1))
    at = whole._replace(start=start, rows=rows, categories=categories, draws=own)
    _noise.write(noise, at._replace(temperatures=NOWHERE.temperatures))
    return noise
