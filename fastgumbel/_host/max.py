"""Gumbel-max of a batch: cut into tasks, shared among threads, combined."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.max.few import max_each, max_few, max_one
from fastgumbel._cpu.max.given import max_given, merge_results
from fastgumbel._cpu.max.long import max_long
from fastgumbel._cpu.max.middle import max_middle
from fastgumbel._cpu.max.short import max_short
from fastgumbel._host.repeats import settle_choices
from fastgumbel._host.result import INDEX, VALUE, check_apart, delivered, room
from fastgumbel._host.rows import LITTLE, Rows, fault_of, inputs_of, noise_of, rows_of
from fastgumbel._host.tiles import LONGEST, prepared, scan_given, scan_ids, share, share_field
from fastgumbel._host.written import NO_HOMES, Written
from fastgumbel._law.reduce import HOTTEST
from fastgumbel._request.field import NoiseField
from fastgumbel._request.ids import CATEGORIES
from fastgumbel._request.ndarrays import any_negative
from fastgumbel._request.outputs import outs_of
from fastgumbel._request.request import Request

# Which kernel runs, by the categories of a row: `max_short` up to SHORT, or `max_each` where the rows of all draws are
# few, `max_middle` up to MIDDLE, or up to MIDDLE_OF_MANY where there are _SEVERAL rows of all draws, then `max_long`.
# `bench/curve.py` measures all three. The middle one begins to win at about 100 categories (equal log-potentials), 170
# (N(0, 1)) or 300 (wide ones). It ends at about 3,500 for equal ones, at 14,000 for N(0, 1), and beyond what it can do,
# 16,384, for wider ones.
SHORT = 192
_EACH = 16
MIDDLE = 8192
MIDDLE_OF_MANY, _SEVERAL = 12_288, 16
# Rows with ids, written out, have at most so many categories for it, as they may begin anywhere in a pair of blocks.
_MIDDLE_WRITTEN = 16_384 - 128
# Up to so many categories with ids go through `max_short`.
_SHORT_IDS = 256
# Of so many log-potentials in so many rows, at most, samples are found without any preparation.
_LITTLE = 1024
_FEW = 32
_HOTTEST = float(HOTTEST)
_INDICES: tuple[np.intp, ...] = tuple(np.arange(_LITTLE, dtype=np.intp))


def search_few(x: Any, axis: Any, field: NoiseField, temperature: Any) -> np.intp | NDArray[np.intp] | None:
    """Indices of the samples of a plain array of few short rows, the categories last.

    None where it takes `sample` to find or refuse them.
    """
    if (
        field.rows is None
        and field.categories is None
        and type(x) is np.ndarray
        and x.ndim > 0
        and x.dtype.char in "fd"
        and type(axis) is int
        and (axis == -1 or axis == x.ndim - 1)
        and 0 < x.size <= _LITTLE
        and type(temperature) is float
        and 0 <= temperature <= _HOTTEST
    ):
        flags, batch, n = x.flags, x.shape[:-1], x.shape[-1]
        draw, start = field.draw, field.start
        if (
            type(draw) is int
            and type(start) is int
            and start + n <= CATEGORIES
            and flags.c_contiguous
            and flags.aligned
            and x.dtype.isnative
        ):
            if not batch:
                index: int = max_one(x, field.key, draw, start, temperature)
                return _INDICES[index] if index >= 0 else None
            if x.size <= _FEW * n:
                samples = np.empty(x.size // n, np.intp)
                if max_few(x.reshape(-1, n), field.key, draw, start, temperature, samples):
                    return samples.reshape(batch)
    return None


def sample(request: Request, return_max: bool, out: Any) -> Any:
    """What `gumbel_max` does: indices and, if wanted, perturbed values."""
    rows, shape = rows_of(request), request.draw_shape + request.batch
    flat, read = (request.draws, rows.count), inputs_of(request)
    if not return_max:
        index = room("out", out, shape, INDEX, flat, -1, read)
        search(rows, noise_of(request), index, None)
        refuse(request, rows, index)
        return delivered(index, out, shape, -1)
    (name, index_out), (value_name, value_out) = outs_of(out, "indices", "values")
    index = room(name, index_out, shape, INDEX, flat, -1, read)
    value = room(value_name, value_out, shape, VALUE, flat, -1, read)
    if out is not None:
        check_apart(index_out, value_out)
    search(rows, noise_of(request), index, value)
    if refuse(request, rows, index):
        value[index < 0] = np.nan
    return delivered(index, index_out, shape, -1), delivered(value, value_out, shape, -1)


def refuse(request: Request, rows: Rows, index: NDArray[np.intp]) -> bool:
    """Raise for the first row without a sample, unless such rows are marked: whether there are any."""
    if not any_negative(index):
        return False
    if request.raises:
        raise ValueError(fault_of(request, rows, int((index < 0).any(0).argmax())))
    return True


def search(rows: Rows, noise: Rows | None, index: NDArray[np.intp], value: NDArray[np.float64] | None) -> None:
    """Write index and perturbed value (unless None) of every draw (axis 0) of every row (axis 1).

    Noise, if given, has the rows of the first draw, then those of the second, ...
    """
    rows, n = rows.counted() if rows.has_ids else rows, rows.n
    short = n <= (_SHORT_IDS if rows.has_ids else SHORT)
    apart = noise is not None or (rows.has_ids and (rows.place.wide or not short))
    values = prepared(index, value, apart or n == 0 or (n > LITTLE and (n > LONGEST or n > rows.width)))
    if n == 0 or index.size == 0:
        return
    settled = False
    if noise is not None:
        share(rows, index, values, True, scan_given(rows, noise, max_given), merge_results)
    elif apart and n <= MIDDLE and not rows.place.wide:
        written = Written(rows, max_middle, scan_ids(rows, max_given), _MIDDLE_WRITTEN, ordered=False)
        share(rows, index, values, False, written.scan, merge_results)
        settled = written.settled
    elif apart:
        share(rows, index, values, True, scan_ids(rows, max_given), merge_results)
    elif short:
        kernel = max_short if rows.has_ids or index.size > _EACH else max_each
        share_field(rows, index, values, True, kernel, merge_results)
    elif n <= (MIDDLE_OF_MANY if index.size >= _SEVERAL else MIDDLE):
        share_field(rows, index, values, False, _middle, merge_results)
    else:
        share_field(rows, index, values, False, max_long, merge_results)
    if rows.has_ids and not settled:
        settle_choices(rows, index)


def _middle(*arguments: Any) -> None:
    max_middle(*arguments, NO_HOMES)
