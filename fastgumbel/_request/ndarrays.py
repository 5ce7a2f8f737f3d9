"""Rows wherever they lie: their types, and arrays of which parts are broadcast."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Of so few numbers a mask is quickest.
_LITTLE = 2**12
_FLOAT32: np.dtype[Any] = np.dtype(np.float32)
_FLOAT64: np.dtype[Any] = np.dtype(np.float64)
# Upper halves of float32, for which NumPy has no type: log-potentials alone may be of it.
BFLOAT16: np.dtype[Any] = np.dtype([("bfloat16", np.uint16)])


def relaxed_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type in which log-potentials of a type are read, and that of their relaxed samples."""
    return _FLOAT32 if dtype.kind in "fV" and dtype.itemsize <= 4 else _FLOAT64


def freeze(array: NDArray[Any]) -> NDArray[Any]:
    """Make an array read-only, of which nobody else has this view: kernels are compiled for such arrays."""
    # The first is `write`. To name it, or to set `flags.writeable`, takes a microsecond.
    array.setflags(False)  # type: ignore[call-arg]
    return array


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only view of an array."""
    return freeze(array[...])


def unrepeated(array: NDArray[Any]) -> NDArray[Any]:
    """A view with axes along which an array is broadcast cut to one item."""
    if 0 not in array.strides:
        return array
    return array[tuple(slice(1) if stride == 0 else slice(None) for stride in array.strides)]


# In so few items, it takes less to find the place of the least than the least.
_SMALL = 1024


def any_negative(array: NDArray[Any]) -> bool:
    """Whether there is any integer below 0."""
    if 0 < array.size <= _SMALL:
        return array.item(array.argmin()) < 0  # type: ignore[no-any-return]
    array = unrepeated(array)
    return array.size > 0 and bool(array.min() < 0)


def count_set(array: NDArray[Any]) -> int:
    """How many items are not 0."""
    if array.size == 1:
        return 1 if array.item() else 0
    return int(np.count_nonzero(array)) if array.size > _SMALL else len(array.nonzero()[0])


def converted(array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """An array in a type of floats, without a warning where a number is beyond it."""
    if array.dtype == dtype:
        return array
    with np.errstate(over="ignore", under="ignore"):
        return array.astype(dtype)


def overflows(noise: NDArray[Any], temperature: float) -> NDArray[np.bool_]:
    """Where the product of finite noise with its temperature is infinite."""
    with np.errstate(all="ignore"):
        overflow: NDArray[np.bool_] = np.isinf(noise.astype(np.float64) * temperature) & np.isfinite(noise)
    return overflow


def all_finite(array: NDArray[Any]) -> bool:
    """Whether an array has neither NaN nor infinities."""
    if array.size == 1:
        return math.isfinite(array.item())
    if array.size <= _LITTLE:
        return bool(np.isfinite(array).all())
    # A mask of all would take memory.
    return bool(np.isfinite(array.max()) and np.isfinite(array.min()))
