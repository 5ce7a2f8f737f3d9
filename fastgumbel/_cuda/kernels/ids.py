"""The field at category ids in any order, on a device, and the exponentials that it does not use."""

import numpy as np

from fastgumbel._cpu.stage import row_id
from fastgumbel._cuda.kernels.field import first_draw, other_exponential, place_noise
from fastgumbel._cuda.kernels.rows import divided
from fastgumbel._cuda.seam import cuda, kernel

THREADS = 256


@kernel(threads=THREADS)
def write_at(out, ids, field, to, fresh, empty):
    """Write G(key, row, draw + s, ids[r, j]) to out[first + s step + r n + j], a thread a place.

    `to` is (first, step, draws), and n the number of columns of `ids`; `field` is a `Field`,
    whose `start` is not read. An empty place, whose id is negative, gets `empty`. `fresh` asks for Exp(1)
    numbers that the field does not use.
    """
    key = field.key
    first, step, draws = to
    n_rows, n = np.int64(ids.shape[0]), np.int64(ids.shape[1])
    i = np.int64(cuda.blockIdx.x) * np.int64(THREADS) + np.int64(cuda.threadIdx.x)
    line = divided(i, n)
    s = divided(line, n_rows)
    if s < draws:
        r = line - s * n_rows
        j = i - line * n
        id_ = np.int64(ids[np.uint64(r), np.uint64(j)])
        value = empty
        if id_ >= np.int64(0):
            row, here = row_id(field.ids, field.row, np.uint64(r)), first_draw(field, r) + np.uint64(s)
            category = np.uint64(id_)
            if fresh:
                value = other_exponential(key, row, here, category, empty)
            else:
                value = place_noise(key, row, here, category, empty)
        out[np.uint64(first + s * step + r * n + j)] = value
