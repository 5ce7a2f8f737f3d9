"""A threshold that k of many values reach, and seldom many more: guessed, and then corrected by counting.

Values lie in one run of n, or in two that are CHUNK apart.
"""

import numpy as np

from fastgumbel._cpu.blocks import CHUNK
from fastgumbel._law.real import log64
from fastgumbel._numba.compile import scalar, stage
from fastgumbel._numba.vector import greater

# Steps towards the threshold, which half as many more than k may reach.
_STEPS = 12


@scalar
def count_reaching(values, at, n, runs, threshold):
    """How many values from a place on reach a threshold."""
    count = np.uint64(0)
    for first in range(at, at + runs * CHUNK, CHUNK):
        for i in range(n):
            count += np.uint64(values[np.uint64(first) + np.uint64(i)] >= threshold)
    return np.int64(count)


@stage
def threshold_of(values, at, n, runs, k, root, temperature):
    """What at least k values from a place on reach, and seldom many more; the root, unless it is above that."""
    best = values[at]
    for first in range(at, at + runs * CHUNK, CHUNK):
        for i in range(n):
            best = greater(values[np.uint64(first) + np.uint64(i)], best)
    # As if they were Gumbel: exp(t / T) times as many reach what is lower by t. Else the steps grow until they do.
    wanted, most = np.float64(k) * 1.25, 1.5 * k + 1
    scale, down, threshold = temperature if temperature > 0 else np.float64(1), True, root
    guess = best - scale * log64(wanted)
    for _ in range(_STEPS):
        if not guess > threshold:
            break
        count = count_reaching(values, at, n, runs, guess)
        if count >= k:
            threshold = guess
            if count <= most:
                break
        few = count < wanted
        scale *= np.float64(2) if few == down else np.float64(0.5)
        guess += scale * log64(max(np.float64(count), np.float64(0.5)) / wanted)
        down = few
    return threshold
