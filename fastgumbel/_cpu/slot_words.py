"""Words of the same index in all slots, each a row and a draw.

Two of Philox's ten rounds hardly depend on the index, or hardly on the row, so long as slots have one draw and rows
below 2^32: what they make of rows is kept, and what they make of an index is computed once for all slots.
"""

import numpy as np

from fastgumbel._cpu.stage import DRAW, ROW, STAGE, draw_words, fill
from fastgumbel._law.philox import LOW, last_eight, next_key, round_once
from fastgumbel._numba.compile import maker, stage
from fastgumbel._numba.memory import zeros

_32 = np.uint64(32)
_0 = np.uint64(0)

# Planes of what is kept of rows: the words after two rounds that depend on them, the third one for the index 0.
_THIRD = 0
_FOURTH = STAGE
# Behind them: whether slots share rounds, and which high half of rows and which draw they have.
_SHARED = 2 * STAGE
_HIGH = 2 * STAGE + 1
_ONE_DRAW = 2 * STAGE + 2


@maker
def new_rounds():
    """Room for what is kept of rows."""
    return zeros(2 * STAGE + 3, np.uint64)


@stage
def enter_rounds(rounds, counters, n, key):
    """Take rows and draws of n slots from the counters."""
    high, draw, differ = counters[ROW] >> _32, counters[DRAW], _0
    for i in range(n):
        differ |= ((counters[ROW + i] >> _32) ^ high) | (counters[DRAW + i] ^ draw)
    rounds[_SHARED], rounds[_HIGH], rounds[_ONE_DRAW] = np.uint64(differ == _0), high, draw
    k0, k1 = key & LOW, key >> _32
    k2, k3 = next_key(k0, k1)
    for i in range(n):
        a0, a1, a2, _ = round_once(_0, counters[ROW + i] & LOW, high, draw, k0, k1)
        _, _, third, fourth = round_once(a0, a1, a2, _0, k2, k3)
        rounds[_THIRD + i] = third
        rounds[_FOURTH + i] = fourth


@stage
def _draw_shared(out, rounds, n, index, key):
    k0, k1 = key & LOW, key >> _32
    _, a1, a2, a3 = round_once(index, _0, rounds[_HIGH], rounds[_ONE_DRAW], k0, k1)
    k0, k1 = next_key(k0, k1)
    b0, b1, _, _ = round_once(_0, a1, a2, a3, k0, k1)
    k0, k1 = next_key(k0, k1)
    for i in range(n):
        four = last_eight(b0, b1, rounds[_THIRD + i] ^ a3, rounds[_FOURTH + i], k0, k1)
        out[i], out[STAGE + i], out[2 * STAGE + i], out[3 * STAGE + i] = four


@stage
def draw_at(out, rounds, counters, n, index, key):
    """The four words of an index, which carries its domain, in n slots."""
    if rounds[_SHARED]:
        _draw_shared(out, rounds, n, index, key)
    else:
        fill(counters, 0, n, index)
        draw_words(out, counters, n, key)
