"""The relaxed sample by its definition, over noise that lies in memory: in the widest floats, real or complex.

Complex arguments give derivatives by the complex step. It shares no code with the package.
"""

import numpy as np

import fastgumbel


def sample_type(x):
    """Return the type of a relaxed sample of log-potentials ``x``."""
    dtype = np.asarray(x).dtype
    return np.dtype(np.float32 if dtype.kind == "f" and dtype.itemsize < 8 else np.float64)


def noise_of(field, x, *, axis=-1, size=(), dtype=None):
    """Return the noise that a sample of ``x`` reads in ``field``: of the sample's type, unless another is named."""
    moved = np.moveaxis(x, axis, -1).shape
    dtype = sample_type(x) if dtype is None else dtype
    noise = np.empty((*size, *moved), dtype)
    for s, index in enumerate(np.ndindex(size)):
        noise[index] = fastgumbel.gumbel(moved, noise=field.at(draw=field.draw + s), dtype=dtype)
    return np.moveaxis(noise, -1, axis if axis < 0 else axis - np.ndim(x))


def wide(a):
    """Return the array in the widest floats there are, complex if it is complex."""
    return np.asarray(a).astype(np.clongdouble if np.iscomplexobj(a) else np.longdouble)


def per_row(a, batch, axis):
    """Return what is given a row, spread over the batch, with an axis of length one where the categories are."""
    a = np.asarray(a)
    lead = a.shape[: max(0, a.ndim - len(batch))]
    return np.expand_dims(np.broadcast_to(a, (*lead, *batch)), axis)


def allowed(x, where):
    """Return which categories are not excluded."""
    return (np.real(x) > -np.inf) & (True if where is None else np.broadcast_to(where, np.shape(x)))


def top_of(x, left, axis):
    """Return the largest log-potential of each row, which is taken off before noise is added."""
    return np.where(left, x.real, -np.inf).max(axis, keepdims=True)


def relaxed(x, tau, noise, *, axis=-1, where=None, log=False):
    """Return softmax((x + noise) / tau), or its logarithm; ``tau`` is one number, or one a row."""
    x = wide(x)
    axis = axis if axis < 0 else axis - x.ndim
    left = allowed(x, where)
    tau = per_row(wide(tau), np.delete(x.shape, axis), axis)
    z = (np.where(left, x - top_of(x, left, axis), 0) + wide(noise)) / tau
    peak = np.where(left, z.real, -np.inf).max(axis, keepdims=True)
    weights = np.where(left, np.exp(z - peak), 0)
    total = weights.sum(axis, keepdims=True)
    return np.where(left, z - peak - np.log(total), -np.inf) if log else weights / total


def rounding(x, tau, noise, *, axis=-1, where=None):
    """Return the relative error of a sample that rounding alone explains, in units of the type's epsilon, row by row.

    The distance of x from its largest, and the sum with noise, are known to half an epsilon of themselves, and dividing
    by tau stretches what is lost; exponentials and sums add a few units.
    """
    x = wide(x)
    axis = axis if axis < 0 else axis - x.ndim
    left = allowed(x, where)
    lowered = np.where(left, x - top_of(x, left, axis), 0)
    size = np.where(left, np.abs(lowered) + np.abs(wide(noise)), 0)
    largest = size.max(axis, keepdims=True)
    return 8 + np.log2(x.shape[axis]) + 4 * largest / per_row(wide(tau), np.delete(x.shape, axis), axis)


def assert_relaxed(y, x, tau, noise, *, log=False, **options):
    """Check a sample against the definition, within what the rounding of its type explains."""
    expected = relaxed(x, tau, noise, log=log, **options)
    info = np.finfo(sample_type(x))
    assert y.dtype == info.dtype
    assert y.shape == expected.shape
    bound = info.eps * rounding(x, tau, noise, **options) * (1 if log else expected) + 2 * info.tiny
    excluded = np.broadcast_to(~allowed(x, options.get("where")), y.shape)
    assert (y[excluded] == (-np.inf if log else 0)).all()
    y = wide(y)
    error = np.where(excluded, 0, np.abs(np.where(excluded, 0, y) - np.where(excluded, 0, expected)))
    if log:
        bound = bound + info.eps * np.where(excluded, 0, np.abs(np.where(excluded, 0, expected)))
    assert (error <= bound).all(), f"error of {float((error / bound).max()):.3g} times the bound"
