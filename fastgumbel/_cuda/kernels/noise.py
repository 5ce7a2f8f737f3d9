"""The field written out on a device in float64 or float32: short rows by a thread each, long ones by warps."""

import numpy as np

from fastgumbel._cpu.stage import row_id
from fastgumbel._cuda.kernels.field import block, first_draw, held_block, hold_blocks, quad_noise
from fastgumbel._cuda.kernels.rows import divided
from fastgumbel._cuda.seam import cuda, device, kernel, store4

THREADS = 128

_0, _1, _3, _4 = map(np.int64, (0, 1, 3, 4))
_STEP = np.int64(128)


@device
def _put(out, place, column, n, vectors, g):
    """Write a quad to out[place:]; its first item is column `column` of a row of n, the others may lie outside."""
    g0, g1, g2, g3 = g
    skew, mask = vectors
    if column >= _0 and column + _3 < n and (place + skew) & mask == _0:
        store4(out, np.uint64(place), g0, g1, g2, g3)
    else:
        if column >= _0:
            out[np.uint64(place)] = g0
        if column + _1 >= _0 and column + _1 < n:
            out[np.uint64(place + _1)] = g1
        if column + np.int64(2) >= _0 and column + np.int64(2) < n:
            out[np.uint64(place + np.int64(2))] = g2
        if column + _3 < n:
            out[np.uint64(place + _3)] = g3


@kernel(threads=THREADS)
def fill_short(out, field, n, n_rows, vectors):
    """Write G(key, row, draw, start + j) to out[r n + j], a thread a row.

    `field` is a `Field`; `vectors` is (skew, mask): out[i] begins 16 aligned bytes if and
    only if (i + skew) & mask is 0.
    """
    key, start = field.key, field.start
    r = np.int64(cuda.blockIdx.x) * np.int64(THREADS) + np.int64(cuda.threadIdx.x)
    if r < n_rows:
        row, draw = row_id(field.ids, field.row, np.uint64(r)), first_draw(field, r)
        column = -np.int64(start & np.uint64(3))
        place = r * n + column
        quad = start >> np.uint64(2)
        zero = out.dtype.type(0)
        minimum, winner = zero, np.int32(0)
        while column < n:
            if column <= _0 or quad & np.uint64(15) == np.uint64(0):
                minimum, winner = block(key, row, draw, quad >> np.uint64(4), zero)
            _put(out, place, column, n, vectors, quad_noise(key, row, draw, quad, minimum, winner))
            quad += np.uint64(1)
            column += _4
            place += _4


@kernel(threads=THREADS)
def fill_long(out, field, n, n_rows, vectors, pairs, steps):
    """Write what `fill_short` does, a warp `steps` pairs of blocks; a row touches `pairs` pairs, and steps <= 32."""
    key, start = field.key, field.start
    thread = np.int32(cuda.threadIdx.x)
    lane = np.int32(thread & np.int32(31))
    warp = np.int64(cuda.blockIdx.x) * np.int64(THREADS // 32) + np.int64(thread >> np.int32(5))
    first = warp * np.int64(steps)
    items = pairs * n_rows
    if first < items:
        first_pair = start >> np.uint64(7)
        zero = out.dtype.type(0)
        mine = min(first + np.int64(lane), items - _1)
        r = divided(mine, pairs)
        row, draw = row_id(field.ids, field.row, np.uint64(r)), first_draw(field, r)
        held = hold_blocks(key, row, draw, first_pair + np.uint64(mine - r * pairs), zero, lane)

        r = divided(first, pairs)
        p = first - r * pairs
        left = np.int32(pairs - p)
        row, draw = row_id(field.ids, field.row, np.uint64(r)), first_draw(field, r)
        place = r * n
        begin = np.int64(first_pair << np.uint64(7)) + np.int64(lane) * _4 - np.int64(start)
        column = begin + p * _STEP
        quad = (first_pair << np.uint64(5)) + np.uint64(p) * np.uint64(32) + np.uint64(lane)
        count = np.int32(min(np.int64(steps), items - first))
        step = np.int32(0)
        while step < count:
            minimum, winner = held_block(held, step, lane)
            if column + _3 >= _0 and column < n:
                _put(out, place + column, column, n, vectors, quad_noise(key, row, draw, quad, minimum, winner))
            step = np.int32(step + np.int32(1))
            left = np.int32(left - np.int32(1))
            column += _STEP
            quad += np.uint64(32)
            if left == 0 and step < count:
                left = np.int32(pairs)
                r += _1
                row, draw = row_id(field.ids, field.row, np.uint64(r)), first_draw(field, r)
                place += n
                column = begin
                quad = (first_pair << np.uint64(5)) + np.uint64(lane)
