"""Checks of an argument by itself, which need to know of no other."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._request.device import is_device
from fastgumbel._request.foreign import as_array

# Arguments that do not take the side of others, but are read on one side always, or tell the others which.
_BY_THEMSELVES = ("log_potentials", "rows", "draw", "start", "categories", "step")


def integer(value: Any, name: str) -> int:
    """An integer of any type, but no bool."""
    if type(value) is int:
        return value
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, not {type(value).__name__}")
    return number


def whole(value: Any, name: str, least: int, end: int | None = None) -> int:
    """An integer from `least` on, and below a power of two if there is an end."""
    number = integer(value, name)
    if number < least or (end is not None and number >= end):
        allowed = f"at least {least}" if end is None else f"from {least} to 2**{end.bit_length() - 1} - 1"
        raise ValueError(f"{name} must be {allowed}, not {number}")
    return number


def check_host(x: Any, name: str) -> None:
    """Refuse a device array where an argument goes with host arrays, or is never read on a device."""
    if is_device(x):
        beside = "" if name in _BY_THEMSELVES else ", or put log_potentials beside it"
        raise TypeError(f"{name} must not be a device array here: copy it to the host{beside}")


def array_of(x: Any, name: str) -> NDArray[Any]:
    """A host array of whatever type."""
    kind = type(x)
    if kind is np.ndarray and x.dtype.kind != "V":
        return x  # type: ignore[no-any-return]
    if kind is float or kind is int:
        return np.asarray(x)
    check_host(x, name)
    return as_array(x, name)


def item_name(name: str, chosen: NDArray[np.bool_]) -> str:
    """The first item of an argument that is chosen, as a user would index it."""
    place = np.unravel_index(int(chosen.argmax()), chosen.shape) if chosen.ndim else ()
    return f"{name}[{', '.join(str(int(i)) for i in place)}]" if place else name
