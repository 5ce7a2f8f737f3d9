"""What users read where rows are wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._law.reduce import LIMIT


class Fault(IntEnum):
    """Why a row has no valid result, as `diagnose` tells.

    Attributes
    ----------
    NONE
        It has one.
    NAN
        A log-potential is NaN.
    INFINITE
        A log-potential is +inf, and none is NaN.
    TOO_LARGE
        A log-potential is at least 2**46, where noise is rounded away: subtract the row's maximum.
    EMPTY
        No category is left: all are -inf, at most -2**46, or excluded.

    Examples
    --------
    >>> import fastgumbel as fg
    >>> fg.Fault(fg.diagnose([0.0, float("nan")]))
    <Fault.NAN: 1>
    """

    NONE = 0
    NAN = 1
    INFINITE = 2
    TOO_LARGE = 3
    EMPTY = 4


RNG_AND_NOISE = "give rng or noise, not both"

# Why a category takes no part.
EXCLUDED = "excluded by where"


def place_name(batch: tuple[int, ...], row: int) -> str:
    """A row of a batch as a user would index it."""
    if not batch:
        return "the row"
    index = np.unravel_index(row, batch)
    return f"row {int(index[0])}" if len(batch) == 1 else f"row ({', '.join(str(int(i)) for i in index)})"


def draw_name(draw_shape: tuple[int, ...], draw: int, row: str) -> str:
    """A row of that name in a draw, as a user would index draws, whose axes have this shape."""
    index = [int(i) for i in np.unravel_index(draw, draw_shape)] if draw_shape else []
    if not index:
        return row
    return f"draw {index[0] if len(index) == 1 else tuple(index)} of {row}"


def row_name(batch: tuple[int, ...], row: int, ids: NDArray[np.uint64]) -> str:
    """A row as a user would index it, and its id, if rows have ids."""
    name = place_name(batch, row)
    return f"{name} (id {ids[row]})" if ids.size else name


def category_name(place: int, category: int | None = None) -> str:
    """A place along the axis of categories, and its category id, if it has one."""
    return f"category {place}" if category is None else f"place {place} (category id {category})"


def expected(value: Any) -> str:
    """What to do about a log-potential that makes its row invalid."""
    if LIMIT <= value < np.inf:
        return "beside numbers of 2**46 and more noise is rounded away: subtract the row's maximum"
    return "expected real numbers or -inf"


def fault_message(name: str, bad: tuple[str, Any] | None, excluded: str = EXCLUDED) -> str:
    """What is wrong with a row without a valid result: its first bad category and what is there, if it has any."""
    if bad is not None:
        return f"log_potentials: {name} has {bad[1]} at {bad[0]}; {expected(bad[1])}"
    return (
        f"log_potentials: {name} has no category left: all are -inf, at most -2**46 (subtract the row's maximum), "
        f"or {excluded}"
    )


def too_few_message(name: str, left: int, k: int, excluded: str = EXCLUDED) -> str:
    """What is wrong with a row of which fewer than k categories are left."""
    return (
        f"log_potentials: {name} has {left} categor{'y' if left == 1 else 'ies'} left, fewer than k = {k}: the others "
        f"are -inf, at most -2**46 (subtract the row's maximum), or {excluded}"
    )


def unfit_message(name: str, shape: tuple[int, ...], batch: tuple[int, ...]) -> str:
    """What is wrong with row ids, or with what a field has by row, of a shape that does not fit the batch."""
    verb = "do" if name == "rows" else "does"
    remedy = "pass one a row, in the shape of the batch, or a number for all" if batch else "pass a number for one row"
    return f"noise: {name} of shape {shape} {verb} not broadcast to the batch shape {batch}: {remedy}"


def chunks_message(name: str, chunks: Any, shape: tuple[int, ...]) -> str:
    """What is wrong with chunks that do not cut axes of this shape, that of `size`."""
    return (
        f"{name} must cut the axes of size, {shape}: an int, 'auto', or a tuple that has for each axis an int, or "
        f"lengths that add up to it, not {chunks!r}"
    )


def flag_message(index: tuple[int, ...], value: Any) -> str:
    """What is wrong with a mask of integers that has this value in a place."""
    name = f"where[{', '.join(map(str, index))}]" if index else "where"
    return f"where must be boolean, or 0 and 1, but {name} is {value}: pass where != 0"


def repeat_message(name: str, category: int, remedy: str) -> str:
    """What is wrong with a row that has a category id twice, where that cannot be told apart."""
    return f"noise: {name} has the category id {category} twice, and here each may stand once in a row: {remedy}"


def infinite_message(name: str, value: Any, category: int, kind: Any = None, temperature: Any = None) -> str:
    """What is wrong with a row of precomputed noise that is NaN or inf, or that a dtype in which it is read has not.

    Or of which the product with its `temperature` is infinite.
    """
    finite = np.isfinite(value)
    within = f" in {kind}" if finite and kind is not None else ""
    if finite and temperature is not None:
        within = f", also times its temperature {temperature}"
    return f"noise must be finite{within}, or -inf in empty places, but {name} has {value} at category {category}"


def zero_tau_message(taus: NDArray[Any], name: Callable[[int], str]) -> str:
    """What is wrong where a temperature, of all rows or of the row of that name, is 0 and derivatives are asked for."""
    first = f"but {name(int((taus == 0).argmax()))} has" if taus.size > 1 else "not"
    return f"tau must be above 0 for derivatives, {first} 0"


def tangent_message(name: str, argument: str = "tangents") -> str:
    """What is wrong with a row of tangents, or a cotangent, that are not finite."""
    return f"{argument} must be finite, and not so large as to overflow, but those of {name} are not"


def tau_overflow_message(kind: Any) -> str:
    """What is wrong with cotangents of which no row's own gradient is infinite, but that of a temperature."""
    return f"cotangent must not be so large as to overflow, but the gradient of tau is beyond {kind}"


def choice_message(name: str, n: int, choices: NDArray[Any], cold: bool = False) -> str:
    """What is wrong with a row whose choices are not all among the categories that are left.

    Where it is `cold`, one category alone can have been chosen.
    """
    few = ", ".join(map(str, sorted({int(c) for c in choices})[:3]))
    only = "; at temperature 0 it is the first of the largest log-potentials" if cold else ""
    return f"choice must be a category that is left, from 0 to {n - 1}, but {name} has {few}{only}"


def overflow_message(name: str, kind: Any) -> str:
    """What is wrong with a row whose choice has noise beyond the range of its dtype."""
    wider = "float64 log_potentials or " if kind == np.float32 else ""
    return f"temperature of {name} is so low that noise given its choice overflows {kind}: pass {wider}a higher one"


def first_bad(line: NDArray[Any]) -> tuple[int, Any] | None:
    """Place and value of the first log-potential of a row that is NaN or not below the limit."""
    bad = ~(line < LIMIT)
    if not bad.any():
        return None
    at = int(bad.argmax())
    return at, line[at]


def first_fault(line: NDArray[Any], noises: Iterable[NDArray[Any]]) -> tuple[tuple[int, Any] | None, int | None]:
    """What `first_bad` finds in a row that has noise, a line a draw, and the draw whose noise leaves nothing.

    Where noise is -inf, nobody reads the row. None of both is a row that has nothing of its own.
    """
    for draw, noise in enumerate(noises):
        read = np.where(noise > -np.inf, line, -np.inf)
        bad = first_bad(read)
        if bad is not None:
            return bad, None
        if not (read > -LIMIT).any():
            return None, None if (line <= -LIMIT).all() else draw
    return None, None


def row_message(
    name: str,
    draw_shape: tuple[int, ...],
    found: tuple[tuple[int, Any] | None, int | None],
    named: Callable[[int], str],
    ids_empty: bool,
) -> str:
    """What is wrong with a row of that name, of which `first_fault` found this; `named` names its categories."""
    bad, draw = found
    if draw is not None:
        name = draw_name(draw_shape, draw, name)
    own = None if bad is None else (named(bad[0]), bad[1])
    return fault_message(name, own, excluded_text(ids_empty, draw is not None))


def excluded_text(ids_empty: bool, noise_empty: bool) -> str:
    """What may exclude categories, in words: an empty place of ids, or noise that is an array, only if they can be."""
    causes = [EXCLUDED]
    if ids_empty:
        causes.append("by an empty place of the category ids")
    if noise_empty:
        causes.append("by noise of -inf")
    return " or ".join(causes)
