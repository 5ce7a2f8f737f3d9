"""Checks of an argument by itself that know the types of the library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgumbel._request.faults import flag_message
from fastgumbel._request.ids import DRAWS
from fastgumbel._request.layout import ITEMS
from fastgumbel._request.scalars import array_of, whole

# Tuples, since a union would be built again in every call.
_FLAGS, _INTEGERS, _PAIRS = (bool, np.bool_), (int, np.integer), (tuple, list)
_FLOATS: tuple[np.dtype[Any], ...] = (np.dtype(np.float64), np.dtype(np.float32))

# Whether a number, or an object in the place of one, is missing.
_MISSING = np.frompyfunc(lambda value: value is None or value != value, 1, 1)


def choice_of(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """A word from a list."""
    if isinstance(value, str) and value in choices:
        return value
    raise ValueError(f"{name} must be {' or '.join(map(repr, choices))}, not {value!r}")


def flag_of(value: Any, name: str) -> bool:
    """True or False, and nothing that merely counts as one of them."""
    if value is True or value is False:
        return value
    if not isinstance(value, _FLAGS):
        raise TypeError(f"{name} must be True or False, not {value!r}")
    return bool(value)


def pair_of(value: Any, name: str, what: str) -> tuple[Any, Any]:
    """Two arguments in one."""
    if not isinstance(value, _PAIRS) or len(value) != 2:
        raise TypeError(f"{name} must be a pair {what}")
    first, second = value
    return first, second


def float_type(dtype: Any, name: str) -> np.dtype[Any]:
    """The dtype float64 or float32."""
    try:
        kind: np.dtype[Any] = np.dtype(dtype)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be float64 or float32, not {dtype!r}") from None
    if kind not in _FLOATS:
        raise TypeError(f"{name} must be float64 or float32, not {kind}")
    return kind


def shape_of(size: Any, name: str, most: int = DRAWS) -> tuple[int, ...]:
    """A shape of so many items at most from an int or a sequence of ints; None is ()."""
    if size is None:
        return ()
    if type(size) is int and 0 <= size <= most:
        return (size,)
    if type(size) is tuple and {*map(type, size)} == {int} and min(size) > 0 and math.prod(size) <= most:
        return size
    items = (size,) if isinstance(size, _INTEGERS) else size
    if not (isinstance(items, tuple | Sequence) or np.ndim(items) == 1) or isinstance(items, str | bytes):
        raise TypeError(f"{name} must be an int or a tuple of ints, not {type(size).__name__}")
    shape = tuple(items)
    for item in shape:
        if isinstance(item, _FLAGS) or not isinstance(item, _INTEGERS):
            raise TypeError(f"{name} must be an int or a tuple of ints, not {size!r}")
        if item < 0:
            raise ValueError(f"{name} must not be negative, not {size!r}")
    if math.prod(int(item) or 1 for item in shape) > most:
        raise ValueError(f"{name} must be of at most 2**{most.bit_length() - 1} items, not {size!r}")
    return tuple(int(item) for item in shape)


def result_shape(size: Any) -> tuple[int, ...]:
    """The shape of a result that has no other array to take it from."""
    if size is None:
        raise TypeError("size must be an int or a tuple of ints, not None")
    return shape_of(size, "size", ITEMS)


def real_array(x: ArrayLike, name: str) -> NDArray[Any]:
    """An array of float16 to float64 or of integers."""
    array = array_of(x, name)
    check_real(array.dtype, name)
    return array


def check_real(dtype: np.dtype[Any], name: str) -> None:
    """Refuse a dtype that is neither float16 to float64 nor an integer."""
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        remedy = f": pass np.asarray({name}, float)" if dtype.kind in "bOf" else ""
        raise TypeError(f"{name} must be real numbers (float16, float32, float64 or integers), not {dtype}{remedy}")


def boolean_of(mask: Any) -> NDArray[np.bool_]:
    """A mask of integers 0 and 1 on the host as booleans."""
    if not isinstance(mask, np.ndarray):
        raise TypeError(f"where must be boolean where it is no host array, not {mask.dtype}: pass where != 0")
    if mask.size == 0:
        return mask.astype(np.bool_)
    if mask.dtype.kind not in "iu":
        missing = np.argwhere(_MISSING(mask))
        remedy = f"where{missing[0].tolist()} is missing, see fillna()" if len(missing) else "pass where != 0"
        raise TypeError(f"where must be boolean, or integers 0 and 1, not {mask.dtype}: {remedy}")
    if mask.min() < 0 or mask.max() > 1:
        at = tuple(np.argwhere((mask < 0) | (mask > 1))[0].tolist())
        raise ValueError(flag_message(at, mask[at]))
    return mask.astype(np.bool_)


def places_of(k: Any, n: int) -> int:
    """How many of n categories are to be ranked."""
    places = whole(k, "k", 1)
    if places > n:
        raise ValueError(f"k must be at most the number of categories, {n}, not {places}")
    return places


def shape_parameter(trick: str, alpha: Any, least: float) -> float:
    """`alpha` of a trick that has it, above `least`; else it must be None, and is 1."""
    if trick not in ("weibull", "frechet"):
        if alpha is not None:
            raise ValueError(f"alpha is for 'weibull' and 'frechet', not for {trick!r}")
        return 1.0
    if alpha is None:
        raise ValueError(f"alpha must be given for {trick!r}")
    value = real_array(alpha, "alpha")
    if value.ndim or not least < value < np.inf:
        raise ValueError(f"alpha must be a finite number above {least:g}, not {alpha!r}")
    return float(value)
