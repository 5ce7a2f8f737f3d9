"""``gumbel_softmax_jvp`` of device arrays gives the CPU's bits, through the PTX that would be loaded."""

import numpy as np
import pytest

import fastgumbel
from fastgumbel import gumbel_softmax_jvp
from fastgumbel._cuda import relax as device_relax
from tests.cuda.arrays import ForeignArray, aligned, host, on_device
from tests.cuda.planted import plant_source
from tests.cuda.sides import differing, messages, same
from tests.cuda.test_relax import potentials

FIELD = fastgumbel.NoiseField(5).at(draw=3, start=61)


def slopes(*shape, dtype=np.float32):
    """Return random tangents."""
    return np.random.default_rng(8).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 65, 96, 97, 128, 1000])
def test_awkward_lengths(device, n, dtype, log):
    x = potentials(4, n, dtype)
    same(gumbel_softmax_jvp, (x, 0.7), (slopes(4, n, dtype=dtype), 1.0), log=log, noise=FIELD)
    same(gumbel_softmax_jvp, (x, 0.01), (slopes(1, 4, n, dtype=dtype), None), log=log, noise=FIELD)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("n", [9, 130])
def test_directions(device, n, log):
    x = potentials(6, n).reshape(2, 3, n)
    moves = np.array([[1.0, 0, 2]])
    for d_x, d_tau in (
        (slopes(3, 2, 3, n), slopes(3, 2, 3)),
        (slopes(2, 3, n), slopes(3, 2, 3)),
        (slopes(3, 2, 3, n), moves),
        (None, moves),
        (None, None),
    ):
        same(gumbel_softmax_jvp, (x, 0.5), (d_x, d_tau), log=log, size=2, noise=FIELD)


@pytest.mark.parametrize("log", [False, True])
def test_rows_longer_than_a_tile(device, monkeypatch, log):
    monkeypatch.setattr(device_relax, "_TILE", 1024)
    device.seed = 4
    x = potentials(2, 700)
    same(gumbel_softmax_jvp, (x, 0.5), (slopes(3, 2, 700), slopes(3, 2)), log=log, noise=FIELD)


@pytest.mark.parametrize("n", [9, 130])
def test_slopes_beyond_the_type(device, n):
    """Zero where the sample underflows, on both sides."""
    x = np.array([[5e11], [-5e11], [1e10]], np.float32) * np.arange(1, n + 1, dtype=np.float32)
    d_x = np.where(x == x.max(1, keepdims=True), 0, 1e15 * slopes(3, n))
    for d_tau in (None, 1e30):
        _, dy = same(gumbel_softmax_jvp, (x, 1e-25), (d_x, d_tau), noise=FIELD)
        assert (dy == 0).all()


@pytest.mark.parametrize("n", [9, 130])
def test_tangents_of_other_types_and_layouts(device, n):
    x = np.moveaxis(potentials(4, n), -1, 0).copy()
    for d_x in (slopes(2, n, 4, dtype=np.float64), np.arange(n * 4).reshape(n, 4)):
        same(gumbel_softmax_jvp, (x, 0.5), (d_x, None), axis=0, noise=FIELD)
    d_x = slopes(4, n)
    expected = gumbel_softmax_jvp((x, 0.5), (d_x.T, None), axis=0, noise=FIELD)
    for given in (on_device(d_x.T), ForeignArray(d_x.T), d_x.T):
        got = gumbel_softmax_jvp((on_device(x), 0.5), (given, None), axis=0, noise=FIELD)
        assert not any(len(differing(*pair)) for pair in zip(got, expected, strict=True))


@pytest.mark.parametrize("n", [5, 130])
def test_straight_through_and_rao(device, monkeypatch, n):
    x = potentials(4, n)
    x[0, 0], x[0, 1] = 7e13, 7e13
    tangents = slopes(2, 4, n), slopes(2, 4)
    same(gumbel_softmax_jvp, (x, 0.5), tangents, hard=True, size=2, noise=FIELD)
    whole = same(gumbel_softmax_jvp, (x, 0.5), tangents, rao=5, size=3, noise=FIELD)
    monkeypatch.setattr(device_relax, "_RAO", 4 * n * 3 * 2)
    parts = same(gumbel_softmax_jvp, (x, 0.5), tangents, rao=5, size=3, noise=FIELD)
    np.testing.assert_array_equal(parts[1], whole[1])


@pytest.mark.parametrize("n", [5, 130])
def test_noise_of_the_caller(device, n):
    noise = np.random.default_rng(4).gumbel(size=(2, 4, n)).astype(np.float32)
    same(gumbel_softmax_jvp, (potentials(4, n), 0.5), (slopes(4, n), 1.0), size=2, noise=noise)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [9, 96, 97, 300])
def test_what_is_excluded_has_no_tangent(device, n, dtype, log):
    """By -inf, by the mask, or by noise: nobody looks at what stands there."""
    x, d_x = potentials(4, n, dtype), slopes(2, 4, n, dtype=dtype)
    where, noise = np.arange(n) != 4, np.random.default_rng(4).gumbel(size=(4, n))
    x[:, 2:4], noise[1, 5] = -np.inf, -np.inf
    x[:, 6] = 0
    left = np.broadcast_to(where, x.shape) & (x > -np.inf)
    for given, kept in ((FIELD, left), (noise, left & (noise > -np.inf))):
        d_x[0][~kept], d_x[1][~kept] = np.nan, np.inf
        here = on_device(given) if given is noise else given
        got = gumbel_softmax_jvp((on_device(x), 0.7), (on_device(d_x), 1.0), where=where, log=log, noise=here)
        finite = np.where(given > -np.inf, given, 0) if given is noise else given
        primals, tangents = (np.where(kept, x, -np.inf).astype(dtype), 0.7), (np.where(kept, d_x, 0), 1.0)
        expected = gumbel_softmax_jvp(primals, tangents, log=log, noise=finite)
        for ours, wanted in zip(got, expected, strict=True):
            np.testing.assert_array_equal(host(ours), wanted)
    d_x = np.where(np.isfinite(d_x), d_x, 0)
    d_x[1, 2, 6] = np.nan
    with pytest.raises(ValueError, match="row 2"):
        gumbel_softmax_jvp((on_device(x), 0.7), (on_device(d_x), None), where=where, log=log, noise=FIELD)
    # Where a sample underflows, nothing is excluded.
    x[2, 6] = -1e30
    with pytest.raises(ValueError, match="row 2"):
        gumbel_softmax_jvp((on_device(x), 0.7), (on_device(d_x), None), where=where, log=log, noise=FIELD)


@pytest.mark.parametrize(
    ("module", "old", "new", "n"),
    [
        (
            "softmax_short",
            "        if v >= -most:\n            mean +=",
            "        if True:\n            mean +=",
            9,
        ),
        ("softmax_long", " if tile[i] >= -most else p", "", 97),
        ("softmax_short", "return top\n", "return line.x.dtype.type(0)\n", 9),
    ],
    ids=["short rows", "long rows", "the wrong largest"],
)
def test_wrong_tangents_are_caught(device, monkeypatch, module, old, new, n):
    plant_source(monkeypatch, module, old, new)
    with pytest.raises((AssertionError, ValueError)):
        test_what_is_excluded_has_no_tangent(device, n, np.float32, False)


@pytest.mark.parametrize("n", [5, 130])
def test_marked_rows(device, n):
    x = potentials(5, n)
    x[0, 1], x[1] = np.nan, -np.inf
    for options in ({}, {"log": True}, {"rao": 2}):
        same(gumbel_softmax_jvp, (x, 0.5), (slopes(5, n), 1.0), invalid="mark", noise=FIELD, **options)
    assert device.reads == 0


@pytest.mark.parametrize("n", [5, 130])
def test_faults_are_named(device, n):
    x, d_x = potentials(4, n), slopes(4, n)
    bad = x.copy()
    bad[2, 3] = np.inf
    for options in ({}, {"rao": 2}, {"noise": np.zeros_like(x)}):
        cpu, gpu = messages(gumbel_softmax_jvp, (bad, 0.5), (d_x, None), **{"noise": FIELD, **options})
        assert cpu == gpu
        assert "row 2 has inf at category 3" in gpu
    for value in (np.nan, np.inf):
        d_x[1, 0] = value
        for options in ({}, {"hard": True}, {"rao": 2}):
            cpu, gpu = messages(gumbel_softmax_jvp, (x, 0.5), (d_x, None), noise=FIELD, **options)
            assert cpu == gpu
            assert "those of row 1 are not" in gpu
    for tangents in ((slopes(3, 4, n), slopes(2, 4)), (slopes(4, n + 1), None), (None, np.array(np.inf))):
        cpu, gpu = messages(gumbel_softmax_jvp, (x, 0.5), tangents, noise=FIELD)
        assert cpu == gpu
    cpu, gpu = messages(gumbel_softmax_jvp, (x, np.array([1.0, 0, 1, 1])), (None, 1.0), noise=FIELD)
    assert cpu == gpu


def test_memory_of_the_caller(device):
    x, d_x = potentials(4, 130), slopes(2, 4, 130)
    out = tuple(ForeignArray(aligned(shape, np.float32)) for shape in (x.shape, d_x.shape))
    results = gumbel_softmax_jvp((on_device(x), 0.5), (on_device(d_x), None), noise=FIELD, out=out)
    assert all(a is b for a, b in zip(results, out, strict=True))
    expected = gumbel_softmax_jvp((x, 0.5), (d_x, None), noise=FIELD)
    assert not any(len(differing(*pair)) for pair in zip(out, expected, strict=True))
    with pytest.raises(ValueError, match="two arrays that do not overlap"):
        gumbel_softmax_jvp((on_device(x), 0.5), (on_device(d_x[0]), None), noise=FIELD, out=(out[0], out[0]))
