"""Noise of a nested logit from that of the field: the stable variables of all nests, and what they do to categories.

Lines, each a row and a draw, go together. The shifts of a few lines are planes, one place a line: first that of the
root, then one for each nest.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.parameters import Field
from fastgumbel._cpu.stage import DRAW, ROW, STAGE, draw_words, fill, first_draw, padded, row_id
from fastgumbel._law.ops import fma
from fastgumbel._law.stable import NEST_WORDS, key_of_nests, stable_of_words
from fastgumbel._numba.compile import kernel, maker, stage

# Shifts of so many nests of lines at once.
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
    """Indices, rows and draws of a stage of places, their words and scales, and what they draw."""

    counters: Any
    words: Any
    scales: Any
    drawn: Any


@maker
def _scratch():
    return _Scratch(
        np.zeros(3 * STAGE, np.uint64),
        np.zeros(4 * STAGE, np.uint32),
        np.full(STAGE, 0.5),
        np.zeros(STAGE),
    )


@stage
def _enter_places(scratch, first, n, lines, own, scales):
    """Coordinates and scales of n places from `first` on, where each nest has a place for each line.

    `own` has the rows of lines, and a stage later their draws.
    """
    counters = scratch.counters
    done = 0
    while done < n:
        nest = (first + done) // lines
        line = first + done - nest * lines
        run = min(n - done, lines - line)
        fill(counters, done, run, NEST_WORDS | np.uint64(nest))
        fill(scratch.scales, done, run, scales[nest])
        for i in range(run):
            counters[ROW + done + i] = own[line + i]
            counters[DRAW + done + i] = own[STAGE + line + i]
        done += run


@stage
def _draw(scratch, n):
    words, scales, drawn = scratch.words, scratch.scales, scratch.drawn
    for i in range(n):
        w0, w1 = np.uint64(words[i]), np.uint64(words[STAGE + i])
        w2, w3 = np.uint64(words[2 * STAGE + i]), np.uint64(words[3 * STAGE + i])
        drawn[i] = stable_of_words(scales[i], w0, w1, w2, w3)


@stage
def _keep(shifts, at, drawn, n):
    for i in range(n):
        shifts[np.uint64(at) + np.uint64(i)] = drawn[i]


@stage
def _accumulate(shifts, lines, tree):
    """What nests draw into what they shift their categories by."""
    for t in range(tree.scales.size):
        to, above = np.uint64((t + 1) * lines), np.uint64(tree.parents[t] * lines)
        # A nest of scale 1 is none, to the bit.
        outer, none = tree.outer[t], tree.scales[t] == 1
        for i in range(lines):
            inherited = shifts[above + np.uint64(i)]
            shifted = fma(outer, shifts[to + np.uint64(i)], inherited)
            shifts[to + np.uint64(i)] = inherited if none else shifted


@stage
def _place_planes(begins, planes, lines):
    """Where the shifts of the nests of categories begin."""
    for j in range(planes.size):
        begins[np.uint64(j)] = np.uint64(planes[np.uint64(j)]) * np.uint64(lines)


@stage
def _add(out, noise, at, inner, begins, shifts, line):
    """Noise of one line, from a place of both arrays on: that of the field, scaled and shifted."""
    kind = out.dtype.type
    for j in range(begins.size):
        place = np.uint64(at) + np.uint64(j)
        shift = shifts[begins[np.uint64(j)] + np.uint64(line)]
        out[place] = kind(fma(inner[np.uint64(j)], noise[place], shift))


@kernel
def add_nests(out, noise, field, tree, first, rows):
    """Write the noise of a nested logit to `out` from that of the field in `noise`, both of shape (lines, categories).

    `field` is a `Field` of all rows; lines count the `rows` of draw 0, then those of draw 1, ..., and the first one is
    line `first`. `tree` is a `Tree` of these categories. `out` is float64, or float32, rounded once.
    """
    field, tree = Field(*field), Tree(*tree)
    n_lines, n = noise.shape
    n_nests = tree.scales.size
    key = key_of_nests(field.key)
    results, numbers = out.reshape(n_lines * n), noise.reshape(n_lines * n)
    together = max(1, min(n_lines, STAGE, _PLACES // (n_nests + 1)))
    shifts = np.empty((n_nests + 1) * together)
    begins = np.empty(n, np.uint64)
    own = np.zeros(2 * STAGE, np.uint64)
    scratch = _scratch()
    for at in range(0, n_lines, together):
        lines = min(together, n_lines - at)
        for i in range(lines):
            line = first + at + i
            own[i] = row_id(field.ids, field.row, line % rows)
            own[STAGE + i] = first_draw(field, line % rows) + np.uint64(line // rows)
        for place in range(0, n_nests * lines, STAGE):
            count = min(STAGE, n_nests * lines - place)
            _enter_places(scratch, place, count, lines, own, tree.scales)
            draw_words(scratch.words, scratch.counters, padded(count), key)
            _draw(scratch, padded(count))
            _keep(shifts, lines + place, scratch.drawn, count)
        # The negative zero is the one number that adding leaves every number as it is, zeros included.
        fill(shifts, 0, lines, -0.0)
        _accumulate(shifts, lines, tree)
        _place_planes(begins, tree.planes, lines)
        for i in range(lines):
            _add(results, numbers, (at + i) * n, tree.inner, begins, shifts, i)
