"""The derivative of a relaxed sample, independently of any formula for it: the complex step on the same noise."""

import numpy as np

from tests.oracle import relaxation

STEP = 1e-40


def complex_step(x, tau, dx, dtau, noise, **options):
    """Return the tangent along (dx, dtau): the imaginary part of the sample at arguments moved by i STEP.

    Nothing is subtracted, so it is exact up to rounding. Where the sample underflows nothing is known of it.
    """
    left = relaxation.allowed(x, options.get("where"))
    moved = np.where(left, relaxation.wide(np.where(left, x, 0)) + 1j * STEP * relaxation.wide(dx), -np.inf)
    y = relaxation.relaxed(moved, relaxation.wide(tau) + 1j * STEP * relaxation.wide(dtau), noise, **options)
    return np.where(np.broadcast_to(left, y.shape), y.imag / STEP, 0)


def size_of_terms(x, tau, dx, dtau, noise, *, axis=-1, where=None, log=False):
    """Return what the terms of the tangent add up to without their signs: the scale of its rounding errors."""
    axis = axis if axis < 0 else axis - np.ndim(x)
    left = relaxation.allowed(x, where)
    y = relaxation.relaxed(x, tau, noise, axis=axis, where=where)
    batch = np.delete(np.shape(x), axis)
    tau, dtau = (relaxation.per_row(relaxation.wide(a), batch, axis) for a in (tau, dtau))
    x = relaxation.wide(x)
    noisy = np.where(left, np.where(left, x - relaxation.top_of(x, left, axis), 0) + relaxation.wide(noise), 0)
    terms = np.where(left, np.abs(relaxation.wide(dx) / tau) + np.abs(noisy / tau * dtau / tau), 0)
    mean = (y * terms).sum(axis, keepdims=True)
    return np.where(left, terms + mean, 0) if log else y * (terms + mean)


def assert_tangent(dy, x, tau, dx, dtau, noise, *, relative=1e-12, **options):
    """Check a tangent in one direction against the complex step, to ``relative`` of the size of its terms."""
    expected = complex_step(x, tau, dx, dtau, noise, **options)
    scale = size_of_terms(x, tau, dx, dtau, noise, **options)
    assert dy.shape == expected.shape
    error = np.abs(relaxation.wide(dy) - expected)
    tiny = np.finfo(dy.dtype).tiny * (1 + np.abs(scale).max(initial=0))
    worst = float((error / (scale + tiny)).max(initial=0))
    assert (error <= relative * scale + tiny).all(), f"relative error {worst:.3g}"
