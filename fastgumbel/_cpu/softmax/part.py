"""Steps of a relaxed sample, and of its tangent, over part of a long row, which begins with a group of its sums."""

from fastgumbel._cpu.noise_row import noise_row, row_scratch
from fastgumbel._cpu.parameters import Field, Line
from fastgumbel._cpu.row import add_to, distances, largest_of
from fastgumbel._cpu.softmax.long import Change, logs, tangent
from fastgumbel._cpu.stage import coordinates_at
from fastgumbel._law.real import decay, log64
from fastgumbel._law.sums import GROUP
from fastgumbel._numba.compile import kernel
from fastgumbel._numba.vector import dot64, sum64


@kernel
def largest_of_part(x):
    """Largest log-potential of x[0, :], NaN if any is NaN."""
    n = x.shape[1]
    return largest_of(x.reshape(n), 0, n)


@kernel
def perturb_part(x, field, top, v):
    """Write noise, and log-potentials x[0, :] less `top`, to v; the largest sum. `field` is a `Field`."""
    n = v.size
    noise_row(v, 0, n, coordinates_at(Field(*field), 0, 0), row_scratch(v))
    return add_to(v, 0, x.reshape(n), 0, n, top)


@kernel
def decay_part(p, largest, rate, sums):
    """exp((p - largest) rate) in place, and what the row's sum adds up one by one, in order, to `sums`.

    These are the sums of whole groups, and the numbers behind the last of them.
    """
    n = p.size
    for i in range(n):
        p[i] = decay((p[i] - largest) * rate)
    groups = n // GROUP
    for g in range(groups):
        sums[g] = sum64(p, g * GROUP)
    for i in range(n - groups * GROUP):
        sums[groups + i] = p[groups * GROUP + i]


@kernel
def distances_part(t, v, largest, rate):
    """(v - largest) rate to t, but not below the least number of its type."""
    distances(t, v, 0, v.size, largest, rate)


@kernel
def dot_part(a, p, sums):
    """What the sum of the products of a and p adds up one by one, in order, to `sums`: as in `decay_part`."""
    n = p.size
    groups = n // GROUP
    for g in range(groups):
        sums[g] = dot64(a, g * GROUP, p, g * GROUP)
    for i in range(n - groups * GROUP):
        sums[groups + i] = a[groups * GROUP + i] * p[groups * GROUP + i]


@kernel
def tangent_part(out, dx, x, p, t, change, log):
    """Tangent to `out`: as `tangent`, of a sample p, distances t, log-potentials x[0, :] and a plain `Change`."""
    n = out.size
    of_x = Line(x.reshape(n), 0)
    tangent(Line(out, 0), Line(dx, 0), of_x, Line(p, 0), t, Change(*change), n, log)


@kernel
def log_part(v, largest, rate, total):
    """Logarithms of a sample from perturbed values, in place."""
    logs(v, 0, v, 0, v.size, largest, rate, v.dtype.type(log64(total)))
