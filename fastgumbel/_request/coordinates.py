"""The coordinates at which a call reads the field."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgumbel._request.faults import RNG_AND_NOISE, unfit_message
from fastgumbel._request.field import NoiseField
from fastgumbel._request.ids import CATEGORIES, DRAWS
from fastgumbel._request.key import SEEDS, key_of
from fastgumbel._request.layout import fits
from fastgumbel._request.ndarrays import freeze, frozen

# Row ids that count from 0, or draws of which no row has one of its own.
_COMMON: NDArray[np.uint64] = frozen(np.empty(0, np.uint64))
_ONE: NDArray[np.float64] = frozen(np.empty(0))


class Coordinates(NamedTuple):
    """Where rows lie in a field: its key, the first draw and category, and ids of rows and categories.

    Row ids, of a batch in C order, are empty where they count from 0. Category ids have the shape of what is read, or
    are None where they count from `start`. `draws` are added to `draw`, one a row, and empty where there is nothing to
    add. `temperatures` scale the noise: one a row, one for all, or none where all are 1. All three are read-only.
    `wide` tells that a category id is 2^32 or more, `empty` that one may be negative.
    """

    key: np.uint64
    draw: int
    start: int
    rows: NDArray[np.uint64]
    categories: NDArray[np.int64] | None
    draws: NDArray[np.uint64] = _COMMON
    temperatures: NDArray[np.float64] = _ONE
    wide: bool = False
    empty: bool = False


# Where what reads no field is said to lie.
NOWHERE = Coordinates(np.uint64(0), 0, 0, _COMMON, None)


def coordinates_of(field: NoiseField, batch: tuple[int, ...], shape: tuple[int, ...], axis: int = -1) -> Coordinates:
    """Where the rows of a batch lie, in an array of this shape that has the categories too, on an axis from the end."""
    place: Coordinates
    if field._known is not None:
        read, place = field._known
        if read is None or read == (shape, axis):
            return place
    categories = None if field.categories is None else _named(field, shape)
    start, starts = _one_or_each(field.start, "start", batch)
    if starts.size:
        ids = (starts[..., np.newaxis] + np.arange(shape[axis], dtype=np.uint64)).view(np.int64)
        categories = np.moveaxis(np.broadcast_to(ids, (*batch, shape[axis])), -1, axis)
    draw, draws = _one_or_each(field.draw, "draw", batch)
    if draws.size:
        draws = frozen(np.ascontiguousarray(np.broadcast_to(draws, batch)).reshape(-1))
    wide, empty = field.has_wide_categories, field.has_empty_places
    place = Coordinates(field.key, draw, start, row_ids(field, batch), categories, draws, _ONE, wide, empty)
    anywhere = field.rows is None and field.categories is None and type(field.draw) is type(field.start) is int
    if not starts.size:  # ids that were written out for this call would take memory after it
        object.__setattr__(field, "_known", (None if anywhere else (shape, axis), place))
    return place


def _one_or_each(value: int | NDArray[np.uint64], name: str, batch: tuple[int, ...]) -> tuple[int, NDArray[np.uint64]]:
    """The number that all rows have, and none else; or 0, and an array of what each row has."""
    if not isinstance(value, np.ndarray):
        return value, _COMMON
    if not fits(value.shape, batch):
        raise ValueError(unfit_message(name, value.shape, batch))
    first = int(value.flat[0]) if value.size else 0
    return (first, _COMMON) if (value == first).all() else (0, value)


def field_of(rng: Any, noise: Any) -> NoiseField:
    """The field that `rng` names or `noise` is."""
    if rng is None and type(noise) is NoiseField:
        return noise
    if noise is None:
        return _field_of_int(rng) if type(rng) is int else NoiseField.from_key(key_of(rng, "rng"))
    if rng is not None:
        raise ValueError(RNG_AND_NOISE)
    if not isinstance(noise, NoiseField):
        remedy = ": pass rng=" if isinstance(noise, SEEDS) else ""
        raise TypeError(f"noise must be a NoiseField, not {type(noise).__name__}{remedy}")
    return noise


@functools.lru_cache(maxsize=64)
def _field_of_int(seed: int) -> NoiseField:
    """The field of a seed; to make it takes as long as a whole call for a small row."""
    return NoiseField.from_key(key_of(seed, "rng"))


def check_reach(field: NoiseField, draws: int, categories: int, samples: int = 1) -> None:
    """Refuse coordinates that go beyond the field, where each draw takes so many samples."""
    draw, start = field.draw, field.start
    if type(draw) is not int or type(start) is not int:
        draw, start = last_of(draw), last_of(start)
    if (draw + draws) * samples > DRAWS:
        first, last = draw * samples, (draw + draws) * samples - 1
        each = f", as rao takes {samples} for each" if samples > 1 else ""
        raise ValueError(f"noise: draws {first} to {last} go beyond the last, 2**32 - 1{each}")
    if start + categories > CATEGORIES:
        raise ValueError(f"noise: categories {start} to {start + categories - 1} go beyond the last, 2**32 - 1")


def last_of(first: int | NDArray[np.uint64]) -> int:
    """The largest of numbers that rows have, or the one that all have."""
    return int(first.max(initial=0)) if isinstance(first, np.ndarray) else first


def check_device(place: Coordinates) -> None:
    """Refuse category ids that are too large for a device."""
    if place.wide:
        raise ValueError("noise: categories of device arrays are up to 2**32 - 1: number them, or pass host arrays")


def _named(field: NoiseField, shape: tuple[int, ...]) -> NDArray[np.int64]:
    assert field.categories is not None
    if field.categories.shape == shape:
        return field.categories
    try:
        return np.broadcast_to(field.categories, shape)
    except ValueError:
        raise ValueError(
            f"noise: categories of shape {field.categories.shape} do not broadcast to the shape {shape}"
        ) from None


def row_ids(field: NoiseField, batch: tuple[int, ...]) -> NDArray[np.uint64]:
    """Ids of the rows of a batch in C order; empty where they count from 0."""
    if field.rows is None:
        return _COMMON
    if field.rows.shape == batch:
        return freeze(field.rows.reshape(-1))
    try:
        ids = np.broadcast_to(field.rows, batch)
    except ValueError:
        raise ValueError(unfit_message("rows", field.rows.shape, batch)) from None
    return freeze(np.ascontiguousarray(ids).reshape(-1))


def check_conditioned(field: NoiseField, categories: int) -> None:
    """Refuse categories of which there is no conditioned noise.

    Fresh exponentials have 30 bits of index, two calls for a quad, but for the last two indices, which wide category
    ids and `categorical` read.
    """
    if field.categories is not None:
        if field.categories.size and field.categories.max() > 2**31 - 5:
            raise ValueError(
                f"noise: categories beyond 2**31 - 5 have no conditioned noise, but {field.categories.max()} is one"
            )
    elif last_of(field.start) + categories > 2**31 - 4:
        start = last_of(field.start)
        raise ValueError(f"noise: categories beyond 2**31 - 5 have no conditioned noise, and {start} begins here")
