"""Nested noise in compiled code: the bits of the array function, put together nest by nest."""

import numba
import numpy as np
import pytest

import fastgumbel as fg
import fastgumbel.jit as fgj

KEY = np.uint64(0x9876543210ABCDEF)
FIELD = fg.NoiseField.from_key(KEY)


@numba.njit
def write(out, key, rows, draw, a, b, c):
    """Write rows of a tree (a, [3, (b, [1, 2, (c, [4])])]), of which category 0 is not part."""
    for r in range(len(rows)):
        row = rows[r]
        first = fgj.nest_shift(key, row, draw, 0, a)
        second = fgj.nest_shift(key, row, draw, 1, b, a, first)
        third = fgj.nest_shift(key, row, draw, nest=2, scale=c, outer=a * b, shift=second)
        out[r, 0] = fgj.gumbel_nested(key, row, draw, 0)
        out[r, 1] = fgj.gumbel_nested(key, row, draw, 1, a * b, second)
        out[r, 2] = fgj.gumbel_nested(key, row, draw, 2, a * b, second)
        out[r, 3] = fgj.gumbel_nested(key, row, draw, 3, a, first)
        out[r, 4] = fgj.gumbel_nested(key, row, draw, 4, a * b * c, third)


@pytest.mark.parametrize("scales", [(0.7, 0.5, 0.9), (0.3, 1.0, 1e-3), (1.0, 1.0, 1.0), (1.0, 0.5, 1.0)])
def test_the_bits_of_the_array_function(scales):
    a, b, c = scales
    rows = np.array([*range(300), 2**32, 2**64 - 1], np.uint64)
    out = np.empty((len(rows), 5))
    write(out, KEY, rows, 2**32 - 1, a, b, c)
    tree = [(a, [3, (b, [1, 2, (c, [4])])])]
    expected = fg.gumbel_nested(out.shape, tree, noise=FIELD.at(rows=rows, draw=2**32 - 1))
    np.testing.assert_array_equal(out.view(np.uint64), expected.view(np.uint64))


@pytest.mark.parametrize("bad", [0, -0.5, 1.5, np.nan, np.inf, 1e-13])
def test_scales_that_are_none_give_nan(bad):
    assert np.isnan(fgj.nest_shift(KEY, 0, 0, 0, bad))
    assert np.isnan(fgj.nest_shift(KEY, 0, 0, 0, 0.5, bad))
    assert np.isnan(fgj.gumbel_nested(KEY, 0, 0, 0, bad, 0.0))


def test_types_are_checked_when_code_is_compiled():
    with pytest.raises(numba.TypingError, match="scale must be a real number"):
        fgj.nest_shift(KEY, 0, 0, 0, "x")
    with pytest.raises(numba.TypingError, match="shift must be a real number"):
        fgj.gumbel_nested(KEY, 0, 0, 0, 0.5, np.zeros(2))
    with pytest.raises(numba.TypingError, match="must be an integer"):
        fgj.nest_shift(KEY, 0, 0, 0.5, 0.5)
