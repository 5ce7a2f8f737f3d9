"""Relaxed samples of a batch and their tangents."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._host.given import write_conditioned
from fastgumbel._host.max import search
from fastgumbel._host.relax import Slopes, nothing, relax
from fastgumbel._host.repeats import once_each
from fastgumbel._host.result import check_apart, delivered, room
from fastgumbel._host.rows import Rows, fault_of, inputs_of, noise_of, rows_of
from fastgumbel._host.threads import even, run
from fastgumbel._law.reduce import INFINITE_TANGENT, INVALID_ROW
from fastgumbel._request.faults import infinite_message, place_name, tangent_message
from fastgumbel._request.layout import categories_last
from fastgumbel._request.ndarrays import converted, count_set, freeze, frozen
from fastgumbel._request.outputs import outs_of
from fastgumbel._request.request import Request, Tangents
from fastgumbel._request.temperature import rates_of

# Numbers of Gumbel-Rao at once; and where there are several blocks, what stays in the cache of a processor.
RAO, _BLOCK = 2**21, 2**16


def sample(request: Request, tau: Any, hard: bool, log: bool, out: Any) -> Any:
    """What `gumbel_softmax` does."""
    rows, taus, noise = once_each(rows_of(request))[0], request.temperatures(tau), noise_of(request)
    shape, flat = shapes_of(request)
    y = room("out", out, shape, request.dtype, flat, request.axis, inputs_of(request))
    refuse(request, rows, fill(rows, noise, taus, hard, log, y))
    return delivered(y, out, shape, request.axis)


def fill(
    rows: Rows, noise: Rows | None, taus: NDArray[np.float64], hard: bool, log: bool, y: NDArray[Any]
) -> NDArray[np.uint8]:
    """Write samples to y[draw, row], relaxed or hard, NaN in rows that are invalid; by row, what is wrong with it."""
    soft = 0 if hard else count_set(taus)
    if soft:
        faulty = relax(rows, precomputed_noise(noise, rows, len(y)), rates_of(taus, rows.dtype), y, None, log)
    else:
        faulty = np.zeros(rows.count, np.uint8)
    if soft < taus.size:
        hard_rows = np.ones(rows.count, bool) if soft == 0 else taus == 0
        index = choices_of(rows, noise, len(y))
        faulty[(index < 0).any(0) & hard_rows] = INVALID_ROW
        harden(y, index, hard_rows, log)
    return faulty


def sample_jvp(
    request: Request,
    tau: Any,
    tangents: tuple[Any, Any],
    hard: bool,
    log: bool,
    rao: Any,
    out: Any,
) -> tuple[Any, Any]:
    """What `gumbel_softmax_jvp` does."""
    rows, taus = once_each(rows_of(request))[0], request.temperatures_above_0(tau)
    samples = None if rao is None else request.conditioned_samples(rao)
    wanted = request.tangents(*tangents, tau)
    noise = noise_of(request)
    given, rates = precomputed_noise(noise, rows, request.draws), rates_of(taus, rows.dtype)
    dx, dtau, moved = _slopes(rows, wanted, request.axis)
    read = () if out is None else (*inputs_of(request), given, dx, dtau)
    (name, y_out), (dy_name, dy_out) = outs_of(out, "y", "dy")
    shape, flat = shapes_of(request)
    lead, kind, axis = wanted.directions, request.dtype, request.axis
    y = room(name, y_out, shape, kind, flat, axis, read)
    dy_shape = (*lead, *shape)
    dy = room(dy_name, dy_out, dy_shape, kind, (*(lead or (1,)), *flat), axis, read)
    if out is not None:
        check_apart(y_out, dy_out)
    index = choices_of(rows, noise, request.draws) if hard or samples is not None else None
    if samples is not None and index is not None:
        fill_slopes = partial(_average, rows, rates, index, samples)
    else:
        fill_slopes = partial(relax, rows, given, rates, y if index is None else y[:0])
    faulty = fill_slopes((dx, dtau, moved, dy), log)
    bad = count_set(faulty)
    if bad and dx.size:
        dx = _without_excluded(rows, given, dx, faulty == INFINITE_TANGENT)
        faulty = fill_slopes((dx, dtau, moved, dy), log)
    if index is not None:
        faulty[(index < 0).any(0) & (faulty == 0)] = INVALID_ROW
        harden(y, index, np.ones(rows.count, bool), log)
    if (bad or index is not None) and count_set(faulty):
        refuse(request, rows, faulty)
        dy[..., faulty == INFINITE_TANGENT, :] = np.nan
    return delivered(y, y_out, shape, axis), delivered(dy, dy_out, dy_shape, axis)


def shapes_of(request: Request) -> tuple[tuple[int, ...], tuple[int, int, int]]:
    """The shape of samples, the categories last, and that with one axis of draws and one of rows."""
    return (*request.draw_shape, *request.batch, request.n), (request.draws, request.count, request.n)


def precomputed_noise(noise: Rows | None, rows: Rows, draws: int) -> NDArray[Any]:
    """Precomputed noise as draws by rows by categories, in the dtype of the rows; empty if there is none.

    It is -inf where it excludes a place.
    """
    if noise is None:
        return nothing(rows.dtype)
    array = np.ascontiguousarray(converted(noise.values, rows.dtype))
    good = np.isfinite(array)
    if not good.all():
        good |= noise.values == -np.inf
    if not good.all():
        row, at = divmod(int(good.argmin()), rows.n)
        name = place_name(array.shape[:-1], row)
        raise ValueError(infinite_message(name, noise.values.flat[row * rows.n + at], at, rows.dtype))
    return frozen(array.reshape(draws, rows.count, rows.n))


def _slopes(rows: Rows, wanted: Tangents, axis: int) -> tuple[NDArray[Any], NDArray[Any], bool]:
    """Tangents by direction and row in the dtype of the rows; an empty array of log-potentials where they are zero.

    Also, whether any of temperatures is not 0.
    """
    x, tau, directions = wanted
    kind, count, n = rows.dtype, rows.count, rows.n
    lead = directions or (1,)
    dtau = np.zeros((*lead, count), kind)
    if x is None:
        dx = nothing(kind)
    else:
        lines = np.ascontiguousarray(categories_last(converted(x, kind), axis))
        if x.ndim == len(rows.batch) + 1:
            dx = lines.reshape(1, count, n)
            if lead != (1,):
                dx = np.ascontiguousarray(np.broadcast_to(dx, (*lead, count, n)))
        else:
            dx = lines.reshape(*lead, count, n)
        dx = frozen(dx)
    if tau is None:
        return dx, dtau, False
    dtau.reshape((*directions, *rows.batch))[...] = tau
    return dx, dtau, count_set(dtau) > 0


def _without_excluded(rows: Rows, given: NDArray[Any], dx: NDArray[Any], suspects: NDArray[np.bool_]) -> NDArray[Any]:
    """Tangents of log-potentials, 0 where these are excluded in some rows: nobody looks at what stands there."""
    dx = dx.copy()
    for row in np.flatnonzero(suspects).tolist():
        dx[:, row, rows.piece(row, row + 1, 0, rows.n)[0] == -np.inf] = 0
        if given.size:
            dx[:, row, np.isneginf(given[:, row]).all(0)] = 0
    return freeze(dx)


def choices_of(rows: Rows, noise: Rows | None, draws: int) -> NDArray[np.intp]:
    """Index of the hard sample by draw and row, -1 where there is none."""
    index = np.empty((draws, rows.count), np.intp)
    search(rows, noise, index, None)
    return index


def refuse(request: Request, rows: Rows, faulty: NDArray[Any], slopes: str = "tangents") -> None:
    """Raise for the first faulty row, unless such rows are marked."""
    if not request.raises or not count_set(faulty):
        return
    infinite = faulty == INFINITE_TANGENT
    if infinite.any():
        raise ValueError(tangent_message(rows.name(int(infinite.argmax())), slopes))
    if request.draws:
        raise ValueError(fault_of(request, rows, int((faulty != 0).argmax())))


def harden(y: NDArray[Any], index: NDArray[np.intp], hard_rows: NDArray[np.bool_], log: bool) -> None:
    """Overwrite rows of y with the one-hot of the hard sample."""
    everywhere = bool(hard_rows.all())
    part = y if everywhere else np.empty((len(y), np.count_nonzero(hard_rows), y.shape[2]), y.dtype)
    chosen = index[:, hard_rows]
    part[...] = -np.inf if log else 0
    if y.shape[2]:
        np.put_along_axis(part, np.maximum(chosen, 0)[..., np.newaxis], 0 if log else 1, -1)
    part[chosen < 0] = np.nan
    if not everywhere:
        y[:, hard_rows] = part


def _average(
    rows: Rows, rates: NDArray[Any], choices: NDArray[np.intp], samples: int, slopes: Slopes, log: bool
) -> NDArray[np.uint8]:
    """Write tangents averaged over so many relaxed samples, each on noise conditioned on choices[draw, row].

    By row, what is wrong with it. Rows and draws are cut into blocks that stay in cache.
    """
    dx, dtau, _, dy = slopes
    each = max(1, rows.n * (len(dtau) + 1))
    height = even(rows.count, max(1, _BLOCK // (each * samples)))
    width = even(len(choices), max(1, _BLOCK // (each * samples * height)))
    if height >= rows.count and width >= len(choices):
        # A single block is cut into samples, if at all, and those among threads.
        at_once = min(samples, max(1, RAO // max(1, each * rows.count * len(choices))))
        return _average_block(rows.moved(0, samples), rates, choices, (samples, at_once), slopes, log)
    at_once = min(samples, max(1, _BLOCK // (each * height * width)))
    cut = [(r, s) for r in range(0, rows.count, height) for s in range(0, len(choices), width)]
    faults: list[tuple[slice, NDArray[np.uint8]]] = []

    def work(r: int, s: int) -> None:
        lines, drawn = slice(r, r + height), slice(s, s + width)
        part, chosen = rows.between(r, min(r + height, rows.count)).moved(s, samples), choices[drawn, lines]
        own = np.ascontiguousarray(dtau[:, lines])
        changes = np.ascontiguousarray(dx[:, lines]), own, count_set(own) > 0, dy[:, drawn, lines]
        speed = rates[lines] if rates.size > 1 else rates
        faults.append((lines, _average_block(part, speed, chosen, (samples, at_once), changes, log)))

    run(work, cut, len(cut))
    faulty = np.zeros(rows.count, np.uint8)
    for lines, bad in faults:
        np.maximum(faulty[lines], bad, out=faulty[lines])
    return faulty


def _average_block(
    rows: Rows,
    rates: NDArray[Any],
    choices: NDArray[np.intp],
    samples: tuple[int, int],
    slopes: Slopes,
    log: bool,
) -> NDArray[np.uint8]:
    """As `_average`, of rows that lie at the first of the samples: their number, and how many at once.

    All of them, if there are several draws.
    """
    faulty = np.zeros(rows.count, np.uint8)
    dx, dtau, moved, dy = slopes
    directions, draws = dy.shape[:2]
    last, at_once = samples
    total = np.zeros(dy.shape)
    for first in range(0, last, at_once):
        count = min(at_once, last - first)
        noise = np.empty((draws * count, rows.count, rows.n), rows.dtype)
        here = rows.moved(first)
        write_conditioned(here, np.repeat(choices, count, 0), noise)
        part = np.empty((directions, *noise.shape), rows.dtype)
        bad = relax(here, noise, rates, noise[:0], (dx, dtau, moved, part), log)
        np.maximum(faulty, bad, out=faulty)
        # One by one and in order: the sum does not depend on how many are drawn at once.
        part = part.reshape(directions, draws, count, rows.count, rows.n)
        with np.errstate(all="ignore"):
            for i in range(count):
                total += part[:, :, i]
    with np.errstate(all="ignore"):
        dy[...] = total / last
    return faulty
