"""``gumbel_top_k`` of device arrays gives the CPU's bits, through the PTX that would be loaded."""

import numpy as np
import pytest

import fastgumbel
from fastgumbel import NoiseField, gumbel_top_k
from fastgumbel._cuda import top as device_top
from tests.cuda.arrays import ForeignArray, aligned, host, on_device
from tests.cuda.planted import nth_replaced, plant, plant_source
from tests.cuda.sides import messages, same
from tests.ptx import PTXError

FIELD = NoiseField(7).at(draw=3, start=61)


def potentials(shape, dtype=np.float32, scale=1.0):
    """Return normal log-potentials, a tenth of them -inf, but never the last of a row."""
    rng = np.random.default_rng(3)
    x = rng.normal(scale=scale, size=shape).astype(dtype)
    x[..., :-1][rng.random(x[..., :-1].shape) < 0.1] = -np.inf
    return x


def every_way(x, k, noise=FIELD, **options):
    """Compare lists, and their thresholds, with the CPU's."""
    return same(gumbel_top_k, x, k, noise=noise, return_threshold=True, invalid="mark", **options)


def kernels(device):
    """Return the names of what was launched, in order, without repetitions."""
    return list(dict.fromkeys(launch[0] for launch in device.launches))


@pytest.mark.parametrize(
    ("n", "ks", "names"),
    [
        (1, (1,), ["fill_field", "rank"]),
        (127, (2, 127), ["fill_field", "rank"]),
        (130, (2, 130), ["fill_field", "select"]),
        (1000, (300,), ["fill_field", "select"]),
        (600, (520, 600), ["fill_field", "sort_step", "take"]),
        (4000, (1, 30), ["top_long", "take"]),
        (13_000, (5, 200), ["top_long", "rank", "select"]),
    ],
)
def test_every_way_to_rank(device, n, ks, names):
    device.attributes = type(device.attributes)(4, 2**15)
    x = potentials((2, n))
    for seed, k in enumerate(ks):
        device.seed = seed
        every_way(x, k)
    assert kernels(device) == names
    first = host(gumbel_top_k(on_device(x), ks[0], noise=FIELD, invalid="mark")[0])
    np.testing.assert_array_equal(first[:, 0], fastgumbel.gumbel_max(x, noise=FIELD))


@pytest.mark.parametrize("k", [9, 20])
def test_ties_and_far_potentials(device, k):
    """Equal ones, ones that swallow the noise, and perturbed values within a hair of each other; pruned and not."""
    rng = np.random.default_rng(5)
    n = 1000
    noise = fastgumbel.gumbel((4, n), noise=FIELD)
    x = np.empty((4, n))
    x[0], x[1] = 1e6, rng.choice([-7e13, 7e13], size=n)
    x[2], x[3] = 1e-13 * rng.normal(size=n) - noise[2], 30 * rng.normal(size=n)
    every_way(x, k)


def test_axes_masks_draws_and_rows(device):
    n = 20
    x = potentials((2, n, 3))
    where = np.random.default_rng(8).random((n, 3)) < 0.7
    noise = FIELD.at(rows=[[5], [2**40]])
    for axis, array in ((1, x), (0, np.moveaxis(x, 1, 0))):
        mask = np.moveaxis(np.broadcast_to(where, x.shape), 1, axis)
        every_way(array, 4, noise, axis=axis, where=np.ascontiguousarray(mask), size=(2, 1))


def test_pruned_segments_of_draws(device, monkeypatch):
    """Few segments and many, one draw a thread block and several, one launch and many."""
    x = potentials((2, 5000))
    device.seed = 1
    every_way(x, 6, size=4)
    device.attributes = type(device.attributes)(132, 2**15)
    every_way(x, 6, size=2)
    monkeypatch.setattr(device_top, "_SCRATCH", 1)
    every_way(x, 6, size=2)
    every_way(x[:, :150], 6, size=2)


BAD = [np.nan, np.inf, "none left", "too few"]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize(("n", "k"), [(9, 3), (300, 5), (1000, 4), (600, 550)])
def test_invalid_rows(device, bad, n, k):
    x = potentials((4, n))
    x[...] = np.where(x > -np.inf, x, 0)
    for row in (2, 3):
        if isinstance(bad, str):
            x[row] = -np.inf
            x[row, : 2 * (bad == "too few")] = 1
        else:
            x[row, n - 2] = bad
    every_way(x, k, size=2)
    assert not device.reads
    cpu, gpu = messages(gumbel_top_k, x, k, noise=FIELD)
    assert cpu == gpu
    assert "row 2 has" in gpu


@pytest.mark.parametrize(("n", "k"), [(1, 1), (40, 3), (40, 40), (200, 7), (600, 560)])
def test_given_noise(device, n, k):
    noise = np.random.default_rng(n).integers(5, size=(2, 3, n)).astype(np.float64)
    every_way(potentials((3, n)), k, noise, size=2)
    x = np.zeros((3, n), np.float32)
    noise[1, 2, n // 2] = np.inf
    x[0, 0] = np.nan
    cpu, gpu = messages(gumbel_top_k, x, k, noise=noise, size=2)
    assert cpu == gpu
    assert "noise must be finite, or -inf in empty places, but row (1, 2) has inf" in gpu
    marked = gumbel_top_k(on_device(x), k, noise=on_device(noise), size=2, invalid="mark")
    np.testing.assert_array_equal(np.isnan(host(marked[1])).all(-1), [[True, False, False], [True, False, True]])
    noise[1, 2, n // 2], x[0, 0], x[1] = 0, 0, -np.inf
    cpu, gpu = messages(gumbel_top_k, x, k, noise=noise, size=2)
    assert cpu == gpu
    assert f"row 1 has 0 categories left, fewer than k = {k}" in gpu


def test_it_writes_to_device_arrays_on_their_stream(device):
    x = potentials((2, 30, 3))
    expected = gumbel_top_k(x, 4, axis=1, rng=1, return_threshold=True, invalid="mark")
    out = tuple(ForeignArray(aligned(array.shape, array.dtype), 0x77) for array in expected)
    got = gumbel_top_k(on_device(x), 4, axis=1, rng=1, return_threshold=True, invalid="mark", out=out)
    for ours, array, wanted in zip(got, out, expected, strict=True):
        assert ours is array
        np.testing.assert_array_equal(host(array), wanted)
    assert {launch[3] for launch in device.launches} == {0x77}


SHARED = on_device(np.zeros((3, 4)))


@pytest.mark.parametrize(
    ("k", "options", "error", "message"),
    [
        (5, {}, ValueError, "k must be at most the number of categories, 4, not 5"),
        (0, {}, ValueError, "k must be at least 1"),
        (2, {"out": SHARED}, TypeError, r"out must be a pair of arrays \(indices, values\)"),
        (2, {"out": (np.zeros((3, 2), np.intp), SHARED)}, TypeError, r"out\[0\] must be a device array"),
        (
            2,
            {"out": (on_device(np.zeros((3, 2), np.intp)), ForeignArray(host(SHARED).reshape(-1)[:6].reshape(3, 2)))},
            ValueError,
            r"out\[1\] must not overlap",
        ),
        (2, {"noise": np.zeros((3, 4))}, TypeError, "noise must be a NoiseField or a device array"),
        (2, {"rng": 1, "noise": SHARED}, ValueError, "give rng or noise, not both"),
        (2, {"invalid": "ignore"}, ValueError, "invalid must be"),
    ],
)
def test_what_does_not_fit_is_refused(device, k, options, error, message):
    with pytest.raises(error, match=message):
        gumbel_top_k(SHARED, k, **options)
    assert not device.launches


# Faults are planted: each must be caught by the interpreter, or by a comparison with the CPU.


@pytest.mark.parametrize("which", range(5))
def test_a_missing_barrier_is_caught(device, monkeypatch, which):
    def without(name, ptx):
        return nth_replaced(ptx, "bar.sync \t0;", "", which) if name == "select" else ptx

    plant(monkeypatch, without)
    device.seed = 1
    with pytest.raises(PTXError, match="shared memory"):
        every_way(potentials((2, 1000)), 20)


@pytest.mark.parametrize(
    ("module", "old", "new", "n", "k"),
    [
        ("top_every", "(alike and j < own)", "False", 20, 20),
        ("top_every", "a & run == _0", "a & step == _0", 600, 550),
        ("top_long", "if np.int32(mine + i) != winner:", "if np.int32(mine + i) == winner:", 1000, 5),
    ],
    ids=["empty places at one place", "no bitonic sort", "winners twice, others never"],
)
def test_wrong_results_are_caught(device, monkeypatch, module, old, new, n, k):
    plant_source(monkeypatch, module, old, new)
    with pytest.raises(AssertionError):
        every_way(potentials((3, n), scale=3.0), k)
