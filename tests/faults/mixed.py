"""Every public function once, on short and on long rows: what faults must leave as it is."""

import hashlib

import numpy as np

import fastgumbel
from tests.calls import CALLS, NOISE, logits, parts

SHAPES = ((30, 10), (2, 700))
KINDS = (np.float32, np.float64)


def _top(place, x):
    return fastgumbel.gumbel_top_k(place(x), 1, noise=NOISE, return_threshold=True)


def _categorical(place, x):
    return fastgumbel.categorical(place(x), 3, noise=NOISE.at(start=0))


def _reservoir(place, x):
    reservoir = fastgumbel.Reservoir(2, noise=NOISE)
    for row in x:
        reservoir.update(place(row))
    return reservoir.indices, reservoir.values


def _nested(place, x):
    nests = [(0.6, [1, (0.5, [0, 3])]), (0.8, range(4, x.shape[-1], 2))]
    return fastgumbel.gumbel_nested(x.shape, nests, noise=NOISE, dtype=x.dtype)


EVERY = {**CALLS, "gumbel_nested": _nested, "gumbel_top_k": _top, "categorical": _categorical, "Reservoir": _reservoir}
TASKS = [(name, shape, kind) for name in EVERY for shape in SHAPES for kind in KINDS]


def results(name, shape, kind, place=np.asarray):
    """Return the arrays that a call gives."""
    return list(parts(EVERY[name](place, logits(shape, kind))))


def digest(tasks=TASKS):
    """Return a digest of all bits of calls."""
    every = hashlib.sha256()
    for task in tasks:
        for array in results(*task):
            every.update(f"{task} {array.dtype} {array.shape}".encode() + array.tobytes())
    return every.hexdigest()
