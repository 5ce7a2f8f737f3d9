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
    return out


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
