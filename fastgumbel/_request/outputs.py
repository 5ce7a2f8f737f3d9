"""Arrays of the caller for results."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._request.device import interface_of, is_device


def outs_of(out: Any, *results: str) -> list[tuple[str, Any]]:
    """The name and the array for each of several results: a tuple of as many arrays, or None."""
    if out is None:
        return [("out", None)] * len(results)
    if not isinstance(out, (tuple, list)) or len(out) != len(results):
        count = {2: "pair", 3: "triple"}[len(results)]
        raise TypeError(f"out must be a {count} of arrays ({', '.join(results)})")
    return [(f"out[{i}]", array) for i, array in enumerate(out)]


def apart_message(count: int) -> str:
    """What is wrong with arrays for several results that have memory in common."""
    return f"out must be {('two', 'three')[count - 2]} arrays that do not overlap"


def check_out(out: Any, name: str, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """An output array of exactly this shape and dtype."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{name} must be a numpy array, not {type(out).__name__}")
    if out.dtype != np.dtype(dtype):
        raise TypeError(f"{name} must have dtype {np.dtype(dtype)}, not {out.dtype}")
    if out.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, not {out.shape}")
    if not out.flags.writeable:
        raise ValueError(f"{name} must be writable")
    if type(out) is not np.ndarray and isinstance(out, np.ma.MaskedArray):
        raise TypeError(f"{name} must not be a masked array: pass its data")
    if repeats_items(out):
        raise ValueError(f"{name} must not have an item in several places, as a broadcast view has: pass its copy()")
    return out


def repeats_items(array: NDArray[Any]) -> bool:
    """Whether places of an array share memory."""
    if array.size < 2 or array.flags.forc:
        return False
    axes = sorted((abs(stride), length) for stride, length in zip(array.strides, array.shape, strict=True))
    reach = array.itemsize
    apart = True
    for stride, length in axes:
        apart &= length == 1 or stride >= reach
        reach += stride * (length - 1)
    if apart:
        return False
    places = np.zeros(1, np.intp)
    for stride, length in axes:
        if stride == 0 and length > 1:
            return True
        places = (places[:, None] + stride * np.arange(length)).ravel()
    places.sort()
    return bool((np.diff(places) < array.itemsize).any())


def check_device_out(out: Any, name: str, shape: tuple[int, ...], dtype: Any) -> None:
    """A device array of exactly this shape and dtype, C-contiguous."""
    if not is_device(out):
        raise TypeError(f"{name} must be a device array, as log_potentials is one, not {type(out).__name__}")
    interface = interface_of(out, name)
    own = np.dtype(interface["typestr"])
    if own != np.dtype(dtype):
        raise TypeError(f"{name} must have dtype {np.dtype(dtype)}, not {own}")
    if tuple(interface["shape"]) != shape:
        raise ValueError(f"{name} must have shape {shape}, not {tuple(interface['shape'])}")
    if interface["data"][1]:
        raise ValueError(f"{name} must be writable")
    if interface.get("strides") is not None and 0 not in shape:
        step = own.itemsize
        for length, stride in zip(reversed(shape), reversed(interface["strides"]), strict=True):
            if length != 1 and stride != step:
                raise ValueError(f"{name} must be C-contiguous, as it is a device array")
            step *= length
    if interface["data"][0] % own.itemsize:
        raise ValueError(f"{name} must be aligned")
