"""A device made of NumPy memory and the PTX interpreter: what public functions do to it is what a GPU would do."""

import contextlib
import ctypes
from collections import Counter
from functools import cache

import numpy as np
from numba import types
from numba.cuda.np.numpy_support import from_dtype

from fastgumbel._device import Attributes
from tests.cuda.offline import compiled
from tests.ptx import UNWRITTEN, Memory, Program
from tests.ptx.memory import check_written

CAPABILITY = (8, 0)
_ALIGNMENT = 256


class EmulatedArray:
    """A device array as strangers see it: an interface, here to NumPy's memory."""

    def __init__(self, values, stream=None):
        self.values = values
        self.stream = stream

    @property
    def __cuda_array_interface__(self):
        host = self.values.__array_interface__
        return {
            "shape": host["shape"],
            "typestr": host["typestr"],
            "data": host["data"],
            "strides": host["strides"],
            "stream": self.stream,
            "version": 3,
        }

    shape = property(lambda self: self.values.shape)
    dtype = property(lambda self: self.values.dtype)
    strides = property(lambda self: self.values.strides)
    size = property(lambda self: self.values.size)
    ndim = property(lambda self: self.values.ndim)

    def reshape(self, *shape):
        """Return another view of the same memory."""
        return EmulatedArray(np.reshape(self.values, shape[0] if len(shape) == 1 else shape, copy=False), self.stream)


class _Host:
    """The memory behind an interface, for NumPy."""

    def __init__(self, owner):
        interface = owner.__cuda_array_interface__
        self.owner = owner
        self.__array_interface__ = {k: interface[k] for k in ("shape", "typestr", "data")} | {"version": 3}
        self.__array_interface__["strides"] = interface.get("strides")


def aligned(shape, dtype, skip=0):
    """Return a NumPy array that nobody has written, and that begins `skip` bytes after a multiple of 256."""
    dtype = np.dtype(dtype)
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.full(size + 2 * _ALIGNMENT, UNWRITTEN, np.uint8)
    begin = -memory.ctypes.data % _ALIGNMENT + skip
    return memory[begin : begin + size].view(dtype).reshape(shape)


def on_device(values, stream=None):
    """Return a copy of a NumPy array as an array of the emulated device."""
    values = np.asarray(values)
    copy = aligned(values.shape, values.dtype)
    copy[...] = values
    return EmulatedArray(copy, stream)


class EmulatedDevice:
    """Stands in for `fastgumbel._device.Device`; a seed draws an order of warps.

    ``launches`` lists (kernel's name, grid, block, stream, shared bytes), ``counts`` has the PTX instructions that all
    lanes executed, by opcode, and ``reads`` counts copies to the host.
    """

    def __init__(self, seed=None, multiprocessors=2, shared_bytes=99 * 1024, capability=CAPABILITY):
        self.attributes = Attributes(multiprocessors, shared_bytes)
        self.seed = seed
        self.capability = capability
        self.launches = []
        self.counts = Counter()
        self.reads = 0

    @contextlib.contextmanager
    def stream(self, *arrays):
        """Give the handle of the first stream that an array names, else that of the default one."""
        handles = [array.__cuda_array_interface__["stream"] for array in arrays]
        yield next((handle for handle in handles if handle is not None), 1)

    def wrap(self, obj):
        """Return an array on the memory of another."""
        return EmulatedArray(np.asarray(_Host(obj)), obj.__cuda_array_interface__["stream"])

    def empty(self, shape, dtype, stream):
        """Return a new array, of which kernels may read what they have written."""
        return EmulatedArray(aligned(shape, dtype), stream)

    def put(self, array, stream):
        """Return a copy."""
        return on_device(array, stream)

    def read(self, array, stream):
        """Return a copy as NumPy's."""
        self.reads += 1
        copy = array.values.copy()
        check_written(copy.reshape(-1).view(f"u{copy.itemsize}"), np.arange(copy.size))
        return copy

    def launch(self, kernel, grid, block, stream, arguments, shared_bytes=0):
        """Run the PTX that would be loaded."""
        self.launches.append((kernel.py_func.__name__, grid, block, stream, shared_bytes))
        memory, flat, back = Memory(), [], []
        for argument in arguments:
            _flatten(argument, memory, flat, back)
        program = loaded(kernel, tuple(map(argument_type, arguments)), self.capability)
        before = program.counts
        program.run(grid, block, flat, memory, seed=self.seed, shared_bytes=shared_bytes)
        self.counts += program.counts - before
        for target, padded in back:
            target[:] = padded


def argument_type(value):
    """Return what Numba takes the type of an argument for."""
    if isinstance(value, tuple):
        return types.BaseTuple.from_types(tuple(map(argument_type, value)))
    if not isinstance(value, EmulatedArray):
        return from_dtype(value.dtype)
    flags = value.values.flags
    layout = "C" if flags.c_contiguous else "F" if flags.f_contiguous else "A"
    return types.Array(from_dtype(value.dtype), value.ndim, layout)


@cache
def loaded(kernel, argument_types, capability):
    """Return the program that a device of a capability would run, always the same object."""
    return Program(compiled(kernel, argument_types, capability).ptx, bare=True)


def _flatten(value, memory, flat, back):
    """Append the parameters that an argument becomes, as Numba passes it."""
    if isinstance(value, tuple):
        for item in value:
            _flatten(item, memory, flat, back)
    elif isinstance(value, EmulatedArray):
        values = value.values
        flat += [0, 0, values.size, values.itemsize, _address(values, memory, back), *values.shape, *values.strides]
    else:
        flat.append(value)


def _address(values, memory, back):
    """Register the bytes that an array spans, with their alignment, and return the address of its first item."""
    if values.size == 0:
        return 0
    low, high = np.lib.array_utils.byte_bounds(values)
    span = np.ctypeslib.as_array((ctypes.c_uint8 * (high - low)).from_address(low))
    skip = low % _ALIGNMENT
    if skip:
        padded = np.concatenate([np.full(skip, UNWRITTEN, np.uint8), span])
        back.append((span, padded[skip:]))
        span = padded
    return memory.add(span) + skip + values.ctypes.data - low
