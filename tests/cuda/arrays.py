"""Arrays of other libraries, as they give themselves to strangers, in the memory of the host."""

import numpy as np

from tests.ptx import UNWRITTEN

ALIGNMENT = 256


class ForeignArray:
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
    memory = np.full(size + 2 * ALIGNMENT, UNWRITTEN, np.uint8)
    begin = -memory.ctypes.data % ALIGNMENT + skip
    return memory[begin : begin + size].view(dtype).reshape(shape)


def on_device(values, stream=None):
    """Return a copy of a NumPy array as a device array."""
    values = np.asarray(values)
    copy = aligned(values.shape, values.dtype)
    copy[...] = values
    return ForeignArray(copy, stream)


def host(array):
    """Return the memory behind a device array, as NumPy sees it."""
    return np.asarray(_Host(array))
