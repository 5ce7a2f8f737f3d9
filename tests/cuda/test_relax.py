"""``gumbel_softmax`` of device arrays gives the CPU's bits, through the PTX that would be loaded."""

import re

import numpy as np
import pytest

import fastgumbel
from fastgumbel import gumbel_softmax, gumbel_softmax_jvp
from fastgumbel._cuda import relax as device_relax
from fastgumbel._cuda import seam
from tests.cuda.arrays import ForeignArray, aligned, host, on_device
from tests.cuda.planted import plant
from tests.cuda.sides import differing, messages, same, there
from tests.ptx import PTXError

FIELD = fastgumbel.NoiseField(3).at(draw=7)
LENGTHS = (1, 2, 63, 64, 65, 96, 97, 128, 130, 1000)


def potentials(rows, n, dtype=np.float32, seed=1):
    """Return random rows, the last of which has excluded categories, and the last but one only one that is not."""
    x = (3 * np.random.default_rng(seed).normal(size=(rows, n))).astype(dtype)
    if x.dtype.kind == "f" and n > 1:
        x[-1, 1::2] = -np.inf
        x[-2, 1:] = -np.inf
    return x


@pytest.fixture
def small_tile(monkeypatch):
    """Make tiles of 256 numbers in float32, 128 in float64: longer rows are perturbed in every pass."""
    monkeypatch.setattr(device_relax, "_TILE", 1024)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", LENGTHS)
def test_awkward_lengths_and_starts(device, n, dtype):
    x = potentials(5, n, dtype)
    for start, log in ((0, False), (3, True), (62, False)):
        same(gumbel_softmax, x, 0.7, log=log, size=2, noise=FIELD.at(start=start))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [129, 255, 256, 257, 1000])
def test_rows_longer_than_a_tile(device, small_tile, n, dtype):
    x = potentials(3, n, dtype)
    for log in (False, True):
        same(gumbel_softmax, x, 0.7, log=log, noise=FIELD.at(start=2**32 - n - 5))


def test_a_row_longer_than_the_largest_tile(device):
    same(gumbel_softmax, potentials(2, 11_600), 2.0, noise=FIELD)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_warps_cannot_matter(device, small_tile, seed):
    device.seed = seed
    same(gumbel_softmax, potentials(40, 10), 0.5, size=5, noise=FIELD)
    same(gumbel_softmax, potentials(2, 1000), 0.5, size=2, noise=FIELD.at(start=61))


@pytest.mark.parametrize("n", [9, 200])
@pytest.mark.parametrize("tau", [1e-30, 1e-3, 1e30])
def test_extreme_temperatures(device, n, tau):
    for log in (False, True):
        same(gumbel_softmax, potentials(4, n), tau, log=log, noise=FIELD)


@pytest.mark.parametrize("n", [9, 200])
def test_temperatures_of_rows(device, n):
    x = potentials(6, n).reshape(2, 3, n)
    for tau in (np.array([0.5, 1, 2]), [[0.5], [3.0]], [0.0, 1.0, 0.0], np.array(0.5)):
        same(gumbel_softmax, x, tau, size=(2, 2), noise=FIELD)
        same(gumbel_softmax, x, tau, log=True, noise=FIELD)


@pytest.mark.parametrize(("n", "dtype"), [(9, np.float16), (200, np.int16)])
def test_other_types(device, n, dtype):
    same(gumbel_softmax, potentials(4, n, dtype), 0.5, noise=FIELD)


@pytest.mark.parametrize("n", [9, 130])
def test_axes_and_masks(device, n):
    x = potentials(4, n)
    moved = np.moveaxis(x.reshape(2, 2, n), -1, 1).copy()
    same(gumbel_softmax, moved, 0.5, axis=1, size=2, noise=FIELD)
    where = np.random.default_rng(2).random((4, n)) < 0.8
    where[:, 0] = True
    same(gumbel_softmax, x, 0.5, where=where, noise=FIELD)
    got = gumbel_softmax(on_device(x), 0.5, where=where[:1], noise=FIELD)
    assert not len(differing(got, gumbel_softmax(x, 0.5, where=where[:1], noise=FIELD)))


@pytest.mark.parametrize("n", [5, 130])
def test_row_ids(device, n):
    rows = np.array([[2**64 - 1, 2**32], [2**32 - 1, 0], [5, 2**63]], np.uint64)
    same(gumbel_softmax, potentials(6, n).reshape(3, 2, n), noise=FIELD.at(rows=rows, draw=2**32 - 2), size=2)


@pytest.mark.parametrize("n", [5, 130])
def test_hard_samples(device, n):
    x = potentials(4, n)
    for log in (False, True):
        same(gumbel_softmax, x, hard=True, log=log, size=2, noise=FIELD)
        same(gumbel_softmax, x, 0, log=log, noise=FIELD)


@pytest.mark.parametrize(("n", "dtype"), [(5, np.float64), (130, np.float32)])
def test_noise_of_the_caller(device, n, dtype):
    x, rng = potentials(6, n).reshape(2, 3, n), np.random.default_rng(4)
    for size in ((), 2, (2, 1, 2)):
        noise = rng.gumbel(size=(*np.atleast_1d(np.array(size, int)), *x.shape)).astype(dtype)
        same(gumbel_softmax, x, 0.5, size=size, noise=noise)
    same(gumbel_softmax, x, 0.5, size=(2, 1, 2), noise=noise, hard=True)


@pytest.mark.parametrize("n", [5, 130])
def test_marked_rows(device, n):
    x = potentials(6, n)
    x[0, 1], x[1, 2], x[2] = np.nan, np.inf, -np.inf
    tau = [0.5, 0.5, 0.5, 0, 0.5, 0]
    for options in ({}, {"log": True}, {"hard": True}):
        same(gumbel_softmax, x, tau, invalid="mark", size=2, noise=FIELD, **options)
    assert device.reads == 0


def emptied(x, draws, dtype=np.float64):
    """Return noise for draws of rows, a third of it -inf, and all beside the first of each row, to which NaN goes."""
    rng = np.random.default_rng(4)
    noise = rng.gumbel(size=(draws, *x.shape)).astype(dtype)
    noise[..., 2:][rng.random(noise[..., 2:].shape) < 0.3] = -np.inf
    noise[0, np.arange(len(x)), np.nanargmax(x, -1)] = -np.inf
    noise[..., 0], x[:, 0] = -np.inf, np.nan
    noise[..., 1] = 0
    return noise


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [5, 96, 97, 300])
def test_noise_of_minus_infinity_excludes(device, n, dtype, log):
    """Each draw its own places, the largest potential among them."""
    x = potentials(4, n, dtype)
    x[:, 1] = 0
    noise = emptied(x, 2)
    left = noise > -np.inf
    got = host(gumbel_softmax(on_device(x), 0.7, log=log, size=2, noise=on_device(noise)))
    expected = gumbel_softmax(np.where(left, x, -np.inf).astype(dtype), 0.7, log=log, noise=np.where(left, noise, 0))
    assert not len(differing(on_device(got), expected))
    hard = host(gumbel_softmax(on_device(x), 0.7, hard=True, size=2, noise=on_device(noise)))
    np.testing.assert_array_equal(hard.argmax(-1), np.where(left, np.where(left, x, 0) + noise, -np.inf).argmax(-1))


@pytest.mark.parametrize("n", [5, 130])
def test_rows_that_noise_leaves_empty(device, n):
    x, noise = potentials(3, n), np.zeros((2, 3, n))
    noise[1, 2] = -np.inf
    with pytest.raises(ValueError, match="row 2 has no category left"):
        gumbel_softmax(on_device(x), size=2, noise=on_device(noise))
    y = host(gumbel_softmax(on_device(x), size=2, noise=on_device(noise), invalid="mark"))
    np.testing.assert_array_equal(np.isnan(y).all(-1), [[False] * 3, [False, False, True]])
    assert not np.isnan(y[0]).any()


@pytest.mark.parametrize("value", [1e300, -1e300, np.nan])
@pytest.mark.parametrize("n", [5, 130])
def test_noise_that_is_not_of_the_type_is_refused(device, n, value):
    """What becomes -inf in float32 alone excludes nothing."""
    x, noise = potentials(3, n), np.zeros((3, n))
    noise[1, 2] = value
    with pytest.raises(ValueError, match=f"row 1 has {np.sign(value) * np.inf} at category 2"):
        gumbel_softmax(on_device(x), noise=on_device(noise))
    y = host(gumbel_softmax(on_device(x), noise=on_device(noise), invalid="mark"))
    np.testing.assert_array_equal(np.isnan(y).all(-1), [False, True, False])


@pytest.mark.parametrize("n", [5, 130])
def test_invalid_rows_are_named(device, n):
    x = potentials(6, n).reshape(2, 3, n)
    gumbel_softmax(on_device(x), noise=FIELD)
    assert device.reads == 1
    x[1, 0, 3], x[1, 1] = np.nan, -np.inf
    for options in ({}, {"hard": True}, {"tau": [0, 1, 1]}):
        tau = options.pop("tau", 1.0)
        cpu, gpu = messages(gumbel_softmax, x, tau, noise=FIELD, **options)
        assert cpu == gpu
        assert "row (1, 0) has nan at category 3" in gpu
    cpu, gpu = messages(gumbel_softmax, x[:, 1:], noise=FIELD)
    assert cpu == gpu
    assert "row (1, 0) has no category left" in gpu
    noise = np.zeros_like(x)
    noise[0, 2, 1] = np.inf
    _, gpu = messages(gumbel_softmax, x, noise=noise)
    assert gpu == "noise must be finite, or -inf in empty places, but row (0, 2) has inf at category 1"
    noise[0, 2, 1] = 0
    _, gpu = messages(gumbel_softmax, x, noise=noise)
    assert "row (1, 0) has nan at category 3" in gpu


@pytest.mark.parametrize("n", [5, 130])
def test_noise_and_the_draw_are_named_where_they_are_the_cause(device, n):
    x, noise = np.zeros((2, n)), np.zeros((3, 2, n))
    noise[1, 1] = -np.inf
    calls = (gumbel_softmax, {}), (gumbel_softmax, {"hard": True}), (fastgumbel.gumbel_top_k, {"k": 2})
    for function, options in calls:
        cpu, gpu = messages(function, x, noise=noise, size=3, **options)
        assert cpu == gpu
        assert "draw 1 of row 1 has" in gpu
        assert gpu.endswith("or excluded by where or by noise of -inf")
    x[1] = -1e30
    cpu, gpu = messages(gumbel_softmax, x, noise=noise, size=3)
    assert cpu == gpu
    assert "log_potentials: row 1 has" in gpu


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 5), (4, 0, 5)])
def test_nothing(device, shape):
    x = np.zeros(shape, np.float32)
    if 0 in shape[:-1]:
        same(gumbel_softmax, x, noise=FIELD, size=2)
    else:
        cpu, gpu = messages(gumbel_softmax, x, noise=FIELD)
        assert cpu == gpu
    same(gumbel_softmax, x, noise=FIELD, size=0)


@pytest.mark.parametrize("n", [5, 130])
@pytest.mark.parametrize("axis", [-1, 0])
def test_memory_of_the_caller(device, n, axis):
    x = np.moveaxis(potentials(4, n), -1, axis).copy()
    out = ForeignArray(aligned((2, *x.shape), np.float32), stream=0x77)
    assert gumbel_softmax(on_device(x), axis=axis, size=2, noise=FIELD, out=out) is out
    assert not len(differing(out, gumbel_softmax(x, axis=axis, size=2, noise=FIELD)))
    assert {launch[3] for launch in device.launches} == {0x77}


def test_memory_that_is_refused(device):
    x = on_device(potentials(4, 5))
    with pytest.raises(ValueError, match="must not overlap"):
        gumbel_softmax(x, rng=1, out=x)
    noise = on_device(np.zeros((4, 5), np.float32))
    with pytest.raises(ValueError, match="must not overlap"):
        gumbel_softmax(x, noise=noise, out=noise)
    with pytest.raises(TypeError, match="out must be a device array"):
        gumbel_softmax(x, rng=1, out=np.zeros((4, 5), np.float32))
    with pytest.raises(TypeError, match="noise must be a NoiseField or a device array"):
        gumbel_softmax(x, noise=np.zeros((4, 5), np.float32))
    with pytest.raises(TypeError, match="tau must not be a device array"):
        gumbel_softmax(host(x), on_device(np.ones(4)), rng=1)
    with pytest.raises(ValueError, match="tau must be finite"):
        gumbel_softmax(x, there(np.array([1.0, 1.0, -1.0, 1.0])), rng=1)


# Faults are planted: each must be caught by the interpreter, or by a comparison with the CPU.


@pytest.fixture
def altered(monkeypatch):
    """Give a setter of what is done to the PTX of a kernel before it is run; the number of changes must not be 0."""

    def set_to(name, old, new):
        def alter(kernel, ptx):
            if kernel == name:
                ptx, count = re.subn(old, new, ptx)
                if not count:
                    raise LookupError(f"nothing to change in {name}")
            return ptx

        plant(monkeypatch, alter)

    return set_to


def fails(call):
    """Tell whether a fault was caught, by the interpreter or by a comparison."""
    try:
        call()
    except (PTXError, AssertionError):
        return True
    return False


@pytest.mark.parametrize("which", range(5))
def test_a_missing_barrier_is_caught(device, small_tile, altered, which):
    """Five are before and after a tile is filled, after the terms of a sum and the sum itself, and after the peaks."""
    seen = iter(range(1000))
    altered("softmax_long", r"bar\.sync\s+0;", lambda match: "" if next(seen) % 5 == which else match[0])
    device.seed = 1
    assert fails(lambda: same(gumbel_softmax, potentials(3, 1000), noise=FIELD))


def test_contracted_products_are_caught(device, altered):
    """Products that are kept apart from the sums they feed are fused with them, as an assembler would."""
    product = r"mul\.rn\.f32\s+(%f\d+), (%f\d+), (%f\d+);"
    product += r"((?:(?!\1,)[^;]*;){0,8}?\s*)add\.(?:rn\.)?f32\s+(%f\d+), (%f\d+), \1;"
    altered("softmax_short", product, r"mul.rn.f32 \1, \2, \3;\4fma.rn.f32 \5, \2, \3, \6;")
    x, d_x = potentials(5, 20), np.random.default_rng(1).normal(size=(5, 20)).astype(np.float32)
    assert fails(lambda: same(gumbel_softmax_jvp, (x, 0.5), (d_x, 1.0), noise=FIELD))


@pytest.mark.parametrize("n", [20, 128])
def test_a_row_that_ends_late_is_caught(device, monkeypatch, n):
    launch = seam.launch

    def one_item_less(kernel, grid, block, stream, shared_bytes, arguments):
        launch(kernel, grid, block, stream, shared_bytes - 4, arguments)

    monkeypatch.setattr(seam, "launch", one_item_less)
    with pytest.raises(PTXError, match="out of bounds"):
        gumbel_softmax(on_device(potentials(128, n)), noise=FIELD)
