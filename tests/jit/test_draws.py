"""Many draws of one row in compiled code: those of ``categorical``, one by one and as an array."""

import numba
import numpy as np
import pytest

import fastgumbel.jit as fgj
from fastgumbel import NoiseField, categorical

FIELD = NoiseField(19)
KEY = FIELD.key


@numba.njit
def draw_into(x, out, draw, temperature):
    """Draw from every other place of x to every other place of out."""
    fgj.categorical_into(x[::2], KEY, 3, draw, out=out[::2], temperature=temperature)


@numba.njit
def draw_each(x, out, draw, temperature):
    """Do the same one by one."""
    for s in range(len(out[::2])):
        out[2 * s] = fgj.categorical(x[::2], KEY, 3, draw + s, temperature)


@pytest.mark.parametrize(("kind", "out_kind"), [("float64", "int64"), ("float32", "int32"), ("int8", "int64")])
def test_the_draws_of_categorical(kind, out_kind):
    rng = np.random.default_rng(1)
    for n in (1, 2, 3, 63, 64, 65, 96, 97, 257, 3000):
        x = (3 * rng.normal(size=2 * n)).astype(kind)
        if kind != "int8":
            x[2 : n // 2] = -np.inf
        for draws in (0, 1, 2, 5, 300):
            for draw, temperature in ((0, 1.0), (7, 0.3), (2**31, 40.0), (8, 0.0)):
                out, other = np.full((2, 2 * draws), 7, out_kind)
                draw_into(x, out, draw, temperature)
                draw_each(x, other, draw, temperature)
                np.testing.assert_array_equal(out, other)
                field = FIELD.at(rows=3, draw=draw)
                np.testing.assert_array_equal(
                    out[::2], categorical(x[::2], draws, noise=field, temperature=temperature)
                )


def test_draws_count_from_the_end():
    """As in every function, modulo 2**32, and from odd draws too."""
    x = np.random.default_rng(2).normal(size=50)
    for draw in (-1, -2, -5, 2**32 - 600, 2**34 - 3):
        out, other = np.full((2, 2000), 7)
        draw_into(x, out, draw, 1.0)
        draw_each(x, other, draw, 1.0)
        np.testing.assert_array_equal(out, other)


def test_invalid_rows_are_marked():
    for kind in (np.float64, np.float32):
        for bad in (np.nan, np.inf, 2.0**46):
            x, out = np.zeros(200, kind), np.zeros(10, np.int64)
            x[4] = bad
            fgj.categorical_into(x, KEY, 0, 0, out)
            assert (out == -1).all()
    for x, temperature in ((np.zeros(0), 1), (np.full(3, -np.inf), 1.0), (np.zeros(3), -1.0), (np.zeros(3), np.nan)):
        out = np.zeros(10, np.int64)
        fgj.categorical_into(x, KEY, 0, 0, out, temperature)
        assert (out == -1).all()


def test_in_parallel_loops():
    @numba.njit(parallel=True)
    def draw_rows(x, out):
        for r in numba.prange(len(x)):
            fgj.categorical_into(x[r], KEY, r, 0, out[r])

    x = np.random.default_rng(3).normal(size=(40, 30))
    out = np.empty((40, 100), np.int64)
    draw_rows(x, out)
    np.testing.assert_array_equal(out.T, categorical(x, 100, noise=FIELD))


@pytest.mark.parametrize(
    ("x", "out", "message"),
    [
        (np.zeros((2, 3)), np.zeros(3, int), "x must be a one-dimensional array"),
        (np.zeros(3), np.zeros((1, 3), int), "out must be a one-dimensional array"),
        (np.zeros(3), np.zeros(3), "out must be of int32 or int64"),
        (np.zeros(3), np.broadcast_to(0, 3), "out must be writable"),
    ],
)
def test_types_are_refused_when_compiled(x, out, message):
    with pytest.raises(numba.TypingError, match=f"fastgumbel.jit: {message}"):
        fgj.categorical_into(x, KEY, 0, 0, out)
