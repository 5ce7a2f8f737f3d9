"""The k best of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.top.every import merge_tops, sort_tops, top_every, top_given
from fastgumbel._cpu.top.insert import top_insert, top_insert_given
from fastgumbel._cpu.top.long import top_long
from fastgumbel._cpu.top.middle import top_middle
from fastgumbel._cpu.top.short import top_short
from fastgumbel._host.repeats import once_each
from fastgumbel._host.result import INDEX, VALUE, check_apart, delivered, room
from fastgumbel._host.rows import Rows, fault_of, inputs_of, noise_of, rows_of
from fastgumbel._host.tiles import prepared, scan_given, scan_ids, share, share_field
from fastgumbel._host.written import Written
from fastgumbel._law.reduce import LIMIT
from fastgumbel._request.faults import draw_name, excluded_text, too_few_message
from fastgumbel._request.ndarrays import any_negative, count_set
from fastgumbel._request.outputs import outs_of
from fastgumbel._request.request import Request

# Which kernel runs. Where so many lists or more are wanted, rows are searched together: by `top_insert` up to _FEW
# categories of which about half have a place; by `top_short` up to SHORT where there are fewer than _MANY a place, and
# by `top_middle` up to MIDDLE where there are more. Lists of more than _PLACES, or of most categories, are not for
# `top_short`. Of at most _SHORTER categories and _FEW_PLACES places, _FEW_LISTS are enough for it.
_SEVERAL = 16
_FEW_LISTS, _SHORTER, _FEW_PLACES = 8, 128, 8
_MANY = 128
SHORT = 2048
MIDDLE = 8192
_PLACES = 64
_FEW = 32
# On noise that the caller computed, it is `top_insert_given` where a value meets so many others at most.
_MET = 256
# Else `top_long` from so many categories a place on, and `top_every` below.
_PRUNED = 64
# Rows of at most so many categories with ids are written out.
_WRITTEN = 2**15


def sample(request: Request, k: int, return_threshold: bool, out: Any) -> Any:
    """What `gumbel_top_k` does: indices and values by rank and, if wanted, thresholds."""
    (rows, chosen), lead = once_each(rows_of(request)), request.draw_shape + request.batch
    places = min(k + return_threshold, rows.n)
    flat = request.draws, rows.count, k
    outs = outs_of(out, "indices", "values", "threshold") if return_threshold else outs_of(out, "indices", "values")
    (name, index_out), (value_name, value_out) = outs[:2]
    shape, axis, read = (*lead, k), request.axis, inputs_of(request)
    index = found = room(name, index_out, shape, INDEX, flat, axis, read)
    value = best = room(value_name, value_out, shape, VALUE, flat, axis, read)
    threshold = room(*outs[2], lead, VALUE, flat[:2], -1, read) if return_threshold else None
    if out is not None:
        check_apart(*out)
    if places > k:
        # What has a place more than the caller's arrays is copied to them.
        found, best = np.empty((*flat[:2], places), np.intp), np.empty((*flat[:2], places))
    search(rows, noise_of(request), found, best)
    if request.raises:
        _refuse(request, rows, found, best, k, chosen is not None)
    if places > k:
        index[...], value[...] = found[..., :k], best[..., :k]
    pair = delivered(index, index_out, shape, axis), delivered(value, value_out, shape, axis)
    if threshold is None:
        return pair
    threshold[...] = best[..., k] if places > k else np.where(np.isnan(best[..., 0]), np.nan, -np.inf)
    return *pair, delivered(threshold, outs[2][1], lead, -1)


def _refuse(
    request: Request, rows: Rows, index: NDArray[np.intp], value: NDArray[np.float64], k: int, repeated: bool
) -> None:
    """Raise for the first row that is invalid or has fewer categories than k."""
    # There may be a place more, which may be empty.
    if any_negative(index) and any_negative(index[..., k - 1]):
        row = int((index[..., k - 1] < 0).any(0).argmax())
        if np.isnan(value[:, row, 0]).any():
            raise ValueError(fault_of(request, rows, row))
        name, counts = rows.name(row), (index[:, row] >= 0).sum(-1)
        left, whole = int(counts.min()), rows.piece(row, row + 1, 0, rows.n) > -LIMIT
        excludes = request.given is not None and left < count_set(whole.reshape(-1))
        if excludes:
            name = draw_name(request.draw_shape, int(counts.argmin()), name)
        excluded = excluded_text(rows.place.empty, excludes)
        if repeated:
            excluded += ", or have the id of another place"
        raise ValueError(too_few_message(name, left, k, excluded))


def search(rows: Rows, noise: Rows | None, index: NDArray[np.intp], value: NDArray[np.float64]) -> None:
    """Write index[s, r, :] and value[s, r, :] of the best of every draw and row: best first, -1 and -inf where none.

    A row that is invalid has -1 and NaN. Noise, if given, has the rows of the first draw, then those of the second, ...
    """
    rows = rows.counted() if rows.has_ids else rows
    draws, count, k = index.shape
    kernel = None if rows.has_ids or noise is not None else _kernel_of(rows.n, k, draws * count)
    some = rows.n > 0 and index.size > 0
    if some and kernel in (top_short, top_insert):
        share_field(rows, index, value, True, kernel, merge_tops)
        return
    if some and noise is not None and count >= _SEVERAL and (rows.n - k // 2) * k <= _MET:
        share(rows, index, value, True, scan_given(rows, noise, top_insert_given), merge_tops)
        return
    prepared(index, value, True)
    if not some:
        return
    if kernel is not None:
        share_field(rows, index, value, kernel is top_every, kernel, merge_tops)
    else:
        scan = scan_ids(rows, top_given) if noise is None else scan_given(rows, noise, top_given)
        if noise is None and k < rows.n <= _WRITTEN and not rows.place.wide:
            scan = Written(rows, _search_written, scan, 2 * _WRITTEN, ordered=True).scan
        share(rows, index, value, True, scan, merge_tops)
    sort_tops(index, value)


def _kernel_of(n: int, k: int, lists: int) -> Any:
    """The kernel that finds the k best of n categories of a field, of so many rows and draws."""
    if lists >= _SEVERAL and n <= min(_FEW, 2 * k + 4):
        return top_insert
    if lists >= _FEW_LISTS and n <= _SHORTER and k <= _FEW_PLACES:
        return top_short
    if lists >= _SEVERAL:
        if n <= SHORT and n < _MANY * k and k <= _PLACES and n >= 2 * k:
            return top_short
        if _MANY * k <= n <= MIDDLE:
            return top_middle
    return top_long if n >= _PRUNED * k else top_every


def _search_written(
    x: NDArray[Any], field: Any, index: NDArray[np.intp], value: NDArray[np.float64], window: Any, _: Any
) -> None:
    k = index.shape[2]
    kernel = _kernel_of(x.shape[1], k, index.size // k)
    kernel(x, field, index, value, window)
    if kernel in (top_short, top_insert):
        # Other rows may be in heaps, and all are sorted together: the worst comes first in these.
        draw, end, row, _ = window
        for lists in (index[draw:end, row : row + len(x)], value[draw:end, row : row + len(x)]):
            lists[...] = lists[..., ::-1]
