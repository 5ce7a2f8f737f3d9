"""Choices as a `.npy` file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cli.console import blaming


class NpySink:
    """An array of indices of shape (draws, rows), or (rows,) for one draw, in the smallest signed type that fits."""

    def __init__(self, target: Path, file: BinaryIO, *, rows: int, draws: int, alternatives: int) -> None:
        self._target, self._file, self._rows = target, file, rows
        self._dtype = _smallest_signed(alternatives)
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (rows,) if draws == 1 else (draws, rows),
        }
        with blaming(target):
            np.lib.format.write_array_header_1_0(file, header)
            self._start = file.tell()

    def write(self, choices: NDArray[np.integer[Any]], row: int, draw: int) -> None:
        """Write a chunk in its place by seeking, as a full disk kills a process that writes to a memory map."""
        stretches = choices.astype(self._dtype, order="C")
        if choices.shape[1] == self._rows:
            stretches = stretches.reshape(1, -1)
        with blaming(self._target):
            for offset, stretch in enumerate(stretches):
                self._file.seek(self._start + ((draw + offset) * self._rows + row) * self._dtype.itemsize)
                self._file.write(stretch.data)


def _smallest_signed(alternatives: int) -> np.dtype[np.signedinteger[Any]]:
    """Return the smallest signed integer type that holds every index.

    Examples
    --------
    >>> _smallest_signed(128), _smallest_signed(129)
    (dtype('int8'), dtype('int16'))
    """
    return np.min_scalar_type(-alternatives)
