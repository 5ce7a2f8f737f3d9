"""A relaxed sample is a point of the simplex, and its largest entry is the hard sample, but for near ties."""

import math

import numpy as np
import pytest

import fastgumbel
from tests.api import cases
from tests.oracle import vectorised

DTYPES = ("float64", "float32")
TEMPERATURES = (
    5e-324,
    1e-300,
    1e-45,
    1e-38,
    1e-30,
    1e-20,
    1e-10,
    1e-5,
    1e-3,
    0.1,
    1.0,
    10.0,
    1e3,
    1e5,
    1e10,
    1e20,
    1e30,
    1e300,
)
LENGTHS = (1, 2, 3, 10, 63, 64, 65, 129, 1000, 131_072)


def problem(n, dtype, scale=1):
    rows = 300 if n < 1000 else 20 if n == 1000 else 2
    return (scale * np.random.default_rng(n).normal(size=(rows, n))).astype(dtype)


def assert_sums_to_one(y):
    """Within 2 units in the last place a doubling of the length."""
    bound = 2 * np.finfo(y.dtype).eps * max(1, math.log2(y.shape[-1]))
    for row in y.reshape(-1, y.shape[-1]):
        assert abs(math.fsum(row) - 1) <= bound


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", LENGTHS)
def test_a_sample_sums_to_one(n, dtype):
    for tau in (0.01, 0.5, 1.0, 3.0, 1e4):
        y = fastgumbel.gumbel_softmax(problem(n, dtype), tau, rng=1)
        assert y.min() >= 0
        assert y.max() <= 1
        assert_sums_to_one(y)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("tau", TEMPERATURES)
def test_extreme_temperatures(tau, dtype):
    """No NaN, no warning, and the ends are the hard sample and the flat one."""
    for n in (1, 2, 10, 129):
        x = problem(n, dtype)
        y = fastgumbel.gumbel_softmax(x, tau, rng=2)
        assert_sums_to_one(y)
        log_y = fastgumbel.gumbel_softmax(x, tau, rng=2, log=True)
        assert not np.isnan(log_y).any()
        assert (log_y <= 0).all()
        if tau <= 1e-10:
            np.testing.assert_array_equal(y, fastgumbel.gumbel_softmax(x, tau, rng=2, hard=True))
        if tau >= 1e20:
            np.testing.assert_allclose(y, 1 / n, rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("tau", [1e-30, 0.1, 1.0, 1e30])
@pytest.mark.parametrize("family", ["far", "limits", "beyond float32", "float32 limits", "all huge", "all very low"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_extreme_log_potentials(family, dtype, tau):
    rng = np.random.default_rng(3)
    for n in (1, 2, 10, 70):
        x = cases.log_potentials(family, dtype, rng, np.empty((30, n)))
        y = fastgumbel.gumbel_softmax(x, tau, rng=3)
        assert_sums_to_one(y)
        assert not np.isnan(fastgumbel.gumbel_softmax(x, tau, rng=3, log=True)).any()
        assert_largest_is_the_hard_sample(y, x, tau, 3)


def clear(x, index, tau, seed):
    """Return for which rows the contract says that the largest item is the hard sample, ``index``."""
    noise = fastgumbel.gumbel(x.shape, rng=seed)
    lowered = x.astype(np.float64) - x.max(-1, keepdims=True)
    s = lowered + noise
    single = x.dtype == np.float32
    unit = 2.0**-24 if single else 2.0**-53
    off = unit * (abs(lowered) + abs(s)) + (vectorised.float32_bound(noise) if single else 0)
    s_i, off_i = (np.take_along_axis(a, index[..., None], -1) for a in (s, off))
    far = s_i - s > off_i + off + 8 * unit * tau
    return (far | (np.arange(x.shape[-1]) == index[..., None])).all(-1)


def assert_largest_is_the_hard_sample(y, x, tau, seed):
    """Check it wherever the contract says so; return the share of other rows."""
    index = fastgumbel.gumbel_max(x, rng=seed)
    known = clear(x, index, tau, seed)
    chosen = np.take_along_axis(y, index[..., None], -1)
    alone = ((y < chosen).sum(-1) == y.shape[-1] - 1) & (y.argmax(-1) == index)
    assert alone[known].all()
    return 1 - known.mean()


@pytest.mark.parametrize("tau", [1e-3, 0.1, 1.0, 100.0, 1e5, 1e15])
@pytest.mark.parametrize("n", [1, 2, 10, 64, 65, 1000, 131_072])
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_largest_entry_is_the_hard_sample(dtype, n, tau):
    """But for near ties, of which there are next to none at moderate temperatures."""
    x = problem(n, dtype)
    others = assert_largest_is_the_hard_sample(fastgumbel.gumbel_softmax(x, tau, rng=4), x, tau, 4)
    if tau <= 100:
        assert others <= 1 / 300


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("tau", [0, 1e-30, 0.5, 1e30])
@pytest.mark.parametrize("n", [2, 10, 65, 300])
def test_excluded_categories_get_exactly_nothing(n, tau, log, dtype):
    """By minus infinity or by the mask, whatever the mask hides; the others get what they would get without them."""
    rng = np.random.default_rng(n)
    x = problem(n, dtype)
    excluded = rng.random(x.shape) < 0.5
    excluded[:, 0] = False
    x[excluded & (rng.random(x.shape) < 0.5)] = -np.inf
    where = ~excluded | (x == -np.inf)
    hidden = x.copy()
    hidden[~where] = rng.choice([np.nan, np.inf, 1e30, -np.inf], size=np.count_nonzero(~where))
    y = fastgumbel.gumbel_softmax(hidden, tau, where=where, rng=5, log=log)
    assert (y[excluded] == (-np.inf if log else 0)).all()
    infinite = np.where(excluded, dtype_min(dtype), x)
    np.testing.assert_array_equal(y, fastgumbel.gumbel_softmax(infinite, tau, rng=5, log=log))
    if not log:
        assert_sums_to_one(y)


def dtype_min(dtype):
    return np.dtype(dtype).type(-np.inf)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("tau", [1e-30, 1e-5, 1e-3, 0.01])
def test_the_logarithm_is_finite_where_the_sample_underflows(tau, dtype):
    x = problem(10, dtype, scale=3)
    y = fastgumbel.gumbel_softmax(x, tau, rng=6)
    log_y = fastgumbel.gumbel_softmax(x, tau, rng=6, log=True)
    assert (y == 0).any()
    assert np.isfinite(log_y).all()
    assert (np.count_nonzero(log_y > -1e-12, axis=-1) >= (tau < 1e-3)).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_single_category_takes_all(dtype):
    for tau in (0, 1e-30, 1.0, 1e30):
        x = np.array([[3], [-7e13], [7e13]], dtype)
        assert (fastgumbel.gumbel_softmax(x, tau, rng=1) == 1).all()
        assert (fastgumbel.gumbel_softmax(x, tau, rng=1, log=True) == 0).all()


@pytest.mark.parametrize("options", [{}, {"log": True}, {"hard": True}])
@pytest.mark.parametrize("dtype", DTYPES)
def test_equal_perturbed_values_share(dtype, options):
    """Exact ties, which noise from an array can have: the sample is even, the hard one takes the first."""
    x = np.zeros((2, 4), dtype)
    noise = np.array([[1, 1, 1, 1], [0, 2, 2, -1000.0]], dtype)
    y = fastgumbel.gumbel_softmax(x, 0.5, noise=noise, **options)
    expected = np.array([[1, 0, 0, 0], [0, 1, 0, 0]]) if options.get("hard") else [[1 / 4] * 4, None]
    if options.get("hard"):
        np.testing.assert_array_equal(y, expected)
    else:
        even = np.log(0.25) if options.get("log") else 0.25
        np.testing.assert_allclose(y[0], even, rtol=1e-6)
        assert y[1, 1] == y[1, 2]
