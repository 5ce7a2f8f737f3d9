"""The definition of the sampler, written down once over a noise that lies in memory."""

import math
from fractions import Fraction

import numpy as np

import fastgumbel

# Log-potentials below it and above its negative take part.
LIMIT = 2.0**46


def _scaled_sum(temperature, noise, x):
    if not math.isfinite(x) or not math.isfinite(noise):
        return x + noise
    if temperature == 0:
        return x
    exact = Fraction(temperature) * Fraction(noise) + Fraction(x)
    return exact.numerator / exact.denominator


_scaled_sums = np.frompyfunc(_scaled_sum, 3, 1)


def perturbed(x, noise, temperature=1.0):
    """Return ``x + temperature * noise`` with one rounding; -inf where one of ``x`` and ``noise`` is."""
    if np.all(np.equal(temperature, 1)):
        return x + noise
    temperature, noise, x = np.broadcast_arrays(np.asarray(temperature, np.float64), noise, x)
    with np.errstate(all="ignore"):
        # Product and sum with their rounding errors, exact where nothing is very large or small; the sum of the errors
        # is rounded once, so that the result is right unless it is next to where it would change.
        product, missed = _product(temperature, noise)
        sums = product + x
        part = sums - x
        rest = ((product - part) + (x - (sums - part))) + missed
        low, high = sums + rest * (1 - 2.0**-50), sums + rest * (1 + 2.0**-50)
        sure = (low == high) & _ordinary(temperature) & _ordinary(noise) & (_ordinary(x) | (x == 0))
    exact = np.where(sure, low, 0)
    exact[~sure] = _scaled_sums(temperature[~sure], noise[~sure], x[~sure])
    return exact


def _ordinary(v):
    return (np.abs(v) > 1e-100) & (np.abs(v) < 1e100)


def _product(a, b):
    """Return products and their rounding errors, after Dekker and Veltkamp."""
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    product = a * b
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _halves(v):
    """Return two numbers of 26 bits with the sum v."""
    high = 134217729.0 * v
    high = high - (high - v)
    return high, v - high


def by_row(temperature, shape, axis=-1):
    """Return temperatures that broadcast to the batch, or have one item along the axis, with one item along the last.

    ``shape`` is that of the log-potentials.
    """
    values, axis = np.asarray(temperature, np.float64), axis if axis < 0 else axis - len(shape)
    if values.ndim == len(shape) and values.shape[axis] == 1:
        values = np.squeeze(values, axis)
    return values[..., np.newaxis]


def gumbel_max(log_potentials, noise, *, axis=-1, where=None, temperature=1.0):
    """Return indices and perturbed values: the first argmax of ``float64(x) + T G``, or -1 and NaN on an invalid row.

    ``noise`` is a float64 array with the shape of the log-potentials behind any number of draw axes.
    """
    x = np.asarray(log_potentials).astype(np.float64)
    if where is not None:
        x = np.where(np.broadcast_to(where, x.shape), x, -np.inf)
    x = np.moveaxis(x, axis, -1)
    axis = axis if axis < 0 else axis - x.ndim
    noise = np.moveaxis(np.asarray(noise, dtype=np.float64), axis, -1)
    batch = noise.shape[:-1]
    left = x > -LIMIT
    valid = np.broadcast_to((x < LIMIT).all(-1) & left.any(-1), batch)
    if x.shape[-1] == 0:
        return np.full(batch, -1, np.intp), np.full(batch, np.nan)
    sums = perturbed(x, noise, by_row(temperature, np.shape(log_potentials), axis))
    sums = np.where(valid[..., None], np.where(left, sums, -np.inf), 0.0)
    indices = sums.argmax(-1)
    values = np.take_along_axis(sums, indices[..., None], -1)[..., 0]
    return np.where(valid, indices, -1), np.where(valid, values, np.nan)


def once_each(log_potentials, ids, where=None):
    """Return a mask of the places that stand for their ids: the first with the largest log-potential of each."""
    x = np.where(True if where is None else where, np.asarray(log_potentials).astype(np.float64), -np.inf)
    left = np.zeros(x.shape, bool)
    ids = np.broadcast_to(ids, x.shape)
    for place in np.ndindex(x.shape[:-1]):
        best = {}
        for j, own in enumerate(ids[place].tolist()):
            if own not in best or x[place][j] > x[place][best[own]]:
                best[own] = j
        left[place][list(best.values())] = True
    return left & (True if where is None else where)


def materialised_noise(field, shape, *, axis=-1, size=(), draw=0):
    """Return the noise that ``field`` gives to log-potentials of this shape, draw by draw."""
    moved = np.moveaxis(np.empty(shape, np.int8), axis, -1).shape
    draws = [draw + s for s in range(math.prod(size))]
    noise = np.array([fastgumbel.gumbel(moved, noise=field.at(draw=s)) for s in draws]).reshape(size + moved)
    return np.moveaxis(noise, -1, axis if axis < 0 else axis - len(shape))
