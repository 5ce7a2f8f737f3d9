"""Relaxed samples of a batch and their tangents: cut into tasks and shared among threads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastgumbel import _threads
from fastgumbel._kernels.cpu_condition import condition
from fastgumbel._kernels.cpu_ids import write_at
from fastgumbel._kernels.cpu_relax_long import relax_jvp_long, relax_long
from fastgumbel._kernels.cpu_relax_short import relax_short
from fastgumbel._kernels.row import SHORT
from fastgumbel._rows import BUFFER_BYTES, Rows, ids_of
from fastgumbel.noise import CATEGORIES, NoiseField

Tangents: TypeAlias = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]

# Numbers in a task: about a millisecond.
_TASK = 2**18
# Numbers of Gumbel-Rao at once.
_RAO = 2**21


def tasks(rows: Rows, draws: int) -> Iterator[tuple[int, int, int, int]]:
    """Cut rows and draws: (first row, last row, first draw, last draw)."""
    buffer = BUFFER_BYTES // rows.dtype.itemsize
    # Noise at category ids has a buffer for all draws of a task.
    counted = rows.categories is None
    height = min(max(1, (_TASK if rows.in_place and counted else buffer) // rows.n), rows.count)
    width = max(1, (_TASK if counted else buffer) // (height * rows.n))
    for r in range(0, rows.count, height):
        for s in range(0, draws, width):
            yield r, min(r + height, rows.count), s, min(s + width, draws)


def _run(rows: Rows, draws: int, work: Any) -> None:
    cut = list(tasks(rows, draws)) if rows.count else []
    _threads.run(work, cut, len(cut))


def _write_ids(
    out: NDArray[Any], rows: Rows, field: NoiseField, ids: NDArray[np.uint64], task: tuple[int, ...], fresh: bool
) -> NDArray[np.uint64]:
    """Write the field at the category ids of the rows to out[draw, row] of a task; the ids as a matrix."""
    r, r1, s, _ = task
    assert rows.categories is not None
    own, some = ids_of(rows.categories, r, r1, 0, rows.n), ids[r:r1] if ids.size else ids
    together = len(out) if out.flags.c_contiguous else 1
    for d in range(0, len(out), together):
        at = (field.key, np.uint64(r), np.uint64(field.draw + s + d))
        write_at(out[d : d + together], own, some, at, fresh)
    return own


def relax(
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
    moved = bool(np.count_nonzero(dtau))

    def work(r: int, r1: int, s: int, s1: int) -> None:
        x = rows.piece(r, r1, 0, rows.n)
        some = ids[r:r1] if ids.size else ids
        at = (field.key, np.uint64(r), np.uint64(field.draw), np.uint64(field.start))
        place = (s, s1, r)
        # Kernels take the noise of a task, or none.
        noise = given
        if given.size:
            noise = np.ascontiguousarray(given[s:s1, r:r1])
        elif rows.categories is not None:
            noise = np.empty((s1 - s, r1 - r, rows.n), kind)
            _write_ids(noise, rows, field, ids, (r, r1, s, s1), False)
        # Which kernel runs depends on the number of categories alone: a row's bits do not depend on its batch.
        if rows.n <= SHORT:
            relax_short(x, some, at, rates, noise, dx, dtau, moved, y, dy, faulty, place, log)
        elif tangents is None:
            relax_long(x, some, at, rates, noise, y, faulty, place, log)
        else:
            relax_jvp_long(x, some, at, rates, noise, dx, dtau, moved, y, dy, faulty, place, log)

    _run(rows, draws, work)
    return faulty


def condition_on(
    rows: Rows, field: NoiseField, ids: NDArray[np.uint64], choices: NDArray[np.intp], out: NDArray[Any]
) -> NDArray[np.uint8]:
    """Write noise given choices[draw, row] to out[draw, row]; by row, what is wrong with it."""
    faulty = np.zeros(rows.count, np.uint8)
    if rows.n == 0:
        faulty[:] = 1
        return faulty

    def work(r: int, r1: int, s: int, s1: int) -> None:
        at = (field.key, np.uint64(r), np.uint64(field.draw), np.uint64(field.start))
        some = ids[r:r1] if ids.size else ids
        part, own = out[s:s1, r:r1], None
        if rows.categories is not None:
            own = _write_ids(part, rows, field, ids, (r, r1, s, s1), True)
        condition(rows.piece(r, r1, 0, rows.n), some, at, choices, out, faulty, (s, s1, r), own is not None)
        if own is not None:
            np.copyto(part, 0, where=(own >= CATEGORIES) & ~np.isnan(part))

    _run(rows, out.shape[0], work)
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
            condition_on(rows, here, ids, np.repeat(chosen, count, 0), noise)
            part = np.empty((directions, *noise.shape), rows.dtype)
            np.maximum(
                faulty, relax(rows, here, ids, noise, rates, len(noise), noise[:0], (dx, dtau, part), log), out=faulty
            )
            # One by one and in order: the sum does not depend on how many are drawn at once.
            part = part.reshape(directions, len(chosen), count, rows.count, rows.n)
            with np.errstate(all="ignore"):
                for i in range(count):
                    total += part[:, :, i]
        with np.errstate(all="ignore"):
            dy[:, s : s + draw_step] = total / samples
    return faulty
