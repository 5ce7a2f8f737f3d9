"""Noise given a choice."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.given import given_choice
from fastgumbel._cpu.given_short import given_short
from fastgumbel._host.blocks import run_blocks, write_ids
from fastgumbel._host.max import search
from fastgumbel._host.repeats import once_each
from fastgumbel._host.result import delivered, room
from fastgumbel._host.rows import Rows, fault_of, field_at, inputs_of, rows_of
from fastgumbel._law.reduce import INVALID_CHOICE, INVALID_ROW, LIMIT, NO_INDEX
from fastgumbel._request.faults import choice_message, overflow_message
from fastgumbel._request.ids import IDS
from fastgumbel._request.ndarrays import count_set, frozen
from fastgumbel._request.request import Request
from fastgumbel._request.temperature import safe_from

# So many rows (and draws) or more, of at most so many bytes or so many categories, go side by side through the slots.
_SLOTS, _SLOT_BYTES = 16, 1024
_FEW_SLOTS, _SHORTER = 4, 32


def sample(request: Request, choice: Any, out: Any) -> Any:
    """What `gumbel_given_choice` does."""
    whole, lead = rows_of(request), request.draw_shape + request.batch
    rows, chosen = once_each(whole)
    request.conditioned_samples()
    passed = request.choices(choice)
    if passed.shape != lead:
        passed = np.broadcast_to(passed, lead)
    choices = np.ascontiguousarray(passed, np.intp).reshape(request.draws, rows.count)
    shape, flat, read = (*lead, rows.n), (*choices.shape, rows.n), () if out is None else (*inputs_of(request), choices)
    if chosen is not None:
        choices = _of_representatives(whole, choices, chosen)
    scaled = rows.place.temperatures.size > 0
    if scaled:
        choices = _only_possible(rows, choices)
    noise = room("out", out, shape, rows.dtype, flat, request.axis, read)
    faulty = write_conditioned(rows, choices, noise)
    if request.draws and count_set(faulty):
        wrong = faulty == INVALID_CHOICE
        if wrong.any():
            row = int(wrong.argmax())
            cold = bool((rows.temperatures(row, row + 1) == 0).any())
            raise ValueError(choice_message(rows.name(row), rows.n, passed.reshape(choices.shape)[:, row], cold))
        if request.raises:
            raise ValueError(fault_of(request, rows, int(faulty.argmax())))
    if scaled:
        _check_range(rows, noise)
    if chosen is not None:
        # Places of one id have one noise.
        noise[...] = np.take_along_axis(noise, chosen[np.newaxis], 2)
    return delivered(noise, out, shape, request.axis)


def _only_possible(rows: Rows, choices: NDArray[np.intp]) -> NDArray[np.intp]:
    """Choices by draw and row, those replaced that cannot have been made: at temperature 0 there is one alone."""
    cold = rows.place.temperatures == 0
    if not cold.any():
        return choices
    samples = np.empty((1, rows.count), np.intp)
    search(rows, None, samples, None)
    return np.where(cold & (choices != samples), NO_INDEX, choices)


def _check_range(rows: Rows, noise: NDArray[Any]) -> None:
    """Refuse choices for which noise would have to be infinite, of them or of what they beat, at a low temperature."""
    if rows.place.temperatures.min() < safe_from(noise.dtype) and noise.size:
        infinite = np.isinf(noise).any((0, 2))
        if infinite.any():
            raise ValueError(overflow_message(rows.name(int(infinite.argmax())), noise.dtype))


def _of_representatives(rows: Rows, choices: NDArray[np.intp], chosen: NDArray[np.int64]) -> NDArray[np.intp]:
    """The places that stand for the ids of chosen places, by draw and row; what is no choice stays as it is."""
    inside = (choices >= 0) & (choices < rows.n)
    taken = np.where(inside, np.take_along_axis(chosen, np.where(inside, choices, 0).T, 1).T, choices)
    for row in np.flatnonzero((taken != choices).any(0)).tolist():
        line = rows.piece(row, row + 1, 0, rows.n)[0]
        # A place that is excluded cannot be chosen, though its id may stand elsewhere.
        moved = taken[:, row] != choices[:, row]
        taken[moved, row] = np.where(line[choices[moved, row]] > -LIMIT, taken[moved, row], choices[moved, row])
    return np.ascontiguousarray(taken, np.intp)


def write_conditioned(rows: Rows, choices: NDArray[np.intp], out: NDArray[Any]) -> NDArray[np.uint8]:
    """Write noise given choices[draw, row] to out[draw, row]; by row, what is wrong with it."""
    choices, faulty = frozen(choices), np.zeros(rows.count, np.uint8)
    if rows.n == 0:
        faulty[:] = INVALID_ROW
        return faulty
    run_blocks(rows, len(out), partial(_noise_block, rows, choices, out, faulty))
    return faulty


def _noise_block(
    rows: Rows, choices: NDArray[np.intp], out: NDArray[Any], faulty: NDArray[np.uint8], *block: int
) -> None:
    """As `write_conditioned`, of a block of rows and draws."""
    r, r1, s, s1 = block
    x, at, window = rows.piece(r, r1, 0, rows.n), field_at(rows.place, r, r1), (s, s1, r, 0)
    if rows.has_ids:
        part = out[s:s1, r:r1]
        own = write_ids(part, rows, block, True)
        given_choice(x, at, choices, out, faulty, window, True)
        np.copyto(part, 0, where=(own >= IDS) & ~np.isnan(part))
        return
    slots = (r1 - r) * (s1 - s)
    if (slots >= _SLOTS and rows.n * out.itemsize <= _SLOT_BYTES) or (slots >= _FEW_SLOTS and rows.n <= _SHORTER):
        given_short(x, at, choices, out, faulty, window)
    else:
        given_choice(x, at, choices, out, faulty, window, False)
