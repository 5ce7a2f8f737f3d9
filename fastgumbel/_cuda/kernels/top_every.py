"""The k best where everything is looked at: perturbed values written out as entries, and three ways to rank lists.

Lists lie one after another in two flat arrays, of values and of indices. `place` is that of `deliver`.
"""

import numpy as np

from fastgumbel._cpu.stage import row_id
from fastgumbel._cuda.kernels.field import block, first_draw, quad_noise
from fastgumbel._cuda.kernels.rows import divided, note_fault, potential, quad
from fastgumbel._cuda.kernels.temperature import is_unfit, temperature_of
from fastgumbel._cuda.kernels.top import deliver, entry, is_invalid, kept, offer, with_room
from fastgumbel._cuda.seam import cuda, device, kernel
from fastgumbel._law.reduce import INVALID_NOISE, NO_INDEX, NOTHING, beats

THREADS = 128

_0, _1, _2, _3 = map(np.int64, (0, 1, 2, 3))


@device
def _here():
    return np.int64(cuda.blockIdx.x) * np.int64(THREADS) + np.int64(cuda.threadIdx.x)


@device
def _put(values, indices, place, column, p, g, temperature):
    base, width = place
    if column >= _0 and column < width:
        value, index = entry(np.float64(p), g, temperature, column)
        values[np.uint64(base + column)] = value
        indices[np.uint64(base + column)] = index


@kernel(threads=THREADS)
def fill_field(x, mask, field, values, indices, plan):
    """Write the entries of rows and draws to lists, a thread a quad.

    `field` is a `Field`. `plan` is (first row, rows, first draw, items, quads a list,
    width of a list); what a list has behind the row is empty.
    """
    key, start = field.key, field.start
    first_row, n_rows, to_draw, items, quads, width = plan
    i = _here()
    item = divided(i, quads)
    if item < items:
        s = divided(item, n_rows)
        line = np.uint64(first_row + item - s * n_rows)
        quad_id = (start >> np.uint64(2)) + np.uint64(i - item * quads)
        column = np.int64(quad_id << np.uint64(2)) - np.int64(start)
        zero = np.float64(0)
        g0, g1, g2, g3 = zero, zero, zero, zero
        if column < np.int64(x.shape[1]):
            row, at = row_id(field.ids, field.row, line), first_draw(field, line) + np.uint64(to_draw + s)
            minimum, winner = block(key, row, at, quad_id >> np.uint64(4), zero)
            g0, g1, g2, g3 = quad_noise(key, row, at, quad_id, minimum, winner)
        a, b, c, d = quad(x, mask, line, column)
        place, temperature = (item * width, width), temperature_of(field.temperatures, line)
        _put(values, indices, place, column, a, g0, temperature)
        _put(values, indices, place, column + _1, b, g1, temperature)
        _put(values, indices, place, column + _2, c, g2, temperature)
        _put(values, indices, place, column + _3, d, g3, temperature)


@kernel(threads=THREADS)
def fill_given(x, mask, noise, temperatures, values, indices, plan, flag):
    """Write the entries of rows on the noise beside them to lists, a thread an entry.

    `temperatures` are `Temperatures`; `plan` is (first row, rows, number of row 0 of the noise among faults, width of
    a list). Noise of -inf excludes; what is unfit makes a row invalid.
    """
    first_row, n_rows, number, width = plan
    i = _here()
    item = divided(i, width)
    if item < n_rows:
        column = i - item * width
        value, index = NOTHING, NO_INDEX
        if column < np.int64(x.shape[1]):
            line = first_row + item
            g = np.float64(potential(noise, True, np.uint64(line), column))
            p = np.float64(potential(x, mask, np.uint64(line), column)) if g > NOTHING else NOTHING
            temperature = temperature_of(temperatures, line)
            if is_unfit(g, temperature):
                note_fault(flag, number + line, INVALID_NOISE)
                p = np.float64(np.inf)
            value, index = entry(p, g, temperature, column)
        values[np.uint64(i)] = value
        indices[np.uint64(i)] = index


@kernel(threads=THREADS)
def rank(values, indices, width, items, place, outs):
    """Deliver the best of short lists, a thread an entry, which counts those before it."""
    i = _here()
    item = divided(i, width)
    if item < items:
        own = i - item * width
        value, index = values[np.uint64(i)], indices[np.uint64(i)]
        bad, before = False, _0
        j = _0
        while j < width:
            other, at = values[np.uint64(item * width + j)], indices[np.uint64(item * width + j)]
            bad |= is_invalid(other, at)
            # Entries that stand for nothing are alike.
            alike = other == value and at == index
            before += _1 if beats(other, at, value, index) or (alike and j < own) else _0
            j += _1
        if before <= place[4]:
            deliver(outs, place, item, before, value, index, bad)


@kernel(threads=THREADS)
def select(values, indices, width, capacity, places, place, outs):
    """Deliver the best of long lists, a thread block a list: what may be among them goes through a buffer."""
    best, arg = cuda.shared.array(0, np.float64)[:capacity], cuda.shared.array(0, np.int64)[capacity : 2 * capacity]
    count = cuda.shared.array(1, np.int32)
    thread, threads = np.int64(cuda.threadIdx.x), np.int64(cuda.blockDim.x)
    item = np.int64(cuda.blockIdx.x)
    if thread == _0:
        count[0] = np.int32(0)
    least = NOTHING, NO_INDEX
    column = _0
    going = True
    while going:
        going = column < width
        least = with_room(best, arg, count, places, least, not going)
        c = column + thread
        if c < width:
            at = np.uint64(item * width + c)
            offer(best, arg, count, values[at], indices[at], least)
        c += threads
        if c < width:
            at = np.uint64(item * width + c)
            offer(best, arg, count, values[at], indices[at], least)
        column += threads + threads
    first, index = kept(best, arg, count, np.int32(0))
    bad = is_invalid(first, index)
    r = np.int32(thread)
    while r < places:
        value, index = kept(best, arg, count, r)
        deliver(outs, place, item, np.int64(r), value, index, bad)
        r = np.int32(r + np.int32(threads))


@kernel(threads=THREADS)
def sort_step(values, indices, items, width, run, step):
    """One step of Batcher's bitonic sort of lists whose width is a power of two, a thread a pair of entries."""
    i = _here()
    half = width >> _1
    item = divided(i, half)
    if item < items:
        a = ((i - item * half) << _1) - (i & (step - _1))
        first = np.uint64(item * width + a)
        second = first + np.uint64(step)
        v, w, j, k = values[first], values[second], indices[first], indices[second]
        if beats(w, k, v, j) if a & run == _0 else beats(v, j, w, k):
            values[first], values[second] = w, v
            indices[first], indices[second] = k, j


@kernel(threads=THREADS)
def take(values, indices, width, items, places, place, outs):
    """Deliver the first entries of lists that are sorted, a thread an entry."""
    i = _here()
    item = divided(i, places)
    if item < items:
        r = i - item * places
        first = np.uint64(item * width)
        value, index = NOTHING, NO_INDEX
        if r < width:
            value, index = values[first + np.uint64(r)], indices[first + np.uint64(r)]
        deliver(outs, place, item, r, value, index, is_invalid(values[first], indices[first]))
