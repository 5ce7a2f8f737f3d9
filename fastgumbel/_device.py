"""Device arrays, and the device behind them: nothing of CUDA is loaded before the first one comes.

A device array is whatever has `__cuda_array_interface__`. Work goes on the stream that the interface names, so that
neither the caller nor this package waits; where it names none, on the default stream.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

# The handle by which interfaces name the default stream.
_DEFAULT_STREAM = 1


def is_device(x: Any) -> bool:
    """Whether x is a device array."""
    return not isinstance(x, np.ndarray) and hasattr(x, "__cuda_array_interface__")


@dataclass(frozen=True)
class Attributes:
    """What launch shapes depend on."""

    multiprocessors: int
    # Bytes a block at most.
    shared_bytes: int


class Device:
    """The current device. Its arrays have `shape`, `dtype`, `strides`, `size` and `reshape`, and the interface."""

    def __init__(self, seam: Any) -> None:
        self._seam = seam
        self._cuda = seam.cuda

    @property
    def attributes(self) -> Attributes:
        """Attributes of the device."""
        device = self._cuda.get_current_device()
        return _attributes(device, device.id)

    @contextlib.contextmanager
    def stream(self, *arrays: Any) -> Iterator[Any]:
        """A stream to work on: that of the first array that names one, ordered after and before the others'."""
        handles = [array.__cuda_array_interface__.get("stream") for array in arrays]
        named = list(dict.fromkeys(handle for handle in handles if handle is not None)) or [_DEFAULT_STREAM]
        first, *others = map(self._cuda.external_stream, named)
        for other in others:
            self._follow(first, other)
        yield first
        for other in others:
            self._follow(other, first)

    def _follow(self, later: Any, earlier: Any) -> None:
        event = self._cuda.event(timing=False)
        event.record(earlier)
        event.wait(later)

    def wrap(self, obj: Any) -> Any:
        """A device array for the memory of another, which it keeps alive."""
        return self._cuda.as_cuda_array(obj, sync=False)

    def empty(self, shape: int | tuple[int, ...], dtype: DTypeLike, stream: Any) -> Any:
        """A new array that its users will read on a stream."""
        return self._cuda.device_array(shape, dtype, stream=stream)

    def put(self, array: NDArray[Any], stream: Any) -> Any:
        """A copy on the device."""
        return self._cuda.to_device(array, stream=stream)

    def read(self, array: Any, stream: Any) -> NDArray[Any]:
        """A copy on the host; waits for the stream."""
        result: NDArray[Any] = array.copy_to_host(stream=stream)
        stream.synchronize()
        return result

    def launch(
        self, kernel: Any, grid: int, block: int, stream: Any, arguments: tuple[Any, ...], shared_bytes: int = 0
    ) -> None:
        """Run a kernel; scalars are NumPy's, whose types the kernel is compiled for."""
        self._seam.launch(kernel, grid, block, stream, shared_bytes, arguments)


@cache
def _attributes(device: Any, number: int) -> Attributes:
    return Attributes(device.MULTIPROCESSOR_COUNT, device.MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)


def current() -> Device:
    """The current device.

    Raises
    ------
    ImportError
        If numba-cuda or its toolkit is not installed.
    RuntimeError
        If there is no driver, or no device.
    """
    try:
        seam = importlib.import_module("fastgumbel._kernels.cuda")
    except Exception as error:  # numba-cuda has errors of its own for what it misses
        raise ImportError("device arrays need CUDA support: pip install 'fastgumbel[cuda]'") from error
    if not seam.cuda.is_available():
        raise RuntimeError(
            "device arrays need an NVIDIA driver and device, and none was found; CUDA support is installed "
            "(pip install 'fastgumbel[cuda]'), so look at the driver, or pass host arrays"
        )
    return Device(seam)
