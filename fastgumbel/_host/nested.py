"""Noise of a nested logit written to an array: that of the field, scaled and shifted piece by piece."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.nested import add_nests
from fastgumbel._host.noise import fill, write_pieces
from fastgumbel._host.rows import BUFFER_BYTES, field_at
from fastgumbel._request.coordinates import Coordinates
from fastgumbel._request.nests import Nests


def write(out: NDArray[Any], place: Coordinates, nests: Nests) -> None:
    """Write the noise to an array, the categories on its last axis, the other axes rows in C order.

    A place that category ids leave empty gets -inf.
    """
    rows = math.prod(out.shape[:-1])

    def work(piece: NDArray[Any], row: int, column: int, own: NDArray[np.uint64] | None) -> None:
        noise = np.empty(piece.shape)
        fill(noise, (row, rows), column, place, own)
        tree = tuple(nests.part(column, column + piece.shape[1]))
        add_nests(piece, noise, field_at(place, row, row + len(piece)), tree)

    write_pieces(out, place, work, BUFFER_BYTES // 8)
