"""The definition of the sampler, written down once over a noise that lies in memory."""

import math

import numpy as np

import fastgumbel

# Log-potentials below it and above its negative take part.
LIMIT = 2.0**46


def gumbel_max(log_potentials, noise, *, axis=-1, where=None):
    """Return indices and perturbed values: the first argmax of ``float64(x) + G``, or -1 and NaN on an invalid row.

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
    perturbed = np.where(valid[..., None], np.where(left, x + noise, -np.inf), 0.0)
    indices = perturbed.argmax(-1)
    values = np.take_along_axis(perturbed, indices[..., None], -1)[..., 0]
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
    draws = range(draw, draw + math.prod(size))
    noise = np.array([fastgumbel.gumbel(moved, noise=field.at(draw=s)) for s in draws]).reshape(size + moved)
    return np.moveaxis(noise, -1, axis if axis < 0 else axis - len(shape))
