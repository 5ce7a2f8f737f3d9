"""``gumbel_top_k`` is, to the bit, the head of a stable sort of the perturbed values, and its law is Plackett-Luce.

p-values are compared with ``laws.ALARM`` (1e-6 a test were the seeds not fixed); with 10^6 draws a bias of 4 % of an
ordered pair or triple of probability 0.05 is missed less than once in 10^6.
"""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

import fastgumbel
from fastgumbel import NoiseField, gumbel_top_k
from tests.api import cases
from tests.law import laws
from tests.oracle import naive


def expected(x, noise, k):
    """Return indices and values of the k best: ties by index, -1 and -inf where no category is left."""
    perturbed = np.where(x > -naive.LIMIT, x.astype(np.float64) + noise, -np.inf)
    order = np.argsort(-perturbed, axis=-1, kind="stable")[..., :k]
    values = np.take_along_axis(perturbed, order, -1)
    return np.where(values > -np.inf, order, -1), values


def assert_equal(got, wanted, message=""):
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=message)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int16"])
@pytest.mark.parametrize("family", cases.FAMILIES)
def test_every_family_and_length(family, dtype):
    rng = np.random.default_rng(list(f"{family} {dtype}".encode()))
    for n in (1, 2, 10, 63, 64, 65, 300, 2049, 40_000):
        seed = int(rng.integers(2**32))
        noise = fastgumbel.gumbel((3, n), rng=seed)
        x = cases.log_potentials(family, dtype, rng, noise)
        for k in sorted({1, min(7, n), min(64, n), n if n < 1000 else 100}):
            got = gumbel_top_k(x, k, rng=seed, invalid="mark")
            assert_equal(got, expected(x, noise, k), f"{n=} {k=}")
            np.testing.assert_array_equal(got[0][:, 0], fastgumbel.gumbel_max(x, rng=seed))


@pytest.mark.parametrize("start", [1, 62, 100, 2**32 - 30_000])
@pytest.mark.parametrize("k", [3, 100, 1000])
def test_rows_draws_and_starts(start, k):
    """Over more than one chunk of blocks, where blocks reach over the ends of the row."""
    field = NoiseField(5).at(rows=[2**64 - 1, 7], draw=2**32 - 3, start=start)
    x = np.random.default_rng(k).normal(size=(2, 30_000))
    noise = naive.materialised_noise(field, x.shape, size=(3,), draw=field.draw)
    assert_equal(gumbel_top_k(x, k, noise=field, size=3), expected(x, noise, k))


@pytest.mark.parametrize("k", [5, 20_000])
def test_a_row_so_long_that_it_is_cut(threads, k):
    n = 2**22 + 100
    x = np.random.default_rng(1).normal(size=n).astype(np.float32)
    wanted = expected(x, fastgumbel.gumbel(n, rng=9), k)
    for count in (1, 3):
        threads(count)
        assert_equal(gumbel_top_k(x, k, rng=9), wanted)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("size", [None, 2, (2, 3)])
def test_axes_draws_and_masks(axis, size):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(12, 13, 14))
    where = rng.random(x.shape) < 0.8
    shape = () if size is None else (size,) if isinstance(size, int) else size
    indices, values, threshold = gumbel_top_k(
        x, 3, axis=axis, size=size, where=where, noise=NoiseField(4), return_threshold=True
    )
    from_end = axis if axis < 0 else axis - 3
    moved = np.moveaxis(np.where(where, x, -np.inf), axis, -1)
    noise = naive.materialised_noise(NoiseField(4), moved.shape, size=shape)
    wanted = expected(moved, noise, 4)
    assert_equal(
        (np.moveaxis(indices, from_end, -1), np.moveaxis(values, from_end, -1), threshold),
        (wanted[0][..., :3], wanted[1][..., :3], wanted[1][..., 3]),
    )
    given = np.moveaxis(noise, -1, from_end)
    again = gumbel_top_k(x, 3, axis=axis, size=size, where=where, noise=given, return_threshold=True)
    assert_equal(again, (indices, values, threshold))


def test_all_categories_and_the_threshold_after_the_last():
    x = np.array([0.0, 1.0, -np.inf, 2.0])
    indices, values, threshold = gumbel_top_k(x, 3, rng=0, return_threshold=True)
    assert sorted(indices) == [0, 1, 3]
    assert threshold == -np.inf
    assert (np.diff(values) < 0).all()
    indices, values, threshold = gumbel_top_k(x, 4, rng=0, return_threshold=True, invalid="mark")
    assert indices[3] == -1
    assert values[3] == threshold == -np.inf


def test_ties_go_to_the_first_index():
    indices, values = gumbel_top_k(np.zeros(100), 100, noise=np.zeros(100))
    np.testing.assert_array_equal(indices, np.arange(100))
    assert (values == 0).all()
    x = np.repeat([1.0, 2.0], 50)
    np.testing.assert_array_equal(gumbel_top_k(x, 60, noise=np.zeros(100))[0], [*range(50, 100), *range(10)])


@pytest.mark.parametrize("n", [10, 40_000])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_invalid_rows(n, bad):
    x = np.zeros((3, n))
    x[1, n - 3] = bad
    good = gumbel_top_k(x[[0, 2]], 2, noise=NoiseField(1).at(rows=[0, 2]), return_threshold=True)
    with pytest.raises(ValueError, match=f"row 1 has {bad} at category {n - 3}"):
        gumbel_top_k(x, 2, rng=1)
    indices, values, threshold = gumbel_top_k(x, 2, rng=1, invalid="mark", return_threshold=True)
    assert (indices[1] == -1).all()
    assert np.isnan(values[1]).all()
    assert np.isnan(threshold[1])
    assert_equal((indices[[0, 2]], values[[0, 2]], threshold[[0, 2]]), good)


def test_too_few_categories():
    x = np.full((2, 5), -np.inf)
    x[0], x[1, :2] = 0, 0
    with pytest.raises(ValueError, match="row 1 has 2 categories left, fewer than k = 3"):
        gumbel_top_k(x, 3, rng=1)
    indices, values = gumbel_top_k(x, 3, rng=1, invalid="mark")
    assert (indices[1, :2] >= 0).all()
    assert indices[1, 2] == -1
    assert values[1, 2] == -np.inf


def test_out():
    x = np.random.default_rng(1).normal(size=(4, 50))
    out = np.empty((4, 3), np.intp), np.empty((4, 3)), np.empty(4)
    got = gumbel_top_k(x, 3, rng=1, return_threshold=True, out=out)
    assert all(a is b for a, b in zip(got, out, strict=True))
    assert_equal(got, gumbel_top_k(x, 3, rng=1, return_threshold=True))
    with pytest.raises(TypeError, match="out must be a pair of arrays"):
        gumbel_top_k(x, 3, rng=1, out=out)
    with pytest.raises(ValueError, match=r"out\[1\] must have shape \(4, 3\)"):
        gumbel_top_k(x, 3, rng=1, out=(out[0], np.empty((3, 4))))


@pytest.mark.parametrize(
    ("k", "error", "message"),
    [
        (0, ValueError, "k must be at least 1, not 0"),
        (6, ValueError, "k must be at most the number of categories, 5, not 6"),
        (2.0, TypeError, "k must be an integer, not float"),
        (True, TypeError, "k must be an integer, not bool"),
    ],
)
def test_bad_k(k, error, message):
    with pytest.raises(error, match=message):
        gumbel_top_k(np.zeros(5), k, rng=0)


def test_bad_noise_is_named():
    noise = np.zeros((2, 5))
    noise[1, 3] = np.nan
    with pytest.raises(ValueError, match="empty places, but row 1 has nan at category 3"):
        gumbel_top_k(np.zeros((2, 5)), 2, noise=noise)
    with pytest.raises(ValueError, match="give rng or noise, not both"):
        gumbel_top_k(np.zeros((2, 5)), 2, noise=noise, rng=1)


def plackett_luce(x, k):
    """Return the probability of every ordered k-tuple."""
    weights = np.exp(x)
    law = {}
    for order in itertools.permutations(range(len(x)), k):
        left, p = weights.sum(), 1.0
        for c in order:
            p *= weights[c] / left
            left -= weights[c]
        law[order] = p
    assert math.isclose(sum(law.values()), 1)
    return law


@pytest.mark.parametrize(("n", "k"), [(5, 2), (5, 3), (4, 4)])
def test_ordered_tuples_are_plackett_luce(n, k):
    x = np.random.default_rng(n).normal(size=n)
    indices, _ = gumbel_top_k(x, k, size=10**6, rng=k)
    counts = np.bincount(indices @ n ** np.arange(k), minlength=n**k)
    law = {sum(c * n**i for i, c in enumerate(order)): p for order, p in plackett_luce(x, k).items()}
    assert set(np.flatnonzero(counts)) == set(law)
    assert laws.chi_square(counts[list(law)], list(law.values())) > laws.ALARM


def test_importance_weights_are_unbiased():
    """A known sum from 20 of 2,000 categories: the mean of 4,000 estimates is within 5 standard errors of it."""
    rng = np.random.default_rng(2)
    x, f = rng.normal(size=2000), rng.normal(3, 1, size=2000)
    indices, _, threshold = gumbel_top_k(x, 20, size=4000, rng=3, return_threshold=True)
    inclusion = -np.expm1(-np.exp(x[indices] - threshold[:, None]))
    estimates = (f[indices] * np.exp(x[indices]) / inclusion).sum(-1)
    error = estimates.std() / math.sqrt(len(estimates))
    exact = (f * np.exp(x)).sum()
    assert error < 0.02 * exact
    assert abs(estimates.mean() - exact) < 5 * error
    naive_weights = (f[indices] * np.exp(x[indices])).sum(-1)
    assert abs(naive_weights.mean() - exact) > 5 * error, "the test can fail"


def test_the_threshold_is_the_next_value():
    x = np.random.default_rng(1).normal(size=(50, 5000)).astype(np.float32)
    for k in (1, 10, 100):
        _, _, threshold = gumbel_top_k(x, k, rng=1, return_threshold=True)
        np.testing.assert_array_equal(threshold, gumbel_top_k(x, k + 1, rng=1)[1][:, k])


def test_values_given_the_sample_are_gumbel_races():
    """Of equal weights: the gaps of exp(-value) times the weight left are exponential (KS)."""
    n, k = 1000, 5
    _, values = gumbel_top_k(np.zeros(n), k, size=20_000, rng=8)
    times = np.exp(-values)
    gaps = np.diff(times, axis=-1, prepend=0) * (n - np.arange(k))
    assert stats.kstest(gaps.ravel(), "expon").pvalue > laws.ALARM


def test_one_category_left_is_one():
    with pytest.raises(ValueError, match="the row has 1 category left, fewer than k = 2: the others"):
        gumbel_top_k([0.0, -np.inf], 2, rng=0)
