"""The seam itself: operations by lowerings of its own, vectors in memory, and launches."""

import numpy as np
import pytest
from numba import types
from numba.cuda.core import config

from fastgumbel._cuda.device import Device
from fastgumbel._cuda.seam import cuda, kernel, load4, store4
from fastgumbel._law.ops import wide
from tests.cuda.arrays import ForeignArray, aligned, host, on_device
from tests.cuda.offline import CAPABILITIES, compiled, kernel_of
from tests.ptx import PTXError

U64 = types.uint64[::1]


@kernel(threads=64)
def products(out, a, b):
    """Multiply."""
    i = np.uint64(cuda.threadIdx.x)
    out[i] = wide(a[i], b[i])


@kernel(threads=32)
def turned(out, x):
    """Turn each four items around."""
    i = np.uint64(cuda.threadIdx.x) * np.uint64(4)
    a, b, c, d = load4(x, i)
    store4(out, i, d, c, b, a)


def test_products_of_32_bits(device):
    values = np.array([0, 1, 2**31, 2**32 - 1, 0xD2511F53, 0xCD9E8D57, 12345, 99], np.uint64)
    a, b = (side.ravel() for side in np.meshgrid(values, values))
    out = device.empty(64, np.uint64, None)
    device.launch(products, 1, 64, 1, (out, on_device(a), on_device(b)))
    np.testing.assert_array_equal(host(out), a * b)


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_a_product_is_one_instruction(capability):
    code = compiled(kernel_of(products, (U64, U64, U64)), capability)
    assert [line for line in code.sass if "IMAD.WIDE.U32" in line]
    assert not [line for line in code.sass if line.startswith("IMAD.HI")]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.uint64])
def test_vectors_of_16_bytes(device, dtype):
    x = np.arange(128).astype(dtype)
    out = device.empty(128, dtype, None)
    device.launch(turned, 1, 32, 1, (out, on_device(x)))
    np.testing.assert_array_equal(host(out), x.reshape(32, 4)[:, ::-1].ravel())
    moved = {k: v for k, v in device.counts.items() if k.startswith(("ld.global", "st.global"))}
    assert set(moved.values()) == {32 * np.dtype(dtype).itemsize // 4}
    assert all(".v4." in k or ".v2." in k for k in moved)


def test_vectors_elsewhere_are_refused(device):
    out = ForeignArray(aligned(128, np.float32, skip=4))
    with pytest.raises(PTXError):
        device.launch(turned, 1, 32, 1, (out, on_device(np.zeros(128, np.float32))))


def test_a_launch_reaches_numba_without_its_warning_of_small_grids():
    seen = []

    class Kernel:
        def __getitem__(self, configuration):
            assert config.CUDA_LOW_OCCUPANCY_WARNINGS == 0
            return lambda *arguments: seen.append((configuration, arguments))

    before = config.CUDA_LOW_OCCUPANCY_WARNINGS
    Device(0).launch(Kernel(), 1, 32, "stream", (1, 2), shared_bytes=64)
    assert seen == [((1, 32, "stream", 64), (1, 2))]
    assert before == config.CUDA_LOW_OCCUPANCY_WARNINGS
