"""What relaxed samples of rows in shards need of our own functions; all else of them is IEEE arithmetic of arrays."""

import numpy as np

from fastgumbel._law.real import decay, log
from fastgumbel._numba.compile import kernel


@kernel
def decay_rows(v, largest, rates):
    """exp((v[s, r, :] - largest[s, r]) rates[r]) in place; all are of one type."""
    n = v.shape[2]
    flat = v.reshape(v.size)
    for s in range(v.shape[0]):
        for r in range(v.shape[1]):
            at = (s * v.shape[1] + r) * n
            top, rate = largest[s, r], rates[r]
            for i in range(n):
                place = np.uint64(at) + np.uint64(i)
                flat[place] = decay((flat[place] - top) * rate)


@kernel
def logarithms(totals):
    """Logarithms of positive numbers in place; of others, themselves."""
    for i in range(totals.size):
        totals[i] = log(totals[i]) if totals[i] > 0 else totals[i]
