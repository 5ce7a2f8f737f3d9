"""Relaxed samples of rows and their tangents, without hard ones: cut into tasks and shared among threads."""

from __future__ import annotations

from functools import cache, partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.softmax.long import softmax_jvp_long, softmax_long
from fastgumbel._cpu.softmax.short import softmax_short
from fastgumbel._host.blocks import run_blocks, write_ids
from fastgumbel._host.parts import pays
from fastgumbel._host.rows import Rows, field_at
from fastgumbel._host.softmax_row import relax_rows
from fastgumbel._law.reduce import INVALID_ROW
from fastgumbel._law.sums import SHORT
from fastgumbel._request.ndarrays import freeze

# Tangents of log-potentials and temperatures by direction and row, whether any of the latter is not 0, and tangents of
# samples by direction, draw and row: a plain `Tangents` of kernels.
Slopes: TypeAlias = tuple[NDArray[Any], NDArray[Any], bool, NDArray[Any]]


# So many rows (and draws) or more, of at most so many bytes, go side by side through the vector slots, and all rows
# whose sums the contract takes one by one.
_SLOTS, _SLOT_BYTES, _SLOT_BYTES_OF_TANGENTS = 16, 896, 448


@cache
def nothing(kind: np.dtype[Any]) -> NDArray[Any]:
    """What stands for noise, or for tangents of log-potentials, where there are none."""
    return freeze(np.empty((0, 0, 0), kind))


@cache
def _no_tangents(kind: np.dtype[Any]) -> Slopes:
    """No tangents of a dtype."""
    return nothing(kind), np.empty((0, 0), kind), False, np.empty((0, 0, 0, 0), kind)


def relax(
    rows: Rows,
    given: NDArray[Any],
    rates: NDArray[Any],
    y: NDArray[Any],
    slopes: Slopes | None,
    log: bool,
) -> NDArray[np.uint8]:
    """Write samples to y[draw, row] unless it is empty, and tangents; by row, what is wrong with it.

    `rates` are 1 / tau by row, or one for all. All arrays are C-contiguous and of the rows' dtype.
    """
    faulty = np.zeros(rows.count, np.uint8)
    if rows.n == 0:
        faulty[:] = INVALID_ROW
        return faulty
    into = y, log, faulty
    draws = len(y) if slopes is None else slopes[3].shape[1]
    if not given.size and not rows.has_ids and pays(rows, draws):
        relax_rows(rows, rates, into, slopes or _no_tangents(rows.dtype), draws)
    else:
        run_blocks(rows, draws, partial(_relax_block, rows, given, rates, into, slopes))
    return faulty


def _relax_block(
    rows: Rows, given: NDArray[Any], rates: NDArray[Any], into: Any, slopes: Slopes | None, *block: int
) -> None:
    """As `relax`, of a block of rows and draws, into (y, log, faulty)."""
    r, r1, s, s1 = block
    x, at, window = rows.piece(r, r1, 0, rows.n), field_at(rows.place, r, r1), (s, s1, r, 0)
    # Kernels take the noise of a block, or none.
    noise = given
    if given.size:
        noise = freeze(np.ascontiguousarray(given[s:s1, r:r1]))
    elif rows.has_ids:
        noise = np.empty((s1 - s, r1 - r, rows.n), rows.dtype)
        write_ids(noise, rows, block, False)
        freeze(noise)
    if given.size and np.isneginf(noise).any():
        # Each draw has places of its own that are excluded.
        for d, beside in enumerate(noise, s):
            left = freeze(np.where(np.isneginf(beside), rows.dtype.type(-np.inf), x))
            _relax_piece(left, at, rates, beside[np.newaxis], into, slopes, (d, d + 1, r, 0))
    else:
        _relax_piece(x, at, rates, noise, into, slopes, window)


def _fill_slots(shape: tuple[int, ...], window: Any, itemsize: int, plain: bool) -> bool:
    """Whether rows, and their draws in a window, go side by side; plain ones have no tangents."""
    (rows, n), (first, last, *_) = shape, window
    return n * itemsize <= (_SLOT_BYTES if plain else _SLOT_BYTES_OF_TANGENTS) and rows * (last - first) >= _SLOTS


def _relax_piece(
    x: NDArray[Any],
    at: Any,
    rates: NDArray[Any],
    noise: NDArray[Any],
    into: Any,
    slopes: Slopes | None,
    window: Any,
) -> None:
    """Call the kernel for a piece of rows; they have the same bits."""
    if x.shape[1] <= SHORT or _fill_slots(x.shape, window, rates.itemsize, slopes is None):
        softmax_short(x, at, rates, noise, into, slopes or _no_tangents(rates.dtype), window)
    elif slopes is None:
        softmax_long(x, at, rates, noise, into, window)
    else:
        softmax_jvp_long(x, at, rates, noise, into, slopes, window)
