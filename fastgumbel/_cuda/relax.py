"""Relaxed samples on a device and their tangents: launches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cuda import given
from fastgumbel._cuda import ids as category_ids
from fastgumbel._cuda.call import Call, Work, int64s
from fastgumbel._cuda.kernels import move, softmax_long, softmax_short
from fastgumbel._cuda.kernels.parameters import Rates, Samples, Tangents, Window
from fastgumbel._cuda.rows import DeviceRows, Piece
from fastgumbel._cuda.view import View, c_strides, view_of
from fastgumbel._law.sums import SHORT
from fastgumbel._request import temperature as _temperature

# Bytes of shared memory that every device gives a block unasked, and those of a tile: the rest is for partial sums.
_SHARED = 48 * 2**10
_TILE = 45 * 2**10
# Numbers of Gumbel-Rao at once.
_RAO = 2**24


class Noise(NamedTuple):
    """Precomputed noise by draw, row and category, and the axes of its draws."""

    view: View
    draw_shape: tuple[int, ...]


class Target(NamedTuple):
    """Where samples, or their logarithms, go, and the number of the first row among faults."""

    y: Any
    log: bool
    first_fault: int


def rates_of(work: Work, taus: NDArray[np.float64]) -> Rates:
    """1 / tau, of one temperature for all rows, or of one a row."""
    rates = _temperature.rates_of(taus, work.rows.dtype)
    if rates.size == 1:
        return Rates(rates[0], work.device.nothing(1, rates.dtype))
    return Rates(rates.dtype.type(0), work.put(rates))


def no_tangents(work: Work) -> Tangents:
    """What kernels take where no tangent is wanted."""
    nothing, zero = work.device.nothing(1, work.rows.dtype), np.int64(0)
    return Tangents(nothing, zero, nothing, zero, np.bool_(False), nothing, zero)


def _noisy_pieces(work: Work, noise: Noise | None, draws: int) -> Iterator[tuple[Piece, int, int, Any]]:
    """Pieces with their first draw, its number of draws, and their noise by draw, row and category, or none."""
    rows = work.rows
    if noise is None and rows.has_ids:
        for piece, first, count, drawn in category_ids.noisy_pieces(work, draws, rows.dtype):
            yield piece, first, count, work.wrap(drawn)
        return
    if noise is None:
        none = work.device.nothing(3, rows.dtype)
        for piece in rows.pieces(work.stream):
            yield piece, 0, draws, none
        return
    outer, last = noise.draw_shape[:-1], noise.draw_shape[-1:]
    count = last[0] if last else 1
    for k, place in enumerate(np.ndindex(*outer)):
        first_line = noise.view.at((*place, *(0 for _ in last)))
        for piece in rows.pieces(work.stream, first_line):
            beside = view_of(piece.beside, "noise")
            step = noise.view.strides[len(outer)] if last else 0
            drawn = beside.part(0, (count, *beside.shape), (step, *beside.strides))
            yield piece, k * count, count, work.wrap(drawn)


def relax(work: Work, noise: Noise | None, draws: int, rates: Rates, tangents: Tangents, target: Target) -> None:
    """Write samples on a field, or on precomputed noise, and tangents."""
    rows, kind = work.rows, work.rows.dtype
    samples = Samples(target.y, np.bool_(target.log), work.flag, np.int64(target.first_fault))
    for piece, first, here, noisy in _noisy_pieces(work, noise, draws):
        window = Window(*int64s(piece.first_row, rows.count, first, here, draws))
        field = work.place(piece)
        items = piece.x.shape[0] * here
        inputs = (piece.x, piece.mask, field, noisy, rates, tangents, samples)
        # A thread goes along a row that is summed one by one, a thread block along longer ones.
        if rows.n <= SHORT:
            threads, shared_bytes = _short_shape(rows)
            work.launch(softmax_short.softmax_short, -(-items // threads), threads, (*inputs, window), shared_bytes)
        else:
            threads, shared_bytes = _long_shape(rows)
            window_of_tiles = np.int64(shared_bytes // kind.itemsize), window
            work.launch(softmax_long.softmax_long, items, threads, (*inputs, window_of_tiles), shared_bytes)


def _short_shape(rows: DeviceRows) -> tuple[int, int]:
    """Threads of a block, and bytes for all their rows."""
    line = rows.n * rows.dtype.itemsize
    threads = next(threads for threads in (128, 64, 32) if threads * line <= _SHARED)
    return threads, threads * line


def _long_shape(rows: DeviceRows) -> tuple[int, int]:
    """Threads of a block, and bytes of a tile: a whole row, if it fits."""
    chunks = min(-(-rows.n // 64), _TILE // (64 * rows.dtype.itemsize))
    return min(softmax_long.THREADS, -(-chunks // 2) * 32), chunks * 64 * rows.dtype.itemsize


def rao(call: Call, work: Work, choices: Any, samples: int, rates: Rates, tangents: Tangents, log: bool) -> None:
    """Write tangents averaged over so many relaxed samples, each on noise conditioned on choices[draw, row]."""
    rows, draws, directions = work.rows, call.draws, int(tangents.directions)
    size = rows.count * rows.n
    at_once = max(1, _RAO // max(1, size * (directions + 1)))
    draw_step, sample_step = max(1, at_once // samples), min(samples, at_once)
    none = work.device.nothing(1, rows.dtype)
    for s in range(0, draws, draw_step):
        chosen = min(draw_step, draws - s)
        total = work.scratch("total", directions * chosen * size, np.float64)
        for first in range(0, samples, sample_step):
            count = min(sample_step, samples - first)
            noise = work.scratch("conditioned noise", chosen * count * size, rows.dtype)
            given.condition(work, choices, noise, chosen * count, s * samples + first, (s, count), samples)
            part = work.scratch("part", directions * chosen * count * size, rows.dtype)
            shape = chosen * count, *rows.batch, rows.n
            drawn = Noise(view_of(noise, "noise").part(0, shape, c_strides(shape, rows.dtype.itemsize)), shape[:1])
            inner = tangents._replace(dy=part)
            relax(work, drawn, chosen * count, rates, inner, Target(none, log, 0))
            arguments = (total, part, *int64s(count, rows.n * rows.count), np.bool_(first == 0))
            work.each(move.add_up, total.size, move.THREADS, arguments)
        arguments = (tangents.dy, total, *int64s(samples, s * size, draws * size, chosen * size))
        work.each(move.average, total.size, move.THREADS, arguments)
