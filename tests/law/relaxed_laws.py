"""Statistics of relaxed samples, each a p-value to compare with ``laws.ALARM``.

All take ``log_y``, the logarithms of many samples of one row, one a line, in float64.
"""

import numpy as np
from scipy import special, stats

from tests.law import laws


def argmax_law(log_y, x):
    """Return the p-value of the largest entries: category k as often as softmax(x) says, at every temperature."""
    return laws.chi_square(np.bincount(log_y.argmax(-1), minlength=len(x)), special.softmax(x))


def log_ratio(log_y, x, tau, a, b):
    """Return what is logistic: the log-ratio of two entries, times the temperature, less that of the potentials."""
    return tau * (log_y[:, a] - log_y[:, b]) - (x[a] - x[b])


def logistic_law(log_y, x, tau, a=0, b=1):
    """Return the p-value of the log-ratio of two entries: Kolmogorov-Smirnov against the logistic law."""
    return stats.kstest(log_ratio(log_y, x, tau, a, b), "logistic").pvalue


def logistic_tail(log_y, x, tau, level):
    """Return the p-value of how often the log-ratio is beyond ``level``, either way."""
    hits = np.count_nonzero(abs(log_ratio(log_y, x, tau, 0, 1)) > level)
    return stats.binomtest(hits, len(log_y), 2 * special.expit(-level)).pvalue


def behind(log_y, x, tau):
    """Return the exponentials behind each sample, as parts of their sum.

    exp(x_k) y_k^-tau is the exponential E_k times what all categories share. So the parts are uniform on the simplex,
    which is the density of Maddison, Mnih and Teh (2017) in other words.
    """
    return special.softmax(x - tau * log_y, axis=-1)


def simplex_law(log_y, x, tau):
    """Return the p-value of every part, Beta(1, n - 1), and of their rank order: every category first equally often."""
    parts = behind(log_y, x, tau)
    n = len(x)
    p_values = [stats.kstest(part, "beta", args=(1, n - 1)).pvalue for part in parts.T]
    first = laws.chi_square(np.bincount(parts.argmax(-1), minlength=n), np.full(n, 1 / n))
    return min(1.0, (n + 1) * min(*p_values, first))


def draws_are_independent(log_y, x, tau):
    """Return the p-value of one draw and the next, over 8 x 8 cells: noise that is used twice shows."""
    u = special.expit(log_ratio(log_y, x, tau, 0, 1))
    edges = np.linspace(0, 1, 9)
    table = np.histogram2d(u[1::2], u[: len(u) // 2 * 2 : 2], bins=(edges, edges))[0]
    return laws.chi_square(table.ravel(), np.full(64, 1 / 64))
