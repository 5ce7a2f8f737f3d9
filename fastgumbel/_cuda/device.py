"""The current device: streams, memory and launches, and the objects that every call needs again."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fastgumbel._cuda import seam
from fastgumbel._cuda.view import DEFAULT_STREAM, View, view_of
from fastgumbel._request.device import is_device
from fastgumbel._request.scalars import array_of

# More streams than these are forgotten: callers make them anew all the time.
_STREAMS = 256


class Attributes(NamedTuple):
    """What launch shapes depend on: multiprocessors, and bytes of shared memory a block at most."""

    multiprocessors: int
    shared_bytes: int


class Device:
    """A device. Its arrays are those of numba-cuda, each with the stream that its next user has to follow.

    For requests, it is a kind of arrays: all that are on a device, viewed.
    """

    noise = "a device array"
    own_noise = True

    def __init__(self, number: int) -> None:
        self.number = number
        self._streams: dict[int, Any] = {}
        self._empty: dict[tuple[int, np.dtype[Any]], Any] = {}
        self._event: Any = None
        self._lock = threading.Lock()

    @cached_property
    def attributes(self) -> Attributes:
        """What launch shapes depend on."""
        device = seam.cuda.get_current_device()
        return Attributes(device.MULTIPROCESSOR_COUNT, device.MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)

    def owns(self, x: Any) -> bool:
        """Whether an argument is a device array."""
        return is_device(x)

    def fetch(self, x: Any, name: str) -> NDArray[Any]:
        """The argument on the host, read from the device if it is there; waits for its stream."""
        if not is_device(x):
            return array_of(x, name)
        view = self.array(x, name)
        with self.stream(view) as stream:
            return self.read(self.wrap(view, stream), stream)

    def array(self, array: Any, name: str) -> View:
        """All of a device array, which must be of this device."""
        view = view_of(array, name)
        other = seam.device_of(view.address, self.number) if view.address else self.number
        if other != self.number:
            raise ValueError(
                f"{name} lies on device {other}, but the current one is device {self.number}: make its device the "
                f"current one, as `with numba.cuda.gpus[{other}]:` does"
            )
        return view

    @contextlib.contextmanager
    def stream(self, *views: View) -> Iterator[Any]:
        """A stream to work on: that of the first view that names one, ordered after and before the others'."""
        handles = [view.stream for view in views if view.stream is not None]
        first, *others = [self._stream(handle) for handle in dict.fromkeys(handles or [DEFAULT_STREAM])]
        for stream in (first, *others):
            if seam.is_capturing(stream):
                raise RuntimeError(
                    "a stream is being captured into a CUDA graph, which cannot hold this call: it allocates memory "
                    "and copies to it; call before the capture begins, or after it has ended"
                )
        for other in others:
            self._follow(first, other)
        yield first
        for other in others:
            self._follow(other, first)

    def _stream(self, handle: int) -> Any:
        """The stream of a handle: always the same object, by which numba-cuda finds its launch configurations."""
        stream = self._streams.get(handle)
        if stream is None:
            if len(self._streams) >= _STREAMS:
                self._streams.clear()
            stream = self._streams.setdefault(handle, seam.cuda.external_stream(handle))
        return stream

    def _follow(self, later: Any, earlier: Any) -> None:
        with self._lock:  # an event is waited for as it was last recorded
            if self._event is None:
                self._event = seam.cuda.event(timing=False)
            self._event.record(earlier)
            self._event.wait(later)

    def wrap(self, view: View, stream: Any) -> Any:
        """The array of a view, which keeps its owner alive."""
        return self._bound(seam.cuda.as_cuda_array(view, sync=False), stream)

    def reshaped(self, array: Any, shape: int | tuple[int, ...]) -> Any:
        """The same memory in another shape."""
        return self._bound(array.reshape(shape), array.stream)

    def _bound(self, array: Any, stream: Any) -> Any:
        array.stream = stream
        return array

    def empty(self, shape: int | tuple[int, ...], dtype: DTypeLike, stream: Any) -> Any:
        """A new array that its users will read on a stream."""
        return seam.cuda.device_array(shape, dtype, stream=stream)

    def nothing(self, ndim: int, dtype: DTypeLike) -> Any:
        """An array of no items, for kernels to see that something is absent."""
        key = ndim, np.dtype(dtype)
        if key not in self._empty:
            self._empty[key] = seam.cuda.device_array((0,) * ndim, dtype)
        return self._empty[key]

    def put(self, array: NDArray[Any], stream: Any) -> Any:
        """A copy on the device."""
        # Axes along which an array is broadcast would be looked at on the device, after a wait for it.
        own = array.copy() if 0 in array.strides else array
        return seam.cuda.to_device(own, stream=stream)

    def read(self, array: Any, stream: Any) -> NDArray[Any]:
        """A copy on the host; waits for the stream."""
        result: NDArray[Any] = array.copy_to_host(stream=stream)
        stream.synchronize()
        return result

    def launch(
        self, kernel: Any, grid: int, block: int, stream: Any, arguments: tuple[Any, ...], shared_bytes: int = 0
    ) -> None:
        """Run a kernel; scalars are NumPy's, whose types the kernel is compiled for."""
        seam.launch(kernel, grid, block, stream, shared_bytes, arguments)


_devices: dict[int, Device] = {}


def current() -> Device:
    """The current device, always the same object for one number.

    Raises
    ------
    RuntimeError
        If there is no driver, or no device.
    """
    if not seam.cuda.is_available():
        raise RuntimeError(
            f"device arrays need an NVIDIA driver and device, and none was found ({seam.why_missing()}); CUDA support "
            "is installed, so look at the driver, or pass host arrays"
        )
    number = int(seam.cuda.get_current_device().id)
    return _devices.setdefault(number, Device(number))
