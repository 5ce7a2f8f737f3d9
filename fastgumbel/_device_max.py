"""Gumbel-max of log-potentials on a device: results, launches, faults."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastgumbel import _arrays, _device, _device_ids
from fastgumbel._device_rows import DeviceRows, Piece, View, fault_flag, first_fault, view_of
from fastgumbel._rows import infinite_message
from fastgumbel.noise import NoiseField

# A thread goes along a row of at most so many, thread blocks along longer ones.
_SHORT = 96
# Pairs of blocks of 64 in a segment: at most what shared memory holds for three thread blocks, and for a warp.
_SPAN, _WARP_SPAN = 512, 32
# Thread blocks that keep a multiprocessor busy.
_BLOCKS = 6
# Bytes for results of segments: more draws than they hold take several launches.
_SCRATCH = 2**26


def sample(
    log_potentials: Any, axis: Any, size: Any, where: Any, rng: Any, noise: Any, pair: bool, invalid: Any, out: Any
) -> Any:
    """Do on a device what `gumbel_max` does, with its arguments; log_potentials is a device array."""
    device = _device.current()
    rows = DeviceRows(device, log_potentials, axis, where)
    raises = _arrays.choice_of(invalid, "invalid", ("raise", "mark")) == "raise"
    draw_shape = _arrays.shape_of(size, "size")
    draws, shape = math.prod(draw_shape), draw_shape + rows.batch
    outs = _outs(out, pair, shape, rows)
    read = noise_of(rng, noise, draw_shape, rows)
    given = (noise,) if isinstance(read, View) else ()
    with device.stream(*rows.arrays, *outs, *given) as stream:
        results = outs or tuple(device.empty(shape, kind, stream) for kind in (np.intp, np.float64)[: 1 + pair])
        flats = [device.wrap(result).reshape((draws, rows.count)) for result in results]
        if not pair:
            flats.append(device.empty((0, 0), np.float64, stream))
        flag = fault_flag(device, raises, stream)
        if draws * rows.count:
            if isinstance(read, NoiseField) and not rows.has_ids:
                _search(device, stream, rows, read, (*flats, flag))
            else:
                _search_given(device, stream, rows, read, draw_shape, (*flats, flag))
        fault = first_fault(device, flag, stream) if raises else None
        if fault is not None:
            raise ValueError(fault_message(rows, read, draws, fault[0], device, stream))
    return results if pair else results[0]


def _outs(out: Any, pair: bool, shape: tuple[int, ...], rows: DeviceRows) -> tuple[Any, ...]:
    """The caller's arrays for the results; none if they are to be made."""
    if out is None:
        return ()
    if pair and (not isinstance(out, tuple) or len(out) != 2):
        raise TypeError("out must be a pair of arrays (indices, values) with return_max=True")
    outs, names = (out, ("out[0]", "out[1]")) if pair else ((out,), ("out",))
    for array, name, kind in zip(outs, names, (np.intp, np.float64), strict=False):
        _arrays.check_device_out(array, name, shape, kind)
        if rows.overlaps(array):
            raise ValueError(f"{name} must not overlap log_potentials or where, as it is a device array")
    return outs


def noise_of(rng: Any, noise: Any, draw_shape: tuple[int, ...], rows: DeviceRows) -> NoiseField | View:
    """The field that is to be read, whose category ids the rows are given, or precomputed noise instead."""
    if noise is None or isinstance(noise, NoiseField):
        field = _arrays.field_of(rng, noise)
        _arrays.check_reach(field, math.prod(draw_shape), rows.n)
        rows.name(field)
        return field
    if rng is not None:
        raise ValueError("give rng or noise, not both")
    return noise_view(noise, draw_shape, rows)


def noise_view(noise: Any, draw_shape: tuple[int, ...], rows: DeviceRows) -> View:
    """Precomputed noise, with the categories on the last axis."""
    if not _device.is_device(noise):
        raise TypeError(
            f"noise must be a NoiseField or a device array, as log_potentials is one, not {type(noise).__name__}"
        )
    view = view_of(noise, "noise")
    _arrays.check_real(view.dtype, "noise")
    expected = draw_shape + _arrays.with_categories(rows.batch, rows.n, rows.axis)
    if view.shape != expected:
        raise ValueError(f"noise must have shape {expected}, not {view.shape}")
    return view.last(rows.axis)


def _search(device: _device.Device, stream: Any, rows: DeviceRows, field: NoiseField, results: tuple[Any, ...]) -> None:
    ids = _arrays.row_ids(field, rows.batch)
    draws = results[0].shape[0]
    for piece in rows.pieces(stream):
        height = piece.x.shape[0]
        own = device.put(ids[piece.first_row : piece.first_row + height], stream)
        at = (field.key, np.uint64(piece.first_row), np.uint64(field.draw), np.uint64(field.start))
        if rows.n <= _SHORT:
            short = importlib.import_module("fastgumbel._kernels.cuda_max_short")
            grid = -(-height * draws // short.THREADS)
            arguments = (piece.x, piece.mask, own, at, np.int64(piece.first_row), *results)
            device.launch(short.max_short, grid, short.THREADS, stream, arguments)
        else:
            _search_long(device, stream, rows, piece, own, at, results)


def _search_long(
    device: _device.Device,
    stream: Any,
    rows: DeviceRows,
    piece: Piece,
    ids: Any,
    at: tuple[np.uint64, ...],
    results: tuple[Any, ...],
) -> None:
    kernels = importlib.import_module("fastgumbel._kernels.cuda_max_long")
    index, _, flag = results
    draws, height, start = index.shape[0], piece.x.shape[0], int(at[3])
    pairs = (start + rows.n - 1) // 128 - start // 128 + 1
    wanted = _BLOCKS * device.attributes.multiprocessors
    span = min(_SPAN, max(_WARP_SPAN, -(-pairs * height // wanted)), pairs)
    segments = -(-pairs // span)
    threads = 32 * min(kernels.THREADS // 32, -(-span // _WARP_SPAN))
    shared_bytes = kernels.dynamic_bytes(span, rows.dtype.itemsize)
    at_once = draws if segments == 1 else max(1, _SCRATCH // (16 * segments * height))
    numbers = device.empty(0, rows.dtype, stream)
    for first in range(0, draws, at_once):
        here = min(at_once, draws - first)
        groups = min(here, max(1, wanted // (height * segments)))
        group = -(-here // groups)
        grid = height * segments * -(-here // group)
        key, row, draw, _ = at
        field = (key, row, np.uint64(int(draw) + first), at[3])
        inputs = (piece.x, piece.mask, numbers, ids, field)
        if segments == 1:
            plan = (piece.first_row, segments, span, group)
            device.launch(
                kernels.max_long, grid, threads, stream, (*inputs, tuple(map(np.int64, plan)), *results), shared_bytes
            )
            continue
        scratch = [device.empty((here, height * segments), kind, stream) for kind in (np.int64, np.float64)]
        plan = (0, segments, span, group)
        device.launch(
            kernels.max_long,
            grid,
            threads,
            stream,
            (*inputs, tuple(map(np.int64, plan)), *scratch, flag),
            shared_bytes,
        )
        place = tuple(map(np.int64, (segments, height, first, piece.first_row)))
        grid = -(-here * height // (kernels.THREADS // 32))
        device.launch(kernels.max_of_segments, grid, kernels.THREADS, stream, (*scratch, place, *results))


def drawn_pieces(
    device: _device.Device, stream: Any, rows: DeviceRows, noise: NoiseField | View, draw_shape: tuple[int, ...]
) -> Iterator[tuple[int, Piece]]:
    """Draws and pieces with their noise beside them: precomputed, or a field at the category ids of the rows."""
    if isinstance(noise, View):
        for draw, place in enumerate(np.ndindex(*draw_shape)):
            for piece in rows.pieces(stream, noise.at(place)):
                yield draw, piece
        return
    ids, draws = _arrays.row_ids(noise, rows.batch), math.prod(draw_shape)
    parts = _device_ids.noisy_pieces(device, stream, rows, noise, ids, draws, np.dtype(np.float64))
    for piece, first, count, given in parts:
        for draw in range(count):
            yield first + draw, piece._replace(beside=device.wrap(given.at((draw,))))


def _search_given(
    device: _device.Device,
    stream: Any,
    rows: DeviceRows,
    noise: NoiseField | View,
    draw_shape: tuple[int, ...],
    results: tuple[Any, ...],
) -> None:
    kernels = importlib.import_module("fastgumbel._kernels.cuda_max_short")
    faults = results[0].size if isinstance(noise, View) else 0
    for draw, piece in drawn_pieces(device, stream, rows, noise, draw_shape):
        at = (draw, piece.first_row, faults)
        grid = -(-piece.x.shape[0] // (kernels.THREADS // 32))
        arguments = (piece.x, piece.mask, piece.beside, tuple(map(np.int64, at)), *results)
        device.launch(kernels.max_given, grid, kernels.THREADS, stream, arguments)


def fault_message(
    rows: DeviceRows, noise: NoiseField | View, draws: int, row: int, device: _device.Device, stream: Any
) -> str:
    """What is wrong with a row, or before those, with a row of noise."""
    if not isinstance(noise, View):
        return rows.fault(row, stream)
    if row >= draws * rows.count:
        return rows.fault(row - draws * rows.count, stream)
    batch = noise.shape[:-1]
    line = noise.line(tuple(int(i) for i in np.unravel_index(row, batch)) if batch else (), device, stream)
    category = int((~np.isfinite(line)).argmax())
    return infinite_message(batch, row, line[category], category)
