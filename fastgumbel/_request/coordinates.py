"""The coordinates at which a call reads the field."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._request.field import CATEGORIES, DRAWS, NoiseField, key_of


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
    if field.draw + draws > DRAWS:
        raise ValueError(f"noise: draws {field.draw} to {field.draw + draws - 1} go beyond the last, 2**32 - 1")
    if field.start + categories > CATEGORIES:
        raise ValueError(
            f"noise: categories {field.start} to {field.start + categories - 1} go beyond the last, 2**32 - 1"
        )


def named(field: NoiseField, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """The category ids of a field that has them, for every place of an array of this shape."""
    assert field.categories is not None
    try:
        return np.broadcast_to(field.categories, shape)
    except ValueError:
        raise ValueError(
            f"noise: categories of shape {field.categories.shape} do not broadcast to the shape {shape}"
        ) from None


def draws_of(rng: Any, noise: Any, draws: int, categories: int) -> NoiseField:
    """The field whose coordinates name draws that read no field."""
    field = field_of(rng, noise)
    if field.start:
        raise ValueError(f"noise: start must be 0, not {field.start}: these draws know no parts of a row")
    check_reach(field, draws, categories)
    return field


def row_ids(field: NoiseField, batch: tuple[int, ...]) -> NDArray[np.uint64]:
    """Ids of the rows of a batch in C order; empty where they count from 0."""
    if field.rows is None:
        return np.empty(0, np.uint64)
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
