"""Relaxed samples of a few long rows, and their derivatives: all threads share each row, in parts."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.softmax.part import (
    decay_part,
    distances_part,
    dot_part,
    largest_of_part,
    log_part,
    perturb_part,
    pull_part,
    take_part,
    tangent_part,
)
from fastgumbel._host.parts import Sum, sharing
from fastgumbel._host.rows import Rows
from fastgumbel._law.reduce import INFINITE_TANGENT, INVALID_ROW, LIMIT
from fastgumbel._request.ndarrays import freeze


class _Place(NamedTuple):
    """A row and draw of some rows, its largest log-potential, and 1 / tau."""

    rows: Rows
    row: int
    draw: int
    top: Any
    rate: Any


def relax_rows(rows: Rows, rates: NDArray[Any], samples: tuple[Any, ...], changes: tuple[Any, ...], draws: int) -> None:
    """Write samples and tangents: `samples` and `changes` have what `Samples` and `Tangents` of kernels have."""
    y, log, faulty = samples
    dy = changes[-1]
    for row in range(rows.count):
        top = _top(rows, row)
        if not -LIMIT < top < LIMIT:
            faulty[row] = INVALID_ROW
            for results in (y, *dy):
                if len(results):
                    results[:, row] = np.nan
            continue
        for draw in range(draws):
            place = _Place(rows, row, draw, top, rates[min(row, rates.size - 1)])
            line = y[draw, row] if len(y) else None
            if len(dy):
                if not _relax_jvp(place, line, log, changes):
                    faulty[row] = INFINITE_TANGENT
            elif line is not None:
                _relax(place, line, log)


def _top(rows: Rows, row: int) -> Any:
    """Largest log-potential of a row, NaN if any is NaN."""

    def survey(c: int, c1: int) -> Any:
        return largest_of_part(rows.piece(row, row + 1, c, c1))

    return rows.dtype.type(np.max(sharing(rows.n)(survey)))


def _perturb(place: _Place, v: NDArray[Any]) -> Any:
    """Write perturbed values, less the largest log-potential, to v; the largest of them."""
    rows, row, draw, top, _ = place

    def perturb(c: int, c1: int) -> Any:
        return perturb_part(rows.piece(row, row + 1, c, c1), rows.at(row, row + 1, draw, c), top, v[c:c1])

    return rows.dtype.type(np.max(sharing(rows.n)(perturb)))


def _relax(place: _Place, line: NDArray[Any], log: bool) -> None:
    """Write a sample, or its logarithm, to `line`."""
    n, rate = place.rows.n, place.rate
    share, sum_ = sharing(n), Sum(n)
    largest = _perturb(place, line)

    def decay(c: int, c1: int) -> None:
        part = line[c:c1]
        decay_part(part.copy() if log else part, largest, rate, sum_.part(c))

    share(decay)
    total = sum_.total()

    def end(c: int, c1: int) -> None:
        if log:
            log_part(line[c:c1], largest, rate, total)
        else:
            line[c:c1] *= line.dtype.type(1 / total)

    share(end)


def _relax_jvp(place: _Place, line: NDArray[Any] | None, log: bool, changes: tuple[Any, ...]) -> bool:
    """Write a sample, or its logarithm, to `line`, and its tangents; whether their means are finite."""
    rows, row, draw, _, rate = place
    (dx, dtau, moved, dy), n, kind = changes, rows.n, rows.dtype
    share, sums = sharing(n), [Sum(n) for _ in range(1 + len(dtau))]
    v = np.empty(n, kind) if line is None else line
    # Of a logarithm, perturbed values are kept.
    p = np.empty(n, kind) if log and line is not None else v
    t = np.empty(n if moved else 0, kind)
    directions = [of_x[row] for of_x in dx] if dx.size else [freeze(t[:0])] * len(dtau)
    largest = _perturb(place, v)

    def decay(c: int, c1: int) -> None:
        if moved:
            distances_part(t[c:c1], v[c:c1], largest, rate)
        if p is not v:
            p[c:c1] = v[c:c1]
        decay_part(p[c:c1], largest, rate, sums[0].part(c))

    share(decay)
    total = sums[0].total()

    def weigh(c: int, c1: int) -> None:
        part = p[c:c1]
        part *= kind.type(1 / total)
        if moved:
            dot_part(freeze(t[c:c1]), part, sums[0].part(c))
        if dx.size:
            for of_x, sum_ in zip(directions, sums[1:], strict=True):
                dot_part(of_x[c:c1], part, sum_.part(c))

    share(weigh)
    distance, slopes = sums[0].total() if moved else 0.0, [of_tau[row] for of_tau in dtau]
    with np.errstate(all="ignore"):
        means = [
            kind.type(((sum_.total() if dx.size else 0.0) - np.float64(slope) * distance) * np.float64(rate))
            for sum_, slope in zip(sums[1:], slopes, strict=True)
        ]

    def end(c: int, c1: int) -> None:
        if p is not v:
            log_part(v[c:c1], largest, rate, total)
        x = rows.piece(row, row + 1, c, c1)
        for out, of_x, slope, mean in zip(dy[:, draw, row], directions, slopes, means, strict=True):
            tangent_part(out[c:c1], of_x[c:c1], x, p[c:c1], t[c:c1], (slope, rate, mean), log)

    share(end)
    return all(np.isfinite(means))


def pull_row(y: NDArray[Any], log: bool, cotangent: NDArray[Any], gradient: NDArray[np.float64]) -> tuple[float, int]:
    """Add what a cotangent of a sample y gives, but for the factor 1 / tau, to a gradient.

    Returns the same for tau, with the other sign, and what is wrong.
    """
    if y[0] != y[0]:
        return 0.0, INVALID_ROW
    share, sum_ = sharing(y.size), Sum(y.size)
    share(lambda c, c1: take_part(y[c:c1], log, cotangent[c:c1], sum_.part(c)))
    with np.errstate(over="ignore"):
        mean = y.dtype.type(sum_.total())
    if not abs(mean) < np.inf:
        return 0.0, INFINITE_TANGENT
    share(lambda c, c1: pull_part(y[c:c1], log, cotangent[c:c1], mean, gradient[c:c1], sum_.part(c)))
    return sum_.total(), 0
