"""The seam to CUDA: the one module that imports `numba.cuda`.

Kernels take `cuda` itself from here, for indices, shared arrays, shuffles, votes, barriers and atomics.

Scalar functions are those of the CPU: Numba compiles `njit` functions anew where a kernel calls them. On a device a
product may be contracted with the bare addition it feeds, and no option forbids it; so values are computed as `real`
does it: no product feeds a bare addition, unless it is exact, or made by `times`.
"""

import contextlib
import threading
import warnings
from importlib.metadata import version

import numpy as np
from llvmlite import ir
from numba import types

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # a program that turns warnings into errors still wants its GPU
    from numba import cuda
    from numba.cuda.core import config
    from numba.cuda.cudadrv.driver import CudaAPIError, binding, driver
    from numba.cuda.extending import intrinsic, lower_builtin, type_callable
    from numba.cuda.extending import overload as _overload

from fastgumbel._law.ops import times, wide

__all__ = [
    "ALL_LANES",
    "cuda",
    "device",
    "device_of",
    "is_aligned4",
    "is_capturing",
    "kernel",
    "launch",
    "load4",
    "opaque",
    "overload",
    "store4",
    "why_missing",
]

_RELEASE = version("numba-cuda")
if not hasattr(np, "row_stack") and tuple(map(int, _RELEASE.split(".")[:3])) <= (0, 30, 4):
    raise ImportError(
        f"numba-cuda {_RELEASE} uses np.row_stack, which NumPy {np.__version__} has no more: pip install 'numpy<2.5'"
    )

ALL_LANES = 0xFFFFFFFF

# What kernels call: always inlined, so that everything stays in registers.
device = cuda.jit(device=True, forceinline=True)


def kernel(*, threads, blocks=1, max_registers=None):
    """Decorator of what is launched: at most `threads` a block, with `blocks` of them on a multiprocessor.

    Compiled at the first launch for types that are new, at link time and without fast-math.
    """
    return cuda.jit(fastmath=False, lto=True, launch_bounds=(threads, blocks), max_registers=max_registers)


_settings = threading.Lock()


@contextlib.contextmanager
def _small_grids_are_meant():
    """Keep Numba from warning of them."""
    with _settings:
        warns, config.CUDA_LOW_OCCUPANCY_WARNINGS = config.CUDA_LOW_OCCUPANCY_WARNINGS, 0
        try:
            yield
        finally:
            config.CUDA_LOW_OCCUPANCY_WARNINGS = warns


def launch(function, grid, block, stream, shared_bytes, arguments):
    """Run a kernel on a stream, compiled for the types of its arguments: device arrays, NumPy scalars, tuples."""
    with _small_grids_are_meant():
        configured = function[grid, block, stream, shared_bytes]
    configured(*arguments)


def why_missing():
    """Why there is no device: the driver's own words, where it has any."""
    return " ".join((driver.initialization_error or "the driver or NVVM is missing").split())


def device_of(address, current):
    """Number of the device that memory belongs to: the current one where it may use the memory, or nobody knows."""
    attribute, kinds = binding.CUpointer_attribute, binding.CUmemorytype
    try:
        number = int(driver.cuPointerGetAttribute(attribute.CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, address))
        if number == current:
            return current
        managed = driver.cuPointerGetAttribute(attribute.CU_POINTER_ATTRIBUTE_IS_MANAGED, address)
        kind = int(driver.cuPointerGetAttribute(attribute.CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address))
    except CudaAPIError:
        return current
    return current if managed or number < 0 or kind == kinds.CU_MEMORYTYPE_HOST else number


def is_capturing(stream):
    """Whether work on a stream is captured into a CUDA graph, or would end such a capture of another stream."""
    none = binding.CUstreamCaptureStatus.CU_STREAM_CAPTURE_STATUS_NONE
    try:
        return driver.cuStreamIsCapturing(int(stream)) != none
    except CudaAPIError as error:
        if error.code == binding.CUresult.CUDA_ERROR_STREAM_CAPTURE_IMPLICIT:
            return True
        raise


def overload(function):
    """Decorator of a choice by type of what kernels call as `function`."""
    return _overload(function, jit_options={"device": True, "forceinline": True})


@type_callable(wide)
def _type_wide(context):
    return lambda a, b: a if a == b == types.uint64 else None


@lower_builtin(wide, types.uint64, types.uint64)
def _lower_wide(context, builder, signature, args):
    # Written out, since the compiler forgets that the factors are narrow and adds a product by zero.
    narrow = ir.IntType(32)
    kind = ir.FunctionType(ir.IntType(64), [narrow, narrow])
    return builder.asm(kind, "mul.wide.u32 $0, $1, $2;", "=l,r,r", [builder.trunc(a, narrow) for a in args], False)


@type_callable(times)
def _type_times(context):
    return lambda a, b: a if a == b and a in (types.float32, types.float64) else None


@lower_builtin(times, types.float32, types.float32)
@lower_builtin(times, types.float64, types.float64)
def _lower_times(context, builder, signature, args):
    name = "llvm.nvvm.mul.rn.f" if signature.return_type == types.float32 else "llvm.nvvm.mul.rn.d"
    kind = ir.FunctionType(args[0].type, [a.type for a in args])
    return builder.call(builder.module.globals.get(name) or ir.Function(builder.module, kind, name), args)


@intrinsic
def opaque(typingctx, x):
    """Give a uint64 of which the compiler knows nothing, so that it computes nothing from it ahead of time.

    The round keys of Philox, kept through a loop, take twenty registers; made anew they take few instructions.
    """
    if x != types.uint64:
        return None

    def generate(context, builder, signature, args):
        wide_ = ir.IntType(64)
        return builder.asm(ir.FunctionType(wide_, [wide_]), "mov.b64 $0, $1;", "=l,l", args, True)

    return types.uint64(types.uint64), generate


def _holds_vectors(array, place):
    return place == types.uint64 and array.layout == "C" and array.dtype.bitwidth in (32, 64)


@intrinsic
def is_aligned4(typingctx, array, place):
    """Whether `load4` may read from a place: whether its address is a multiple of 16 bytes."""
    if not _holds_vectors(array, place):
        return None

    def generate(context, builder, signature, args):
        data = context.make_array(array)(context, builder, args[0]).data
        address = builder.ptrtoint(builder.gep(data, [args[1]]), ir.IntType(64))
        low = builder.and_(address, ir.Constant(ir.IntType(64), 15))
        return builder.icmp_unsigned("==", low, ir.Constant(ir.IntType(64), 0))

    return types.boolean(array, place), generate


def _vectors(context, builder, array_type, array, place):
    """Address of array[place] as one of vectors of 16 bytes, and the number of items in a vector."""
    item = context.get_data_type(array_type.dtype)
    width = 16 // context.get_abi_sizeof(item)
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [place]), ir.VectorType(item, width).as_pointer()), width


@intrinsic
def load4(typingctx, array, place):
    """Read array[place : place + 4], at an address that is a multiple of 16 bytes; place is uint64, in C order."""
    if not _holds_vectors(array, place):
        return None

    def generate(context, builder, signature, args):
        vectors, width = _vectors(context, builder, array, *args)
        items = []
        for v in range(4 // width):
            vector = builder.load(builder.gep(vectors, [ir.Constant(ir.IntType(32), v)]), align=16)
            items += [builder.extract_element(vector, ir.Constant(ir.IntType(32), i)) for i in range(width)]
        return context.make_tuple(builder, signature.return_type, items)

    return types.UniTuple(array.dtype, 4)(array, place), generate


@intrinsic
def store4(typingctx, array, place, a, b, c, d):
    """Write four items to array[place : place + 4], as `load4` reads them."""
    if not _holds_vectors(array, place) or {a, b, c, d} != {array.dtype}:
        return None

    def generate(context, builder, signature, args):
        vectors, width = _vectors(context, builder, array, *args[:2])
        for v in range(4 // width):
            vector = ir.Constant(vectors.type.pointee, ir.Undefined)
            for i in range(width):
                vector = builder.insert_element(vector, args[2 + v * width + i], ir.Constant(ir.IntType(32), i))
            builder.store(vector, builder.gep(vectors, [ir.Constant(ir.IntType(32), v)]), align=16)
        return context.get_dummy_value()

    return types.void(array, place, a, b, c, d), generate
