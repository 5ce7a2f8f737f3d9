"""Which rows are bad and why, and that these are the rows that are marked."""

import numpy as np
import pytest

import fastgumbel as fg
from fastgumbel import Fault

BAD = [
    ([0.0, 1.0, 2.0], Fault.NONE),
    ([0.0, np.nan, 2.0], Fault.NAN),
    ([0.0, np.inf, 2.0], Fault.INFINITE),
    ([np.inf, np.nan, 2.0], Fault.NAN),
    ([-np.inf] * 3, Fault.EMPTY),
    ([-np.inf, 2.0**46, 0.0], Fault.TOO_LARGE),
    ([2.0**60, 0.0, np.inf], Fault.INFINITE),
    ([-1e30, -(2.0**46), -np.inf], Fault.EMPTY),
    ([-1e30, 2.0**45, -np.inf], Fault.NONE),
    ([-np.inf, 0.0, -np.inf], Fault.NONE),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, ">f8"])
@pytest.mark.parametrize("axis", [-1, 0])
def test_every_fault(dtype, axis):
    x = np.array([row for row, _ in BAD], dtype)
    codes = fg.diagnose(x if axis == -1 else x.T, axis=axis)
    assert codes.dtype == np.uint8
    assert codes.tolist() == [fault for _, fault in BAD]


def test_one_row_is_a_scalar():
    assert fg.diagnose([0.0, 1.0]) == Fault.NONE
    assert np.ndim(fg.diagnose([np.nan])) == 0


def test_masks_and_empty_places_exclude():
    x = np.array([[np.nan, 0.0], [0.0, 0.0], [np.inf, np.nan]])
    where = np.array([[False, True], [False, False], [True, False]])
    assert fg.diagnose(x, where=where).tolist() == [Fault.NONE, Fault.EMPTY, Fault.INFINITE]
    ids = np.where(where, [7, 9], -1)
    assert fg.diagnose(x, noise=fg.NoiseField(0).at(categories=ids)).tolist() == [0, Fault.EMPTY, Fault.INFINITE]


def test_rows_without_categories():
    assert fg.diagnose(np.zeros((2, 0))).tolist() == [Fault.EMPTY] * 2
    assert fg.diagnose(np.zeros((0, 3))).shape == (0,)


def test_it_tells_what_is_marked():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 300))
    x[rng.random(x.shape) < 0.002] = np.nan
    x[rng.random(x.shape) < 0.002] = np.inf
    where = rng.random((500, 1)) < 0.9
    codes = fg.diagnose(x, where=where)
    assert set(codes) == {0, 1, 2, 4}
    np.testing.assert_array_equal(fg.gumbel_max(x, where=where, rng=0, invalid="mark") < 0, codes > 0)
    y = fg.gumbel_softmax(x, where=where, rng=0, invalid="mark")
    np.testing.assert_array_equal(np.isnan(y).all(-1), codes > 0)


def test_bad_arguments():
    with pytest.raises(TypeError, match="noise must be a NoiseField, not ndarray"):
        fg.diagnose(np.zeros(3), noise=np.zeros(3))
    with pytest.raises(ValueError, match="at least one axis"):
        fg.diagnose(0.0)
