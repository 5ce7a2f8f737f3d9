"""Statistics of noise conditioned on a choice, each a p-value to compare with ``laws.ALARM``.

All take rows of noise of one row of log-potentials ``x``, in float64.
"""

import numpy as np
from scipy import special, stats

from tests.law import laws


def gumbel_cdf(g):
    """Return P(G <= g)."""
    return np.exp(-np.exp(-g))


def unconditional_law(noise):
    """Return the p-value of plain Gumbel noise: every category by itself, and every two neighbours together."""
    p_values = [stats.kstest(gumbel_cdf(column), "uniform").pvalue for column in noise.T]
    p_values += [laws.independence(a, b) for a, b in zip(noise.T[1:], noise.T[:-1], strict=True)]
    return min(1.0, len(p_values) * min(p_values))


def given_law(noise, x, choice):
    """Return the p-value of noise given one choice: its maximum, and the others truncated below it.

    The maximum less logsumexp(x) is Gumbel, whatever the choice. Below a maximum m, noise G of a category with
    log-potential x is Gumbel given G < m - x, so its probability divided by that of m - x is uniform; and independent
    of the maximum and of the next category.
    """
    maximum = x[choice] + noise[:, choice]
    uniform = gumbel_cdf(maximum - special.logsumexp(x))
    others = np.flatnonzero((np.arange(len(x)) != choice) & (x > -np.inf))
    below = np.exp(np.exp(x[others] - maximum[:, None]) - np.exp(-noise[:, others]))
    columns = [uniform, *below.T]
    p_values = [stats.kstest(column, "uniform").pvalue for column in columns]
    p_values += [uniform_independence(a, b) for a, b in zip(columns[1:], columns[:-1], strict=True)]
    p_values += [uniform_independence(uniform, column) for column in columns[2:]]
    return min(1.0, len(p_values) * min(p_values))


def uniform_independence(a, b):
    """Return the p-value of independence of two uniforms, over 8 x 8 cells."""
    edges = np.linspace(0, 1, 9)
    return laws.chi_square(np.histogram2d(a, b, bins=(edges, edges))[0].ravel(), np.full(64, 1 / 64))
