"""Every public function gives the bits of the CPU."""

import numpy as np
import pytest
from numba import cuda

from fastgumbel._request.device import is_device
from tests.calls import CALLS, assert_same_bits, logits, parts

SHAPES = [(1, 1), (1000, 10), (3, 64), (7, 1001), (2, 131_073)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_the_bits_of_the_cpu(name, shape, dtype):
    x = logits(shape, dtype)
    there, here = parts(CALLS[name](cuda.to_device, x)), parts(CALLS[name](np.asarray, x))
    for actual, expected in zip(there, here, strict=True):
        assert is_device(actual)
        assert_same_bits(cuda.as_cuda_array(actual).copy_to_host(), np.asarray(expected))
