"""What compiled code of users may pass: checked while it is compiled, so that little is left to check when it runs."""

from typing import Any

import numpy as np
from numba import types
from numba.core.errors import TypingError
from numba.extending import overload

from fastgumbel._cpu.parameters import Coordinates
from fastgumbel._law.philox import LOW
from fastgumbel._numba.compile import SCALAR_OPTIONS


def place(key: Any, row: Any, draw: Any, category: Any, temperature: Any = 1.0) -> Any:
    """Coordinates as uint64: key and row modulo 2^64, draw and category modulo 2^32; the temperature as float64."""
    raise NotImplementedError("compiled only")


def check_potentials(x: Any) -> None:
    """Refuse what is no row of log-potentials."""
    raise NotImplementedError("compiled only")


def check_relaxed(x: Any, tau: Any, out: Any) -> None:
    """Refuse what is no row of log-potentials with a temperature and a place for its relaxed sample."""
    raise NotImplementedError("compiled only")


def check_choices(out: Any) -> None:
    """Refuse what is no place for choices."""
    raise NotImplementedError("compiled only")


def reals_of(scale: Any, outer: Any, shift: Any) -> Any:
    """Real numbers as float64."""
    raise NotImplementedError("compiled only")


def mask_of(where: Any, x: Any) -> Any:
    """The mask of a row, or None."""
    raise NotImplementedError("compiled only")


def ids_of(categories: Any, x: Any, start: Any) -> Any:
    """The category ids of a row, or None where they count from `start`."""
    raise NotImplementedError("compiled only")


def _is_integer(kind, name):
    if not isinstance(getattr(kind, "value", kind), types.Integer | int):
        remedy = ""
        if isinstance(kind, types.Float):
            remedy = f": cast what it is made of, as in {name} = np.int64(i) + ids[i]"
        raise TypingError(f"fastgumbel.jit: {name} must be an integer, not {kind}{remedy}")


@overload(place, jit_options=SCALAR_OPTIONS)
def _place(key, row, draw, category, temperature=1.0):
    for name, kind in {"key": key, "row": row, "draw": draw, "category": category}.items():
        _is_integer(kind, name)
    own = getattr(temperature, "value", temperature)
    if not isinstance(own, types.Integer | types.Float | float):
        raise TypingError(f"fastgumbel.jit: temperature must be a real number, not {temperature}")
    return lambda key, row, draw, category, temperature=1.0: Coordinates(
        np.uint64(key),
        np.uint64(row),
        np.uint64(draw) & LOW,
        np.uint64(category) & LOW,
        np.float64(temperature),
    )


def _is_row(kind, name, dtypes, described=None):
    if not isinstance(kind, types.Array) or kind.ndim != 1:
        raise TypingError(f"fastgumbel.jit: {name} must be a one-dimensional array, not {kind}")
    if kind.dtype not in dtypes:
        raise TypingError(
            f"fastgumbel.jit: {name} must be of {described or ' or '.join(map(str, dtypes))}, not {kind.dtype}: "
            "convert it before"
        )


def _is_writable(kind):
    if not kind.mutable:
        raise TypingError("fastgumbel.jit: out must be writable")


def _is_absent(kind):
    return kind == types.none or (isinstance(kind, types.Omitted) and kind.value is None)


_INTEGERS = tuple(sorted(types.integer_domain, key=str))
_POTENTIALS = (types.float32, types.float64, *_INTEGERS)


@overload(check_potentials, jit_options=SCALAR_OPTIONS)
def _check_potentials(x):
    _is_row(x, "x", _POTENTIALS)
    return lambda x: None


@overload(check_relaxed, jit_options=SCALAR_OPTIONS)
def _check_relaxed(x, tau, out):
    _is_row(x, "x", _POTENTIALS)
    _is_row(out, "out", (types.float32 if x.dtype == types.float32 else types.float64,))
    _is_writable(out)
    if not isinstance(tau, types.Integer | types.Float):
        raise TypingError(f"fastgumbel.jit: tau must be a real number, not {tau}")

    def check(x, tau, out):
        if out.size != x.size:
            raise ValueError("out must have as many places as x")

    return check


@overload(check_choices, jit_options=SCALAR_OPTIONS)
def _check_choices(out):
    _is_row(out, "out", (types.int32, types.int64))
    _is_writable(out)
    return lambda out: None


@overload(reals_of, jit_options=SCALAR_OPTIONS)
def _reals_of(scale, outer, shift):
    for name, kind in {"scale": scale, "outer": outer, "shift": shift}.items():
        if not isinstance(getattr(kind, "value", kind), types.Integer | types.Float | float):
            raise TypingError(f"fastgumbel.jit: {name} must be a real number, not {kind}")
    return lambda scale, outer, shift: (np.float64(scale), np.float64(outer), np.float64(shift))


@overload(mask_of, jit_options=SCALAR_OPTIONS)
def _mask_of(where, x):
    if _is_absent(where):
        return lambda where, x: None
    _is_row(where, "where", (types.boolean,))

    def mask(where, x):
        if where.size != x.size:
            raise ValueError("where must have as many places as x")
        return where

    return mask


@overload(ids_of, jit_options=SCALAR_OPTIONS)
def _ids_of(categories, x, start):
    _is_integer(start, "start")
    if _is_absent(categories):
        return lambda categories, x, start: None
    _is_row(categories, "categories", _INTEGERS, "integers")

    def ids(categories, x, start):
        if categories.size != x.size:
            raise ValueError("categories must have as many places as x")
        if start != 0:
            raise ValueError("start and categories exclude each other")
        return categories

    return ids
