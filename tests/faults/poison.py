"""Memory that nobody has written holds what a test chooses: in new arrays of NumPy, and in those that kernels make.

Both ask allocators that can be exchanged, NumPy's own and Python's for raw memory, so that what a new array holds is
not left to the system's allocator and to luck.
"""

import contextlib
import ctypes
from functools import cache

import numpy as np
from llvmlite import ir
from numba import cfunc, types
from numba.extending import intrinsic

_LENGTH = 2**16
# What new memory is filled with, twice in a row, as every piece of memory begins elsewhere in it.
_poison = np.zeros(2 * _LENGTH, np.uint8)
_STEP = 8 * 1021

_RAW = 0  # the domain in which Numba's runtime allocates
_HANDLER = b"mem_handler"


class _Allocator(ctypes.Structure):
    """`PyMemAllocatorEx`, and as well `PyDataMemAllocator`."""

    _fields_ = [(name, ctypes.c_size_t) for name in ("context", "malloc", "calloc", "realloc", "free")]


class _Handler(ctypes.Structure):
    """`PyDataMem_Handler`."""

    _fields_ = [("name", ctypes.c_char * 127), ("version", ctypes.c_uint8), ("allocator", _Allocator)]


def _python(name, result, *arguments):
    """Return a function of Python's C interface."""
    function = getattr(ctypes.pythonapi, name)
    function.restype, function.argtypes = result, arguments
    return function


_get_raw = _python("PyMem_GetAllocator", None, ctypes.c_int, ctypes.POINTER(_Allocator))
_set_raw = _python("PyMem_SetAllocator", None, ctypes.c_int, ctypes.POINTER(_Allocator))
_capsule = _python("PyCapsule_New", ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
_name_of = _python("PyCapsule_GetName", ctypes.c_char_p, ctypes.py_object)
_pointer_of = _python("PyCapsule_GetPointer", ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)


def _of_numpy(place, *arguments):
    """Return a function of NumPy's C interface that gives an object, by its place in the table."""
    table = np._core._multiarray_umath._ARRAY_API
    functions = (ctypes.c_void_p * (place + 1)).from_address(_pointer_of(table, _name_of(table)))
    return ctypes.PYFUNCTYPE(ctypes.py_object, *arguments)(functions[place])


_set_handler = _of_numpy(304, ctypes.py_object)
_get_handler = _of_numpy(305)


def _function(address, count):
    """Return a C function of so many integers, pointers among them."""
    return ctypes.CFUNCTYPE(*[ctypes.c_uint64] * (count + 1))(address)


@intrinsic
def _counter(typing_context, address):
    """Return a pointer to an integer."""

    def generate(context, builder, signature, args):
        return builder.inttoptr(args[0], ir.IntType(64).as_pointer())

    return types.CPointer(types.uint64)(types.uint64), generate


class _Filling:
    """An allocator that fills what another one gives."""

    def __init__(self, own):
        allocate, copy = _function(own.malloc, 2), _function(ctypes.cast(ctypes.memmove, ctypes.c_void_p).value, 3)
        self.begin = np.zeros(1, np.uint64)
        source, at = np.uint64(_poison.ctypes.data), np.uint64(self.begin.ctypes.data)
        length, step = np.uint64(_LENGTH), np.uint64(_STEP)

        @cfunc(types.uint64(types.uint64, types.uint64))
        def malloc(context, size):
            memory = allocate(context, size)
            if memory:
                begin = _counter(at)
                begin[0] = (begin[0] + step) % length
                for done in range(np.uint64(0), size, length):
                    copy(memory + done, source + begin[0], min(length, size - done))
            return memory

        self._malloc = malloc
        self.allocator = _Allocator(own.context, malloc.address, own.calloc, own.realloc, own.free)


@cache
def _raw():
    """Return Python's own allocator of raw memory, and one that fills."""
    own = _Allocator()
    _get_raw(_RAW, own)
    return own, _Filling(own)


@cache
def _numpy():
    """Return a handler that fills what NumPy's own one gives, and what must be kept alive for it."""
    handler = _Handler.from_address(_pointer_of(_get_handler(), _HANDLER))
    filling = _Filling(handler.allocator)
    exchanged = _Handler(b"poison", handler.version, filling.allocator)
    return _capsule(ctypes.addressof(exchanged), _HANDLER, None), exchanged, filling


@contextlib.contextmanager
def poisoned(words):
    """Fill new memory with these words of eight bytes, over and over, until the block ends.

    Other threads get new memory of NumPy's as ever.
    """
    filled = np.resize(words.view(np.uint8), _LENGTH)
    (own, raw), (handler, _, numpy) = _raw(), _numpy()
    _poison[:] = np.tile(filled, 2)
    raw.begin[:] = numpy.begin[:] = 0
    before = _set_handler(handler)
    _set_raw(_RAW, raw.allocator)
    try:
        yield
    finally:
        _set_raw(_RAW, own)
        _set_handler(before)
