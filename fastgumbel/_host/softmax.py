"""Relaxed samples of a batch and their tangents: cut into tasks and shared among threads."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.softmax_long import softmax_jvp_long, softmax_long
from fastgumbel._cpu.softmax_short import softmax_short
from fastgumbel._host.blocks import run_blocks, write_ids
from fastgumbel._host.given import noise_given
from fastgumbel._host.rows import Rows, field_at
from fastgumbel._law.sums import SHORT
from fastgumbel._request.field import NoiseField

Tangents: TypeAlias = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]

# Numbers of Gumbel-Rao at once.
_RAO = 2**21


def softmax(
    rows: Rows,
    field: NoiseField,
    ids: NDArray[np.uint64],
    given: NDArray[Any],
    rates: NDArray[Any],
    draws: int,
    y: NDArray[Any],
    tangents: Tangents | None,
    log: bool,
) -> NDArray[np.uint8]:
    """Write samples to y[draw, row] unless it is empty, and tangents; by row, what is wrong with it.

    `rates` are 1 / tau by row, `tangents` are (dx[direction, row], dtau[direction, row], dy[direction, draw, row]).
    All arrays are C-contiguous and of the rows' dtype.
    """
    kind = rows.dtype
    faulty = np.zeros(rows.count, np.uint8)
    if rows.n == 0:
        faulty[:] = 1
        return faulty
    none = np.empty((0, 0, 0), kind), np.empty((0, 0), kind), np.empty((0, 0, 0, 0), kind)
    dx, dtau, dy = none if tangents is None else tangents
    into, changes = (y, log, faulty), (dx, dtau, bool(np.count_nonzero(dtau)), dy)

    def work(r: int, r1: int, s: int, s1: int) -> None:
        x = rows.piece(r, r1, 0, rows.n)
        at, window = field_at(field.key, ids, r, r1, field.draw, field.start), (s, s1, r, 0)
        # Kernels take the noise of a task, or none.
        noise = given
        if given.size:
            noise = np.ascontiguousarray(given[s:s1, r:r1])
        elif rows.categories is not None:
            noise = np.empty((s1 - s, r1 - r, rows.n), kind)
            write_ids(noise, rows, field, ids, (r, r1, s, s1), False)
        # Which kernel runs depends on the number of categories alone: a row's bits do not depend on its batch.
        if rows.n <= SHORT:
            softmax_short(x, at, rates, noise, into, changes, window)
        elif tangents is None:
            softmax_long(x, at, rates, noise, into, window)
        else:
            softmax_jvp_long(x, at, rates, noise, into, changes, window)

    run_blocks(rows, draws, work)
    return faulty


def rao(
    rows: Rows,
    field: NoiseField,
    ids: NDArray[np.uint64],
    rates: NDArray[Any],
    choices: NDArray[np.intp],
    samples: int,
    tangents: Tangents,
    log: bool,
) -> NDArray[np.uint8]:
    """Write tangents averaged over so many relaxed samples, each on noise conditioned on choices[draw, row].

    By row, what is wrong with it.
    """
    faulty = np.zeros(rows.count, np.uint8)
    dx, dtau, dy = tangents
    directions, draws = dy.shape[:2]
    at_once = max(1, _RAO // max(1, rows.count * rows.n * (directions + 1)))
    draw_step, sample_step = max(1, at_once // samples), min(samples, at_once)
    for s in range(0, draws, draw_step):
        chosen = choices[s : s + draw_step]
        total = np.zeros((directions, len(chosen), rows.count, rows.n))
        for first in range(0, samples, sample_step):
            count = min(sample_step, samples - first)
            noise = np.empty((len(chosen) * count, rows.count, rows.n), rows.dtype)
            here = field.at(draw=(field.draw + s) * samples + first)
            noise_given(rows, here, ids, np.repeat(chosen, count, 0), noise)
            part = np.empty((directions, *noise.shape), rows.dtype)
            np.maximum(
                faulty, softmax(rows, here, ids, noise, rates, len(noise), noise[:0], (dx, dtau, part), log), out=faulty
            )
            # One by one and in order: the sum does not depend on how many are drawn at once.
            part = part.reshape(directions, len(chosen), count, rows.count, rows.n)
            with np.errstate(all="ignore"):
                for i in range(count):
                    total += part[:, :, i]
        with np.errstate(all="ignore"):
            dy[:, s : s + draw_step] = total / samples
    return faulty
