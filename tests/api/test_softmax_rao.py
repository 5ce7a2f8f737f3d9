"""Gumbel-Rao: the tangent is the mean over noise that leads to the same choice, of the same mean and less variance.

With two categories the law is an integral over one logistic number, so mean and variances are known exactly.
A z-score above 5 fails a test: 6e-7 were the seeds not fixed. With 200,000 draws a variance is known to one percent.
"""

import numpy as np
import pytest
from scipy import integrate, special

import fastgumbel
from fastgumbel import NoiseField, gumbel_given_choice, gumbel_max, gumbel_softmax_jvp

ALARM = 5


def problem(n, dtype=np.float64, rows=6):
    rng = np.random.default_rng(n)
    x, dx = rng.normal(size=(2, rows, n))
    return x.astype(dtype), rng.uniform(0.4, 2, size=rows), dx, rng.normal(size=rows)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("rao", [1, 2, 7])
@pytest.mark.parametrize("n", [1, 2, 10, 64, 65, 1000])
def test_it_is_the_mean_over_conditioned_noise(n, rao, dtype, log):
    """Put together from the other functions: choose, condition, differentiate, average."""
    x, tau, dx, dtau = problem(n, dtype)
    field = NoiseField(n).at(draw=3)
    y, dy = gumbel_softmax_jvp((x, tau), (dx, dtau), size=2, noise=field, rao=rao, log=log)
    choice = gumbel_max(x, size=2, noise=field)
    np.testing.assert_array_equal(y, fastgumbel.gumbel_softmax(x, tau, size=2, noise=field, hard=True, log=log))
    for s in (0, 1):
        tangents = []
        for j in range(rao):
            noise = gumbel_given_choice(x, choice[s], noise=field.at(draw=(3 + s) * rao + j))
            tangents.append(gumbel_softmax_jvp((x, tau), (dx, dtau), noise=noise, log=log)[1])
        largest = np.abs(tangents).max(initial=1)
        np.testing.assert_allclose(dy[s], np.mean(tangents, axis=0), rtol=0, atol=64 * largest * np.finfo(dtype).eps)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_axes_masks_and_row_ids(axis):
    rng = np.random.default_rng(1)
    x, dx = rng.normal(size=(2, 3, 4, 20))
    where = rng.random(x.shape) < 0.6
    where[..., 0] = True
    ids = np.arange(12).reshape(3, 4) + 100
    field = NoiseField(2).at(rows=ids)
    y, dy = gumbel_softmax_jvp((x, 0.5), (dx, None), where=where, noise=field, rao=3)
    moved = [np.moveaxis(a, -1, axis) for a in (x, dx, where)]
    other = gumbel_softmax_jvp((moved[0], 0.5), (moved[1], None), axis=axis, where=moved[2], noise=field, rao=3)
    np.testing.assert_array_equal(np.moveaxis(other[0], axis, -1), y)
    np.testing.assert_array_equal(np.moveaxis(other[1], axis, -1), dy)
    assert (dy[~where] == 0).all()
    alone = gumbel_softmax_jvp((x[1, 2], 0.5), (dx[1, 2], None), where=where[1, 2], noise=field.at(rows=106), rao=3)
    np.testing.assert_array_equal(alone[1], dy[1, 2])


def test_the_last_draw_is_allowed():
    x = np.zeros(3)
    gumbel_softmax_jvp((x, 1.0), (x, None), noise=NoiseField(1).at(draw=2**31 - 1), rao=2)
    for draw in (2**31, [2**31]):
        message = r"draws 4294967296 to 4294967297 go beyond the last, 2\*\*32 - 1, as rao takes 2 for each$"
        with pytest.raises(ValueError, match=message):
            gumbel_softmax_jvp((x[None], 1.0), (x[None], None), noise=NoiseField(1).at(draw=draw), rao=2)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("tau", [1e-30, 1e-3, 1e3, 1e30])
def test_extreme_temperatures_give_no_nan(tau, dtype):
    x, _, dx, _ = problem(10, dtype)
    for direction in ((dx, None), (dx, tau)):
        _, dy = gumbel_softmax_jvp((x, tau), direction, rng=1, rao=5)
        assert np.isfinite(dy).all()


def exact_moments(x, tau):
    """Return mean, variance of one tangent, and variance of its mean given the choice, of two categories along (1, 0).

    The first tangent is y (1 - y) / tau with y = expit((x_0 - x_1 + L) / tau) and L logistic; the choice is its sign.
    """
    gap = x[0] - x[1]

    def moment(power, low, high):
        def integrand(logistic):
            y = special.expit((gap + logistic) / tau)
            density = special.expit(logistic) * special.expit(-logistic)
            return (y * special.expit(-(gap + logistic) / tau) / tau) ** power * density

        return integrate.quad(integrand, low, high, epsabs=1e-13, epsrel=1e-11, limit=500)[0]

    halves = (-60, -gap), (-gap, 60)
    p = special.expit(-gap), special.expit(gap)
    mean = sum(moment(1, *half) for half in halves)
    one = sum(moment(2, *half) for half in halves) - mean**2
    limit = sum(moment(1, *half) ** 2 / q for half, q in zip(halves, p, strict=True)) - mean**2
    return mean, one, limit


def z_of_mean(values, expected):
    """Return how many standard errors the mean is from what is expected."""
    return abs(values.mean() - expected) / (values.std() / np.sqrt(len(values)))


def z_of_variance(values, expected):
    """Return the same of the variance, whose standard error comes from the fourth moment."""
    squares = (values - values.mean()) ** 2
    return z_of_mean(squares, expected)


def tangents(x, tau, dx, draws, rao, seed, dtype=np.float64):
    """Return the tangent of the first category along dx, once a row; None is straight-through."""
    options = {"hard": True} if rao is None else {"rao": rao}
    x, dx = (np.broadcast_to(a, (draws, len(a))) for a in (x.astype(dtype), dx))
    _, dy = gumbel_softmax_jvp((x, tau), (dx, None), rng=seed, **options)
    return dy[:, 0].astype(np.float64)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("rao", [None, 1, 10, 100])
@pytest.mark.parametrize("tau", [0.3, 1.0])
def test_mean_and_variance_of_two_categories(tau, rao, dtype):
    """Against the integral: V + (V_1 - V) / m, and the mean of straight-through whatever m."""
    x = np.array([0.4, -0.3])
    mean, one, limit = exact_moments(x, tau)
    assert limit < one / 3
    draws = 10_000 if rao == 100 else 100_000
    values = tangents(x, tau, np.array([1.0, 0.0]), draws, rao, seed=5, dtype=dtype)
    assert z_of_mean(values, mean) < ALARM
    assert z_of_variance(values, limit + (one - limit) / (rao or 1)) < ALARM


@pytest.mark.parametrize("n", [3, 10, pytest.param(70, marks=pytest.mark.heavy)])
def test_the_variance_falls_as_it_should(n):
    """V_10 is where the line through V_1 and V_100 over 1 / m has it; and the mean is that of straight-through."""
    rng = np.random.default_rng(n)
    x, dx, tau = rng.normal(size=n), rng.normal(size=n), 0.5
    x[0] = x.max()
    through = tangents(x, tau, dx, 200_000, None, seed=1)
    draws = {1: 200_000, 10: 40_000, 100: 8000}
    one, ten, hundred = (tangents(x, tau, dx, draws[m], m, seed=m) for m in draws)
    for values in (one, ten, hundred):
        error = np.hypot(values.std() / np.sqrt(len(values)), through.std() / np.sqrt(len(through)))
        assert abs(values.mean() - through.mean()) < ALARM * error
    assert z_of_variance(one, through.var()) < ALARM * np.sqrt(2)
    weight = (1 / 10 - 1 / 100) / (1 - 1 / 100)
    expected = hundred.var() + weight * (one.var() - hundred.var())
    spread = [np.std((v - v.mean()) ** 2) / np.sqrt(len(v)) for v in (one, ten, hundred)]
    error = np.sqrt(spread[1] ** 2 + (weight * spread[0]) ** 2 + ((1 - weight) * spread[2]) ** 2)
    assert abs(ten.var() - expected) < ALARM * error
    assert hundred.var() < ten.var() < one.var()


@pytest.mark.parametrize("rao", [1, 10])
def test_noise_that_is_not_conditioned_is_caught(rao):
    """Averaging over plain noise has the right mean, too, but then all variance falls away, that of the choice too.

    And noise conditioned on another choice has the wrong mean. The check above sees both.
    """
    x, tau, dx = np.array([0.4, -0.3]), 1.0, np.array([1.0, 0.0])
    mean, one, limit = exact_moments(x, tau)
    plain = gumbel_softmax_jvp((x, tau), (dx, None), size=(20_000, rao), rng=1)[1][..., 0].mean(1)
    assert z_of_mean(plain, mean) < ALARM
    if rao > 1:
        assert z_of_variance(plain, limit + (one - limit) / rao) > ALARM
    noise = gumbel_given_choice(x, np.zeros((20_000, rao), int), size=(20_000, rao), rng=2)
    wrong = gumbel_softmax_jvp((x, tau), (dx, None), size=(20_000, rao), noise=noise)[1][..., 0].mean(1)
    assert z_of_mean(wrong, mean) > ALARM


@pytest.mark.heavy
@pytest.mark.parametrize("rao", [1, 10, 100])
@pytest.mark.parametrize("tau", [0.1, 0.5, 2.0])
def test_ten_million_conditioned_samples(tau, rao):
    x = np.array([-0.5, 1.0])
    mean, one, limit = exact_moments(x, tau)
    values = tangents(x, tau, np.array([1.0, 0.0]), 10**7 // rao, rao, seed=9)
    assert z_of_mean(values, mean) < ALARM
    assert z_of_variance(values, limit + (one - limit) / rao) < ALARM
