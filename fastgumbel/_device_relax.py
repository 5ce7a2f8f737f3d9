"""Relaxed samples on a device, their tangents, and noise given a choice: launches."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgumbel import _device_ids
from fastgumbel._device import Device
from fastgumbel._device_rows import DeviceRows, Piece, View, view_of
from fastgumbel.noise import NoiseField

# A thread goes along a row of at most so many, a thread block along longer ones; the CPU sums them in the same way.
SHORT = 96
# Bytes of shared memory that every device gives a block unasked, and those of a tile: the rest is for partial sums.
_SHARED = 48 * 2**10
_TILE = 45 * 2**10
# Numbers of Gumbel-Rao at once.
_RAO = 2**24


class Tangents(NamedTuple):
    """Flat arrays on the device: dx[d, r, :] (or empty) and dtau[d, r], and where to write dy[d, s, r, :].

    `step` is the distance of directions in `dx`; `moved` tells whether any of `dtau` is not 0.
    """

    dx: Any
    dtau: Any
    dy: Any
    directions: int
    step: int
    moved: bool


@dataclass(frozen=True)
class Work:
    """What launches share: the device and a stream, the rows, their field and its row ids, and where faults go."""

    device: Device
    stream: Any
    rows: DeviceRows
    field: NoiseField
    ids: NDArray[np.uint64]
    flag: Any

    def kernels(self, name: str) -> Any:
        """A module of kernels."""
        return importlib.import_module(f"fastgumbel._kernels.{name}")

    def launch(self, kernel: Any, grid: int, block: int, arguments: tuple[Any, ...], shared_bytes: int = 0) -> None:
        """Run a kernel, unless there is nothing to do."""
        if grid:
            self.device.launch(kernel, grid, block, self.stream, arguments, shared_bytes)

    def each(self, kernel: Any, count: int, arguments: tuple[Any, ...]) -> None:
        """Run a kernel of `cuda_move` over so many items."""
        threads = self.kernels("cuda_move").THREADS
        self.launch(kernel, -(-count // threads), threads, arguments)

    def empty(self, size: int, dtype: Any) -> Any:
        """Scratch."""
        return self.device.empty(size, dtype, self.stream)

    def place(self, piece: Piece, draw: int) -> tuple[Any, tuple[np.uint64, ...]]:
        """Row ids of a piece, and where it begins in the field."""
        own = self.device.put(self.ids[piece.first_row : piece.first_row + piece.x.shape[0]], self.stream)
        first = np.uint64(piece.first_row)
        return own, (self.field.key, first, np.uint64(draw), np.uint64(self.field.start))


def _int64(*values: int) -> tuple[np.int64, ...]:
    return tuple(map(np.int64, values))


def _noisy_pieces(
    work: Work, noise: View | None, draw_shape: tuple[int, ...], draws: int
) -> Iterator[tuple[Piece, int, int, Any]]:
    """Pieces with their first draw, its number of draws, and their noise by draw, row and category, or none."""
    rows, device = work.rows, work.device
    if noise is None and rows.has_ids:
        parts = _device_ids.noisy_pieces(device, work.stream, rows, work.field, work.ids, draws, rows.dtype)
        yield from ((piece, first, count, device.wrap(drawn)) for piece, first, count, drawn in parts)
        return
    if noise is None:
        none = device.empty((0, 0, 0), rows.dtype, work.stream)
        for piece in rows.pieces(work.stream):
            yield piece, 0, draws, none
        return
    outer, last = draw_shape[:-1], draw_shape[-1:]
    count = last[0] if last else 1
    for k, place in enumerate(np.ndindex(*outer)):
        first = noise.at((*place, *(0 for _ in last)))
        for piece in rows.pieces(work.stream, first):
            beside = view_of(piece.beside, "noise")
            step = noise.strides[len(outer)] if last else 0
            given = beside.part(0, (count, *beside.shape), (step, *beside.strides))
            yield piece, k * count, count, device.wrap(given)


def relax(
    work: Work,
    noise: View | None,
    draw_shape: tuple[int, ...],
    rates: Any,
    draws: int,
    y: Any,
    tangents: Tangents | None,
    log: bool,
    faults: int,
) -> None:
    """Write samples to y[draw, row] unless it is empty, and tangents; all flat.

    `noise` (or None for the field) has the axes of `draw_shape`, of the batch, and of the categories; `faults` is the
    number of the first row among faults, after those of the noise.
    """
    rows = work.rows
    kind = rows.dtype
    if tangents is None:
        none = work.empty(0, kind)
        tangents = Tangents(none, none, none, 0, 0, False)
    short = rows.n <= SHORT
    kernels = work.kernels("cuda_relax_short" if short else "cuda_relax_long")
    threads, shared_bytes = _short_shape(rows) if short else _long_shape(rows, kernels.THREADS)
    for piece, first, here, given in _noisy_pieces(work, noise, draw_shape, draws):
        own, at = work.place(piece, work.field.draw)
        shape = (piece.first_row, rows.count, draws, first, here, tangents.directions, tangents.step, faults)
        flags = np.bool_(log), np.bool_(tangents.moved)
        inputs = (piece.x, piece.mask, own, at, rates, given, tangents.dx, tangents.dtau)
        arguments = (*inputs, y, tangents.dy, work.flag, _int64(*shape), flags)
        items = piece.x.shape[0] * here
        if short:
            work.launch(kernels.relax_short, -(-items // threads), threads, arguments, shared_bytes)
        else:
            width = np.int64(shared_bytes // kind.itemsize)
            work.launch(kernels.relax_long, items, threads, (*arguments, width), shared_bytes)


def _short_shape(rows: DeviceRows) -> tuple[int, int]:
    """Threads of a block, and bytes for all their rows."""
    line = rows.n * rows.dtype.itemsize
    threads = next(threads for threads in (128, 64, 32) if threads * line <= _SHARED)
    return threads, threads * line


def _long_shape(rows: DeviceRows, most: int) -> tuple[int, int]:
    """Threads of a block, and bytes of a tile: a whole row, if it fits."""
    chunks = min(-(-rows.n // 64), _TILE // (64 * rows.dtype.itemsize))
    return min(most, -(-chunks // 2) * 32), chunks * 64 * rows.dtype.itemsize


def condition(
    work: Work, choices: Any, out: Any, draws: int, first_draw: int, first: int = 0, repeats: int = 1
) -> None:
    """Write noise of so many draws from one on, given choices[first + draw // repeats, row], to out[draw, row]."""
    rows = work.rows
    kernels = work.kernels("cuda_condition")
    threads = min(kernels.THREADS, -(-rows.n // 128) * 32)
    for piece in rows.pieces(work.stream, rows.ids(work.stream)):
        own, at = work.place(piece, first_draw)
        shape = _int64(piece.first_row, rows.count, first, repeats)
        if rows.has_ids:
            to, kind = (piece.first_row * rows.n, rows.count * rows.n, draws), _device_ids.FRESH
            _device_ids.write(work.device, work.stream, out, piece.beside, own, at, to, kind)
        arguments = (piece.x, piece.mask, own, at, choices, out, work.flag, shape, np.bool_(rows.has_ids))
        work.launch(kernels.condition, piece.x.shape[0] * draws, threads, arguments)


def rao(work: Work, rates: Any, choices: Any, draws: int, samples: int, tangents: Tangents, log: bool) -> None:
    """Write tangents averaged over so many relaxed samples, each on noise conditioned on choices[draw, row]."""
    rows, directions, moves = work.rows, tangents.directions, work.kernels("cuda_move")
    size = rows.count * rows.n
    at_once = max(1, _RAO // max(1, size * (directions + 1)))
    draw_step, sample_step = max(1, at_once // samples), min(samples, at_once)
    none = work.empty(0, rows.dtype)
    for s in range(0, draws, draw_step):
        chosen = min(draw_step, draws - s)
        total = work.empty(directions * chosen * size, np.float64)
        for first in range(0, samples, sample_step):
            count = min(sample_step, samples - first)
            noise = work.empty(chosen * count * size, rows.dtype)
            condition(work, choices, noise, chosen * count, (work.field.draw + s) * samples + first, s, count)
            part = work.empty(directions * chosen * count * size, rows.dtype)
            given = view_of(noise.reshape((chosen * count, *rows.batch, rows.n)), "noise")
            inner = tangents._replace(dy=part)
            relax(work, given, (chosen * count,), rates, chosen * count, none, inner, log, 0)
            arguments = (total, part, *_int64(count, size), np.bool_(first == 0))
            work.each(moves.add_up, total.size, arguments)
        arguments = (tangents.dy, total, *_int64(samples, s * size, draws * size, chosen * size))
        work.each(moves.average, total.size, arguments)
