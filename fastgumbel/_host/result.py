"""Results in NumPy arrays: where they are computed, and how they get to the caller."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._host.rows import Rows
from fastgumbel._request.layout import categories_back, with_categories
from fastgumbel._request.outputs import check_out


def flat_of(out: NDArray[Any] | None, shape: tuple[int, int], dtype: Any, rows: Rows) -> NDArray[Any]:
    """Where to compute draws by rows: `out`, or a new array if there is none or kernels cannot write to it."""
    if out is not None and out.flags.c_contiguous and out.flags.aligned and not rows.overlaps(out):
        # A matrix would keep its two axes.
        return np.asarray(out).reshape(shape)
    return np.empty(shape, dtype)


def delivered(flat: NDArray[Any], shape: tuple[int, ...], out: NDArray[Any] | None) -> Any:
    """Draws by rows, in the caller's array if there is one, else of this shape: a scalar if that is ()."""
    if out is None:
        return flat.reshape(shape) if shape else flat[0, 0]
    if not np.may_share_memory(out, flat):
        out[...] = flat.reshape(shape)
    return out


class Result:
    """An array to compute in, C-contiguous with the categories last, and its way to the caller.

    `flat` has the axes (directions,) draws, rows, categories; it is the caller's own array where that will do, and
    overlaps none of the `inputs`. Its dtype is that of the rows, unless another is named.
    """

    def __init__(
        self,
        rows: Rows,
        axis: int,
        draw_shape: tuple[int, ...],
        name: str,
        out: Any,
        inputs: tuple[NDArray[Any], ...],
        directions: tuple[int, ...] | None = None,
        dtype: Any = None,
    ) -> None:
        dtype = rows.dtype if dtype is None else np.dtype(dtype)
        self._axis = axis
        self._shape = (*(directions or ()), *draw_shape, *rows.batch, rows.n)
        flat = math.prod(draw_shape), rows.count, rows.n
        if directions is not None:
            flat = *(directions or (1,)), *flat
        self._out = out
        if out is not None:
            check_out(out, name, with_categories(self._shape[:-1], rows.n, axis), dtype)
        usable = out is not None and axis == -1 and out.flags.c_contiguous and out.flags.aligned
        usable = usable and not any(np.may_share_memory(out, array) for array in inputs)
        # A matrix would keep its two axes.
        self.flat = np.asarray(out).reshape(flat) if usable else np.empty(flat, dtype)

    def deliver(self) -> NDArray[Any]:
        """The result in the caller's shape and order of axes."""
        result = categories_back(self.flat.reshape(self._shape), self._axis)
        if self._out is None:
            return result
        if not np.may_share_memory(self._out, self.flat):
            self._out[...] = result
        out: NDArray[Any] = self._out
        return out
