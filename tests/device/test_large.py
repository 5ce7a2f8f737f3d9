"""Arrays of more than 2^31 bytes, or items, where memory allows: places do not wrap around."""

import numpy as np
import pytest
from numba import cuda

import fastgumbel
from tests.calls import assert_same_bits

NOISE = fastgumbel.NoiseField(1)
# Room for what the call itself and others take.
SPARE = 2**29


def room(count):
    """Skip where so many bytes are not free."""
    free = cuda.current_context().get_memory_info().free
    if free < count + SPARE:
        pytest.skip(f"{count / 2**30:.1f} GiB needed, {free / 2**30:.1f} GiB free on the device")


def windows(out, width):
    """Yield places of a flat array around its ends and every multiple of 2^29 items, and what is there."""
    places = [0, *range(2**29 - width // 2, out.size - width, 2**29), out.size - width]
    for place in places:
        yield place, out[place : place + width].copy_to_host()


@pytest.mark.parametrize("count", [2**29 + 77, 2**31 + 77])
def test_one_long_row(count):
    room(4 * count)
    out = cuda.device_array(count, np.float32)
    fastgumbel.gumbel(count, noise=NOISE, dtype=np.float32, out=out)
    for place, values in windows(out, 1000):
        here = fastgumbel.gumbel(values.size, noise=NOISE.at(start=place), dtype=np.float32)
        assert_same_bits(values, here)


@pytest.mark.parametrize("n", [33, 999])
@pytest.mark.parametrize("count", [2**29, 2**31])
def test_many_rows(count, n):
    rows = count // n + 3
    room(4 * rows * n)
    out = cuda.device_array((rows, n), np.float32)
    fastgumbel.gumbel((rows, n), noise=NOISE, dtype=np.float32, out=out)
    for place, values in windows(out.reshape(out.size), 4 * n):
        row = -(-place // n)
        ids = np.arange(row, row + 3, dtype=np.uint64)
        here = fastgumbel.gumbel((3, n), noise=NOISE.at(rows=ids), dtype=np.float32)
        first = row * n - place
        assert_same_bits(values[first : first + 3 * n].reshape(3, n), here)


@pytest.mark.parametrize("shape", [(2, 2**28 + 5), (2**26, 10)], ids=str)
def test_hard_samples_of_large_arrays(shape):
    """The sample of noise, drawn again on the same field, is the same as on the CPU in the last rows too."""
    room(4 * shape[0] * shape[1] + 8 * shape[0])
    x = cuda.device_array(shape, np.float32)
    fastgumbel.gumbel(shape, noise=NOISE.at(draw=1), dtype=np.float32, out=x)
    index = cuda.as_cuda_array(fastgumbel.gumbel_max(x, noise=NOISE)).copy_to_host()
    last = np.arange(max(0, shape[0] - 1000), shape[0], dtype=np.uint64)
    here = fastgumbel.gumbel_max(x[int(last[0]) :].copy_to_host(), noise=NOISE.at(rows=last))
    assert_same_bits(index[last], here)
