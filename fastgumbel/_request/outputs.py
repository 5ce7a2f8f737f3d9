"""Arrays of the caller for results."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._request.device import interface_of, is_device
from fastgumbel._request.layout import with_categories


def ranked_shapes(
    draw_shape: tuple[int, ...], batch: tuple[int, ...], k: int, axis: int, with_threshold: bool
) -> list[tuple[tuple[int, ...], Any]]:
    """Shapes and types of indices and values by rank, on an axis counted from the end, and of the threshold."""
    ranked = with_categories(draw_shape + batch, k, axis)
    shapes: list[tuple[tuple[int, ...], Any]] = [(ranked, np.intp), (ranked, np.float64)]
    return [*shapes, (draw_shape + batch, np.float64)] if with_threshold else shapes


def check_ranked_outs(out: Any, shapes: list[tuple[tuple[int, ...], Any]]) -> None:
    """A tuple of as many arrays."""
    if not isinstance(out, tuple) or len(out) != len(shapes):
        names = "(indices, values, threshold)" if len(shapes) == 3 else "(indices, values)"
        raise TypeError(f"out must be a tuple of {len(shapes)} arrays {names}")


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
