"""The calls of the suite for real devices, which so have run once before that day; long rows are left to it."""

import numpy as np
import pytest

from fastgumbel import _device
from tests.calls import CALLS, assert_same_bits, logits, parts
from tests.cuda.emulated import on_device


@pytest.mark.parametrize(("shape", "dtype"), [((50, 10), np.float32), ((2, 1001), np.float64)], ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_the_bits_of_the_cpu(device, name, shape, dtype):
    x = logits(shape, dtype)
    there, here = parts(CALLS[name](on_device, x)), parts(CALLS[name](np.asarray, x))
    for actual, expected in zip(there, here, strict=True):
        assert _device.is_device(actual)
        assert_same_bits(actual.values, np.asarray(expected))
