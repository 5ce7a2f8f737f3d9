"""Items moved and marked on a device, a thread an item."""

import numpy as np

from fastgumbel._cuda.seam import cuda, kernel

THREADS = 256


@kernel(threads=THREADS)
def copy(out, x, to_row, from_row):
    """Rows of x from one on, in the type of `out`, to rows of it: as many as the one with fewer has."""
    n = np.int64(x.shape[1])
    i = np.int64(cuda.blockIdx.x) * np.int64(THREADS) + np.int64(cuda.threadIdx.x)
    if i < min(np.int64(x.shape[0]), np.int64(out.shape[0])) * n:
        r = np.int64(np.uint64(i) // np.uint64(n))
        j = np.uint64(i - r * n)
        out[np.uint64(to_row + r), j] = out.dtype.type(x[np.uint64(from_row + r), j])


@kernel(threads=THREADS)
def both(out, a, b, to_row):
    """Rows of booleans that are true in both, to rows of `out` from one on."""
    n = np.int64(a.shape[1])
    i = np.int64(cuda.blockIdx.x) * np.int64(THREADS) + np.int64(cuda.threadIdx.x)
    if i < np.int64(a.shape[0]) * n:
        r = np.int64(np.uint64(i) // np.uint64(n))
        j = np.uint64(i - r * n)
        out[np.uint64(to_row + r), j] = a[np.uint64(r), j] and b[np.uint64(r), j]


@kernel(threads=THREADS)
def one_hot(y, index, hard, n, off, on):
    """One-hots of index[s, r] to y[s, r, :] for rows that are hard, all where `hard` is empty; flat. NaN for -1."""
    i = np.int64(cuda.blockIdx.x) * np.int64(THREADS) + np.int64(cuda.threadIdx.x)
    if i < np.int64(y.size):
        item = np.uint64(i) // np.uint64(n)
        if hard.size == 0 or hard[item % np.uint64(hard.size)]:
            arg = index[item]
            value = on if arg == i - np.int64(item) * n else off
            y[np.uint64(i)] = value if arg >= np.int64(0) else y.dtype.type(np.nan)


@kernel(threads=THREADS)
def add_up(total, part, samples, n, begins):
    """Add part[d, s, i, :] for i < samples, one after another, to total[d, s, :], or to 0 where the sum begins.

    Both are flat, with lines of n numbers; `total` is float64.
    """
    k = np.int64(cuda.blockIdx.x) * np.int64(THREADS) + np.int64(cuda.threadIdx.x)
    if k < np.int64(total.size):
        item = np.int64(np.uint64(k) // np.uint64(n))
        place = item * samples * n + k - item * n
        sum_ = np.float64(0) if begins else total[np.uint64(k)]
        i = np.int64(0)
        while i < samples:
            sum_ += np.float64(part[np.uint64(place)])
            place += n
            i += np.int64(1)
        total[np.uint64(k)] = sum_


@kernel(threads=THREADS)
def average(dy, total, samples, to, step, n):
    """Write total[d, :] / samples, rounded once, to dy[to + d step :], n numbers each; flat."""
    k = np.int64(cuda.blockIdx.x) * np.int64(THREADS) + np.int64(cuda.threadIdx.x)
    if k < np.int64(total.size):
        d = np.int64(np.uint64(k) // np.uint64(n))
        dy[np.uint64(to + d * step + k - d * n)] = dy.dtype.type(total[np.uint64(k)] / np.float64(samples))
