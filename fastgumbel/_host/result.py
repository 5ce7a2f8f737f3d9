"""Results in NumPy arrays: where they are computed, and how they get to the caller."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._request.layout import categories_back, with_categories
from fastgumbel._request.outputs import apart_message, check_out


class Result:
    """An array to compute in, C-contiguous, and its way to the caller.

    Parameters
    ----------
    name : str
        The argument that `out` is.
    out : ndarray or None
        The caller's array.
    shape : tuple of int
        Its shape, but for the axis of categories or ranks, if it has one, which comes last here.
    dtype
    flat : tuple of int
        The shape in which kernels write.
    axis : int, optional
        Where the last axis goes, counted from the end; the default leaves it.
    inputs : tuple of ndarray, optional
        What is read while the result is written.

    Attributes
    ----------
    flat : ndarray
        The caller's own array where that will do.
    out : ndarray or None
        The caller's array.
    """

    __slots__ = ("_axis", "_shape", "flat", "out")

    def __init__(
        self,
        name: str,
        out: Any,
        shape: tuple[int, ...],
        dtype: Any,
        flat: tuple[int, ...],
        axis: int = -1,
        inputs: tuple[NDArray[Any], ...] = (),
    ) -> None:
        self.out, self._shape, self._axis = out, shape, axis
        if out is None:
            self.flat: NDArray[Any] = np.empty(flat, dtype)
            return
        check_out(out, name, shape if axis == -1 else with_categories(shape[:-1], shape[-1], axis), dtype)
        usable = axis == -1 and out.flags.c_contiguous and out.flags.aligned
        usable = usable and not any(np.may_share_memory(out, array) for array in inputs)
        # A matrix would keep its two axes.
        self.flat = np.asarray(out).reshape(flat) if usable else np.empty(flat, dtype)

    def deliver(self) -> Any:
        """The result in the caller's array, or in its shape and order of axes: a scalar if that shape is ()."""
        result = self.flat.reshape(self._shape)
        if self._axis != -1:
            result = categories_back(result, self._axis)
        if self.out is None:
            return result if self._shape else result[()]
        if not np.may_share_memory(self.out, self.flat):
            self.out[...] = result
        return self.out


def check_apart(*results: Result) -> None:
    """Whether the caller's arrays for several results have no memory in common."""
    outs = [result.out for result in results if result.out is not None]
    if len(outs) > 1 and any(np.may_share_memory(a, b) for i, a in enumerate(outs) for b in outs[:i]):
        raise ValueError(apart_message(len(results)))
