"""Which places of running sums many draws point to."""

import numpy as np

from fastgumbel._cpu.stage import STAGE
from fastgumbel._law.weights import target
from fastgumbel._numba.compile import stage


@stage
def targets_of(targets, words, n, total):
    """Targets of n pairs of draws: the even draws, and a plane later the odd ones."""
    for i in range(n):
        targets[i] = target(np.uint64(words[i]), np.uint64(words[STAGE + i]), total)
        targets[STAGE + i] = target(np.uint64(words[2 * STAGE + i]), np.uint64(words[3 * STAGE + i]), total)
