"""Opening the blocks that may have something above their thresholds: the lanes beside their winners.

A lane lies below the winner's Gumbel, so that its log-potential must be high enough beside that. Where few lanes of a
block are, their quads wait until there are enough to be drawn together, and else all quads of eight blocks are drawn.
The high word tells of nearly all lanes that they wait too long. The few that remain are decided together, exactly.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.ids import draw_own
from fastgumbel._cpu.noise_row import interleave
from fastgumbel._cpu.stage import DRAW, ROW, STAGE, draw_words, padded
from fastgumbel._cpu.word_limits import word_limit
from fastgumbel._law.field import BLOCK_SHIFT, HIGH_WORDS, LANE_MASK, LOW_WORDS, join, words
from fastgumbel._law.ops import fma
from fastgumbel._law.real import exponential64, exponential_floor, gumbel64, gumbel_bound
from fastgumbel._law.reduce import LIMIT, slack_of
from fastgumbel._numba.compile import maker, scalar, stage
from fastgumbel._numba.masks import any_at_most64, at_most64, count_bits, lowest_bit
from fastgumbel._numba.memory import empty, zeros

# From so many quads on, a block draws all of its 16.
_DENSE = 8
# So many blocks have the quads of a queue.
_BLOCKS = np.int64(STAGE // 16)

# Literals would compile functions anew.
_NONE, _ALL = np.int64(0), np.int64(STAGE)
_1, _2, _3, _PLANE = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(STAGE)
_QUADS = np.uint64(0x1111111111111111)
# Of colder rows, the inverse of the temperature may be infinite.
_COLDEST = np.float64(2.0**-1000)


class Quads(NamedTuple):
    """Quads that wait to be drawn: counters, words, places of their blocks in the list, and their first lanes.

    The largest high words that matter, of quads of a few lanes; and of eight whole blocks, all high words in the order
    of the lanes, how far their log-potentials are from the thresholds, and the largest high words that matter.
    """

    counters: Any
    words: Any
    owners: Any
    lanes: Any
    limits: Any
    high: Any
    gaps: Any
    most: Any


class Lanes(NamedTuple):
    """Lanes that wait to be decided: counters, low words, places of their blocks in the list, categories, high words.

    What their values are made of: log-potentials, smallest exponentials of the blocks, temperatures; and the values.
    """

    counters: Any
    words: Any
    owners: Any
    categories: Any
    high: Any
    potentials: Any
    minima: Any
    temperatures: Any
    values: Any


@maker
def new_quads():
    """A queue of STAGE quads."""
    return Quads(
        zeros(3 * STAGE, np.uint64),
        zeros(4 * STAGE, np.uint32),
        zeros(STAGE, np.int64),
        zeros(STAGE, np.uint64),
        zeros(STAGE, np.uint32),
        zeros(4 * STAGE, np.uint32),
        zeros(4 * STAGE, np.float32),
        zeros(4 * STAGE, np.uint32),
    )


@maker
def new_lanes():
    """A queue of STAGE lanes."""
    return Lanes(
        zeros(3 * STAGE, np.uint64),
        zeros(4 * STAGE, np.uint32),
        zeros(STAGE, np.int64),
        zeros(STAGE, np.uint64),
        zeros(STAGE, np.uint64),
        zeros(STAGE, np.float64),
        zeros(STAGE, np.float64),
        zeros(STAGE, np.float64),
        empty(STAGE, np.float64),
    )


@stage
def _decide(listed, lanes, n, key):
    """Decide n queued lanes exactly."""
    m = padded(n)
    draw_own(lanes.words, lanes.categories, 0, lanes.counters, m, key, LOW_WORDS, _1)
    for i in range(m):
        e = lanes.minima[i] + exponential64(join(lanes.high[i], np.uint64(lanes.words[i])))
        lanes.values[i] = fma(lanes.temperatures[i], gumbel64(e), lanes.potentials[i])
    for i in range(n):
        k = lanes.owners[i]
        if lanes.values[i] > listed.thresholds[k] and lanes.potentials[i] > -LIMIT:
            lane = lanes.categories[i] & LANE_MASK
            listed.above[k] |= _1 << lane
            listed.values[64 * k + np.int64(lane)] = lanes.values[i]


@scalar
def _queue_lane(flat, listed, k, lane, high, queue, key):
    """Queue a lane of block k with its high word; `queue` is lanes and how many wait, which is returned anew."""
    lanes, waiting = queue
    lanes.counters[ROW + waiting], lanes.counters[DRAW + waiting] = listed.ids[k], listed.draws[k]
    lanes.owners[waiting], lanes.high[waiting] = k, high
    lanes.categories[waiting] = (listed.blocks[k] << BLOCK_SHIFT) | lane
    lanes.potentials[waiting] = np.float64(flat[listed.firsts[k] + np.int64(lane)])
    lanes.minima[waiting], lanes.temperatures[waiting] = listed.minima[k], listed.temperatures[k]
    if waiting + 1 < STAGE:
        return waiting + 1
    _decide(listed, lanes, _ALL, key)
    return _NONE


@stage
def _try_quads(flat, listed, quads, n, lanes, waiting, key):
    """Draw n queued quads and queue those of their lanes that may be above; how many lanes then wait."""
    draw_words(quads.words, quads.counters, padded(n), key)
    for first in range(0, n, 64):
        mask = any_at_most64(quads.words, first, STAGE, quads.limits)
        if n - first < 64:
            mask &= (_1 << np.uint64(n - first)) - _1
        while mask:
            i = first + lowest_bit(mask)
            mask &= mask - _1
            k = quads.owners[i]
            for word in range(4):
                high, lane = quads.words[word * STAGE + i], quads.lanes[i] + np.uint64(word)
                if high > quads.limits[i] or not listed.candidates[k] >> lane & _1:
                    continue
                bound = gumbel_bound(listed.minima[k] + exponential_floor(np.uint64(high)))
                potential = np.float64(flat[listed.firsts[k] + np.int64(lane)])
                if fma(listed.temperatures[k], bound, potential) > listed.thresholds[k]:
                    waiting = _queue_lane(flat, listed, k, lane, np.uint64(high), (lanes, waiting), key)
    return waiting


@stage
def _draw_block(out, at, n, key, row, draw, first):
    """Words of n quads of one block, its first index given, from place `at` of their planes on."""
    for i in range(n):
        four = words(key, row, draw, first + np.uint64(i))
        j = np.uint64(at) + np.uint64(i)
        out[j], out[_PLANE + j], out[_PLANE * _2 + j], out[_PLANE * _3 + j] = four


@stage
def _enter_gaps(gaps, at, n, flat, first, below, rate):
    """How far n log-potentials from flat[first] on are from a threshold, in units of the temperature."""
    for i in range(n):
        gaps[np.uint64(at) + np.uint64(i)] = (np.float64(flat[np.uint64(first) + np.uint64(i)]) - below) * rate


@stage
def _enter_limits(limits, gaps, at, n, minimum):
    for i in range(n):
        j = np.uint64(at) + np.uint64(i)
        limits[j] = word_limit(gaps[j], minimum)


@stage
def _try_blocks(flat, listed, quads, n, lanes, waiting, key):
    """Draw all quads of n queued blocks and queue those of their lanes that may be above; how many lanes then wait."""
    width = quads.gaps.size // _BLOCKS
    for b in range(n):
        k = quads.owners[b]
        threshold, largest = listed.thresholds[k], max(abs(listed.least[k]), abs(listed.maxima[k]))
        below = threshold - slack_of(largest, threshold)
        index = HIGH_WORDS | (listed.blocks[k] << np.uint64(4))
        _draw_block(quads.words, 16 * b, width // 4, key, listed.ids[k], listed.draws[k], index)
        _enter_gaps(quads.gaps, 64 * b, width, flat, listed.firsts[k], below, 1 / listed.temperatures[k])
        _enter_limits(quads.most, quads.gaps, 64 * b, width, np.float32(listed.minima[k]))
    interleave(quads.high, 0, quads.words, 16 * n)
    for b in range(n):
        k = quads.owners[b]
        mask = at_most64(quads.high, 64 * b, quads.most, 64 * b) & listed.candidates[k]
        while mask:
            lane = np.uint64(lowest_bit(mask))
            mask &= mask - _1
            high = np.uint64(quads.high[64 * b + np.int64(lane)])
            waiting = _queue_lane(flat, listed, k, lane, high, (lanes, waiting), key)
    return waiting


@scalar
def _limit(listed, k):
    """The largest high word with which a lane of a block may be above its threshold."""
    largest, threshold = listed.maxima[k], listed.thresholds[k]
    gap = (largest - threshold + slack_of(largest, threshold)) / listed.temperatures[k]
    return word_limit(np.float32(gap), np.float32(listed.minima[k]))


@scalar
def _quads_of(lanes):
    """The first lanes of the quads that lanes of a mask are in."""
    lanes |= lanes >> _2
    return (lanes | lanes >> _1) & _QUADS


@scalar
def _is_dense(flat, listed, k):
    """Whether block k of a list, of which no lane is missing, has many lanes that may be above."""
    first = listed.firsts[k]
    whole = first >= 0 and first + 64 <= flat.size
    return count_bits(_quads_of(listed.candidates[k])) >= _DENSE and whole and listed.temperatures[k] > _COLDEST


@stage
def _open_dense(flat, listed, n, quads, lanes, key):
    """Queue the other lanes of those of n listed blocks in which many may be above; how many lanes then wait."""
    queued, waiting = _NONE, _NONE
    for k in range(n):
        if _is_dense(flat, listed, k):
            quads.owners[queued] = k
            queued += 1
            if queued == _BLOCKS:
                waiting = _try_blocks(flat, listed, quads, _BLOCKS, lanes, waiting, key)
                queued = _NONE
    return _try_blocks(flat, listed, quads, queued, lanes, waiting, key)


@stage
def _open_sparse(flat, listed, n, quads, lanes, waiting, key):
    """Queue the other lanes of those of n listed blocks in which few may be above; how many lanes then wait."""
    queued = _NONE
    for k in range(n):
        if not listed.candidates[k] or _is_dense(flat, listed, k):
            continue
        mask, limit = _quads_of(listed.candidates[k]), _limit(listed, k)
        while mask:
            lane = np.uint64(lowest_bit(mask))
            mask &= mask - _1
            quads.counters[queued] = HIGH_WORDS | (listed.blocks[k] << np.uint64(4)) | (lane >> _2)
            quads.counters[ROW + queued], quads.counters[DRAW + queued] = listed.ids[k], listed.draws[k]
            quads.owners[queued], quads.lanes[queued], quads.limits[queued] = k, lane, limit
            queued += 1
        if queued > STAGE - 16:
            waiting = _try_quads(flat, listed, quads, queued, lanes, waiting, key)
            queued = _NONE
    return _try_quads(flat, listed, quads, queued, lanes, waiting, key)


@stage
def decide_others(flat, listed, n, quads, lanes, key):
    """Decide the lanes of n listed blocks beside their winners."""
    waiting = _open_dense(flat, listed, n, quads, lanes, key)
    waiting = _open_sparse(flat, listed, n, quads, lanes, waiting, key)
    _decide(listed, lanes, waiting, key)
