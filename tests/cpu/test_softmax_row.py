"""Relaxed samples of a few long rows, each shared by all threads: the bits are those of one thread."""

import numpy as np
import pytest

import fastgumbel
from fastgumbel import NoiseField, gumbel_softmax, gumbel_softmax_jvp, gumbel_softmax_vjp
from fastgumbel._host import parts


@pytest.fixture(params=[2, 3])
def threads(request, monkeypatch):
    """Several threads, to whom short rows are long."""
    before = fastgumbel.get_num_threads()
    monkeypatch.setattr(parts, "_LONG", 97)
    monkeypatch.setattr(parts, "_PART", 2**9)
    fastgumbel.set_num_threads(request.param)
    yield
    fastgumbel.set_num_threads(before)


def on_one_thread(*args, function=gumbel_softmax, **options):
    """Return the same of one thread."""
    before = fastgumbel.get_num_threads()
    fastgumbel.set_num_threads(1)
    try:
        return function(*args, **options)
    finally:
        fastgumbel.set_num_threads(before)


def flat(results):
    """Return all arrays of nested tuples."""
    return [array for part in results for array in flat(part)] if isinstance(results, tuple) else [results]


def assert_same(function, *args, **options):
    """The bits of all results are those of one thread."""
    one, many = on_one_thread(*args, function=function, **options), function(*args, **options)
    for a, b in zip(flat(one), flat(many), strict=True):
        assert a.shape == b.shape
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_bits_of_one_thread(threads, dtype):
    rng = np.random.default_rng(1)
    for n in (97, 128, 511, 512, 513, 1000, 4096, 5000, 30_001):
        x = rng.normal(size=(2, n)).astype(dtype)
        x[:, n // 3] = -np.inf
        tau, where = np.array([0.3, 2.0]), rng.random(x.shape) < 0.7
        field = NoiseField(n).at(rows=[5, 2**40], draw=np.array([0, 3]))
        for options in ({}, {"log": True}, {"where": where}, {"size": 3}, {"axis": 0}):
            for noise in (field, NoiseField(n).at(start=77)):
                y = x.T if "axis" in options else x
                one, many = (f(y, tau, noise=noise, **options) for f in (on_one_thread, gumbel_softmax))
                assert one.tobytes() == many.tobytes()


def test_rows_without_a_sample(threads):
    x = np.zeros((4, 3000))
    x[0, 2999], x[1, 0], x[3] = np.nan, np.inf, -np.inf
    y = gumbel_softmax(x, rng=1, invalid="mark")
    np.testing.assert_array_equal(y, on_one_thread(x, rng=1, invalid="mark"))
    assert np.isnan(y[[0, 1, 3]]).all()
    with pytest.raises(ValueError, match=r"row 0.*category 2999"):
        gumbel_softmax(x, rng=1)
    assert gumbel_softmax(x, rng=1, size=0).shape == (0, 4, 3000)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tangents_have_the_bits_of_one_thread(threads, dtype):
    rng = np.random.default_rng(2)
    for n in (97, 512, 1000, 5000):
        x, dx = rng.normal(size=(2, n)).astype(dtype), rng.normal(size=(2, 2, n)).astype(dtype)
        x[:, n // 3] = -np.inf
        tau, where = np.array([0.3, 2.0]), rng.random(x.shape) < 0.7
        slopes = np.array([[1.0, 0.0], [-0.5, 2.0]])
        for tangents in ((dx, slopes), (dx, None), (None, slopes), (dx[0], 1.0), (None, None), (dx[:0], None)):
            for options in ({}, {"log": True}, {"hard": True}, {"where": where, "size": 2, "log": True, "hard": True}):
                noise = NoiseField(n).at(rows=[5, 2**40], start=77)
                assert_same(gumbel_softmax_jvp, (x, tau), tangents, noise=noise, **options)
        out = np.empty_like(x), np.empty_like(x)
        dx.flags.writeable = False
        assert_same(gumbel_softmax_jvp, (x, tau), (dx[1], None), rng=1, out=out)


def test_tangents_without_a_sample(threads):
    x, dx = np.zeros((4, 3000), np.float32), np.ones((4, 3000), np.float32)
    x[0, 2999], x[1, 5], dx[1, 5], dx[2, 7] = np.nan, -np.inf, np.nan, np.inf
    for tangents in ((dx, 1.0), (dx, None)):
        assert_same(gumbel_softmax_jvp, (x, 1.0), tangents, rng=1, invalid="mark")
        y, dy = gumbel_softmax_jvp((x, 1.0), tangents, rng=1, invalid="mark")
        assert (np.isnan(y).all(1) == [True, False, False, False]).all()
        assert (np.isnan(dy).all(1) == [True, False, True, False]).all()
        with pytest.raises(ValueError, match="those of row 2 are not"):
            gumbel_softmax_jvp((x, 1.0), tangents, rng=1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradients_have_the_bits_of_one_thread(threads, dtype):
    rng = np.random.default_rng(3)
    for n in (97, 512, 1000, 5000):
        x, tau = rng.normal(size=(2, n)).astype(dtype), np.array([0.3, 2.0])
        x[:, n // 3] = -np.inf
        noise = NoiseField(n).at(rows=[5, 2**40], start=77)
        for options in ({}, {"log": True}, {"hard": True}, {"size": 2, "log": True}, {"rao": 2, "hard": True}):
            w = rng.normal(size=(options.get("size", 1), 2, n)).astype(dtype)
            w.flags.writeable = False
            assert_same(gumbel_softmax_vjp, (x, tau), w if "size" in options else w[0], noise=noise, **options)


def test_gradients_without_a_sample(threads):
    x, w = np.zeros((4, 3000), np.float32), np.ones((4, 3000), np.float32)
    x[0, 2999], x[1, 5], w[1, 5], w[2, 7], w[3] = np.nan, -np.inf, np.nan, np.inf, 3e38
    for log in (False, True):
        assert_same(gumbel_softmax_vjp, (x, 1.0), w, rng=1, invalid="mark", log=log)
