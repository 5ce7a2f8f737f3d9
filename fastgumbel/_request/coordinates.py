"""The coordinates at which a call reads the field."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgumbel._request.field import CATEGORIES, DRAWS, NoiseField, key_of

# Row ids that count from 0.
_COUNTED: NDArray[np.uint64] = np.empty(0, np.uint64)
# Temperatures that are all 1.
_ONES: NDArray[np.float64] = np.empty(0)


class Coordinates(NamedTuple):
    """Where rows lie in a field: its key, the first draw and category, and ids of rows and categories.

    Row ids, of a batch in C order, are empty where they count from 0. Category ids have the shape of what is read, or
    are None where they count from `start`. `draws` are added to `draw`, one a row, and empty where there is nothing to
    add. Noise is scaled by `temperatures`, one a row or a single one; they are empty where all are 1.
    """

    key: np.uint64
    draw: int
    start: int
    rows: NDArray[np.uint64]
    categories: NDArray[np.int64] | None
    draws: NDArray[np.uint64] = _COUNTED
    temperatures: NDArray[np.float64] = _ONES


# Where what reads no field is said to lie.
NOWHERE = Coordinates(np.uint64(0), 0, 0, _COUNTED, None)


def coordinates_of(field: NoiseField, batch: tuple[int, ...], shape: tuple[int, ...]) -> Coordinates:
    """Where the rows of a batch lie, in an array of this shape that has the categories too."""
    categories = None if field.categories is None else _named(field, shape)
    draws = np.asarray(field.draw, np.uint64)
    if draws.ndim == 0:
        return Coordinates(field.key, field.draw, field.start, row_ids(field, batch), categories)
    draws = np.ascontiguousarray(np.broadcast_to(draws, batch)).reshape(-1)
    return Coordinates(field.key, 0, field.start, row_ids(field, batch), categories, draws)


def field_of(rng: Any, noise: Any) -> NoiseField:
    """The field that `rng` names or `noise` is."""
    if noise is None:
        return NoiseField.from_key(key_of(rng, "rng"))
    if rng is not None:
        raise ValueError("give rng or noise, not both")
    if not isinstance(noise, NoiseField):
        raise TypeError(f"noise must be a NoiseField, not {type(noise).__name__}")
    return noise


def check_reach(field: NoiseField, draws: int, categories: int) -> None:
    """Whether the coordinates end before the field does."""
    if np.max(field.draw + draws) > DRAWS:
        raise ValueError(f"noise: draws {field.draw} to {field.draw + draws - 1} go beyond the last, 2**32 - 1")
    if field.start + categories > CATEGORIES:
        raise ValueError(
            f"noise: categories {field.start} to {field.start + categories - 1} go beyond the last, 2**32 - 1"
        )


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
        return _COUNTED
    if field.rows.shape == batch:
        return field.rows.reshape(-1)
    try:
        ids = np.broadcast_to(field.rows, batch)
    except ValueError:
        raise ValueError(
            f"noise: rows of shape {field.rows.shape} do not broadcast to the batch shape {batch}"
        ) from None
    return np.ascontiguousarray(ids).reshape(-1)


def check_conditioned(field: NoiseField, categories: int) -> None:
    """Whether conditioned noise has so many categories.

    Fresh exponentials have 30 bits of index, two calls for a quad, but for the last index, which `categorical` reads.
    """
    if field.categories is not None:
        if field.categories.size and field.categories.max() > 2**31 - 5:
            raise ValueError(
                f"noise: categories beyond 2**31 - 5 have no conditioned noise, but {field.categories.max()} is one"
            )
    elif field.start + categories > 2**31 - 4:
        raise ValueError(f"noise: categories beyond 2**31 - 5 have no conditioned noise, and {field.start} begins here")
