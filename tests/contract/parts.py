"""Parts of kernels, which only compiled code can call, for Python."""

import numba


def callable_part(part):
    """Return a function that Python can call."""
    return numba.njit(lambda *args: part(*args))
