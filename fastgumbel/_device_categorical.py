"""Draws that read no field, on a device: results, launches, faults."""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np

from fastgumbel import _arrays, _device
from fastgumbel._device_rows import DeviceRows, Piece, fault_flag, first_fault

# A thread goes along a row of at most so many, for each of at most so many draws; there are tables of others.
_SHORT = 96
_FEW = 32
# Categories of a segment at least, and segments of a row at most.
_SPAN = 4096
_SEGMENTS = 1024
# Thread blocks that keep a multiprocessor busy.
_BLOCKS = 6
# Bytes for tables: more rows than they hold, one at least, take several launches.
_SCRATCH = 2**27


def sample(log_potentials: Any, size: Any, axis: Any, where: Any, rng: Any, noise: Any, invalid: Any, out: Any) -> Any:
    """Do on a device what `categorical` does, with its arguments; log_potentials is a device array."""
    device = _device.current()
    rows = DeviceRows(device, log_potentials, axis, where)
    raises = _arrays.choice_of(invalid, "invalid", ("raise", "mark")) == "raise"
    draw_shape = _arrays.shape_of(size, "size")
    draws, shape = math.prod(draw_shape), draw_shape + rows.batch
    if out is not None:
        _arrays.check_device_out(out, "out", shape, np.intp)
        if rows.overlaps(out):
            raise ValueError("out must not overlap log_potentials or where, as it is a device array")
    field = _arrays.draws_of(rng, noise, draws, rows.n)
    rows.name(field)
    ids = _arrays.row_ids(field, rows.batch)
    with device.stream(*rows.arrays, *(() if out is None else (out,))) as stream:
        result = device.empty(shape, np.intp, stream) if out is None else out
        index = device.wrap(result).reshape((draws, rows.count))
        flag = fault_flag(device, raises, stream)
        for piece in rows.pieces(stream) if draws else ():
            own = device.put(ids[piece.first_row : piece.first_row + piece.x.shape[0]], stream)
            at = (field.key, np.uint64(piece.first_row), np.uint64(field.draw))
            short = rows.n == 0 or (rows.n <= _SHORT and draws <= _FEW)
            (_draw_short if short else _draw_of_tables)(device, stream, piece, own, at, index, flag)
        fault = first_fault(device, flag, stream) if raises else None
        if fault is not None:
            raise ValueError(rows.fault(fault[0], stream))
    return result


def _draw_short(
    device: _device.Device, stream: Any, piece: Piece, ids: Any, at: tuple[np.uint64, ...], index: Any, flag: Any
) -> None:
    kernels = importlib.import_module("fastgumbel._kernels.cuda_categorical_short")
    grid = -(-piece.x.shape[0] * index.shape[0] // kernels.THREADS)
    arguments = (piece.x, piece.mask, ids, at, np.int64(piece.first_row), index, flag)
    device.launch(kernels.draw_short, grid, kernels.THREADS, stream, arguments)


def _draw_of_tables(
    device: _device.Device, stream: Any, piece: Piece, ids: Any, at: tuple[np.uint64, ...], index: Any, flag: Any
) -> None:
    kernels = importlib.import_module("fastgumbel._kernels.cuda_categorical")
    height, n = piece.x.shape
    wanted = _BLOCKS * device.attributes.multiprocessors
    segments = max(1, min(-(-wanted // height), -(-n // _SPAN), _SEGMENTS))
    span = -(-n // segments)
    segments = -(-n // span)
    threads = min(kernels.THREADS, -(-span // 32) * 32)
    step = max(1, _SCRATCH // (8 * n))
    for first in range(0, height, step):
        count = min(step, height - first)
        plan = tuple(map(np.int64, (first, segments, span)))
        blocks = count * segments
        tops = device.empty(blocks, np.float64, stream)
        masses = device.empty(blocks, np.int64, stream)
        sums, ends = device.empty(count * n, np.uint64, stream), device.empty(blocks, np.uint64, stream)
        of_row = (piece.x, piece.mask, plan, tops)
        device.launch(kernels.largest_of_segments, blocks, threads, stream, of_row)
        device.launch(kernels.masses_of_segments, blocks, threads, stream, (*of_row, masses))
        device.launch(kernels.cumulate_segments, blocks, threads, stream, (*of_row, masses, sums, ends))
        if segments > 1:
            grid = -(-count // kernels.THREADS)
            device.launch(kernels.end_segments, grid, kernels.THREADS, stream, (ends, np.int64(segments)))
        grid = -(-count * index.shape[0] // kernels.THREADS)
        arguments = (sums, ends, ids, at, np.int64(n), plan, np.int64(piece.first_row), index, flag)
        device.launch(kernels.draw_of_tables, grid, kernels.THREADS, stream, arguments)
