"""Ids of rows, draws and categories, as `NoiseField` takes and keeps them."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgumbel._request.ndarrays import freeze
from fastgumbel._request.scalars import array_of, item_name, whole

# So many of each a counter of Philox can name. Ids of categories go up to IDS: wide ones read the field of other keys.
DRAWS = 2**32
CATEGORIES = 2**32
ROWS = 2**64
IDS = 2**63

# What to do with ids that are text; draws, and where shards begin, are counted.
_HASHES = {
    "rows": "hash text, as by pandas.util.hash_array, or number it",
    "categories": "hash text, as by pandas.util.hash_array(...) >> 1, or number it",
}
# Types, by name, of what stands for a missing id in an array of objects.
_MISSING = ("NoneType", "NAType", "NaTType")


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def one_or_each(value: Any, name: str, end: int) -> int | NDArray[np.uint64]:
    """A number below a power of two, or one for each row; None is 0."""
    if value is None:
        return 0
    if isinstance(value, list | tuple) or getattr(value, "ndim", 0) > 0:
        return row_ids(value, name, end)
    return whole(value, name, 0, end)


def _integers(values: ArrayLike, name: str) -> NDArray[Any]:
    """An array of what should be integers, also where NumPy would make another type of a list."""
    array = array_of(values, name)
    if isinstance(values, np.ndarray):
        return array
    if array.size == 0:
        return array.astype(np.uint64)
    if array.dtype.kind == "f":
        # NumPy makes floats of a list of ints where some are below 2**63 and others are not.
        exact = np.asarray(values, object)
        return exact if all(map(_is_integer, exact.flat)) else array
    return array


def _refuse(ids: NDArray[Any], name: str, allowed: str) -> NoReturn:
    """Raise for ids that are not integers: name the first one that is none, and what to pass instead."""
    kind, remedy = ids.dtype.kind, f'pass {name}.astype("int64")'
    refusal = f"{name} must be integers {allowed}, not {'text' if kind in 'UT' else ids.dtype}"
    if kind == "f":
        bad = ~(np.isfinite(ids) & (ids == np.rint(ids)))
    elif kind in "UT":
        bad = np.array([not value.isdecimal() for value in ids.flat]).reshape(ids.shape)
    elif kind == "O":
        bad = np.array([not _is_integer(value) for value in ids.flat]).reshape(ids.shape)
    else:
        raise TypeError(refusal)
    if not bad.any():
        raise TypeError(f"{refusal}: {remedy}" if ids.ndim else f"{refusal}: pass int({name})")
    value, item = ids.flat[bad.argmax()], item_name(name, bad)
    if type(value).__name__ in _MISSING or (isinstance(value, float | np.floating) and np.isnan(value)):
        raise TypeError(f"{refusal}: {item} is missing ({value}); drop or fill what is missing, then {remedy}")
    if isinstance(value, str):
        raise TypeError(f"{refusal}: {item} is '{value}'; {_HASHES.get(name, 'number it')}")
    raise TypeError(f"{refusal}: {item} is {value}, which is no whole number")


def row_ids(rows: ArrayLike, name: str, end: int) -> NDArray[np.uint64]:
    """Integers by row below a power of two, in an array of their own."""
    ids, last = _integers(rows, name), f"2**{end.bit_length() - 1} - 1"
    if ids.dtype.kind not in "iu" and not (ids.dtype == object and all(map(_is_integer, ids.flat))):
        _refuse(ids, name, f"from 0 to {last}")
    if ids.size and (ids.min() < 0 or ids.max() >= end):
        bad = (ids < 0) | (ids >= end)
        raise ValueError(f"{name} must be from 0 to {last}, but {item_name(name, bad)} is {ids.flat[bad.argmax()]}")
    own = np.array(ids, np.uint64, order="C")
    return freeze(own)


def category_ids(categories: ArrayLike) -> NDArray[np.int64]:
    """Category ids in an array of their own, -1 in empty places."""
    ids = _integers(categories, "categories")
    wide = ids.dtype == np.uint64 or (ids.dtype == object and all(map(_is_integer, ids.flat)))
    if ids.dtype.kind not in "iu" and not wide:
        _refuse(ids, "categories", "up to 2**63 - 1, negative in empty places")
    if wide and ids.size and ids.max() >= IDS:
        # As int64, the largest of uint64 would be negative, and those of Python may not fit.
        bad = ids >= IDS
        what = f"{item_name('categories', bad)} is {ids.flat[bad.argmax()]}"
        raise ValueError(f"categories must be up to 2**63 - 1, but {what}")
    own = np.array(np.maximum(ids, -1) if ids.dtype == object else ids, np.int64, order="C")
    if own.size and own.min() < 0:
        np.maximum(own, -1, out=own)
    return freeze(own)


def span_of(ids: NDArray[np.int64] | None) -> tuple[int, int]:
    """The least and the largest of category ids; zeros if there are none."""
    return (0, 0) if ids is None or ids.size == 0 else (int(ids.min()), int(ids.max()))
