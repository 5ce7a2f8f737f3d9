"""Noise of a nested logit from that of the field: the stable variables of all nests, and what they do to categories.

A few rows go together. What shifts their categories stands in planes, with a place for each row: the first plane is
that of the root, and then there is one for each nest.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.parameters import Field
from fastgumbel._cpu.stage import DRAW, ROW, STAGE, draw_words, fill, first_draw, padded, row_id
from fastgumbel._law.field import join
from fastgumbel._law.ops import fma
from fastgumbel._law.real import exponential64
from fastgumbel._law.stable import NEST_WORDS, key_of_nests, quotients_of, stable, uniform_pair
from fastgumbel._numba.compile import kernel, maker, stage
from fastgumbel._numba.memory import empty, zeros

# So many shifts at once, unless a single row has more.
_PLACES = 2**14


class Tree(NamedTuple):
    """Nests and categories; a plane is 0 for the root, and t + 1 for nest t.

    `parents` are planes of the nests that nests are in, which come before them; `scales` are their own, and `outer` the
    products of the scales of all nests around them. `planes` are those of the nests of categories, and `inner` the
    products of the scales of all nests around categories.
    """

    parents: Any
    scales: Any
    outer: Any
    planes: Any
    inner: Any


class _Scratch(NamedTuple):
    """Scratch of a stage of places.

    Indices, rows and draws; words; scales; exponentials, and in two planes the numbers whose logarithms are taken.
    """

    counters: Any
    words: Any
    scales: Any
    exponentials: Any
    quotients: Any


@maker
def _scratch():
    return _Scratch(
        zeros(3 * STAGE, np.uint64),
        zeros(4 * STAGE, np.uint32),
        np.full(STAGE, 0.5),
        np.ones(STAGE),
        np.ones(2 * STAGE),
    )


@stage
def _enter_places(scratch, first, n, rows, own, scales):
    """Coordinates and scales of n places from `first` on, where each nest has a place for each row.

    `own` has the ids of rows, and a stage later their draws.
    """
    counters = scratch.counters
    done = 0
    while done < n:
        nest = (first + done) // rows
        row = first + done - nest * rows
        run = min(n - done, rows - row)
        fill(counters, done, run, NEST_WORDS | np.uint64(nest))
        fill(scratch.scales, done, run, scales[nest])
        for i in range(run):
            counters[ROW + done + i] = own[row + i]
            counters[DRAW + done + i] = own[STAGE + row + i]
        done += run


@stage
def _draw(drawn, to, scratch, n):
    """What n places draw, from their words, to drawn[to:]."""
    _, words, scales, exponentials, quotients = scratch
    # Several loops, as one has more constants than the processor has registers.
    for i in range(n):
        word = join(np.uint64(words[3 * STAGE + i]), np.uint64(words[2 * STAGE + i]))
        exponentials[i] = exponential64(word)
    for i in range(n):
        u, v = uniform_pair(join(np.uint64(words[STAGE + i]), np.uint64(words[i])))
        first, second = quotients_of(scales[i], u, v, exponentials[i])
        quotients[i] = first
        quotients[STAGE + i] = second
    for i in range(n):
        drawn[np.uint64(to) + np.uint64(i)] = stable(scales[i], quotients[i], quotients[STAGE + i])


@stage
def _accumulate(shifts, rows, tree):
    """What nests draw into what they shift their categories by."""
    for t in range(tree.scales.size):
        to, above = np.uint64((t + 1) * rows), np.uint64(tree.parents[t] * rows)
        # A nest of scale 1 is none, to the bit.
        outer, none = tree.outer[t], tree.scales[t] == 1
        for i in range(rows):
            inherited = shifts[above + np.uint64(i)]
            shifted = fma(outer, shifts[to + np.uint64(i)], inherited)
            shifts[to + np.uint64(i)] = inherited if none else shifted


@stage
def _place_planes(begins, planes, rows):
    """Where the shifts of the nests of categories begin."""
    for j in range(planes.size):
        begins[np.uint64(j)] = np.uint64(planes[np.uint64(j)]) * np.uint64(rows)


@stage
def _add(out, noise, at, inner, begins, shifts, i):
    """Noise of one row, the i-th of those that have shifts, from a place of both arrays on."""
    kind = out.dtype.type
    for j in range(begins.size):
        place = np.uint64(at) + np.uint64(j)
        shift = shifts[begins[np.uint64(j)] + np.uint64(i)]
        out[place] = kind(fma(inner[np.uint64(j)], noise[place], shift))


@kernel
def add_nests(out, noise, field, tree):
    """Write the noise of a nested logit to `out` from that of the field in `noise`, both of shape (rows, categories).

    `field` is a `Field`, of which draw 0 is read; `tree` is a `Tree` of these categories. `out` is float64, or float32,
    rounded once.
    """
    field, tree = Field(*field), Tree(*tree)
    n_rows, n = noise.shape
    n_nests = tree.scales.size
    key = key_of_nests(field.key)
    results, numbers = out.reshape(n_rows * n), noise.reshape(n_rows * n)
    together = max(1, min(n_rows, STAGE, _PLACES // (n_nests + 1)))
    # What draws may write beyond the last place.
    shifts = empty((n_nests + 1) * together + STAGE, np.float64)
    begins = empty(n, np.uint64)
    own = zeros(2 * STAGE, np.uint64)
    scratch = _scratch()
    for r in range(0, n_rows, together):
        count = min(together, n_rows - r)
        for i in range(count):
            own[i] = row_id(field.ids, field.row, r + i)
            own[STAGE + i] = first_draw(field, r + i)
        for first in range(0, n_nests * count, STAGE):
            places = min(STAGE, n_nests * count - first)
            _enter_places(scratch, first, places, count, own, tree.scales)
            draw_words(scratch.words, scratch.counters, padded(places), key)
            _draw(shifts, count + first, scratch, padded(places))
        # The negative zero is what adds to every number without a change, zeros included.
        fill(shifts, 0, count, -0.0)
        _accumulate(shifts, count, tree)
        _place_planes(begins, tree.planes, count)
        for i in range(count):
            _add(results, numbers, (r + i) * n, tree.inner, begins, shifts, i)
