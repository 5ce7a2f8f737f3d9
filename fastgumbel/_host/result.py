"""Results in NumPy arrays: where they are computed, and how they get to the caller.

These are functions, and not an object, as making one takes a few percent of a small call.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._request.layout import categories_back, with_categories
from fastgumbel._request.outputs import apart_message, check_out

# Types of indices and of perturbed values.
INDEX: np.dtype[np.intp] = np.dtype(np.intp)
VALUE: np.dtype[np.float64] = np.dtype(np.float64)


def room(
    name: str,
    out: Any,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    flat: tuple[int, ...],
    axis: int,
    inputs: tuple[NDArray[Any], ...],
) -> NDArray[Any]:
    """An array to compute a result in, C-contiguous: the caller's own where that will do.

    Parameters
    ----------
    name : str
        The argument that `out` is.
    out : ndarray or None
        The caller's array.
    shape : tuple of int
        Its shape, but for the axis of categories or ranks, if it has one, which comes last here.
    dtype : dtype
    flat : tuple of int
        The shape in which kernels write.
    axis : int
        Where the last axis goes, counted from the end; -1 leaves it.
    inputs : tuple of ndarray
        What is read while the result is written.
    """
    if out is None:
        return np.empty(flat, dtype)
    check_out(out, name, shape if axis == -1 else with_categories(shape[:-1], shape[-1], axis), dtype)
    usable = axis == -1 and out.flags.c_contiguous and out.flags.aligned
    if usable and not any(np.may_share_memory(out, array) for array in inputs):
        # A matrix would keep its two axes.
        return np.asarray(out).reshape(flat)
    return np.empty(flat, dtype)


def delivered(result: NDArray[Any], out: Any, shape: tuple[int, ...], axis: int) -> Any:
    """A result in the caller's array, or in its shape and order of axes: a scalar if that shape is ().

    The arguments are those of `room`, which made the array of the result.
    """
    own = result.reshape(shape)
    if axis != -1:
        own = categories_back(own, axis)
    if out is None:
        return own if shape else own[()]
    if not np.may_share_memory(out, result):
        out[...] = own
    return out


def check_apart(*outs: Any) -> None:
    """Refuse arrays of the caller for several results that have memory in common."""
    given = [out for out in outs if out is not None]
    if any(np.may_share_memory(a, b) for i, a in enumerate(given) for b in given[:i]):
        raise ValueError(apart_message(len(outs)))
