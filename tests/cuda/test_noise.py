"""``gumbel`` writes to device arrays what it writes to NumPy's, bit for bit, through the PTX that would be loaded."""

import numpy as np
import pytest

import fastgumbel
from tests.cuda.arrays import ForeignArray, aligned, host

DTYPES = (np.float32, np.float64)
LENGTHS = (1, 3, 63, 64, 65, 96, 97, 127, 128, 129, 1000, 4097)


def same(device, shape, dtype, noise, out=None):
    """Compare a device array that ``gumbel`` wrote with the CPU's."""
    out = device.empty(shape, dtype, None) if out is None else out
    assert fastgumbel.gumbel(shape, noise=noise, dtype=dtype, out=out) is out
    expected = fastgumbel.gumbel(shape, noise=noise, dtype=dtype)
    np.testing.assert_array_equal(host(out).view(f"u{expected.itemsize}"), expected.view(f"u{expected.itemsize}"))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("start", [0, 1, 62, 65, 127, "last"])
@pytest.mark.parametrize("n", LENGTHS)
def test_awkward_lengths_and_starts(device, n, start, dtype):
    noise = fastgumbel.NoiseField.from_key(2**64 - 3).at(start=2**32 - n if start == "last" else start, draw=7)
    same(device, (3, n), dtype, noise)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (5,), (0,), (0, 5), (3, 0), (200,), (1, 1, 200), (2, 3, 70), (2, 3, 130)])
def test_shapes(device, shape, dtype):
    same(device, shape, dtype, fastgumbel.NoiseField(1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [70, 300])
def test_rows_and_draws(device, n, dtype):
    rows = np.array([[2**64 - 1, 2**32], [2**32 - 1, 0], [5, 2**63]], np.uint64)
    for draw in (0, 2**31, 2**32 - 1):
        same(device, (3, 2, n), dtype, fastgumbel.NoiseField(2).at(rows=rows, draw=draw))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_warps_cannot_matter(device, seed, dtype):
    device.seed = seed
    same(device, (200, 10), dtype, fastgumbel.NoiseField(3))
    same(device, (7, 1000), dtype, fastgumbel.NoiseField(3).at(start=62))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("multiprocessors", [1, 3, 100])
def test_the_size_of_the_device_cannot_matter(device, multiprocessors, dtype):
    """A warp takes fewer pairs of blocks where there are many multiprocessors."""
    device.attributes = type(device.attributes)(multiprocessors, 2**15)
    same(device, (5, 12_345), dtype, fastgumbel.NoiseField(3).at(start=61))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("items", [1, 2, 3])
def test_memory_may_begin_anywhere(device, items, dtype):
    """Stores of 16 bytes only where they are aligned: the interpreter refuses others."""
    for n in (9, 8, 256):
        out = ForeignArray(aligned((4, n), dtype, skip=items * np.dtype(dtype).itemsize))
        same(device, (4, n), dtype, fastgumbel.NoiseField(4), out)


def test_aligned_rows_are_stored_16_bytes_at_a_time(device):
    """Two rows of 64 quads by four warps: 128 lanes store once, or twice where a quad is 32 bytes long."""
    for dtype, store, times in ((np.float32, "st.global.v4.f32", 1), (np.float64, "st.global.v2.f64", 2)):
        same(device, (2, 256), dtype, fastgumbel.NoiseField(4))
        assert device.counts[store] == 128 * times
    assert not device.counts["st.global.f32"] + device.counts["st.global.f64"]


def test_nothing_is_read_back(device):
    same(device, (3, 300), np.float64, fastgumbel.NoiseField(4))
    assert device.reads == 0
    assert len(device.launches) == 1


def test_it_runs_on_the_stream_of_the_array(device):
    out = device.empty((3, 300), np.float64, 0x1234)
    same(device, (3, 300), np.float64, fastgumbel.NoiseField(4), out)
    assert device.launches[0][3] == 0x1234


def frozen(values):
    """Return an array that must not be written to."""
    values.flags.writeable = False
    return values


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (aligned((3, 4), np.float32), TypeError, "out must have dtype float64, not float32"),
        (aligned((3, 4), ">f8"), TypeError, "out must have dtype float64, not >f8"),
        (aligned((4, 3), np.float64), ValueError, r"out must have shape \(3, 4\), not \(4, 3\)"),
        (aligned((3, 8), np.float64)[:, ::2], ValueError, "out must be C-contiguous, as it is a device array"),
        (aligned((4, 3), np.float64).T, ValueError, "out must be C-contiguous, as it is a device array"),
        (frozen(aligned((3, 4), np.float64)), ValueError, "out must be writable"),
        (aligned((3, 4), np.float64, skip=4), ValueError, "out must be aligned"),
    ],
)
def test_other_arrays_are_refused(device, values, error, message):
    with pytest.raises(error, match=message):
        fastgumbel.gumbel((3, 4), rng=1, out=ForeignArray(values))
