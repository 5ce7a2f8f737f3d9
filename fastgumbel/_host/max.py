"""Gumbel-max of a batch, and the k best: cut into tasks, shared among threads, combined."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.max_few import max_few, max_one
from fastgumbel._cpu.max_given import max_given, merge_results
from fastgumbel._cpu.max_long import max_long
from fastgumbel._cpu.max_short import max_short
from fastgumbel._host.rows import Rows
from fastgumbel._host.tiles import LONGEST, prepared, scan_field, scan_given, scan_ids, share
from fastgumbel._request.field import CATEGORIES, NoiseField

# Rows of at most so many categories go side by side through the vector lanes.
SHORT = 256
# Of so many log-potentials in so many rows, at most, samples are found without any preparation.
_LITTLE = 1024
_FEW = 32
_INDICES: tuple[np.intp, ...] = tuple(np.arange(_LITTLE, dtype=np.intp))


def search_few(x: Any, axis: Any, field: NoiseField) -> np.intp | NDArray[np.intp] | None:
    """Indices of the samples of a plain array of few short rows, the categories last.

    None where it takes `search` to find or refuse them.
    """
    if (
        type(x) is np.ndarray
        and x.ndim > 0
        and x.dtype.char in "fd"
        and type(axis) is int
        and (axis == -1 or axis == x.ndim - 1)
        and 0 < x.size <= _LITTLE
    ):
        flags, batch, n = x.flags, x.shape[:-1], x.shape[-1]
        counted = field.rows is None and field.categories is None and field.start + n <= CATEGORIES
        if counted and flags.c_contiguous and flags.aligned and x.dtype.isnative:
            if not batch:
                index: int = max_one(x, field.key, field.draw, field.start)
                return _INDICES[index] if index >= 0 else None
            if x.size <= _FEW * n:
                samples = np.empty(x.size // n, np.intp)
                if max_few(x.reshape(-1, n), field.key, field.draw, field.start, samples):
                    return samples.reshape(batch)
    return None


def search(
    rows: Rows, field: NoiseField, ids: NDArray[np.uint64], index: NDArray[np.intp], value: NDArray[np.float64] | None
) -> None:
    """Write index and perturbed value (unless None) of every draw (axis 0) of every row (axis 1)."""
    short = rows.n <= SHORT
    by_noise = rows.categories is not None and not short
    values = prepared(index, value, by_noise or rows.n == 0 or rows.n > min(rows.width, LONGEST))
    if rows.n == 0 or index.size == 0:
        return
    if by_noise:
        share(rows, index, values, True, scan_ids(rows, field, ids, max_given), merge_results)
        return
    scan = scan_field(rows, field, ids, max_short if short else max_long, field.start)
    share(rows, index, values, short, scan, merge_results)


def search_given(rows: Rows, noise: Rows, index: NDArray[np.intp], value: NDArray[np.float64] | None) -> None:
    """As `search`, on noise that the caller computed: its rows are those of the first draw, of the second, ..."""
    values = prepared(index, value, True)
    if rows.n and index.size:
        share(rows, index, values, True, scan_given(rows, noise, max_given), merge_results)
