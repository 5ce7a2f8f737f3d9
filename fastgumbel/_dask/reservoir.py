"""A `Reservoir` of a dask array: one of each chunk, merged in a tree."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import numpy as np

from fastgumbel._api.reservoir import Reservoir
from fastgumbel._dask.block import Place
from fastgumbel._dask.extra import ArraySliceDep, da
from fastgumbel._dask.graph import in_chunks, tree
from fastgumbel._request.field import NoiseField
from fastgumbel._request.request import Request


def sample(request: Request, empty: Reservoir, first: int) -> Any:
    """The reservoir, delayed, like an empty one whose first item has this number."""
    x = request.x
    mask = (None, None) if request.where is None else (in_chunks(request.where, x), (0,))
    fill = partial(_fill, empty.k, empty.noise, first)
    operands = x, (0,), *mask, ArraySliceDep(x.chunks), (0,)
    parts = da.blockwise(fill, (0,), *operands, align_arrays=False, meta=np.empty(0, object))
    return tree(parts, _merged).to_delayed().item()


def _fill(k: int, field: NoiseField, first: int, x: Any, where: Any, place: Place) -> Reservoir:
    part = Reservoir(k, noise=field, first=first + place[0].start)
    part.update(x, where=where)
    return part


def _merged(one: Reservoir, two: Reservoir) -> Reservoir:
    whole = copy.copy(one)
    whole.merge(two)
    return whole
