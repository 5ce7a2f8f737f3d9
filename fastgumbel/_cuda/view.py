"""Views of device memory: what kernels are given, cut out of the arrays that users pass. No device is asked for."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from fastgumbel._request.device import interface_of

# The handle by which interfaces name the default stream.
DEFAULT_STREAM = 1


class View:
    """Part of the memory of a device array, which it keeps alive; axes of one item have the strides of C order."""

    def __init__(
        self,
        owner: Any,
        address: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        dtype: np.dtype[Any],
        stream: int | None,
    ) -> None:
        self._owner = owner
        self.address, self.shape, self.dtype = address, shape, dtype
        # Handle of the stream that whoever reads or writes the array has to follow, None where it names none.
        self.stream = stream
        own, step = [], dtype.itemsize
        for length, stride in zip(reversed(shape), reversed(strides), strict=True):
            own.append(step if length == 1 else stride)
            step = own[-1] * length
        self.strides = tuple(reversed(own))

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        # The stream is left out: whoever wraps a view knows the stream of the call.
        return {
            "shape": self.shape,
            "strides": self.strides,
            "typestr": self.dtype.str,
            "data": (self.address, False),
            "version": 3,
        }

    def part(self, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> View:
        """Another view of the memory, `offset` bytes from the first item of this one."""
        return View(self._owner, self.address + offset, shape, strides, self.dtype, self.stream)

    def reshaped(self, shape: tuple[int, ...]) -> View:
        """The view, which must be in C order, in another shape."""
        return View(self._owner, self.address, shape, c_strides(shape, self.dtype.itemsize), self.dtype, self.stream)

    def retyped(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> View:
        """The first bytes of the view, which must be in C order, as an array of another type."""
        return View(self._owner, self.address, shape, c_strides(shape, dtype.itemsize), dtype, self.stream)

    def at(self, place: tuple[int, ...]) -> View:
        """The view at an index of the first axes."""
        return self.part(offset_of(place, self.strides), self.shape[len(place) :], self.strides[len(place) :])

    def last(self, axis: int) -> View:
        """The view with an axis, counted from the end, moved to the end."""
        order = [i for i in range(len(self.shape)) if i != len(self.shape) + axis] + [len(self.shape) + axis]
        return self.part(0, tuple(self.shape[i] for i in order), tuple(self.strides[i] for i in order))

    def to_axis(self, axis: int) -> View:
        """The view with its last axis moved to one counted from the end: what `last` undoes."""
        at = len(self.shape) + axis
        order = [*range(at), len(self.shape) - 1, *range(at, len(self.shape) - 1)]
        return self.part(0, tuple(self.shape[i] for i in order), tuple(self.strides[i] for i in order))

    def overlaps(self, other: View) -> bool:
        """Whether both may have memory in common."""
        (low, high), (begin, end) = self.bounds(), other.bounds()
        return low < end and begin < high

    def broadcast(self, shape: tuple[int, ...]) -> View | None:
        """The view repeated to a shape, by strides of 0; None where it does not fit."""
        added = len(shape) - len(self.shape)
        if added < 0 or any(a not in (1, b) for a, b in zip(self.shape, shape[added:], strict=True)):
            return None
        kept = (0 if a != b else s for a, b, s in zip(self.shape, shape[added:], self.strides, strict=True))
        return self.part(0, shape, (0,) * added + tuple(kept))

    def bounds(self) -> tuple[int, int]:
        """First address of the items, and that after the last one."""
        if 0 in self.shape:
            return self.address, self.address
        reach = [(length - 1) * stride for length, stride in zip(self.shape, self.strides, strict=True)]
        low, high = sum(min(r, 0) for r in reach), sum(max(r, 0) for r in reach)
        return self.address + low, self.address + high + self.dtype.itemsize


def offset_of(place: tuple[int, ...], strides: tuple[int, ...]) -> int:
    """Bytes to an index of the first axes."""
    return sum(i * s for i, s in zip(place, strides, strict=False))


def c_strides(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Strides of C order."""
    return tuple(math.prod(shape[i + 1 :]) * itemsize for i in range(len(shape)))


def view_of(array: Any, name: str) -> View:
    """All of a device array."""
    interface = interface_of(array, name)
    if interface.get("mask") is not None:
        raise TypeError(f"{name} must not be a masked array; pass where=~mask with its data")
    dtype, shape, address = np.dtype(interface["typestr"]), tuple(interface["shape"]), interface["data"][0]
    if not dtype.isnative:
        raise TypeError(f"{name} must have the byte order of the device, not {dtype}")
    strides = interface.get("strides")
    strides = c_strides(shape, dtype.itemsize) if strides is None else tuple(strides)
    view = View(array, address or 0, shape, strides, dtype, _stream_of(array, interface))
    if any(place % dtype.itemsize for place in (view.address, *view.strides)):
        raise ValueError(f"{name} must be aligned, as it is a device array")
    return view


def _stream_of(array: Any, interface: dict[str, Any]) -> int | None:
    """Handle of the stream that an array names; PyTorch's tensors name none, and follow its current one."""
    stream = interface.get("stream")
    torch = sys.modules.get("torch")
    if stream is None and torch is not None and isinstance(array, torch.Tensor):
        stream = torch.cuda.current_stream(array.device).cuda_stream
    # PyTorch's name of the default stream is 0, which interfaces do not use.
    return None if stream is None else int(stream) or DEFAULT_STREAM
