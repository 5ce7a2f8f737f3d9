"""The field written to a device array."""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel import _device, _device_ids
from fastgumbel._device_rows import DeviceRows
from fastgumbel.noise import NoiseField

# A thread goes along a row of at most so many, a warp along longer ones.
_SHORT = 96
# Warps that keep a multiprocessor busy.
_WARPS = 32


def write(out: Any, field: NoiseField, ids: NDArray[np.uint64]) -> None:
    """Write the field to a C-contiguous device array, the categories on its last axis, the other axes rows."""
    device = _device.current()
    array = device.wrap(out)
    if field.categories is not None:
        _write_ids(device, out, array.reshape(array.shape or (1,)), field, ids)
        return
    if array.size == 0:
        return
    batch, n = array.shape[:-1], array.shape[-1] if array.shape else 1
    with device.stream(out) as stream:
        count = math.prod(batch)
        at = (field.key, np.uint64(0), np.uint64(field.draw), np.uint64(field.start))
        arguments = (array.reshape(array.size), device.put(ids, stream), at, np.int64(n), np.int64(count))
        _launch(device, stream, (*arguments, vectors_of(out, array.dtype)), n, count, field.start)


def _write_ids(device: _device.Device, out: Any, array: Any, field: NoiseField, ids: NDArray[np.uint64]) -> None:
    rows = DeviceRows(device, array, -1, None)
    rows.name(field)
    with device.stream(out) as stream:
        for piece in rows.pieces(stream, rows.ids(stream)):
            own = device.put(ids[piece.first_row : piece.first_row + piece.x.shape[0]], stream)
            at = (field.key, np.uint64(piece.first_row), np.uint64(field.draw), np.uint64(0))
            to = piece.first_row * rows.n, 0, 1
            _device_ids.write(device, stream, array.reshape(array.size), piece.beside, own, at, to, _device_ids.ALONE)


def _launch(device: _device.Device, stream: Any, arguments: tuple[Any, ...], n: int, count: int, start: int) -> None:
    kernels = importlib.import_module("fastgumbel._kernels.cuda_noise")
    threads = kernels.THREADS
    if n <= _SHORT:
        device.launch(kernels.fill_short, -(-count // threads), threads, stream, arguments)
        return
    pairs = (start + n - 1) // 128 - start // 128 + 1
    steps, wanted = 32, _WARPS * device.attributes.multiprocessors
    while steps > 4 and pairs * count < steps * wanted:
        steps //= 2
    warps = -(-pairs * count // steps)
    grid = -(-warps // (threads // 32))
    device.launch(kernels.fill_long, grid, threads, stream, (*arguments, np.int64(pairs), np.int32(steps)))


def vectors_of(array: Any, dtype: np.dtype[Any]) -> tuple[np.int64, np.int64]:
    """Where 16 aligned bytes begin in a flat array: at the places i with (i + skew) & mask == 0."""
    address = array.__cuda_array_interface__["data"][0]
    return np.int64(address // dtype.itemsize % 16), np.int64(16 // dtype.itemsize - 1)
