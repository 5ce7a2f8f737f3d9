"""Noise given a choice."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.given import given_choice
from fastgumbel._host.blocks import run_blocks, write_ids
from fastgumbel._host.result import Result
from fastgumbel._host.rows import Rows, inputs_of, rows_of
from fastgumbel._law.reduce import INVALID_CHOICE
from fastgumbel._request.faults import choice_message
from fastgumbel._request.field import CATEGORIES
from fastgumbel._request.request import Request


def sample(request: Request, choice: Any, out: Any) -> Any:
    """What `gumbel_given_choice` does."""
    rows, lead = rows_of(request), request.draw_shape + request.batch
    request.condition()
    choices = np.broadcast_to(request.choices(choice), lead)
    choices = np.ascontiguousarray(choices, np.intp).reshape(request.draws, rows.count)
    flat, read = (*choices.shape, rows.n), (*inputs_of(request), choices)
    result = Result("out", out, (*lead, rows.n), rows.dtype, flat, request.axis, read)
    faulty = noise_given(rows, choices, result.flat)
    if request.draws and np.count_nonzero(faulty):
        wrong = faulty == INVALID_CHOICE
        if wrong.any():
            row = int(wrong.argmax())
            raise ValueError(choice_message(rows.name(row), rows.n, choices[:, row]))
        if request.raises:
            raise ValueError(rows.fault(int(faulty.argmax())))
    return result.deliver()


def noise_given(rows: Rows, choices: NDArray[np.intp], out: NDArray[Any]) -> NDArray[np.uint8]:
    """Write noise given choices[draw, row] to out[draw, row]; by row, what is wrong with it."""
    faulty = np.zeros(rows.count, np.uint8)
    if rows.n == 0:
        faulty[:] = 1
        return faulty

    def work(r: int, r1: int, s: int, s1: int) -> None:
        part, own = out[s:s1, r:r1], None
        if rows.has_ids:
            own = write_ids(part, rows, (r, r1, s, s1), True)
        window = (s, s1, r, 0)
        given_choice(rows.piece(r, r1, 0, rows.n), rows.at(r, r1), choices, out, faulty, window, own is not None)
        if own is not None:
            np.copyto(part, 0, where=(own >= CATEGORIES) & ~np.isnan(part))

    run_blocks(rows, out.shape[0], work)
    return faulty
