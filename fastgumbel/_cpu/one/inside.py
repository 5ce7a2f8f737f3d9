"""What compiled code of users may pass: checked while it is compiled, so that nothing is left to check when it runs."""

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


@overload(place, jit_options=SCALAR_OPTIONS)
def _place(key, row, draw, category, temperature=1.0):
    for name, kind in {"key": key, "row": row, "draw": draw, "category": category}.items():
        if not isinstance(kind, types.Integer):
            remedy = ""
            if isinstance(kind, types.Float):
                # Numba makes a float of an unsigned integer, such as an index of prange, joined with a signed one.
                remedy = f": cast what it is made of, as in {name} = np.int64(i) + ids[i]"
            raise TypingError(f"fastgumbel.jit: {name} must be an integer, not {kind}{remedy}")
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


def _is_row(kind, name, dtypes):
    if not isinstance(kind, types.Array) or kind.ndim != 1:
        raise TypingError(f"fastgumbel.jit: {name} must be a one-dimensional array, not {kind}")
    if kind.dtype not in dtypes:
        raise TypingError(
            f"fastgumbel.jit: {name} must be of {' or '.join(map(str, dtypes))}, not {kind.dtype}: convert it before"
        )


_POTENTIALS = (types.float32, types.float64, *sorted(types.integer_domain, key=str))


@overload(check_potentials, jit_options=SCALAR_OPTIONS)
def _check_potentials(x):
    _is_row(x, "x", _POTENTIALS)
    return lambda x: None


@overload(check_relaxed, jit_options=SCALAR_OPTIONS)
def _check_relaxed(x, tau, out):
    _is_row(x, "x", _POTENTIALS)
    _is_row(out, "out", (types.float32 if x.dtype == types.float32 else types.float64,))
    if not out.mutable:
        raise TypingError("fastgumbel.jit: out must be writable")
    if not isinstance(tau, types.Integer | types.Float):
        raise TypingError(f"fastgumbel.jit: tau must be a real number, not {tau}")

    def check(x, tau, out):
        if out.size != x.size:
            raise ValueError("out must have as many places as x")

    return check
