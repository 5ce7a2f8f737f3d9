"""The field written out at category ids in any order, and the exponentials that it does not use."""

import numpy as np

from fastgumbel._cpu.ids import draw_blocks, draw_own, enter_minima, enter_places, id_scratch, keys_for, split_ids
from fastgumbel._cpu.parameters import Field
from fastgumbel._cpu.slots import noise_plane
from fastgumbel._cpu.stage import STAGE, exponentials, padded
from fastgumbel._law.field import HIGH_WORDS, LOW_WORDS, OTHER_WORDS
from fastgumbel._numba.compile import kernel

_1 = np.uint64(1)
_2 = np.uint64(2)


@kernel
def noise_ids(out, ids, field, fresh, wide=None):
    """Write G(key, row, draw + s, ids[r, j]) to out[s, r, j]; what stands in an empty place means nothing.

    `ids` are category ids, one row for each row or one for all. `field` is a `Field`. `fresh` asks for Exp(1) numbers
    that the field does not use, as `exponential_row` draws them; `wide`, unless it is None, says that ids may have more
    than 32 bits.
    """
    field = Field(*field)
    key = keys_for(wide, field.key)
    flat, category_ids = out.reshape(out.size), ids.reshape(ids.size)
    scratch = id_scratch(out)
    state, counters, high, low, own, numbers = scratch
    for first in range(0, out.size, STAGE):
        count = min(STAGE, out.size - first)
        lanes = padded(count)
        enter_places(scratch, count, first, out.shape, category_ids, field)
        split_ids(key, own, lanes, field.key)
        if fresh:
            draw_own(high, own, 0, counters, lanes, key, OTHER_WORDS, _2)
            if out.itemsize == 8:
                draw_own(low, own, 0, counters, lanes, key, OTHER_WORDS | _1, _2)
            exponentials(numbers, 0, lanes, high, low, 0)
        else:
            draw_blocks(high, own, 0, counters, lanes, key)
            enter_minima(state, own, high, lanes)
            draw_own(high, own, 0, counters, lanes, key, HIGH_WORDS, _1)
            if out.itemsize == 8:
                draw_own(low, own, 0, counters, lanes, key, LOW_WORDS, _1)
            noise_plane(numbers, 0, scratch, lanes, 0, 0)
        for i in range(count):
            flat[np.uint64(first) + np.uint64(i)] = numbers[i]
