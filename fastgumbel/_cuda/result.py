"""Results on a device: where they are computed, and how they get to the caller."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import DTypeLike

from fastgumbel._cuda.call import Call, Work, int64s
from fastgumbel._cuda.kernels import move
from fastgumbel._cuda.rows import DeviceRows
from fastgumbel._cuda.view import View, view_of
from fastgumbel._request.outputs import apart_message, check_device_out


class Result:
    """An array that kernels write flat, with the axis of categories last.

    Parameters
    ----------
    call : Call
        What is read.
    name : str
        The argument that `out` is.
    out : device array or None
        The caller's memory.
    shape : tuple of int
        With the categories, if the result has them, on the axis `axis`, counted from the end.
    """

    flat: Any

    def __init__(self, call: Call, name: str, out: Any, shape: tuple[int, ...], dtype: DTypeLike, axis: int = -1):
        self._out, self._dtype, self._axis = out, dtype, axis
        at = len(shape) + axis
        self._shape = shape if axis == -1 else (*shape[:at], *shape[at + 1 :], shape[at])
        self.size = math.prod(shape)
        self.view: View | None = None
        if out is not None:
            check_device_out(out, name, shape, dtype)
            self.view = call.device.array(out, name)
            if any(self.view.overlaps(read) for read in call.views):
                raise ValueError(f"{name} must not overlap what is read, as it is a device array")

    def begin(self, work: Work) -> None:
        """Take the caller's memory, where the categories are last in it, or new one."""
        if self.view is not None and self._axis == -1:
            self.flat = work.wrap(self.view.reshaped((self.size,)))
        else:
            self.flat = work.new(self.size, self._dtype)

    def deliver(self, work: Work) -> Any:
        """The result in the caller's shape and order of axes."""
        if self._axis == -1:
            return work.device.reshaped(self.flat, self._shape) if self._out is None else self._out
        if self.view is None:
            return work.wrap(view_of(self.flat, "out").reshaped(self._shape).to_axis(self._axis))
        if self.size:
            lines = work.device.reshaped(self.flat, (self.size // self._shape[-1], self._shape[-1]))
            for piece in DeviceRows(work.device, self.view, self._axis).pieces(work.stream):
                copy_rows(work, piece.x, lines, 0, piece.first_row)
        return self._out


def check_apart(*results: Result) -> None:
    """Refuse arrays of the caller for several results that have memory in common."""
    views = [result.view for result in results if result.view is not None]
    if any(a.overlaps(b) for i, a in enumerate(views) for b in views[:i]):
        raise ValueError(apart_message(len(results)))


def copy_rows(work: Work, out: Any, x: Any, to_row: int, from_row: int) -> None:
    """Copy rows of x from one on to rows of another array: as many as the one with fewer has."""
    count = min(out.shape[0], x.shape[0]) * x.shape[1]
    work.each(move.copy, count, move.THREADS, (out, x, *int64s(to_row, from_row)))
