"""``categorical`` of device arrays gives the CPU's draws, through the PTX that would be loaded."""

import numpy as np
import pytest

from fastgumbel import NoiseField, categorical
from fastgumbel._cuda import categorical as device_categorical
from tests.cuda.arrays import ForeignArray, host, on_device
from tests.cuda.planted import nth_replaced, plant, plant_source
from tests.cuda.sides import messages, same
from tests.oracle import inversion
from tests.ptx import PTXError

FIELD = NoiseField(4).at(draw=3)
TABLES = ["largest_of_segments", "masses_of_segments", "cumulate_segments"]


def potentials(shape, dtype=np.float32, scale=3.0):
    """Return normal log-potentials, a fifth of them -inf."""
    rng = np.random.default_rng(shape[-1])
    x = (scale * rng.normal(size=shape)).astype(dtype)
    x[rng.random(shape) < 0.2] = -np.inf
    x[..., shape[-1] // 2] = 0
    return x


def near_ends(n, rows, dtype):
    """Return rows made for their own draw 0: it ends a category, but for a hair from 10^-1 to 10^-13 of it."""
    rng = np.random.default_rng(n)
    u = inversion.uniforms(NoiseField(n).key, np.arange(rows), 0) * 2.0**-64
    end = np.clip(u * (1 + rng.choice([-1, 1], size=rows) * 10.0 ** rng.uniform(-13, -1, size=rows)), 1e-9, 1 - 1e-9)
    c = rng.integers(1, n, size=rows)
    before = np.arange(n) < c[:, None]
    return np.where(before, np.log(end / c)[:, None], np.log((1 - end) / (n - c))[:, None]).astype(dtype)


@pytest.mark.parametrize("draws", [2, 40])
@pytest.mark.parametrize(
    ("n", "dtype"), [(1, np.float32), (3, np.float64), (64, np.float32), (97, np.float32), (1000, np.float32)]
)
def test_lengths_and_draws(device, n, dtype, draws):
    device.seed = n
    same(categorical, potentials((5, n), dtype), draws, noise=FIELD)
    names = [launch[0] for launch in device.launches]
    assert names == (["draw_short"] if n < 97 and draws < 40 else [*TABLES, "draw_of_tables"])


@pytest.mark.parametrize("n", [2, 10, 90])
def test_draws_near_the_end_of_a_category(device, n):
    """So near that float32 cannot tell, for half of them."""
    for dtype in (np.float32, np.float64):
        same(categorical, near_ends(n, 400, dtype), noise=NoiseField(n))


def test_segments_of_long_rows(device, monkeypatch):
    device.attributes = type(device.attributes)(132, 2**15)
    device.seed = 2
    monkeypatch.setattr(device_categorical, "_SPAN", 500)
    x = potentials((3, 9001))
    same(categorical, x, 70, noise=FIELD)
    assert [launch[0] for launch in device.launches] == [*TABLES, "end_segments", "draw_of_tables"]
    assert device.launches[0][1] == 3 * 19
    monkeypatch.setattr(device_categorical, "_SCRATCH", 1)
    same(categorical, x, 70, noise=FIELD.at(rows=[2**64 - 1, 7, 2**33]))


@pytest.mark.parametrize("n", [10, 200])
def test_axes_masks_and_shapes(device, n):
    x = potentials((2, n, 3), np.float64)
    where = np.random.default_rng(1).random((n, 3)) < 0.6
    where[0] = True
    x[:, 0] = 1
    for shape in (None, 3, (2, 2)):
        same(categorical, x, shape, axis=1, where=where, noise=FIELD.at(draw=2**32 - 4))
    if n == 10:
        same(categorical, np.ones((4, n), np.int16), rng=1)
    for empty, size in (((0, n), None), ((2, n), 0), ((2, 0, n), 3)):
        same(categorical, np.zeros(empty, np.float32), size, rng=1)


@pytest.mark.parametrize("bad", [np.nan, np.inf, "none left"])
@pytest.mark.parametrize("n", [9, 300])
def test_invalid_rows(device, n, bad):
    x = potentials((4, n))
    for row in (2, 3):
        x[row, :] = -np.inf
        if bad != "none left":
            x[row, n - 1] = bad
    same(categorical, x, 3, noise=FIELD, invalid="mark")
    assert not device.reads
    cpu, gpu = messages(categorical, x, 3, noise=FIELD)
    assert cpu == gpu
    assert "row 2 has" in gpu


def test_no_category_at_all(device):
    same(categorical, np.empty((2, 0)), 2, rng=1, invalid="mark")
    cpu, gpu = messages(categorical, np.empty((2, 0)), rng=1)
    assert cpu == gpu


def test_it_writes_to_device_arrays_on_their_stream(device):
    x, out = potentials((6, 5)), ForeignArray(np.zeros((2, 6), np.intp), 0x77)
    assert categorical(on_device(x), 2, rng=1, out=out) is out
    np.testing.assert_array_equal(host(out), categorical(x, 2, rng=1))
    assert {launch[3] for launch in device.launches} == {0x77}


SHARED = on_device(np.zeros((3, 4)))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"out": np.zeros(3, np.intp)}, TypeError, "out must be a device array"),
        ({"out": on_device(np.zeros(3))}, TypeError, "out must have dtype int64"),
        ({"out": ForeignArray(host(SHARED)[1, :3].view(np.intp))}, ValueError, "out must not overlap"),
        ({"noise": NoiseField(1).at(start=1)}, ValueError, "start must be 0, not 1"),
        ({"noise": SHARED}, TypeError, "noise must be a NoiseField"),
        ({"invalid": "ignore"}, ValueError, "invalid must be"),
    ],
)
def test_what_does_not_fit_is_refused(device, options, error, message):
    with pytest.raises(error, match=message):
        categorical(SHARED, **options)
    assert not device.launches


# Faults are planted: each must be caught by the interpreter, or by a comparison with the CPU.


@pytest.mark.parametrize("which", [0, 2, 3])
def test_a_missing_barrier_is_caught(device, monkeypatch, which):
    def without(name, ptx):
        return nth_replaced(ptx, "bar.sync \t0;", "", which) if name == "cumulate_segments" else ptx

    plant(monkeypatch, without)
    device.seed = 1
    with pytest.raises(PTXError, match="shared memory"):
        same(categorical, potentials((2, 1000)), noise=FIELD, invalid="mark")


@pytest.mark.parametrize(
    ("module", "old", "new", "n"),
    [
        ("categorical_short", "if passed == reached else NO_INDEX", "", 10),
        ("categorical_short", "category = -_1", "category = _0", 10),
        ("categorical", "sum_ += end_ if w < warp else", "sum_ += end_ if w <= warp else", 300),
        ("categorical", "before += end_", "before = end_", 300),
    ],
    ids=["float32 decides", "the first category is never drawn", "a warp's sum twice", "the last warp's sum alone"],
)
def test_wrong_results_are_caught(device, monkeypatch, module, old, new, n):
    plant_source(monkeypatch, module, old, new)
    x = near_ends(n, 40 if n > 96 else 400, np.float64)
    with pytest.raises(AssertionError):
        same(categorical, x, noise=NoiseField(n), invalid="mark")
