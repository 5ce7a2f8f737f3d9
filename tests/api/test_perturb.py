"""``perturb``: each trick is what its formula says, all have one winner, and what they take and give.

The laws, by Kolmogorov-Smirnov over 20,000 numbers, see a shift of one hundredth of a number's spread.
"""

import re
import threading
import tracemalloc

import numpy as np
import pytest
from scipy import stats

import fastgumbel
from fastgumbel import NoiseField, gumbel_max, perturb
from fastgumbel._host.perturb import _cut
from fastgumbel._host.rows import Rows
from tests.law import laws
from tests.oracle import naive

INF = np.inf


def odds(v):
    """Return an increasing function of numbers in (0, 1)."""
    return v / (1 - v)


TRICKS = [
    ("gumbel", None),
    ("exponential", None),
    ("uniform", None),
    ("weibull", 0.4),
    ("weibull", 7.0),
    ("frechet", 0.4),
    ("frechet", 7.0),
    (odds, None),
]
# What an excluded category has.
EXCLUDED = {"gumbel": -INF, "exponential": -INF, "uniform": 0, "weibull": -INF, "frechet": 0, odds: 0}


def formula(trick, alpha, x, noise):
    """Return perturbed values by the textbook, which weights that are neither huge nor tiny allow."""
    e, w = np.exp(-noise), np.exp(x)
    u = np.exp(-e)
    return {
        "gumbel": lambda: x - np.log(e),
        "exponential": lambda: np.log(u) / w,
        "uniform": lambda: u ** (1 / w),
        "weibull": lambda: -((e / w) ** (1 / alpha)),
        "frechet": lambda: (e / w) ** (-1 / alpha),
        odds: lambda: odds(u ** (1 / w)),
    }[trick]()


def mapped(trick, alpha, s):
    """Return an increasing map of perturbed values ``s``; ``odds`` from the uniform."""
    with np.errstate(over="ignore"):
        return {
            "gumbel": lambda: s,
            "exponential": lambda: -np.exp(-s),
            "uniform": lambda: np.exp(-np.exp(-s)),
            "weibull": lambda: -np.exp(-s / alpha),
            "frechet": lambda: np.exp(s / alpha),
            odds: lambda: odds(np.exp(-np.exp(-s))),
        }[trick]()


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int8", ">f4"])
@pytest.mark.parametrize(("trick", "alpha"), TRICKS)
def test_the_formula(trick, alpha, dtype):
    for n in (1, 3, 64, 130, 1000):
        x = np.random.default_rng(n).normal(size=(7, n)).astype(dtype)
        field = NoiseField(n)
        noise = fastgumbel.gumbel((7, n), noise=field)
        values = perturb(x, trick, alpha=alpha, noise=field)
        assert values.dtype == np.float64
        np.testing.assert_allclose(values, formula(trick, alpha, x.astype(np.float64), noise), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize(("trick", "alpha"), TRICKS)
def test_a_million_rows_have_the_winner_of_gumbel_max(trick, alpha):
    """Two best values so near that they round to one would be a tie: within 1e-15, of one row in 10^15."""
    x = 2 * np.random.default_rng(1).normal(size=(10**6, 4))
    index, value = gumbel_max(x, rng=2, return_max=True)
    values = perturb(x, trick, alpha=alpha, rng=2)
    np.testing.assert_array_equal(values.argmax(-1), index)
    if trick == "gumbel":
        np.testing.assert_array_equal(values.max(-1), value)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [2, 100, 3000])
def test_gumbel_is_the_definition_to_the_bit(n, dtype):
    x = (3 * np.random.default_rng(n).normal(size=(30, n))).astype(dtype)
    noise = naive.materialised_noise(NoiseField(n), x.shape, size=(3,))
    np.testing.assert_array_equal(perturb(x, size=3, noise=NoiseField(n)), x + noise)


@pytest.mark.parametrize(
    ("trick", "alpha", "low", "high"),
    [
        ("exponential", None, -680, 680),
        ("uniform", None, -2, 15),
        ("weibull", 20.0, -1e4, 1e4),
        ("frechet", 20.0, -1e4, 1e4),
        ("weibull", 1e7, -1e9, 1e9),
        ("frechet", 1e7, -1e9, 1e9),
        ("gumbel", None, -1e4, 1e4),
        ("gumbel", None, -7e13, 7e13),
    ],
)
def test_the_winner_survives(trick, alpha, low, high):
    """Far from 0, where the weights are 0 or infinite but for a few of the cases."""
    near = np.random.default_rng(1).normal(size=(20_000, 10))
    for far in (low, high):
        x = near + far
        np.testing.assert_array_equal(perturb(x, trick, alpha=alpha, rng=1).argmax(-1), gumbel_max(x, rng=1))


def test_where_the_textbook_loses_the_winner():
    """Logarithms of weights around -10: powers of u underflow to 0, unless they are moved up."""
    x = np.random.default_rng(1).normal(size=(2000, 5)) - 10
    noise = fastgumbel.gumbel(x.shape, rng=1)
    assert (formula("uniform", None, x, noise).max(-1) == 0).mean() > 0.5
    assert (perturb(x, "uniform", rng=1).argmax(-1) != gumbel_max(x, rng=1)).mean() > 0.5
    np.testing.assert_array_equal(perturb(x + 10, "uniform", rng=1).argmax(-1), gumbel_max(x, rng=1))


@pytest.mark.parametrize(("trick", "alpha"), TRICKS[:-1])
@pytest.mark.parametrize("far", [-7e13, -1e4, 0.0, 1e4, 7e13])
def test_values_are_finite_and_above_what_is_excluded(trick, alpha, far):
    x = np.full((50, 8), far)
    x[:, 2], x[:, 5] = -INF, np.random.default_rng(1).normal(size=50)
    values = perturb(x, trick, alpha=alpha, rng=1)
    assert (values[:, 2] == EXCLUDED[trick]).all()
    left = np.delete(values, 2, 1)
    assert np.isfinite(left).all()
    assert (left > EXCLUDED[trick]).all()
    if trick == "uniform":
        assert (left < 1).all()


@pytest.mark.parametrize(("trick", "alpha"), TRICKS)
def test_laws(trick, alpha):
    x = 0.7
    w = np.exp(x)
    law = {
        "gumbel": stats.gumbel_r(x).cdf,
        "exponential": lambda v: stats.expon(scale=1 / w).sf(-v),
        "uniform": lambda v: v**w,
        "weibull": lambda v: stats.weibull_min(alpha, scale=w ** (-1 / alpha)).sf(-v),
        "frechet": lambda v: stats.invweibull(alpha, scale=w ** (1 / alpha)).cdf(v),
        odds: lambda v: (v / (1 + v)) ** w,
    }[trick]
    values = perturb([x], trick, alpha=alpha, size=20_000, rng=3)[:, 0]
    assert stats.kstest(law(values), "uniform").pvalue > laws.ALARM
    moved = law(perturb([x + 0.1], trick, alpha=alpha, size=20_000, rng=3)[:, 0])
    assert stats.kstest(moved, "uniform").pvalue < laws.ALARM, "the test can fail"


@pytest.mark.parametrize(("trick", "alpha"), TRICKS)
@pytest.mark.parametrize("axis", [0, 1, -1, -2])
@pytest.mark.parametrize("size", [None, 3, (2, 3)])
def test_axes_draws_masks_and_noise(trick, alpha, axis, size):
    rng = np.random.default_rng(axis % 7)
    x = rng.normal(size=(6, 5, 4)).astype(np.float32)
    where = rng.random(x.shape) < 0.8
    where[2] = where[:, 2] = where[..., 2] = True
    draws = () if size is None else size if isinstance(size, tuple) else (size,)
    noise = naive.materialised_noise(NoiseField(4), x.shape, axis=axis, size=draws, draw=9)
    expected = np.where(where, mapped(trick, alpha, x + noise), EXCLUDED[trick])
    field = NoiseField(4).at(draw=9)
    values = perturb(x, trick, alpha=alpha, axis=axis, size=size, where=where, noise=field)
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    given = perturb(x, trick, alpha=alpha, axis=axis, size=size, where=where, noise=noise)
    np.testing.assert_array_equal(given, values)
    what_is_masked = np.where(where, x, np.nan)
    again = perturb(what_is_masked, trick, alpha=alpha, axis=axis, size=size, where=where, noise=field)
    np.testing.assert_array_equal(again, values)


@pytest.mark.parametrize(
    ("shape", "size", "dtype"),
    [
        ((600_000,), None, np.float32),
        ((300_000,), 2, np.float16),
        ((3, 40_000), 3, np.int16),
        ((5000, 70), 2, np.float64),
        ((3, 10), 30_000, np.float16),
        ((3,), 200_000, np.float64),
    ],
)
def test_pieces_and_threads(threads, shape, size, dtype):
    x = (4 * np.random.default_rng(1).normal(size=shape)).astype(dtype)
    ids = np.uint64(2**63) + np.arange(x[..., 0].size, dtype=np.uint64)
    field = NoiseField(1).at(rows=ids.reshape(shape[:-1]), start=77)
    results = []
    for count in (1, 5):
        threads(count)
        results.append(perturb(x, "exponential", size=size, noise=field))
    np.testing.assert_array_equal(*results)
    index = gumbel_max(x, size=size, noise=field)
    np.testing.assert_array_equal(results[0].argmax(-1), index)
    draws = results[0] if size is None else results[0][-1]
    alone = field.at(rows=ids[-1], draw=0 if size is None else size - 1)
    expected = perturb(x.reshape(-1, shape[-1])[-1], "exponential", noise=alone)
    np.testing.assert_array_equal(draws.reshape(-1, shape[-1])[-1], expected)


@pytest.mark.parametrize("size", [None, 3])
@pytest.mark.parametrize("shape", [(4, 6), (5, 3, 200), (3, 40_000)])
def test_category_ids(shape, size):
    """Each place has the noise of its own id; an empty one is excluded, and so are the lesser ones of an id."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=shape).astype(np.float16)
    for own in (shape, shape[-1:]):
        categories = rng.integers(0, 50_000, size=own)
        categories[..., 1] = -1
        field = NoiseField(2).at(categories=categories)
        noise = np.stack([fastgumbel.gumbel(shape, noise=field.at(draw=s)) for s in range(size or 1)])
        values = perturb(x, size=size, noise=field)
        assert (values[..., 1] == -INF).all()
        left = naive.once_each(x, categories) | (x + noise == -INF)
        expected = np.where(left, x + noise, -INF)
        np.testing.assert_array_equal(values, expected.reshape(values.shape))
        np.testing.assert_array_equal(perturb(x, "frechet", alpha=2.0, size=size, noise=field)[..., 1], 0)


def test_memory():
    x = np.zeros((1000, 4000), np.float16)
    for trick in ("gumbel", "uniform", odds):
        perturb(x[:2], trick, rng=1)
        tracemalloc.start()
        try:
            values = perturb(x, trick, rng=1)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < values.nbytes + 8 * 2**20


def test_a_callable():
    x = np.random.default_rng(1).normal(size=(300, 4000))
    x[:, 7] = -INF
    callers, seen = set(), []

    def cubed(v):
        callers.add(threading.get_ident())
        seen.append((v.dtype, v.min(), v.max()))
        v **= 3
        return v

    values = perturb(x, cubed, rng=1)
    np.testing.assert_array_equal(values, perturb(x, "uniform", rng=1) ** 3)
    assert callers == {threading.get_ident()}
    assert {dtype for dtype, _, _ in seen} == {np.dtype(np.float64)}
    assert min(low for _, low, _ in seen) == 0
    assert max(high for _, _, high in seen) < 1
    with np.errstate(divide="raise"):
        back = perturb(x, lambda v: -np.log(-np.log(v)), rng=1)
    assert (back[:, 7] == -INF).all()
    np.testing.assert_allclose(back, perturb(x, rng=1), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (lambda v: -v, ValueError, "trick must be strictly increasing"),
        (lambda v: np.ones_like(v), ValueError, "trick must be strictly increasing"),
        (lambda v: v + np.nan, ValueError, "trick must be strictly increasing"),
        (lambda v: np.where(v > 0.9, np.nan, v), ValueError, r"trick must give numbers, but gives nan for 0\.9"),
        (lambda v: np.where(v > 0.9, 0, v), ValueError, r"trick must be .* but gives 0\.0 for 0\.9.* for less"),
        (
            lambda v: np.where((v > 0.13) & (v < 0.2), v + 1, v),
            ValueError,
            "trick must be strictly increasing, but gives",
        ),
        (lambda v: v[:2], ValueError, r"what trick returns must have the shape of its argument, \(7,\), not \(2,\)"),
        (lambda v: v.mean(), ValueError, "what trick returns must have the shape"),
        (lambda v: v * 1j, TypeError, "what trick returns must be real"),
        (lambda v: None, TypeError, "what trick returns must be an array or a number, not NoneType"),
    ],
)
def test_bad_callables(function, error, message):
    with pytest.raises(error, match=message):
        perturb(np.zeros((50, 5)), function, rng=1)


@pytest.mark.parametrize(
    ("trick", "options", "error", "message"),
    [
        ("gumbles", {}, ValueError, "trick must be 'gumbel' or .* not 'gumbles'"),
        (1, {}, ValueError, "trick"),
        ("gumbel", {"alpha": 1.0}, ValueError, "alpha is for 'weibull' and 'frechet', not for 'gumbel'"),
        (odds, {"alpha": 1.0}, ValueError, "alpha is for .* not for a callable"),
        ("weibull", {}, ValueError, "alpha must be given for 'weibull'"),
        ("frechet", {"alpha": 0}, ValueError, "alpha must be a finite number above 0, not 0"),
        ("weibull", {"alpha": -1.0}, ValueError, "alpha"),
        ("weibull", {"alpha": INF}, ValueError, "alpha"),
        ("weibull", {"alpha": np.nan}, ValueError, "alpha"),
        ("weibull", {"alpha": [1.0, 2.0]}, ValueError, "alpha"),
        ("weibull", {"alpha": "1"}, TypeError, "alpha"),
        ("gumbel", {"axis": 2}, ValueError, "axis"),
        ("gumbel", {"size": -1}, ValueError, "size"),
        ("gumbel", {"where": np.ones((3, 5))}, TypeError, "where"),
        ("gumbel", {"invalid": "ignore"}, ValueError, "invalid"),
        ("gumbel", {"rng": 1, "noise": np.zeros((3, 5))}, ValueError, "rng or noise"),
        ("gumbel", {"rng": 1, "noise": NoiseField(1)}, ValueError, "rng or noise"),
        ("gumbel", {"noise": np.zeros(5)}, ValueError, "noise must have shape"),
        ("gumbel", {"noise": NoiseField(1).at(draw=2**32 - 1), "size": 2}, ValueError, "draws"),
        ("gumbel", {"noise": NoiseField(1).at(rows=[1, 2])}, ValueError, "rows"),
        ("gumbel", {"out": np.empty((3, 5), np.float32)}, TypeError, "out must have dtype float64"),
        ("gumbel", {"out": np.empty((5, 3))}, ValueError, "out must have shape"),
    ],
)
def test_bad_arguments(trick, options, error, message):
    with pytest.raises(error, match=message):
        perturb(np.zeros((3, 5), np.float32), trick, **options)


def test_bad_noise_is_named():
    noise = np.zeros((2, 3, 5), np.float32)
    noise[1, 2, 4] = INF
    with pytest.raises(ValueError, match=r"empty places, but row \(1, 2\) has inf at category 4"):
        perturb(np.zeros((3, 5)), size=2, noise=noise)


@pytest.mark.parametrize(("trick", "alpha"), TRICKS)
@pytest.mark.parametrize("n", [3, 5000])
def test_invalid_rows(trick, alpha, n):
    x = np.random.default_rng(n).normal(size=(4, 7, n))
    good = perturb(x, trick, alpha=alpha, size=2, rng=1)
    for bad in (np.nan, INF):
        y = x.copy()
        y[2, 3, n - 1] = bad
        with pytest.raises(ValueError, match=re.escape(f"row (2, 3) has {bad} at category {n - 1}")):
            perturb(y, trick, alpha=alpha, size=2, rng=1)
        values = perturb(y, trick, alpha=alpha, size=2, rng=1, invalid="mark")
        expected = good.copy()
        expected[:, 2, 3] = np.nan
        np.testing.assert_array_equal(values, expected)
    where = np.ones(x.shape, bool)
    where[0, 0] = False
    with pytest.raises(ValueError, match=re.escape("row (0, 0) has no category left")):
        perturb(x, trick, alpha=alpha, where=where, rng=1)
    assert np.isnan(perturb(x, trick, alpha=alpha, where=where, rng=1, invalid="mark")[0, 0]).all()


def test_nothing_to_do():
    assert perturb(np.zeros((0, 5)), rng=1).shape == (0, 5)
    assert perturb(np.zeros((3, 5)), size=0, rng=1).shape == (0, 3, 5)
    assert perturb(np.zeros((3, 0)), rng=1, invalid="mark").shape == (3, 0)
    with pytest.raises(ValueError, match="row 0 has no category left"):
        perturb(np.zeros((3, 0)), rng=1)


def test_out():
    x = np.random.default_rng(1).normal(size=(40, 300))
    noise = fastgumbel.gumbel(x.shape, rng=2)
    expected = perturb(x, "frechet", alpha=3.0, rng=2)
    for out in (np.empty(x.shape), np.empty((80, 300))[::2], np.empty((300, 40)).T, x.copy(), noise.copy()):
        arguments = [out if np.array_equal(out, a) else a for a in (x, noise)]
        assert perturb(arguments[0], "frechet", alpha=3.0, noise=arguments[1], out=out) is out
        np.testing.assert_array_equal(out, expected)
    out = np.empty((40, 300))
    assert perturb(x.T, "frechet", alpha=3.0, axis=0, rng=2, out=out.T).base is out
    np.testing.assert_array_equal(out, expected)


def test_device_arrays_are_refused():
    class Device:
        __cuda_array_interface__ = None

    with pytest.raises(TypeError, match="log_potentials must not be a device array"):
        perturb(Device(), rng=0)


def test_every_number_is_in_one_task():
    rows = Rows(np.zeros((5, 70_000), np.float16))
    tasks = list(_cut(rows, 2))
    assert len(tasks) == 10
    cells = np.zeros((5, 2, 70_000), int)
    for r, r1, s, s1, c, c1 in tasks:
        cells[r:r1, s:s1, c:c1] += 1
    assert (cells == 1).all()
