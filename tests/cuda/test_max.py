"""``gumbel_max`` of device arrays gives what it gives of NumPy's, bit for bit, through the PTX that would be loaded."""

import re

import numpy as np
import pytest

import fastgumbel
from fastgumbel import NoiseField
from fastgumbel._cuda import max as device_max
from tests.cuda.arrays import ForeignArray, aligned, host, on_device
from tests.cuda.planted import nth_replaced, plant, plant_source
from tests.ptx import PTXError

LENGTHS = (1, 3, 63, 64, 65, 96, 97, 127, 128, 129, 130, 1000, 4097, 20_000)
CASES = [(n, np.float32) for n in LENGTHS] + [(n, np.float64) for n in (3, 65, 97, 130, 1000, 4097)]


def there(x):
    """Put NumPy's arrays on the device, with their layout; leave the rest."""
    return ForeignArray(x) if isinstance(x, np.ndarray) else x


def same(device, x, **options):
    """Compare index and value with the CPU's, and the index alone too."""
    given = {name: there(option) for name, option in options.items()}
    index, value = fastgumbel.gumbel_max(there(x), return_max=True, **given)
    expected = fastgumbel.gumbel_max(x, return_max=True, **options)
    assert (index.dtype, value.dtype) == (np.intp, np.float64)
    np.testing.assert_array_equal(host(index), expected[0])
    np.testing.assert_array_equal(host(value).view(np.uint64), np.asarray(expected[1]).view(np.uint64))
    alone = fastgumbel.gumbel_max(there(x), **given)
    np.testing.assert_array_equal(host(alone), expected[0])
    return expected[0]


def normals(shape, dtype=np.float32, scale=1.0, skip=0):
    """Return normal log-potentials, a tenth of them -inf."""
    rng = np.random.default_rng(3)
    x = aligned(shape, dtype, skip)
    x[...] = rng.normal(scale=scale, size=shape)
    if x.dtype.kind == "f":
        x[rng.random(shape) < 0.1] = -np.inf
        x[..., -1] = 0
    return x


@pytest.mark.parametrize(("n", "dtype"), CASES)
def test_lengths(device, n, dtype):
    """Normal, equal and far potentials, from several first categories on."""
    device.seed = n
    for start in (0, 61) if n < 5000 else (1,):
        field = NoiseField(n).at(start=start, draw=3)
        same(device, normals((3, n), dtype), noise=field)
        same(device, normals((2, n), dtype, 30.0), noise=field, size=2)
        same(device, np.full((2, n), 1e6, dtype), noise=field)


@pytest.mark.parametrize("n", [65, 1000])
def test_the_last_categories_of_the_field(device, n):
    same(device, normals((2, n)), noise=NoiseField(1).at(start=2**32 - n, draw=2**32 - 2), size=2)


@pytest.mark.parametrize("n", [5, 200])
@pytest.mark.parametrize("dtype", [np.float16, np.int32])
def test_types(device, n, dtype):
    same(device, normals((3, n), dtype, 3.0), noise=NoiseField(2))


@pytest.mark.parametrize("scale", [1e12, 7e13])
@pytest.mark.parametrize("n", [20, 200])
def test_potentials_that_swallow_noise(device, n, scale):
    """Where float64 rounds the noise, first indices win ties that only the definition makes."""
    x = np.random.default_rng(1).choice([-scale, scale], size=(20, n))
    same(device, x, noise=NoiseField(2))
    same(device, np.full((20, n), scale), noise=NoiseField(3))


@pytest.mark.parametrize("n", [20, 300])
def test_near_ties(device, n):
    """All perturbed values within a hair of each other: a filter with too little slack loses the best."""
    rng, field = np.random.default_rng(5), NoiseField(4)
    noise = fastgumbel.gumbel((24, n), noise=field)
    x = 10.0 ** rng.uniform(-17, -3, size=(24, 1)) * rng.normal(size=(24, n)) - noise
    assert len(set(same(device, x, noise=field).tolist())) > 5
    same(device, x.astype(np.float32), noise=field)


@pytest.mark.parametrize("n", [7, 131])
def test_rows_draws_and_batches(device, n):
    rows = np.array([[2**64 - 1, 2**32], [0, 7], [5, 2**63]], np.uint64)
    same(device, normals((3, 2, n)), noise=NoiseField(2).at(rows=rows), size=(2, 3))
    same(device, normals(n), noise=NoiseField(2).at(rows=2**40), size=4)
    same(device, normals((1, 2, n)), rng=3)
    for shape, size in (((0, n), None), ((2, n), 0), ((2, 0, n), (3,))):
        same(device, np.zeros(shape, np.float32), rng=1, size=size)


@pytest.mark.parametrize("n", [6, 150])
def test_axes_strides_and_masks(device, n):
    rng = np.random.default_rng(8)
    where = rng.random((2, n, 5)) < 0.7
    where[:, 0] = True
    x = normals((2, n, 5))
    x[:, 0] = 1
    same(device, x, axis=1, where=where, noise=NoiseField(1), size=2)
    same(device, x, axis=1, where=where[0, :, :1], noise=NoiseField(1).at(start=62))


def test_strides_of_either_sign(device):
    where = np.arange(6) != 2
    same(device, normals((3, 5, 12))[::2, ::-1, ::2], where=where, noise=NoiseField(1))


@pytest.mark.parametrize("n", [64, 1024, 1025])
@pytest.mark.parametrize("skip", [4, 8, 12])
def test_rows_may_begin_anywhere(device, n, skip):
    same(device, normals((3, n), skip=skip), rng=1)


def test_vectors_of_16_bytes(device):
    """A row of 1024 is read once, by 256 vectors, and a few blocks again."""
    fastgumbel.gumbel_max(there(np.zeros((1, 1024), np.float32)), rng=1, invalid="mark")
    assert device.counts["ld.global.v4.f32"] == 256


@pytest.mark.parametrize("multiprocessors", [1, 132])
def test_the_size_of_the_device_cannot_matter(device, multiprocessors, monkeypatch):
    device.attributes = type(device.attributes)(multiprocessors, 2**15)
    x = normals((2, 20_000))
    same(device, x, noise=NoiseField(9).at(start=77), size=5)
    monkeypatch.setattr(device_max, "_SCRATCH", 1)
    same(device, x, noise=NoiseField(9).at(start=77), size=2)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_warps_cannot_matter(device, seed):
    device.seed = seed
    same(device, normals((2, 20_000)), rng=1, size=3)
    same(device, normals((5, 20)), rng=1, size=60)


BAD = [np.nan, -np.nan, np.inf, "none left"]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize(("n", "places"), [(9, (0, 8)), (97, (0, 64, 96)), (20_000, (0, 9_999, 19_999))])
def test_invalid_rows(device, bad, n, places):
    for place in places:
        x = normals((4, n))
        for row in (2, 3):
            if bad == "none left":
                x[row] = -np.inf
            else:
                x[row, place] = bad
        same(device, x, rng=1, invalid="mark", size=2)
        assert not device.reads
        with pytest.raises(ValueError, match="log_potentials: row 2 has") as host:
            fastgumbel.gumbel_max(x, rng=1)
        with pytest.raises(ValueError, match=re.escape(str(host.value))):
            fastgumbel.gumbel_max(there(x), rng=1)
        device.clear()


def test_no_category_at_all(device):
    same(device, np.empty((2, 0)), rng=1, invalid="mark")
    with pytest.raises(ValueError, match="row 0 has no category left"):
        fastgumbel.gumbel_max(there(np.empty((2, 0))), rng=1)


def test_one_read_tells_whether_all_is_well(device):
    fastgumbel.gumbel_max(there(normals((4, 9))), rng=1)
    assert device.reads == 1


def test_given_noise(device):
    rng = np.random.default_rng(1)
    for n in (1, 33, 200):
        x, noise = normals((2, 3, n)), rng.gumbel(size=(2, 2, 3, n))
        same(device, x, noise=noise, size=2)
        same(device, np.zeros((2, 3, n), np.float32), noise=np.round(noise, 0), size=2)
    noise = np.moveaxis(rng.gumbel(size=(2, 3, 5)), 1, 0)
    same(device, np.moveaxis(normals((2, 3, 5)), 1, 0), axis=1, noise=noise)


def test_given_noise_that_is_not_finite(device):
    x, noise = normals((3, 40)), np.zeros((2, 3, 40))
    x[0, 5] = np.nan
    noise[1, 2, 7] = noise[1, 2, 33] = np.inf
    with pytest.raises(ValueError, match=r"empty places, but row \(1, 2\) has inf at category 7"):
        fastgumbel.gumbel_max(there(x), noise=there(noise), size=2)
    index = fastgumbel.gumbel_max(there(x), noise=there(noise), size=2, invalid="mark")
    np.testing.assert_array_equal(host(index) < 0, [[True, False, False], [True, False, True]])
    noise[1, 2] = 0
    with pytest.raises(ValueError, match="log_potentials: row 0 has nan at category 5"):
        fastgumbel.gumbel_max(there(x), noise=there(noise), size=2)


def test_it_writes_to_device_arrays_on_their_stream(device):
    x = normals((2, 3, 9))
    index, value = (ForeignArray(np.zeros((4, 2, 3), kind), 0x77) for kind in (np.intp, np.float64))
    got = fastgumbel.gumbel_max(there(x), rng=1, size=4, return_max=True, out=(index, value))
    assert got[0] is index
    assert got[1] is value
    np.testing.assert_array_equal(host(index), fastgumbel.gumbel_max(x, rng=1, size=4))
    assert {launch[3] for launch in device.launches} == {0x77}
    assert fastgumbel.gumbel_max(there(x), rng=1, size=4, out=index) is index


SHARED = on_device(np.zeros((3, 4)))


@pytest.mark.parametrize(
    ("x", "options", "error", "message"),
    [
        (SHARED, {"out": np.zeros(3, np.intp)}, TypeError, "out must be a device array, as log_potentials is one"),
        (SHARED, {"noise": np.zeros((3, 4))}, TypeError, "noise must be a NoiseField or a device array"),
        (SHARED, {"noise": on_device(np.zeros((3, 5)))}, ValueError, r"noise must have shape \(3, 4\), not \(3, 5\)"),
        (SHARED, {"rng": 1, "noise": on_device(np.zeros((3, 4)))}, ValueError, "give rng or noise, not both"),
        (SHARED, {"out": SHARED, "return_max": True}, TypeError, "out must be a pair"),
        (SHARED, {"out": on_device(np.zeros(3))}, TypeError, "out must have dtype int64, not float64"),
        (SHARED, {"out": ForeignArray(host(SHARED)[1, :3].view(np.intp))}, ValueError, "out must not overlap"),
        (SHARED, {"invalid": "ignore"}, ValueError, "invalid must be"),
        (np.zeros((3, 4)), {"out": on_device(np.zeros(3, np.intp))}, TypeError, "out must be a numpy array"),
        (np.zeros((3, 4)), {"noise": on_device(np.zeros((3, 4)))}, TypeError, "noise must not be a device array"),
        (np.zeros((3, 4)), {"where": on_device(np.ones(4, bool))}, TypeError, "where must not be a device array"),
    ],
)
def test_what_does_not_fit_is_refused(device, x, options, error, message):
    with pytest.raises(error, match=message):
        fastgumbel.gumbel_max(x, **options)
    assert not device.launches


# Faults are planted: each must be caught by the interpreter, or by a comparison with the CPU.


@pytest.fixture
def altered(monkeypatch):
    """Give a setter of what is done to all PTX before it is run."""
    return lambda alter: plant(monkeypatch, lambda _, ptx: alter(ptx))


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_missing_barrier_is_caught(device, altered, which):
    altered(lambda ptx: nth_replaced(ptx, "bar.sync \t0;", "", which) if ptx.count("bar.sync \t0;") == 3 else ptx)
    device.attributes = type(device.attributes)(1, 2**15)
    device.seed = 1
    with pytest.raises(PTXError, match="shared memory"):
        same(device, normals((1, 40_000)), rng=1, size=12)


def test_a_result_that_is_never_stored_is_caught(device, monkeypatch):
    """Of a part of a row, which the kernel that combines them reads."""

    def without(name, ptx):
        return re.sub(r"st\.global\.f64 .*;", "", ptx) if name == "max_long" else ptx

    plant(monkeypatch, without)
    with pytest.raises(PTXError, match="global memory that nobody has written"):
        same(device, normals((1, 20_000)), rng=1)


def test_a_partial_mask_is_caught(device, altered):
    altered(lambda ptx: re.sub(r"(shfl\.sync\.bfly.*), (?:%r\d+|-1);", r"\1, 65535;", ptx))
    with pytest.raises(PTXError, match="the mask leaves out the lane itself"):
        same(device, normals((1, 1000)), rng=1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "if p > -LIMIT and (arg == NO_INDEX or beats(perturbed, category, best, arg))",
            "if p > -LIMIT and perturbed >= best",
        ),
        ("            category += np.int64(32)", "            category += np.int64(33)"),
        ("bad_row = cuda.any_sync(ALL_LANES, bad_row)", "bad_row = bad_row"),
    ],
    ids=["the last of ties", "steps of 33", "one lane's vote"],
)
def test_wrong_results_on_given_noise_are_caught(device, monkeypatch, old, new):
    plant_source(monkeypatch, "max_short", old, new)
    x, noise = np.zeros((3, 200), np.float32), np.random.default_rng(1).integers(3, size=(3, 200)).astype(float)
    noise[0, 32], x[1, 150] = 9, np.nan
    with pytest.raises(AssertionError):
        same(device, x, noise=noise, invalid="mark")


def test_a_bound_that_is_one_too_many_is_caught(device, monkeypatch):
    plant_source(
        monkeypatch,
        "max_short",
        "while category < x.shape[1]:\n            g =",
        "while category <= x.shape[1]:\n            g =",
    )
    with pytest.raises(PTXError, match="out of bounds"):
        same(device, np.zeros((1, 32), np.float32), noise=np.zeros((1, 32)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("todo = np.uint32(todo & np.uint32(todo - np.uint32(1)))", "todo = np.uint32(0)"),
        ("wins = winner == np.int32(here + _1)", "wins = winner == here"),
    ],
    ids=["one block alone is opened", "the winner a lane off"],
)
def test_wrong_pruning_is_caught(device, monkeypatch, old, new):
    plant_source(monkeypatch, "max_long", old, new)
    with pytest.raises(AssertionError):
        same(device, normals((40, 1000), scale=3.0), rng=1, invalid="mark")
