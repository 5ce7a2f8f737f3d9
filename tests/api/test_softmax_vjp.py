"""Reverse-mode derivatives of relaxed samples, against forward mode, the definition, and finite differences."""

import numpy as np
import pytest

import fastgumbel as fg
from fastgumbel._cpu.softmax.shard import decay_rows

FIELD = fg.NoiseField(3)
RNG = np.random.default_rng(0)
OPTIONS = [{}, {"log": True}, {"hard": True}, {"hard": True, "log": True}, {"rao": 3}, {"rao": 2, "log": True}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("n", [1, 5, 96, 97, 300])
@pytest.mark.parametrize("axis", [-1, 0])
def test_it_is_the_adjoint_of_forward_mode(n, axis, options):
    """<w, J d> = <J' w, d> for any direction d of both primals."""
    shape = (4, n) if axis == -1 else (n, 4)
    x, d, w = RNG.normal(size=shape), RNG.normal(size=shape), RNG.normal(size=(2, 3, *shape))
    for tau, of_tau in ((0.7, 1.3), ([0.5, 1.0, 2.0, 0.7], RNG.normal(size=4))):
        where = {"axis": axis, "size": (2, 3), "noise": FIELD}
        y, (dx, dtau) = fg.gumbel_softmax_vjp((x, tau), w, **where, **options)
        same, dy = fg.gumbel_softmax_jvp((x, tau), (d, of_tau), **where, **options)
        np.testing.assert_array_equal(y, same)
        assert dx.shape == x.shape
        assert np.shape(dtau) == np.shape(tau)
        np.testing.assert_allclose((dx * d).sum() + np.sum(dtau * of_tau), (w * dy).sum(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("n", [7, 200])
def test_the_definition(log, n):
    x, w, tau = RNG.normal(size=(5, n)), RNG.normal(size=(10, 5, n)), np.linspace(0.3, 2, 5)
    z = (x + np.stack([fg.gumbel((5, n), noise=FIELD.at(draw=s)) for s in range(10)])) / tau[:, np.newaxis]
    y = np.exp(z - z.max(-1, keepdims=True))
    y /= y.sum(-1, keepdims=True)
    g = w - y * w.sum(-1, keepdims=True) if log else y * (w - (w * y).sum(-1, keepdims=True))
    dx, dtau = fg.gumbel_softmax_vjp((x, tau), w, size=10, log=log, noise=FIELD)[1]
    np.testing.assert_allclose(dx, (g / tau[:, np.newaxis]).sum(0), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(dtau, -(g * z).sum((0, 2)) / tau, rtol=1e-10, atol=1e-11)


def test_the_gradient_of_a_logarithm_is_not_the_tangent():
    """The Jacobian of log y is not symmetric: the tangent along a gradient is not the gradient carried back."""
    x, w = RNG.normal(size=6), RNG.normal(size=6)
    gradient = fg.gumbel_softmax_vjp((x, 0.5), w, log=True, noise=FIELD)[1][0]
    rows = fg.gumbel_softmax_jvp((x, 0.5), (np.eye(6), None), log=True, noise=FIELD)[1]
    np.testing.assert_allclose(rows @ w, gradient, atol=1e-12)
    along = fg.gumbel_softmax_jvp((x, 0.5), (w, None), log=True, noise=FIELD)[1]
    assert abs(along - gradient).max() > 0.1


@pytest.mark.parametrize("log", [False, True])
def test_float32(log):
    x, w = RNG.normal(size=(3, 400)).astype(np.float32), RNG.normal(size=(3, 400)).astype(np.float32)
    y, (dx, dtau) = fg.gumbel_softmax_vjp((x, 0.5), w, log=log, noise=FIELD)
    wide = fg.gumbel_softmax_vjp((x.astype(float), 0.5), w, log=log, noise=FIELD)[1]
    assert y.dtype == dx.dtype == dtau.dtype == np.float32
    np.testing.assert_allclose(dx, wide[0], rtol=2e-4, atol=2e-4)
    np.testing.assert_allclose(dtau, wide[1], rtol=2e-3)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_order_of_sums_and_the_type_of_their_mean(log, dtype):
    """Bit by bit, of rows whose sums are taken one by one in float64."""
    x, w = RNG.normal(size=(3, 50)).astype(dtype), RNG.normal(size=(3, 50)).astype(dtype)
    y, (dx, _) = fg.gumbel_softmax_vjp((x, 1.0), w, log=log, noise=FIELD)
    weighted = w if log else w * y
    mean = np.add.accumulate(weighted.astype(float), -1)[:, -1:].astype(dtype)
    p = y.copy()
    if log:
        decay_rows(p[np.newaxis], np.zeros((1, 3), dtype), np.ones(3, dtype))
    np.testing.assert_array_equal(dx, w - p * mean if log else p * (w - mean))


@pytest.mark.parametrize("shape", [(), (1,), (3, 1), (1, 4), (3, 4), (4,), (3, 4, 1)])
def test_the_gradient_of_tau_has_its_shape(shape):
    x, w = RNG.normal(size=(3, 4, 6)), RNG.normal(size=(3, 4, 6))
    tau = np.full(shape, 0.6)
    dtau = fg.gumbel_softmax_vjp((x, tau), w, noise=FIELD)[1][1]
    each = fg.gumbel_softmax_vjp((x, np.full((3, 4), 0.6)), w, noise=FIELD)[1][1]
    assert np.shape(dtau) == shape
    kept = each.reshape(shape) if shape == (3, 4, 1) else each
    axes = tuple(i for i, k in enumerate((1,) * (kept.ndim - len(shape)) + shape) if k == 1)
    np.testing.assert_allclose(np.ravel(dtau), np.ravel(kept.sum(axes)), rtol=1e-12)


@pytest.mark.parametrize(
    ("batch", "shape"), [((0, 3), (3,)), ((3, 0), (3, 1)), ((0, 3), ()), ((0,), (0,)), ((0, 5, 2), (1, 1, 2))], ids=str
)
def test_a_temperature_that_no_row_has_is_without_effect(batch, shape):
    nothing = np.zeros((*batch, 4))
    _, (dx, dtau) = fg.gumbel_softmax_vjp((nothing, np.ones(shape)), nothing, noise=FIELD)
    assert dx.shape == nothing.shape
    np.testing.assert_array_equal(dtau, np.zeros(shape))


@pytest.mark.parametrize("log", [False, True])
def test_what_is_excluded_is_not_looked_at(log):
    x, w = RNG.normal(size=(2, 5)), RNG.normal(size=(2, 5))
    where = np.array([[True, False, True, True, True], [True, True, True, False, False]])
    spoilt = np.where(where, w, np.nan)
    _, (dx, dtau) = fg.gumbel_softmax_vjp((x, 0.5), spoilt, where=where, log=log, noise=FIELD)
    assert (dx[~where] == 0).all()
    assert np.isfinite(dx).all()
    assert np.isfinite(dtau)
    expected = fg.gumbel_softmax_vjp((x, 0.5), w, where=where, log=log, noise=FIELD)[1]
    np.testing.assert_array_equal(dx, expected[0])
    assert dtau == expected[1]


def test_draws_and_rows_do_not_know_their_neighbours():
    """A row's gradient has the same bits alone, and on every number of threads."""
    x, w = RNG.normal(size=(500, 40)), RNG.normal(size=(20, 500, 40))
    whole = fg.gumbel_softmax_vjp((x, 0.5), w, size=20, noise=FIELD)
    threads = fg.get_num_threads()
    try:
        for count in (1, 3):
            fg.set_num_threads(count)
            again = fg.gumbel_softmax_vjp((x, 0.5), w, size=20, noise=FIELD)
            np.testing.assert_array_equal(again[1][0], whole[1][0])
            assert again[1][1] == whole[1][1]
    finally:
        fg.set_num_threads(threads)
    alone = fg.gumbel_softmax_vjp((x[77], 0.5), w[:, 77], size=20, noise=FIELD.at(rows=77))
    np.testing.assert_array_equal(alone[1][0], whole[1][0][77])


@pytest.mark.parametrize("options", [{}, {"log": True}, {"hard": True}, {"rao": 2}], ids=str)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_invalid_rows(bad, options):
    x, w = RNG.normal(size=(4, 6)), RNG.normal(size=(4, 6))
    spoilt = x.copy()
    spoilt[2, 3] = bad
    with pytest.raises(ValueError, match=r"row 2 has (nan|inf) at category 3"):
        fg.gumbel_softmax_vjp((spoilt, 0.5), w, noise=FIELD, **options)
    y, (dx, dtau) = fg.gumbel_softmax_vjp((spoilt, 0.5), w, noise=FIELD, invalid="mark", **options)
    left = np.arange(4) != 2
    assert np.isnan(y[2]).all()
    assert np.isnan(dx[2]).all()
    expected = fg.gumbel_softmax_vjp((x, np.full(4, 0.5)), w, noise=FIELD, **options)
    np.testing.assert_array_equal(y[left], expected[0][left])
    np.testing.assert_array_equal(dx[left], expected[1][0][left])
    np.testing.assert_allclose(dtau, expected[1][1][left].sum(), rtol=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_cotangents_that_are_not_finite(bad):
    x, w = RNG.normal(size=(4, 6)), RNG.normal(size=(4, 6))
    w[3, 1] = bad
    with pytest.raises(ValueError, match=r"cotangent must be finite.*row 3"):
        fg.gumbel_softmax_vjp((x, 0.5), w, noise=FIELD)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (((np.zeros(3), 0.0), np.zeros(3)), {}, ValueError, "tau must be above 0 for derivatives, not 0$"),
        (((np.zeros((2, 3)), [1, 0]), np.zeros((2, 3))), {}, ValueError, "above 0 for derivatives, but row 1 has 0$"),
        (((np.zeros(3), 0.5), np.zeros(4)), {}, ValueError, r"cotangent must have the shape .*\(3,\), not \(4,\)"),
        (((np.zeros(3), 0.5), np.zeros(3)), {"size": 2}, ValueError, r"cotangent .*\(2, 3\), not \(3,\)"),
        (((np.zeros(3), 0.5), "text"), {}, TypeError, "cotangent must be real numbers"),
        ((np.zeros(3), np.zeros(3)), {}, TypeError, "primals must be a pair"),
        (((np.zeros(3), 0.5), np.zeros(3)), {"rao": 0}, ValueError, "rao must be at least 1"),
        (((np.zeros(3), 0.5), np.zeros(3)), {"rao": 2, "noise": np.zeros(3)}, ValueError, "NoiseField with rao"),
        (((np.zeros(3), 0.5), np.zeros(3)), {"out": np.zeros(3)}, TypeError, "out must be a pair of arrays"),
    ],
)
def test_bad_arguments(arguments, options, error, message):
    with pytest.raises(error, match=message):
        fg.gumbel_softmax_vjp(*arguments, **options)


@pytest.mark.parametrize("options", [{}, {"log": True}, {"hard": True}, {"rao": 2}], ids=str)
def test_gradients_that_overflow(options):
    """Beyond float32 by 1 / tau, or by a sum over draws: told without a warning, and marked alone."""
    x, w = np.zeros((99, 2), np.float32), np.tile(np.array([1.0, -1.0], np.float32), (20, 99, 1))
    w[:, 60] *= np.float32(1e38)
    with np.errstate(all="raise"):
        for tau in (0.5, np.full(99, 0.5)):
            with pytest.raises(ValueError, match=r"cotangent must be finite, and not so large .* row 60 are not"):
                fg.gumbel_softmax_vjp((x, tau), w, size=20, noise=FIELD, **options)
            _, (dx, dtau) = fg.gumbel_softmax_vjp((x, tau), w, size=20, noise=FIELD, invalid="mark", **options)
            assert np.isnan(dx[60]).all()
            w[:, 60] = 0
            _, (wanted, slopes) = fg.gumbel_softmax_vjp((x, tau), w, size=20, noise=FIELD, **options)
            np.testing.assert_array_equal(np.delete(dx, 60, 0), np.delete(wanted, 60, 0))
            np.testing.assert_array_equal(dtau, slopes)
            w[:, 60] = np.array([1e38, -1e38], np.float32)


def test_a_long_row_overflows_by_name():
    x, w = np.zeros(2**18, np.float32), np.full((8, 2**18), 3e33, np.float32)
    w[:, ::2] = -3e33
    with pytest.raises(ValueError, match="those of the row are not"):
        fg.gumbel_softmax_vjp((x, 1e-5), w, size=8, noise=FIELD, log=True)


def test_the_gradient_of_a_shared_temperature_overflows():
    x, w = np.zeros((500, 2), np.float32), np.tile(np.array([1e38, -1e38], np.float32), (500, 1))
    with pytest.raises(ValueError, match="the gradient of tau is beyond float32"):
        fg.gumbel_softmax_vjp((x, 1.0), w, noise=FIELD)
    _, (dx, dtau) = fg.gumbel_softmax_vjp((x, 1.0), w, noise=FIELD, invalid="mark")
    assert np.isfinite(dx).all()
    assert np.isinf(dtau)


def test_a_tiny_temperature_warns_of_nothing():
    with np.errstate(all="raise"):
        _, (dx, _) = fg.gumbel_softmax_vjp((np.zeros((3, 2)), 1e-310), np.ones((3, 2)), noise=FIELD)
        assert dx.shape == (3, 2)


def test_out():
    x, w = RNG.normal(size=(3, 5)), RNG.normal(size=(2, 3, 5))
    y, (dx, dtau) = fg.gumbel_softmax_vjp((x, 0.5), w, size=2, noise=FIELD)
    out = np.empty((2, 3, 5)), np.empty((3, 5))
    again = fg.gumbel_softmax_vjp((x, 0.5), w, size=2, noise=FIELD, out=out)
    assert again[0] is out[0]
    assert again[1][0] is out[1]
    np.testing.assert_array_equal(out[0], y)
    np.testing.assert_array_equal(out[1], dx)
    assert again[1][1] == dtau


def test_given_noise():
    x, w, g = RNG.normal(size=(3, 5)), RNG.normal(size=(3, 5)), fg.gumbel((3, 5), noise=FIELD)
    for one, two in zip(
        fg.gumbel_softmax_vjp((x, 0.5), w, noise=FIELD)[1], fg.gumbel_softmax_vjp((x, 0.5), w, noise=g)[1], strict=True
    ):
        np.testing.assert_array_equal(one, two)
