"""Perturbed values, log-potentials plus noise, and increasing maps of them: cut into tasks and shared among threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgumbel._host.noise import fill
from fastgumbel._host.repeats import once_each
from fastgumbel._host.result import VALUE, delivered, room
from fastgumbel._host.rows import BUFFER_BYTES, Rows, fault_of, inputs_of, noise_of, rows_of
from fastgumbel._host.threads import run
from fastgumbel._law.reduce import LIMIT
from fastgumbel._request.faults import infinite_message, place_name
from fastgumbel._request.request import Request

# Numbers in a task: some milliseconds.
_TASK = 2**18

_LEAST = float(np.nextafter(0.0, 1.0))
_MOST = float(np.finfo(np.float64).max)


class Map(NamedTuple):
    """An increasing map of perturbed values, in place, to numbers from `least` to `most`, and its value at -inf."""

    apply: Callable[[NDArray[np.float64]], None]
    least: float
    most: float
    excluded: float


def _identity(v: NDArray[np.float64]) -> None:
    pass


def _minus_exponential(v: NDArray[np.float64]) -> None:
    """-exp(-v)."""
    np.negative(v, out=v)
    np.exp(v, out=v)
    np.negative(v, out=v)


def _twice_exponential(v: NDArray[np.float64]) -> None:
    """exp(-exp(-v))."""
    _minus_exponential(v)
    np.exp(v, out=v)


GUMBEL = Map(_identity, -np.inf, np.inf, -np.inf)
EXPONENTIAL = Map(_minus_exponential, -_MOST, -_LEAST, -np.inf)
UNIFORM = Map(_twice_exponential, _LEAST, float(np.nextafter(1.0, 0.0)), 0.0)


def weibull(alpha: float) -> Map:
    """-exp(-v / alpha)."""

    def apply(v: NDArray[np.float64]) -> None:
        np.divide(v, alpha, out=v)
        _minus_exponential(v)

    return EXPONENTIAL._replace(apply=apply)


def frechet(alpha: float) -> Map:
    """exp(v / alpha)."""

    def apply(v: NDArray[np.float64]) -> None:
        np.divide(v, alpha, out=v)
        np.exp(v, out=v)

    return Map(apply, _LEAST, _MOST, 0.0)


def _cut(rows: Rows, draws: int) -> Iterator[tuple[int, int, int, int, int, int]]:
    """Rows, draws and columns, each from a first to a last."""
    most = _TASK if rows.in_place else BUFFER_BYTES // rows.dtype.itemsize
    width = min(rows.n, most)
    height = min(rows.count, most // width)
    depth = max(1, _TASK // (height * width))
    for r in range(0, rows.count, height):
        for c in range(0, rows.n, width):
            for s in range(0, draws, depth):
                yield r, min(r + height, rows.count), s, min(s + depth, draws), c, min(c + width, rows.n)


def _blocks(
    out: NDArray[np.float64], r: int, r1: int, s: int, s1: int, c: int, c1: int
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Cut a part of out[draw, row, column] into C-contiguous matrices of lines, each with the number of its first."""
    _, count, n = out.shape
    if r1 - r == count and c1 - c == n:
        yield s * count, out[s:s1].reshape(-1, n)
        return
    for draw in range(s, s1):
        lines = out[draw, r:r1] if c1 - c == n else out[draw, r, c:c1].reshape(1, -1)
        yield draw * count + r, lines


def _copy_noise(lines: NDArray[np.float64], noise: Rows, first: int, column: int) -> NDArray[np.bool_] | None:
    """Write precomputed noise to lines, its rows being those of the first draw, of the second, ...

    Returns where it excludes a place; None if nowhere.
    """
    lines[...] = noise.piece(first, first + len(lines), column, column + lines.shape[1])
    finite = np.isfinite(lines)
    if finite.all():
        return None
    empty = np.isneginf(lines)
    if not (finite | empty).all():
        row, at = divmod(int((finite | empty).argmin()), lines.shape[1])
        name = place_name(noise.batch, first + row)
        raise ValueError(infinite_message(name, lines[row, at], column + at))
    return empty


def sample(
    request: Request, mapped: Map, finish: Callable[[NDArray[np.float64], NDArray[Any]], None] | None, out: Any
) -> Any:
    """What `perturb` does: mapped perturbed values.

    Each part, a matrix, is then given to `finish` beside its log-potentials, in the calling thread.
    """
    rows = once_each(rows_of(request))[0]
    shape, flat = (*request.draw_shape, *request.batch, rows.n), (request.draws, rows.count, rows.n)
    values = room("out", out, shape, VALUE, flat, request.axis, inputs_of(request))
    faulty = _perturb(rows, noise_of(request), values, mapped, finish)
    if request.draws and faulty.any():
        if request.raises:
            raise ValueError(fault_of(request, rows, int(faulty.any(0).argmax())))
        values[np.broadcast_to(faulty, values.shape[:2])] = np.nan
    return delivered(values, out, shape, request.axis)


def _perturb(
    rows: Rows,
    noise: Rows | None,
    out: NDArray[np.float64],
    mapped: Map,
    finish: Callable[[NDArray[np.float64], NDArray[Any]], None] | None,
) -> NDArray[np.bool_]:
    """Write mapped perturbed values to out[draw, row, column]; by draw and row, whether it is invalid.

    There is one draw for all, but for noise that is given, in which draws of a row can differ in that.
    """
    left, bad = np.zeros((2, 1 if noise is None else len(out), rows.count), bool)

    def survey(x: NDArray[Any], draws: slice, r: int, r1: int) -> bool:
        """Note which rows have something left, and which are invalid; whether all log-potentials are left."""
        every = bool(x.min() > -LIMIT and x.max() < LIMIT)
        # Other threads may be at the same rows: what is True stays so.
        if every:
            left[draws, r:r1] = True
        else:
            lines = x.reshape(-1, r1 - r, x.shape[1])
            np.copyto(left[draws, r:r1], True, where=(lines > -LIMIT).any(-1))
            np.copyto(bad[draws, r:r1], True, where=~(lines < LIMIT).all(-1))
        return every

    def work(r: int, r1: int, s: int, s1: int, c: int, c1: int) -> None:
        potentials = rows.piece(r, r1, c, c1)
        own = rows.ids(r, r1, c, c1) if rows.has_ids else None
        every = noise is None and survey(potentials, slice(0, 1), r, r1)
        for first, lines in _blocks(out, r, r1, s, s1, c, c1):
            x = potentials
            if len(lines) > len(x):
                # NumPy takes long over many short rows beside few.
                x = np.tile(x, (len(lines) // len(x), 1))
            if noise is None:
                fill(lines, (first, rows.count), c, rows.place, own)
            else:
                empty = _copy_noise(lines, noise, first, c)
                if empty is not None:
                    x = np.where(empty, x.dtype.type(-np.inf), x)
                draw = first // rows.count
                every = survey(x, slice(draw, draw + len(lines) // (r1 - r)), r, r1)
            # Numbers beyond the range of the map are clipped.
            with np.errstate(over="ignore", under="ignore"):
                np.add(lines, x, out=lines)
                mapped.apply(lines)
            if mapped.least > -np.inf:
                np.clip(lines, mapped.least, mapped.most, out=lines)
                if not every:
                    np.copyto(lines, mapped.excluded, where=x == -np.inf)
            if finish is not None:
                finish(lines, x)

    tasks = list(_cut(rows, out.shape[0])) if out.size else []
    run(work, tasks, len(tasks) if finish is None else 1)
    return bad | ~left
