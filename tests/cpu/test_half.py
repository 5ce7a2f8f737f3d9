"""float16 and bfloat16 log-potentials are read as the float32 numbers that they are."""

import numpy as np

from fastgumbel._cpu.half import widen, widen_upper


def test_every_float16():
    halves = np.arange(2**16, dtype=np.uint16)
    halves.flags.writeable = False
    wide = np.empty(2**16, np.float32)
    widen(wide, halves)
    expected = halves.view(np.float16).astype(np.float32)
    # Of NaN, sign and payload mean nothing.
    np.testing.assert_array_equal(wide, expected)
    np.testing.assert_array_equal(np.signbit(wide[expected == 0]), np.signbit(expected[expected == 0]))


def test_every_bfloat16():
    halves = np.arange(2**16, dtype=np.uint16)
    halves.flags.writeable = False
    wide = np.empty(2**16, np.float32)
    widen_upper(wide, halves)
    np.testing.assert_array_equal(wide.view(np.uint32), halves.astype(np.uint32) << 16)
