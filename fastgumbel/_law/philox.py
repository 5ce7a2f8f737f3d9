"""Philox4x32-10: counter and key -> four words. Integers only.

Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).

Words of 32 bits travel in unsigned 64-bit integers, since a 32 x 32 -> 64 bit product is then one instruction in
every vector lane and no lane has to be moved: three times the rate of 32-bit lanes.
"""

import numpy as np

from fastgumbel._law.ops import wide
from fastgumbel._numba.compile import scalar

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)
LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


@scalar
def round_once(x0, x1, x2, x3, k0, k1):
    """One round, with its key."""
    p0 = wide(_M0, x0)
    p1 = wide(_M1, x2)
    return (p1 >> _32) ^ x1 ^ k0, p1 & LOW, (p0 >> _32) ^ x3 ^ k1, p0 & LOW


@scalar
def next_key(k0, k1):
    """The key of the next round."""
    return (k0 + _W0) & LOW, (k1 + _W1) & LOW


@scalar
def philox(x0, x1, x2, x3, k0, k1):
    """Four random words from the counter `x0..x3` and the key `k0, k1`; all are uint64 below 2^32."""
    for _ in range(10):
        x0, x1, x2, x3 = round_once(x0, x1, x2, x3, k0, k1)
        k0, k1 = next_key(k0, k1)
    return x0, x1, x2, x3


@scalar
def last_eight(x0, x1, x2, x3, k0, k1):
    """Four random words from what stands after two rounds, and the key of the third."""
    for _ in range(8):
        x0, x1, x2, x3 = round_once(x0, x1, x2, x3, k0, k1)
        k0, k1 = next_key(k0, k1)
    return x0, x1, x2, x3
