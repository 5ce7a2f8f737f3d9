"""The definition of ``categorical``, version 1, in integers; its exponentials are NumPy's.

They differ from the package's by an ulp at times, which moves a category's end by 2^-52 of itself.
"""

import math

import numpy as np

from tests.oracle.vectorised import U64, Field

LAST_INDEX = 2**30 - 1


def running_sums(log_potentials, temperature=1.0):
    """Return the running sums of the integer weights of one row."""
    x = np.asarray(log_potentials).astype(np.float64)
    if temperature == 0:
        x, temperature = np.where(np.arange(len(x)) == x.argmax(), 0.0, -np.inf), 1.0
    with np.errstate(over="ignore"):
        distance = (x - x.max()) / temperature
    e = np.where(distance < -708, 0.0, np.exp(np.maximum(distance, -708)))
    a = len(e) + int(np.rint(e * 2.0**30).astype(U64).sum())
    k = 92 - math.frexp(float(a))[1]
    doubled = np.floor(np.ldexp(e, k + 1)).astype(U64)
    return (doubled + U64(1) >> U64(1)).cumsum()


def uniforms(key, row, draw):
    """Return the 64 bits of draws, as an array: a call of Philox serves an even draw and the odd one after it."""
    row, draw = np.broadcast_arrays(np.asarray(row, U64), np.asarray(draw, U64))
    words = Field(key).words(3, U64(LAST_INDEX), row, draw >> U64(1))
    odd = (draw & U64(1)).astype(bool)
    return np.where(odd, words[3], words[1]) << U64(32) | np.where(odd, words[2], words[0])


def choose(log_potentials, uniform, temperature=1.0):
    """Return the categories of one row that 64-bit uniforms name."""
    sums = running_sums(log_potentials, temperature)
    total = int(sums[-1])
    assert total < 2**62
    targets = np.array([u * total >> 64 for u in uniform.ravel().tolist()], U64)
    return np.searchsorted(sums, targets, "right").reshape(uniform.shape)


def categorical(log_potentials, draws, *, key, rows=None, draw=0, temperature=1.0):
    """Return so many draws of each row of a matrix."""
    count = len(log_potentials)
    rows, temperature = np.arange(count) if rows is None else rows, np.broadcast_to(temperature, count)
    ids = np.arange(draw, draw + draws, dtype=U64)
    columns = [
        choose(x, uniforms(key, row, ids), t) for x, row, t in zip(log_potentials, rows, temperature, strict=True)
    ]
    return np.stack(columns, -1)
