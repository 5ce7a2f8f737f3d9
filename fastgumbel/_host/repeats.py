"""Rows in which a category id stands more than once: its places are one alternative, that of the largest of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.repeats import any_repeated, first_repeat, representatives, settle
from fastgumbel._host.rows import BUFFER_BYTES, Rows, ids_of
from fastgumbel._host.threads import run
from fastgumbel._request.coordinates import Coordinates
from fastgumbel._request.faults import place_name, repeat_message


def find_repeat(categories: NDArray[np.int64]) -> tuple[int, int] | None:
    """The first row and place, the categories last, whose id its row has before."""
    n, count = categories.shape[-1], int(np.prod(categories.shape[:-1]))
    if count == 0 or n == 0:
        return None
    if not any(categories.strides[:-1]):
        count = 1
    height = max(1, BUFFER_BYTES // (8 * n))
    for row in range(0, count, height):
        found: int = first_repeat(ids_of(categories, row, min(row + height, count), 0, n))
        if found >= 0:
            return row + found // n, found % n
    return None


def refuse_repeats(place: Coordinates, axis: int, remedy: str) -> None:
    """Raise where an id stands twice in a row, for those who cannot tell which of its places counts."""
    if place.categories is None:
        return
    categories = np.moveaxis(place.categories, axis, -1)
    found = find_repeat(categories)
    if found is not None:
        batch = categories.shape[:-1]
        own = categories[(*np.unravel_index(found[0], batch), found[1])]
        raise ValueError(repeat_message(place_name(batch, found[0]), int(own), remedy))


def settle_choices(rows: Rows, index: NDArray[np.intp]) -> None:
    """Let each of the chosen places index[draw, row] be the one that stands for its id.

    Others of an id have won where their perturbed values are rounded to the same number.
    """
    height = max(1, BUFFER_BYTES // (8 * rows.n))

    def work(row: int, end: int) -> None:
        ids = rows.ids(row, end, 0, rows.n)
        if any_repeated(ids, index, (row, end)):
            settle(rows.piece(row, end, 0, rows.n), ids, index, row)

    tasks = [(row, min(row + height, rows.count)) for row in range(0, rows.count, height)]
    run(work, tasks, len(tasks))


def once_each(rows: Rows) -> tuple[Rows, NDArray[np.int64] | None]:
    """The rows without the lesser places of each id, and of each row and place, which place stands for its id.

    The rows themselves, and None, where every id stands once in its row.
    """
    categories = rows.place.categories
    if categories is None or find_repeat(categories) is None:
        return rows, None
    chosen = np.empty((rows.count, rows.n), np.int64)
    height = max(1, BUFFER_BYTES // (8 * rows.n))
    for row in range(0, rows.count, height):
        end = min(row + height, rows.count)
        representatives(rows.piece(row, end, 0, rows.n), rows.ids(row, end, 0, rows.n), chosen[row:end])
    left = (chosen == np.arange(rows.n)).reshape(rows.values.shape)
    return rows.only(left), chosen
