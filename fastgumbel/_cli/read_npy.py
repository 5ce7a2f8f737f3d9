"""Tables from `.npy` files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fastgumbel._cli.console import UserError, blaming
from fastgumbel._cli.table import Table


def open_npy(path: Path) -> Table:
    """Map a file of shape (rows, alternatives), or (alternatives,) for one row; nothing is read yet."""
    with blaming(path):
        try:
            values = np.lib.format.open_memmap(path, mode="r")
        except (ValueError, EOFError) as fault:
            raise UserError(f"{path}: not a .npy file that can be mapped: {str(fault).splitlines()[0]}") from fault
    if values.dtype.kind not in "fiu" or values.dtype.itemsize > 8:
        raise UserError(f"{path}: holds {values.dtype}; expected float16, float32, float64 or integers")
    if values.ndim not in (1, 2):
        raise UserError(f"{path}: has {values.ndim} axes; expected 2, rows by alternatives, or 1 for a single row")
    if values.size == 0:
        raise UserError(f"{path}: is empty, its shape is {values.shape}")
    return Table(str(path), values.reshape(1, -1) if values.ndim == 1 else values)
