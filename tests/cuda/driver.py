"""A CUDA driver in the host's memory: numba-cuda's own objects stand on it, the PTX interpreter runs what is launched.

Faked are the functions of the driver, the device's handle, the loading of modules and the launch itself. Real are the
context, the memory manager, arrays, streams and events, typing, compilation, launch configurations and the preparation
of arguments: what public functions do to them is what they would do to a GPU.
"""

import contextlib
import ctypes
import itertools
import logging
import weakref
from collections import Counter
from functools import cache
from types import SimpleNamespace
from typing import ClassVar, NamedTuple
from unittest import mock

import numpy as np
from cuda.core._kernel_arg_handler import ParamHolder
from numba.cuda import codegen, dispatcher
from numba.cuda import types as cuda_types
from numba.cuda.cudadrv import devices
from numba.cuda.cudadrv import driver as numba_driver

from fastgumbel._cuda import device as package
from fastgumbel._cuda.seam import cuda
from tests.cuda.arrays import ALIGNMENT, ForeignArray, aligned, on_device
from tests.cuda.offline import bind, ptx_of
from tests.ptx import UNWRITTEN, Memory, Program
from tests.ptx.memory import check_written

CAPABILITY = (8, 0)
_BINDING = numba_driver.binding


class Event(NamedTuple):
    """A call of the driver: its kind, the stream it names (None if it names none), and what it is about."""

    kind: str
    stream: int | None = None
    what: object = None


class FakeDriver:
    """A driver with one device, whose number is 0.

    ``log`` has all calls in order; ``launches`` lists (kernel's name, grid, block, stream, shared bytes) and
    ``signatures`` (kernel's name, types of its arguments); ``counts`` has the PTX instructions that all lanes executed,
    by opcode. A ``seed`` draws an order of warps. Where memory is ``virtual`` it does not exist, and copies to the host
    tell of no fault.
    """

    # Memory by address, of all drivers, as arrays may outlive theirs. What is freed is not given out again before
    # another driver is installed, so that its use shows.
    _memory: ClassVar[dict] = {}
    _freed: ClassVar[dict] = {}

    def __init__(self, multiprocessors=2, shared_bytes=99 * 1024, capability=CAPABILITY, virtual=False):
        self.capability, self.virtual = capability, virtual
        self.seed = None
        self.log = []
        self.launches = []
        self.signatures = []
        self.counts = Counter()
        # Streams that are captured into a graph, devices of memory that is not this one's, and memory of all devices.
        self.capturing, self.elsewhere, self.managed = set(), {}, set()
        self._events = itertools.count(1000)
        core = SimpleNamespace(device_id=0, compute_capability=capability, name="the host's memory", uuid="0")
        with mock.patch.object(numba_driver, "ExperimentalDevice", return_value=core):
            self._device = numba_driver.Device(0)
        self._device.MULTIPROCESSOR_COUNT = multiprocessors
        self._device.MAX_SHARED_MEMORY_PER_BLOCK_OPTIN = shared_bytes
        with mock.patch.object(numba_driver, "_logger", logging.getLogger(__name__), create=True):
            self.context = numba_driver.Context(weakref.proxy(self._device), 7)

    def of(self, kind):
        """Calls of one kind."""
        return [event for event in self.log if event.kind == kind]

    @property
    def reads(self):
        """Number of copies to the host."""
        return len(self.of("to host"))

    def clear(self):
        """Forget what has been called."""
        self.log.clear()
        self.launches.clear()

    @property
    def attributes(self):
        """What launch shapes depend on."""
        return package.current().attributes

    @attributes.setter
    def attributes(self, attributes):
        package.current().__dict__["attributes"] = attributes

    def empty(self, shape, dtype, stream=None):
        """Return an array of another library that nobody has written."""
        return ForeignArray(aligned(shape, dtype), stream)

    def put(self, values, stream=None):
        """Return a copy as an array of another library."""
        return on_device(values, stream)

    def launch(self, kernel, grid, block, stream, arguments):
        """Launch a kernel on a stream as the package does."""
        arrays = (cuda.as_cuda_array(a) if isinstance(a, ForeignArray) else a for a in arguments)
        package.current().launch(kernel, grid, block, cuda.external_stream(stream), tuple(arrays))

    # The driver's functions, by its names.

    def cuMemAlloc(self, size):
        self.log.append(Event("allocate", what=size))
        memory = np.full((0 if self.virtual else size) + ALIGNMENT, UNWRITTEN, np.uint8)
        address = memory.ctypes.data + -memory.ctypes.data % ALIGNMENT
        self._memory[address] = memory
        return _BINDING.CUdeviceptr(address)

    def cuMemFree(self, address):
        self.log.append(Event("free"))
        self._freed[int(address)] = self._memory.pop(int(address))

    def cuMemcpyHtoDAsync(self, to, source, size, stream=None):
        self.log.append(Event("to device", None if stream is None else int(stream), size))
        if not self.virtual:
            ctypes.memmove(int(to), int(source), size)

    def cuMemcpyDtoHAsync(self, to, source, size, stream=None):
        self.log.append(Event("to host", None if stream is None else int(stream), size))
        no_fault = np.full(size // 8, np.iinfo(np.int64).max)
        ctypes.memmove(int(to), no_fault.ctypes.data if self.virtual else int(source), size)
        words = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(int(to)))
        check_written(words[: size // 4 * 4].view(np.uint32), np.arange(size // 4))

    cuMemcpyHtoD, cuMemcpyDtoH = cuMemcpyHtoDAsync, cuMemcpyDtoHAsync

    def cuStreamSynchronize(self, stream):
        self.log.append(Event("wait", int(stream)))

    def cuCtxSynchronize(self):
        self.log.append(Event("wait for all"))

    def cuEventCreate(self, flags):
        self.log.append(Event("event"))
        return _BINDING.CUevent(next(self._events))

    def cuEventDestroy(self, event):
        self.log.append(Event("destroy"))

    def cuEventRecord(self, event, stream):
        self.log.append(Event("record", int(stream), event))

    def cuStreamWaitEvent(self, stream, event, flags):
        self.log.append(Event("follow", int(stream), event))

    def cuStreamIsCapturing(self, stream):
        status = _BINDING.CUstreamCaptureStatus
        active = int(stream) in self.capturing
        return status.CU_STREAM_CAPTURE_STATUS_ACTIVE if active else status.CU_STREAM_CAPTURE_STATUS_NONE

    def cuPointerGetAttribute(self, attribute, address):
        names = _BINDING.CUpointer_attribute
        answers = {
            names.CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL: self.elsewhere.get(int(address), 0),
            names.CU_POINTER_ATTRIBUTE_IS_MANAGED: int(address) in self.managed,
            names.CU_POINTER_ATTRIBUTE_MEMORY_TYPE: 2,
        }
        return answers[attribute]

    def cuMemGetInfo(self):
        return 2**40, 2**40

    # What replaces loading and launching.

    def core_launch(self, stream, config, kernel, *arguments):
        """Run the PTX that would be loaded, on arguments as `cuda.core` takes them."""
        (grid, *_), (block, *_), name = config.grid, config.block, kernel.py_func.__name__
        stream, shared_bytes = int(stream.handle), config.shmem_size
        self.log.append(Event("launch", stream, name))
        self.launches.append((name, grid, block, stream, shared_bytes))
        self.signatures.append((name, kernel.argument_types))
        ParamHolder(arguments)  # refuses what could not be passed on
        memory, flat, back, rest = Memory(), [], [], iter(arguments)
        for kind in kernel.argument_types:
            self._flatten(kind, rest, memory, flat, back)
        assert next(rest, None) is None
        program = loaded(kernel, self.capability)
        before = program.counts
        program.run(grid, block, flat, memory, seed=self.seed, shared_bytes=shared_bytes)
        self.counts += program.counts - before
        for target, padded in back:
            target[:] = padded

    def _flatten(self, kind, rest, memory, flat, back):
        """Append the parameters that an argument of a type has become."""
        if isinstance(kind, cuda_types.BaseTuple):
            for inner in kind:
                self._flatten(inner, rest, memory, flat, back)
        elif isinstance(kind, cuda_types.Array):
            header = [next(rest) for _ in range(4)]
            address, shape, strides = next(rest), *([next(rest) for _ in range(kind.ndim)] for _ in range(2))
            begin = self._register(address, shape, strides, header[3], memory, back) if header[2] else 0
            flat += [*header, begin, *shape, *strides]
        else:
            value = next(rest)
            flat.append(getattr(value, "value", value))

    def _register(self, address, shape, strides, itemsize, memory, back):
        """Register the bytes that an array spans, with their alignment, and return the address of its first item."""
        reach = [(length - 1) * stride for length, stride in zip(shape, strides, strict=True)]
        low = address + sum(min(r, 0) for r in reach)
        high = address + sum(max(r, 0) for r in reach) + itemsize
        for begin, freed in self._freed.items():
            assert not begin <= low < begin + freed.size - ALIGNMENT, "a launch reads memory that has been freed"
        span = np.ctypeslib.as_array((ctypes.c_uint8 * (high - low)).from_address(low))
        skip = low % ALIGNMENT
        if skip:
            padded = np.concatenate([np.full(skip, UNWRITTEN, np.uint8), span])
            back.append((span, padded[skip:]))
            span = padded
        return memory.add(span) + skip + address - low

    @contextlib.contextmanager
    def installed(self):
        """Let numba-cuda stand on this driver."""
        numba = numba_driver.driver
        functions = {name: getattr(self, name) for name in dir(self) if name.startswith("cu")}
        # They stay, as arrays that outlive the driver are still freed: where there is a real one, it goes on below.
        numba.__dict__.update(functions)
        patches = [
            (numba, "is_initialized", True),
            (numba, "initialization_error", None),
            (devices._runtime, "ensure_context", contextlib.nullcontext),
            (devices._runtime, "get_or_create_context", lambda number=None: self.context),
            (codegen.CUDACodeLibrary, "get_cufunc", lambda library: library.loaded),
            (dispatcher._Kernel, "bind", bind),
            (dispatcher, "launch", self.core_launch),
            (package, "_devices", {}),
        ]
        self._freed.clear()
        numba_driver.__dict__.setdefault("_logger", logging.getLogger(__name__))
        with contextlib.ExitStack() as stack:
            for target, name, value in patches:
                stack.enter_context(mock.patch.object(target, name, value))
            self.context.prepare_for_use()
            yield self


@cache
def loaded(kernel, capability):
    """Return the program that a device of a capability would run, always the same object."""
    return Program(ptx_of(kernel, capability), bare=True)
