"""Every public function through numba-cuda's own objects: bits, streams, copies, launches, argument types."""

from functools import cache

import numpy as np
import pytest
from numba.cuda import types

from fastgumbel._cuda import device as device_module
from fastgumbel._cuda import given, seam
from fastgumbel._request.device import is_device
from tests.calls import CALLS, assert_same_bits, logits, parts
from tests.cuda.arrays import host, on_device
from tests.cuda.kernels import KERNELS

SHAPES = [(1, 1), (50, 10), (2, 130), (2, 1001)]
STREAM = 0x77


def place(values):
    """Return a copy on the device that names a stream."""
    return on_device(values, STREAM)


def stream_of(array):
    """Return the stream that an array names."""
    return array.__cuda_array_interface__["stream"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_bits_and_streams(device, name, shape, dtype):
    x = logits(shape, dtype)
    there, here = parts(CALLS[name](place, x)), parts(CALLS[name](np.asarray, x))
    for actual, expected in zip(there, here, strict=True):
        assert is_device(actual)
        assert stream_of(actual) == STREAM
        assert_same_bits(host(actual), np.asarray(expected))
    check_streams(device)
    check_types(device)


def check_streams(device):
    """Check that every copy and launch is on the stream that arrays name, and that no other is waited for."""
    assert device.of("launch")
    for event in device.log:
        if event.kind in ("to device", "to host", "launch", "wait"):
            assert event.stream == STREAM, event
        assert event.kind not in ("wait for all", "record", "follow")


def scalars(kind):
    """Return what a type of arguments is, but for the numbers and the layouts of arrays, which callers choose."""
    if isinstance(kind, types.BaseTuple):
        return tuple(map(scalars, kind))
    if isinstance(kind, types.Array):
        return types.boolean if kind.dtype == types.boolean and kind.ndim == 2 else ("array", kind.ndim)
    return "real" if isinstance(kind, types.Float) else kind


INSPECTED = {(kernel.py_func.__name__, scalars(types.Tuple(arguments))) for kernel, arguments, _ in KERNELS.values()}


def check_types(device):
    """Check that kernels were launched for types of scalars for which their machine code is inspected."""
    for name, kinds in device.signatures:
        assert (name, scalars(types.Tuple(kinds))) in INSPECTED


def lose_a_stream(monkeypatch):
    """Let results name no stream."""
    monkeypatch.setattr(device_module.Device, "reshaped", lambda device, array, shape: array.reshape(shape))


def use_the_default_stream(monkeypatch):
    """Let copies go elsewhere."""
    monkeypatch.setattr(device_module.Device, "put", lambda device, array, stream: seam.cuda.to_device(array))


def hash_a_proxy(monkeypatch):
    """Let attributes be kept by the device, which numba-cuda hands out as a proxy."""
    kept = cache(lambda device: device_module.Attributes(device.MULTIPROCESSOR_COUNT, 2**15))
    attributes = property(lambda device: kept(seam.cuda.get_current_device()))
    monkeypatch.setattr(device_module.Device, "attributes", attributes)


def take_another_type(monkeypatch):
    """Let a scalar have another type than the kernel was made for."""
    monkeypatch.setattr(given, "int64s", lambda *numbers: tuple(map(np.int32, numbers)))


@pytest.mark.parametrize(
    ("plant", "name"),
    [
        (lose_a_stream, "gumbel_softmax"),
        (use_the_default_stream, "gumbel_max, row ids"),
        (hash_a_proxy, "gumbel_max"),
        (take_another_type, "gumbel_given_choice"),
    ],
)
def test_planted_faults_are_caught(device, monkeypatch, plant, name):
    plant(monkeypatch)
    with pytest.raises((AssertionError, TypeError)):
        test_bits_and_streams(device, name, (2, 130), np.float32)
