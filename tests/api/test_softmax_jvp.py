"""``gumbel_softmax_jvp`` against derivatives that owe nothing to its formula, on the same noise.

The complex step is exact up to rounding, and so is held to 1e-12 of the terms that make up a tangent; differences in
the temperature use the package's own samples. Sums, symmetry and scale are checked by themselves.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgumbel
from fastgumbel import NoiseField
from tests.api import cases
from tests.api.test_softmax import problems, shape_of
from tests.oracle import derivatives, relaxation

LENGTHS = (1, 2, 3, 10, 63, 64, 65, 129, 1000)


def problem(n, seed=0):
    """Return log-potentials, temperatures and a direction for each, of a few rows."""
    rng = np.random.default_rng([n, seed])
    x, dx = rng.normal(size=(2, 6, n))
    return x, rng.uniform(0.1, 3, size=6), dx, rng.normal(size=6)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("n", LENGTHS)
def test_the_complex_step(n, log):
    x, tau, dx, dtau = problem(n)
    noise = relaxation.noise_of(NoiseField(n), x)
    for direction in ((dx, dtau), (dx, 0 * dtau), (0 * dx, dtau)):
        y, dy = fastgumbel.gumbel_softmax_jvp((x, tau), direction, rng=n, log=log)
        relaxation.assert_relaxed(y, x, tau, noise, log=log)
        derivatives.assert_tangent(dy, x, tau, *direction, noise, log=log)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("n", LENGTHS)
def test_the_complex_step_on_float32_noise(n, dtype, log):
    """The tangent is float32, and so is its error: 10 (perturbed value / tau) units in the last place of its terms."""
    x, tau, dx, dtau = problem(n)
    x = x.astype(dtype)
    tau = np.maximum(tau, 0.3)
    noise = relaxation.noise_of(NoiseField(n), x)
    _, dy = fastgumbel.gumbel_softmax_jvp((x, tau), (dx, dtau), rng=n, log=log)
    assert dy.dtype == np.float32
    relative = 2 * float(relaxation.rounding(x, tau, noise).max()) * np.finfo(np.float32).eps
    derivatives.assert_tangent(dy, x, tau, dx, dtau, noise, log=log, relative=relative)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_complex_step_on_long_rows(dtype):
    """So long that what is not read in place comes in several pieces."""
    rng = np.random.default_rng(1)
    x, dx = rng.normal(size=(2, 2, 100_000))
    x = x.astype(dtype)
    where = rng.random(x.shape) < 0.5
    noise = relaxation.noise_of(NoiseField(1), x)
    relative = 1e-12
    if dtype == "float32":
        relative = 2 * float(relaxation.rounding(x, 0.7, noise).max()) * np.finfo(np.float32).eps
    for log in (False, True):
        for mask in (None, where):
            y, dy = fastgumbel.gumbel_softmax_jvp((x, 0.7), (dx, 1.5), rng=1, log=log, where=mask)
            relaxation.assert_relaxed(y, x, 0.7, noise, log=log, where=mask)
            derivatives.assert_tangent(dy, x, 0.7, dx, 1.5, noise, relative=relative, log=log, where=mask)
            spaced = np.repeat(x, 2, axis=1)[:, ::2]
            again = fastgumbel.gumbel_softmax_jvp((spaced, 0.7), (dx, 1.5), rng=1, log=log, where=mask)
            np.testing.assert_array_equal(again[1], dy)


@given(problem=problems(), log=st.booleans(), seed=st.integers(0, 1000))
@settings(max_examples=100)
def test_the_complex_step_with_all_options_mixed(problem, log, seed):
    x, tau, where, axis, size, key = problem
    rng = np.random.default_rng(seed)
    dx, dtau = rng.normal(size=x.shape), rng.normal(size=tau.shape)
    field = NoiseField(key).at(draw=3)
    options = {"axis": axis, "where": where, "log": log}
    y, dy = fastgumbel.gumbel_softmax_jvp((x, tau), (dx, dtau), size=size, noise=field, **options)
    np.testing.assert_array_equal(y, fastgumbel.gumbel_softmax(x, tau, size=size, noise=field, **options))
    noise = relaxation.noise_of(field, x, axis=axis, size=shape_of(size))
    rounding = 2 * float(relaxation.rounding(x, tau, noise, axis=axis, where=where).max())
    relative = 1e-12 if dy.dtype == np.float64 else rounding * np.finfo(np.float32).eps
    derivatives.assert_tangent(dy, x, tau, dx, dtau, noise, relative=relative, **options)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("n", [2, 10, 129])
def test_differences_in_the_temperature(n, log):
    """Central differences at two steps, extrapolated: an error of the fourth order, and one of rounding, 1e-9."""
    x, tau, _, _ = problem(n)
    tau = np.maximum(tau, 0.5)
    _, dy = fastgumbel.gumbel_softmax_jvp((x, tau), (None, 1.0), rng=n, log=log)

    def difference(h):
        above, below = (fastgumbel.gumbel_softmax(x, tau + s, rng=n, log=log) for s in (h, -h))
        return (above - below) / (2 * h)

    expected = (4 * difference(5e-4) - difference(1e-3)) / 3
    np.testing.assert_allclose(dy, expected, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("rao", [None, 1, 3])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", LENGTHS)
def test_a_tangent_sums_to_zero(n, dtype, rao):
    x, tau, dx, dtau = problem(n)
    x = x.astype(dtype)
    tau = np.maximum(tau, 0.3)
    _, dy = fastgumbel.gumbel_softmax_jvp((x, tau), (dx, dtau), rng=n, rao=rao)
    largest = np.abs(dx).max(-1) / tau + 40 * np.abs(dtau) / tau**2
    assert (np.abs(dy.astype(np.float64).sum(-1)) <= 16 * np.finfo(dtype).eps * largest).all()


@pytest.mark.parametrize("options", [{}, {"hard": True}, {"rao": 4}])
@pytest.mark.parametrize("n", [2, 3, 10, 65])
def test_the_jacobian_in_the_log_potentials_is_symmetric(n, options):
    """So the tangent along v is also the gradient of <v, y>: the JVP is the VJP."""
    x, tau, v, _ = problem(n)
    unit = np.broadcast_to(np.eye(n)[:, None], (n, 6, n))
    _, jacobian = fastgumbel.gumbel_softmax_jvp((x, tau), (unit, None), rng=n, **options)
    assert jacobian.shape == (n, 6, n)
    np.testing.assert_allclose(jacobian, jacobian.transpose(2, 1, 0), rtol=1e-13, atol=1e-16)
    _, along = fastgumbel.gumbel_softmax_jvp((x, tau), (v, None), rng=n, **options)
    gradient = np.einsum("brc,rc->rb", jacobian, v)
    np.testing.assert_allclose(along, gradient, rtol=0, atol=1e-13 / tau.min())


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("n", [2, 10, 129])
def test_what_leaves_the_sample_alone_has_no_tangent(n, log):
    """The same for all categories; and scaling the perturbed values with the temperature."""
    x, tau, _, _ = problem(n)
    tau = np.maximum(tau, 0.3)
    noise = fastgumbel.gumbel(x.shape, rng=n)
    for direction in ((np.ones_like(x), None), (x + noise, tau)):
        _, dy = fastgumbel.gumbel_softmax_jvp((x, tau), direction, rng=n, log=log)
        np.testing.assert_allclose(dy, 0, atol=1e-12)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("options", [{"hard": True}, {"hard": True, "size": 3}, {"hard": True, "axis": 0}])
def test_straight_through(options, log):
    """The value is one-hot, the tangent that of the relaxed sample, to the bit."""
    x, _, dx, _ = problem(10)
    y, dy = fastgumbel.gumbel_softmax_jvp((x, 0.5), (dx, 2.0), rng=1, log=log, **options)
    np.testing.assert_array_equal(y, fastgumbel.gumbel_softmax(x, 0.5, rng=1, log=log, **options))
    soft = {**options, "hard": False}
    np.testing.assert_array_equal(dy, fastgumbel.gumbel_softmax_jvp((x, 0.5), (dx, 2.0), rng=1, log=log, **soft)[1])


@pytest.mark.parametrize("options", [{}, {"log": True}, {"hard": True}, {"rao": 3}, {"size": (2, 3)}, {"axis": 1}])
@pytest.mark.parametrize("n", [2, 10, 70])
def test_many_directions_are_single_directions(n, options):
    """Of the log-potentials, of the temperature, and of either alone; on one noise, to the bit."""
    rng = np.random.default_rng(n)
    x = rng.normal(size=(3, 4, n))
    if options.get("axis") == 1:
        x = np.moveaxis(x, -1, 1)
    dx = rng.normal(size=(5, *x.shape))
    tau, dtau = 0.7 + rng.random((3, 4)), rng.normal(size=(5, 3, 4))
    for many in ((dx, dtau), (dx, None), (None, dtau), (dx, dtau[0]), (dx[0], dtau), (dx, 1.5)):
        y, dy = fastgumbel.gumbel_softmax_jvp((x, tau), many, rng=n, **options)
        assert dy.shape == (5, *y.shape)
        for i in range(5):
            one = tuple(d[i] if np.shape(d)[:1] == (5,) else d for d in many)
            y_alone, alone = fastgumbel.gumbel_softmax_jvp((x, tau), one, rng=n, **options)
            np.testing.assert_array_equal(y, y_alone)
            np.testing.assert_array_equal(dy[i], alone)


@pytest.mark.parametrize("count", [0, 1])
def test_no_direction_and_one_direction(count):
    x, tau, dx, _ = problem(5)
    _, dy = fastgumbel.gumbel_softmax_jvp((x, tau), (np.repeat(dx[None], count, axis=0), None), rng=1)
    assert dy.shape == (count, 6, 5)


@pytest.mark.parametrize("options", [{}, {"log": True}, {"hard": True}, {"rao": 2}])
def test_none_is_zero(options):
    x, tau, dx, dtau = problem(10)

    def tangent(*direction):
        return fastgumbel.gumbel_softmax_jvp((x, tau), direction, rng=1, **options)[1]

    np.testing.assert_array_equal(tangent(dx, None), tangent(dx, 0.0))
    np.testing.assert_array_equal(tangent(None, dtau), tangent(np.zeros_like(dx), dtau))
    zero = tangent(None, None)
    assert zero.shape == x.shape
    assert (zero == 0).all()


@pytest.mark.parametrize("options", [{}, {"log": True}, {"hard": True}, {"rao": 3}])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [2, 10, 70])
def test_excluded_categories_have_no_tangent(n, dtype, options):
    """Whatever the mask hides, in the tangent too; the others have the tangent they have without them."""
    rng = np.random.default_rng(n)
    x, tau, dx, dtau = problem(n)
    x = x.astype(dtype)
    where = rng.random(x.shape) < 0.6
    where[:, 0] = True
    x[0, -1] = -np.inf
    y, dy = fastgumbel.gumbel_softmax_jvp((x, tau), (dx, dtau), where=where, rng=1, **options)
    excluded = ~where | (x == -np.inf)
    assert (dy[excluded] == 0).all()
    assert (y[excluded] == (-np.inf if options.get("log") else 0)).all()
    x[~where], dx[excluded] = np.nan, 1e30
    again = fastgumbel.gumbel_softmax_jvp((x, tau), (dx, dtau), where=where, rng=1, **options)
    np.testing.assert_array_equal(again[0], y)
    np.testing.assert_array_equal(again[1], dy)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("tau", [1e-30, 1e-10, 1e-3, 1e3, 1e10, 1e30])
def test_extreme_temperatures_give_no_nan(tau, dtype, log):
    """Where the sample is one-hot its tangent is zero, not infinity times zero."""
    for n in (10, 200):
        x, _, dx, _ = problem(n)
        x = x.astype(dtype)
        for direction in ((dx, None), (None, tau), (dx, tau)):
            _, dy = fastgumbel.gumbel_softmax_jvp((x, tau), direction, rng=1, log=log)
            assert not np.isnan(dy).any()
            if tau <= 1e-10 and not log:
                assert (dy == 0).all()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("family", ["far", "limits", "beyond float32", "all huge", "all very low"])
def test_extreme_log_potentials_give_no_nan(family, dtype):
    for n in (10, 200):
        x = cases.log_potentials(family, dtype, np.random.default_rng(1), np.empty((6, n)))
        for tau in (1e-30, 1.0, 1e30):
            for direction in ((np.cos(np.arange(6 * n)).reshape(6, n), None), (None, tau)):
                _, dy = fastgumbel.gumbel_softmax_jvp((x, tau), direction, rng=1)
                assert not np.isnan(dy).any()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [10, 200])
def test_slopes_beyond_the_type_give_no_nan(n, dtype):
    """Of a one-hot the tangent is zero, though that of (x + G) / tau overflows, or its distance to the mean."""
    x = np.random.default_rng(1).permuted(np.full((6, n), 3e11) * np.arange(n), axis=1).astype(dtype)
    largest = float(np.finfo(dtype).max)
    tau = 1 / float(np.sqrt(largest))
    y = fastgumbel.gumbel_softmax(x, tau, rng=1)
    assert set(np.unique(y)) == {0, 1}
    for chosen in (0.0, -0.5):
        dx = np.where(y == 1, chosen, 0.999999) * np.sqrt(largest) * np.array([[1, -1, 1e5, 1e-3, -1e9, 1]]).T
        dx[y == 1] = np.clip(dx[y == 1], -0.99 * np.sqrt(largest), 0.99 * np.sqrt(largest))
        for dtau in (None, 1.0, -1e9):
            _, dy = fastgumbel.gumbel_softmax_jvp((x, tau), (dx.astype(dtype), dtau), rng=1)
            assert (dy == 0).all()


@pytest.mark.parametrize("n", [10, 70])
def test_noise_from_an_array_is_the_field(n):
    x, tau, dx, dtau = problem(n)
    for dtype in (np.float64, np.float32):
        noise = relaxation.noise_of(NoiseField(1), x.astype(dtype), size=(2,))
        precomputed_noise = fastgumbel.gumbel_softmax_jvp((x.astype(dtype), tau), (dx, dtau), noise=noise, size=2)
        read = fastgumbel.gumbel_softmax_jvp((x.astype(dtype), tau), (dx, dtau), rng=1, size=2)
        for a, b in zip(precomputed_noise, read, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", ["int32", "float32", "float16", ">f8"])
def test_directions_of_any_type(dtype):
    x, _, _, _ = problem(10)
    dx, dtau = np.arange(60).reshape(6, 10).astype(dtype), np.arange(6).astype(dtype)
    expected = fastgumbel.gumbel_softmax_jvp((x, 0.5), (dx.astype(np.float64), dtau.astype(np.float64)), rng=1)
    for a, b in zip(fastgumbel.gumbel_softmax_jvp((x, 0.5), (dx, dtau), rng=1), expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_wrong_derivative_is_caught():
    """The check can fail: noise left out of the temperature's share, the mean, a factor of tau, or 1e-11 of it all."""
    x, tau, dx, dtau = problem(10)
    noise = fastgumbel.gumbel(x.shape, rng=1)
    t, dt = tau[:, None], dtau[:, None]
    z = (x + noise) / t
    y = fastgumbel.gumbel_softmax(x, tau, rng=1)

    def tangent(dz):
        return y * (dz - (y * dz).sum(-1, keepdims=True))

    derivatives.assert_tangent(tangent(dx / t - z * dt / t), x, tau, dx, dtau, noise)
    without_noise, without_tau, half_tau = dx / t - x / t * dt / t, dx - z * dt / t, dx / t - z * dt
    wrong = [tangent(dz) for dz in (without_noise, without_tau, half_tau)]
    dz = dx / t - z * dt / t
    for dy in (*wrong, y * dz, tangent(dz) * (1 + 1e-11)):
        with pytest.raises(AssertionError, match="relative error"):
            derivatives.assert_tangent(dy, x, tau, dx, dtau, noise)


@pytest.mark.parametrize("options", [{}, {"log": True}, {"hard": True}, {"rao": 2}], ids=str)
@pytest.mark.parametrize("n", [6, 150])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_tangents_of_what_is_excluded_are_not_looked_at(n, options, bad):
    rng = np.random.default_rng(0)
    x, d, where = rng.normal(size=(4, n)), rng.normal(size=(2, 4, n)), rng.random((4, n)) < 0.7
    where[:, 0] = True
    spoilt = np.where(where, d, bad)
    expected = fastgumbel.gumbel_softmax_jvp((x, 0.5), (d, [[1.0], [0.0]]), where=where, rng=0, **options)
    actual = fastgumbel.gumbel_softmax_jvp((x, 0.5), (spoilt, [[1.0], [0.0]]), where=where, rng=0, **options)
    for one, two in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(one, two)
    assert (np.isfinite(spoilt) == where).all()  # the caller's array is as it was


def test_a_row_of_tangents_that_are_not_finite_is_marked_alone():
    rng = np.random.default_rng(0)
    x, d = rng.normal(size=(4, 6)), rng.normal(size=(4, 6))
    y, dy = fastgumbel.gumbel_softmax_jvp((x, 0.5), (d, None), rng=0)
    d[2, 3] = np.nan
    with pytest.raises(ValueError, match=r"tangents must be finite.*row 2"):
        fastgumbel.gumbel_softmax_jvp((x, 0.5), (d, None), rng=0)
    same, marked = fastgumbel.gumbel_softmax_jvp((x, 0.5), (d, None), rng=0, invalid="mark")
    np.testing.assert_array_equal(same, y)
    assert np.isnan(marked[2]).all()
    np.testing.assert_array_equal(np.delete(marked, 2, 0), np.delete(dy, 2, 0))


def test_directions_of_temperatures():
    """The axis of directions comes before the shape of the temperatures, which broadcast to the batch."""
    x = np.random.default_rng(3).normal(size=(2, 3, 5))
    for tau in (0.7, [0.7, 0.8, 0.9], np.full((2, 3), 0.6), np.full((2, 3, 1), 0.6)):
        for n_directions in (1, 2, 3):
            d_x = np.random.default_rng(4).normal(size=(n_directions, *x.shape))
            d_tau = np.random.default_rng(5).normal(size=(n_directions, *np.shape(tau)))
            dy = fastgumbel.gumbel_softmax_jvp((x, tau), (d_x, d_tau), rng=1)[1]
            for i in range(n_directions):
                expected = fastgumbel.gumbel_softmax_jvp((x, tau), (d_x[i], d_tau[i]), rng=1)[1]
                np.testing.assert_array_equal(dy[i], expected)
            # Without that axis, they are the same in all directions, also where they have the axes of the batch.
            for alike in (d_tau[0], np.array([[0.5, 1.0, 2.0]])) if np.ndim(tau) != 1 else (d_tau[0],):
                dy = fastgumbel.gumbel_softmax_jvp((x, tau), (d_x, alike), rng=1)[1]
                expected = fastgumbel.gumbel_softmax_jvp((x, tau), (d_x[-1], alike), rng=1)[1]
                np.testing.assert_array_equal(dy[-1], expected)
    with pytest.raises(ValueError, match=r"tangents\[1\] must have the shape of tau, \(\), with the 2 directions"):
        fastgumbel.gumbel_softmax_jvp((x, 0.7), (np.zeros((2, *x.shape)), np.ones(3)), rng=1)
