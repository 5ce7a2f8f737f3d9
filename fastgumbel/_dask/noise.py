"""The noise field, and noise of a nested logit, as dask arrays, written chunk by chunk."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from fastgumbel._dask.block import Place, lengths, positions, writable
from fastgumbel._dask.extra import ArraySliceDep, da
from fastgumbel._dask.graph import cut
from fastgumbel._host import nested as _nested
from fastgumbel._host import noise as _noise
from fastgumbel._request.coordinates import NOWHERE, Coordinates, coordinates_of
from fastgumbel._request.field import NoiseField
from fastgumbel._request.ndarrays import frozen
from fastgumbel._request.nests import Nests


def write(field: NoiseField, shape: tuple[int, ...], chunks: Any, kind: Any) -> Any:
    """An array of at least one axis, the last of which counts categories."""
    return _written(partial(_fill_block, _noise.write), field, shape, chunks, kind)


def write_nested(field: NoiseField, shape: tuple[int, ...], chunks: Any, kind: Any, nests: Nests) -> Any:
    """As `write`, the noise of a nested logit: each chunk draws the nests of its rows, and its own categories."""
    chunks = cut("chunks", chunks, shape, kind)
    own = [da.from_array(items, chunks=(chunks[-1],)) for items in (nests.planes, nests.inner)]
    last = (len(shape) - 1,)
    fill = partial(_fill_nested, nests.part(0, 0))
    return _written(fill, field, shape, chunks, kind, own[0], last, own[1], last)


def _written(fill: Any, field: NoiseField, shape: tuple[int, ...], chunks: Any, kind: Any, *operands: Any) -> Any:
    """An array that fill(place, batch, kind, block, ids, draws, categories, ...) gives for each of its blocks."""
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
    work = partial(fill, alike, shape[:-1], kind)
    named = ArraySliceDep(chunks), letters, *ids, *draws, *categories
    meta = np.empty((0,) * len(letters), kind)
    return da.blockwise(work, letters, *named, *operands, align_arrays=False, meta=meta)


def _fill_block(
    writer: Any, whole: Coordinates, batch: tuple[int, ...], kind: Any, block: Place, ids: Any, draws: Any,
    categories: Any,
) -> Any:  # fmt: skip
    # Arrays that came from another process are not read-only any more, as kernels want them.
    rows = frozen(positions(block[:-1], batch) if ids is None else np.ascontiguousarray(ids).reshape(-1))
    start = whole.start + block[-1].start if categories is None else 0
    noise = np.empty(lengths(block), kind)
    own = NOWHERE.draws if draws is None else frozen(np.ascontiguousarray(draws).reshape(-1))
    at = whole._replace(start=start, rows=rows, categories=categories, draws=own)
    writer(noise, at._replace(temperatures=NOWHERE.temperatures))
    return noise


def _fill_nested(nests: Nests, *arguments: Any) -> Any:
    *block, planes, inner = arguments
    tree = Nests(*map(writable, nests._replace(planes=planes, inner=inner)))
    return _fill_block(lambda noise, place: _nested.write(noise, place, tree), *block)
