"""``gumbel_softmax_vjp`` of device arrays gives the CPU's bits, through the PTX that would be loaded."""

import re

import numpy as np
import pytest

import fastgumbel
from fastgumbel._cuda import relax as device_relax
from fastgumbel._cuda import softmax_vjp as device_vjp
from tests.cuda.arrays import ForeignArray, aligned, host, on_device
from tests.cuda.planted import nth_replaced, plant, plant_source
from tests.cuda.sides import differing, messages, same
from tests.cuda.test_relax import potentials
from tests.cuda.test_streams import orders
from tests.ptx import PTXError

FIELD = fastgumbel.NoiseField(5).at(draw=3, start=61)
LENGTHS = (1, 7, 63, 64, 65, 96, 97, 130, 300)
OPTIONS = [{}, {"log": True}, {"hard": True}, {"hard": True, "log": True}, {"rao": 3}, {"rao": 2, "log": True}]


def gumbel_softmax_vjp(primals, cotangent, **options):
    """Return the three results one after another."""
    y, (d_x, d_tau) = fastgumbel.gumbel_softmax_vjp(primals, cotangent, **options)
    return y, d_x, d_tau


def weights(*shape, dtype=np.float32):
    """Return random cotangents."""
    return np.random.default_rng(8).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", LENGTHS)
def test_awkward_lengths(device, n, dtype, options):
    x, w = potentials(4, n, dtype), weights(2, 4, n, dtype=dtype)
    same(gumbel_softmax_vjp, (x, 0.7), w, size=2, noise=FIELD, **options)
    same(gumbel_softmax_vjp, (x, np.array([0.5, 0.01, 2, 30])), w[0], noise=FIELD, **options)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("n", [8192, 8300])
def test_more_columns_than_are_summed_at_once(device, n, log):
    device.seed = 2
    same(gumbel_softmax_vjp, (potentials(2, n)[:1], 0.7), weights(1, n), log=log, noise=FIELD)


@pytest.mark.parametrize("n", [5, 130])
@pytest.mark.parametrize("shape", [(), (1,), (3, 1), (1, 4), (3, 4), (4,), (3, 4, 1), (1, 1)], ids=str)
def test_temperatures(device, shape, n):
    """The gradient of a temperature is summed over the rows that share it, on the device."""
    x, w = potentials(12, n).reshape(3, 4, n), weights(3, 4, n)
    tau = np.random.default_rng(1).uniform(0.5, 2, size=shape)
    for options in ({}, {"rao": 2}):
        d_tau = same(gumbel_softmax_vjp, (x, tau), w, noise=FIELD, **options)[2]
        assert np.shape(d_tau) == shape


def test_many_rows_share_a_temperature(device):
    x, w = potentials(2 * 5 * 41, 3).reshape(2, 5, 41, 3), weights(2, 5, 41, 3)
    for shape in ((), (41,), (1, 5, 1), (2, 1, 1, 1), (2, 1, 41)):
        same(gumbel_softmax_vjp, (x, np.full(shape, 0.5)), w, noise=FIELD)


def test_a_single_row_gives_an_array_of_no_axes(device):
    x, w = potentials(3, 6), weights(6)
    d_tau = gumbel_softmax_vjp((on_device(x[0]), 0.5), w, noise=FIELD)[2]
    assert d_tau.shape == ()
    assert d_tau.copy_to_host() == host(d_tau) == gumbel_softmax_vjp((x[0], 0.5), w, noise=FIELD)[2]


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_axes_and_sizes(device, axis, options):
    x, w = np.moveaxis(potentials(6, 70).reshape(2, 3, 70), -1, axis).copy(), weights(2, 2, 2, 3, 70)
    w = np.moveaxis(w, -1, axis - 3).copy()
    tau = np.expand_dims(np.linspace(0.5, 2, 6).reshape(2, 3), axis)
    for each in (0.5, tau):
        same(gumbel_softmax_vjp, (x, each), w, axis=axis, size=(2, 2), noise=FIELD, **options)


@pytest.mark.parametrize("n", [9, 130])
def test_cotangents_of_other_types_layouts_and_sides(device, n):
    x = np.moveaxis(potentials(4, n), -1, 0).copy()
    for w in (weights(2, n, 4, dtype=np.float64), np.arange(2 * n * 4).reshape(2, n, 4), weights(2, n, 1)):
        same(gumbel_softmax_vjp, (x, 0.5), np.broadcast_to(w, (2, n, 4)), axis=0, size=2, noise=FIELD)
    w = weights(4, n)
    expected = gumbel_softmax_vjp((x, 0.5), w.T, axis=0, noise=FIELD)
    for given in (on_device(w.T), ForeignArray(w.T), w.T, w.T.tolist()):
        for tau in (0.5, np.array([0.5]), on_device(np.array([0.5]))):
            got = gumbel_softmax_vjp((on_device(x), tau), given, axis=0, noise=FIELD)
            wanted = (*expected[:2], np.reshape(expected[2], () if tau == 0.5 else (1,)))
            assert not any(len(differing(*pair)) for pair in zip(got, wanted, strict=True))


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("n", [9, 130])
def test_what_is_excluded_is_not_looked_at(device, n, log):
    x, where = potentials(4, n), np.random.default_rng(2).random((4, n)) < 0.8
    where[:, 0] = True
    w = np.where(where & (x > -np.inf), weights(4, n), np.nan)
    for options in ({}, {"hard": True}, {"rao": 2}):
        d_x = same(gumbel_softmax_vjp, (x, 0.5), w, where=where, log=log, noise=FIELD, **options)[1]
        assert (d_x[~where] == 0).all()


@pytest.mark.parametrize("n", [5, 130])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_ids(device, n, options):
    rng = np.random.default_rng(3)
    x, w, tau = potentials(6, n).reshape(3, 2, n), weights(2, 3, 2, n), np.array([0.5, 2])
    rows = np.array([[2**64 - 1, 2**32], [2**32 - 1, 0], [5, 2**63]], np.uint64)
    same(gumbel_softmax_vjp, (x, tau), w, size=2, noise=FIELD.at(rows=rows), **options)
    categories = rng.permuted(np.tile(np.arange(n) * 1000, (3, 2, 1)), axis=-1)
    categories[..., 1] = -1
    field = fastgumbel.NoiseField(5).at(draw=3, categories=categories)
    same(gumbel_softmax_vjp, (x, tau), w, size=2, noise=field, **options)


@pytest.mark.parametrize("n", [5, 130])
@pytest.mark.parametrize("size", [(), 2, (2, 1, 2)])
def test_noise_of_the_caller(device, n, size):
    x, lead = potentials(6, n).reshape(2, 3, n), tuple(np.atleast_1d(np.array(size, int)))
    noise, w = np.random.default_rng(4).gumbel(size=(*lead, *x.shape)).astype(np.float32), weights(*lead, *x.shape)
    for options in ({}, {"log": True}, {"hard": True}):
        same(gumbel_softmax_vjp, (x, 0.5), w, size=size, noise=noise, **options)


@pytest.mark.parametrize("n", [5, 130])
@pytest.mark.parametrize("log", [False, True])
def test_gumbel_rao_in_parts(device, monkeypatch, n, log):
    """Parts of the draws, or of the samples of one, have the sums of all at once."""
    x, w, tau = potentials(4, n), weights(3, 4, n), np.array([0.5, 1, 2, 3])
    whole = same(gumbel_softmax_vjp, (x, tau), w, rao=5, size=3, log=log, noise=FIELD)
    for at_once in (3, 10):
        monkeypatch.setattr(device_vjp, "_RAO", 2 * 4 * n * at_once)
        device.clear()
        parts = same(gumbel_softmax_vjp, (x, tau), w, rao=5, size=3, log=log, noise=FIELD)
        assert len([launch for launch in device.launches if launch[0] == "add_gradients"]) == {3: 6, 10: 2}[at_once]
        assert all(np.array_equal(*pair) for pair in zip(parts, whole, strict=True))


@pytest.mark.parametrize("log", [False, True])
def test_rows_longer_than_a_tile(device, monkeypatch, log):
    monkeypatch.setattr(device_relax, "_TILE", 1024)
    device.seed = 4
    same(gumbel_softmax_vjp, (potentials(2, 700), 0.5), weights(2, 2, 700), log=log, size=2, noise=FIELD)


@pytest.mark.parametrize("n", [9, 130])
@pytest.mark.parametrize("tau", [1e-30, 1e30])
def test_extremes(device, n, tau):
    """Products, sums and gradients beyond their type; where these are infinite the host marks the row."""
    x, taus = potentials(4, n), np.array([tau, 1, tau, 1])
    for scale in (1e38, 1e-38):
        for log in (False, True):
            w = (scale * weights(4, n) / n).astype(np.float32)
            options = {"log": log, "noise": FIELD, "invalid": "mark"}
            expected = gumbel_softmax_vjp((x, taus), w, **options)
            results = [host(part) for part in gumbel_softmax_vjp((on_device(x), taus), w, **options)]
            marked = np.isnan(expected[1]).all(-1)
            assert not np.isfinite(results[1][marked]).all(-1).any()
            for got, wanted in zip(results, expected, strict=True):
                assert got[~marked].tobytes() == wanted[~marked].tobytes()
            assert marked.any() == (log and tau < 1 < scale)


@pytest.mark.parametrize("n", [5, 130])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_marked_rows(device, n, options):
    """They add nothing to the gradient of a temperature that they share, and nothing is waited for."""
    x, w = potentials(6, n), weights(2, 6, n)
    x[0, 1], x[1, 2], x[2] = np.nan, np.inf, -np.inf
    for tau in (0.5, [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]):
        d_tau = same(gumbel_softmax_vjp, (x, tau), w, size=2, invalid="mark", noise=FIELD, **options)[2]
        assert np.isfinite(d_tau).all()
    assert device.reads == 0


@pytest.mark.parametrize("n", [5, 130])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_cotangents_that_are_not_finite_spoil_marked_rows(device, monkeypatch, n, options):
    """As nothing is waited for, they cannot be refused: the gradients of what they reach are NaN, and no others."""
    x, w, tau = potentials(4, n), weights(3, 4, n), np.array([0.5, 1, 2, 3])
    x[2, 0] = np.nan
    expected = gumbel_softmax_vjp((x, tau), w, size=3, invalid="mark", noise=FIELD, **options)
    w[1, 1, 0] = np.inf
    monkeypatch.setattr(device_vjp, "_RAO", 2 * 4 * n)
    got = gumbel_softmax_vjp((on_device(x), tau), w, size=3, invalid="mark", noise=FIELD, **options)
    for part in expected[1:]:
        part[1] = np.nan
    assert not any(len(differing(*pair)) for pair in zip(got, expected, strict=True))
    assert device.reads == 0


@pytest.mark.parametrize("n", [5, 130])
def test_faults_are_named(device, n):
    x, w, bad, noise = potentials(4, n), weights(2, 4, n), potentials(4, n), np.zeros((2, 4, n), np.float32)
    bad[1, 3] = np.inf
    every = [*OPTIONS, {"noise": noise}, {"noise": noise, "hard": True}]

    def said(x, w, options):
        cpu, gpu = messages(gumbel_softmax_vjp, (x, 0.5), w, size=2, **{"noise": FIELD, **options})
        assert cpu == gpu
        return gpu

    for options in every:
        assert "row 1 has inf at category 3" in said(bad, w, options)
    for value in (np.nan, np.inf):
        wrong = w.copy()
        wrong[1, 2, 0] = value
        for options in every:
            for rows in (x, bad):
                assert re.match("cotangent must be finite.* row 2", said(rows, wrong, options))
            for invalid_before in (False, True):
                spoilt = bad.copy()
                spoilt[2, 0] = np.nan if invalid_before else spoilt[2, 0]
                assert said(spoilt, wrong, options).startswith("log_pot" if invalid_before else "cotangent")
    noise[1, 3, 2] = np.nan
    for options in every[-2:]:
        assert "row (1, 3) has nan at category 2" in said(bad, wrong, options)
    cpu, gpu = messages(gumbel_softmax_vjp, (x, 0.5), w, noise=FIELD)
    assert cpu == gpu
    cpu, gpu = messages(gumbel_softmax_vjp, (x, np.array([1.0, 0, 1, 1])), w[0], noise=FIELD)
    assert cpu == gpu


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("batch", [(), (0,), (2,), (0, 3), (2, 0)])
@pytest.mark.parametrize("n", [0, 5])
def test_nothing(device, batch, n, options):
    x, size = np.zeros((*batch, n), np.float32), 0 if 0 not in (*batch, n) else 2
    for tau in (0.5, np.ones(batch[-1:]), np.ones((*batch[:1], 1)[: len(batch)])):
        how = {"size": size, "noise": FIELD, "invalid": "mark", **options}
        same(gumbel_softmax_vjp, (x, tau), np.zeros((size, *x.shape)), **how)
    cpu, gpu = messages(gumbel_softmax_vjp, (x[..., :0], 0.5), np.zeros((*batch, 0)), noise=FIELD) or ("", "")
    assert cpu == gpu


@pytest.mark.parametrize("axis", [-1, 0])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_memory_of_the_caller(device, axis, options):
    x, w = (np.moveaxis(a, -1, axis).copy() for a in (potentials(4, 130), weights(4, 130)))
    out = tuple(ForeignArray(aligned(x.shape, np.float32), stream=0x77) for _ in range(2))
    how = {"axis": axis, "noise": FIELD, **options}
    *results, d_tau = gumbel_softmax_vjp((on_device(x), 0.5), on_device(w), out=out, **how)
    assert all(a is b for a, b in zip(results, out, strict=True))
    expected = gumbel_softmax_vjp((x, 0.5), w, **how)
    assert not any(len(differing(*pair)) for pair in zip((*out, d_tau), expected, strict=True))
    assert {launch[3] for launch in device.launches} == {0x77}


def test_all_streams_are_followed(device):
    x, w, out = (
        potentials(4, 5),
        weights(4, 5),
        [ForeignArray(aligned((4, 5), np.float32), stream) for stream in (7, 8)],
    )
    results = gumbel_softmax_vjp((on_device(x, 7), 0.5), on_device(w, 9), noise=FIELD, out=out)
    found = [order for order in orders(device) if order != "launch"]
    assert found == [(7, 9), (7, 8), (9, 7), (8, 7)]
    assert results[2].__cuda_array_interface__["stream"] == 7


def test_memory_that_is_refused(device):
    x, w = (on_device(values) for values in (potentials(4, 130), weights(4, 130)))
    out = [on_device(weights(4, 130)) for _ in range(2)]
    for wrong, message in (
        ((out[0], out[0]), "two arrays that do not overlap"),
        ((w, out[0]), "must not overlap"),
        ((out[0], w), "must not overlap"),
        ((out[0], x), "must not overlap"),
    ):
        with pytest.raises(ValueError, match=message):
            gumbel_softmax_vjp((x, 0.5), w, noise=FIELD, out=wrong)
    with pytest.raises(TypeError, match=r"out\[1\] must be a device array"):
        gumbel_softmax_vjp((x, 0.5), w, noise=FIELD, out=(out[0], np.zeros((4, 130), np.float32)))
    with pytest.raises(TypeError, match="cotangent must not be a device array"):
        gumbel_softmax_vjp((host(x), 0.5), w, noise=FIELD)


# Faults are planted: each must be caught by the interpreter, or by a comparison with the CPU.


def fails(call):
    """Tell whether a fault was caught, by the interpreter or by a comparison."""
    try:
        call()
    except (PTXError, AssertionError):
        return True
    return False


@pytest.mark.parametrize("which", range(3))
def test_a_missing_barrier_is_caught(device, monkeypatch, which):
    """Of a sum: after its terms, before the next ones, and after the sum itself."""
    barrier = re.compile(r"bar\.sync\s+0;")

    def alter(kernel, ptx):
        if kernel != "pull_long":
            return ptx
        assert len(barrier.findall(ptx)) % 3 == 0
        return nth_replaced(barrier.sub("bar.sync 0;", ptx), "bar.sync 0;", "", which)

    plant(monkeypatch, alter)
    device.seed = 1
    assert fails(lambda: same(gumbel_softmax_vjp, (potentials(2, 8300), 0.5), weights(2, 8300), noise=FIELD))


@pytest.mark.parametrize(
    ("old", "new", "log"),
    [
        ("return w if log else times(w, t)", "return w if log else w * t", False),
        ("w - times(decay(t), mean)", "w - decay(t) * mean", True),
        ("            if t > bound:\n", "            if True:\n", True),
        ("s = group_sum(s + ", "s = s + group_sum(", False),
        ("if repeat == cotangents.repeats", "if repeat > cotangents.repeats", False),
    ],
    ids=["contracted", "contracted, logarithm", "excluded", "order", "cotangents"],
)
def test_planted_faults_are_caught(device, monkeypatch, old, new, log):
    x, w = potentials(4, 70, np.float64), weights(2, 4, 70, dtype=np.float64)
    w[0, 3, 1] = np.nan  # excluded
    same(gumbel_softmax_vjp, (x, 0.5), w, size=2, log=log, noise=FIELD)
    plant_source(monkeypatch, "softmax_vjp", old, new)
    assert fails(lambda: same(gumbel_softmax_vjp, (x, 0.5), w, size=2, log=log, noise=FIELD))


def test_zero_keeps_its_sign(device, monkeypatch):
    """A product that underflows has one, and the sum of a single row begins with it."""

    def zeros():
        x, w = np.arange(3.0), 1e-30 * weights(3, dtype=np.float64)
        return [same(gumbel_softmax_vjp, (x, 1e300), sign * w, noise=FIELD)[2] for sign in (1, -1)]

    found = zeros()
    assert all(d_tau == 0 for d_tau in found)
    assert any(np.signbit(found))
    plant_source(monkeypatch, "softmax_vjp", "np.float64(-0.0) if length", "np.float64(0) if length")
    assert fails(zeros)
