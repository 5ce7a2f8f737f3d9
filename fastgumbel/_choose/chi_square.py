"""The chi-square test of a sum of draws against what it should be."""

import math

import numpy as np
from numpy.typing import NDArray

LEAST_VARIANCE = 5.0  # of a direction, in counts squared: below, a count is too rare to be near normal


def quadratic_form(surprise: NDArray[np.float64], covariance: NDArray[np.float64]) -> tuple[float, int]:
    """Give the chi-square statistic of counts minus expectation, and its degrees of freedom.

    Rows differ, so the counts are no multinomial and Pearson's sum would be too small; with their own covariance the
    law is chi-square again. It is singular, as counts add up to a constant, and some directions see next to no
    events: only the principal directions of some variance count.
    """
    variances, directions = np.linalg.eigh(covariance)
    kept = variances > max(LEAST_VARIANCE, 1e-12 * variances[-1])
    scores = directions[:, kept].T @ surprise
    return float((scores**2 / variances[kept]).sum()), int(kept.sum())


def chi_square_tail(statistic: float, freedom: int) -> float:
    """Give the chance that a chi-square variable of `freedom` >= 1 degrees reaches `statistic`.

    The incomplete gamma function of half a whole number is a finite sum of positive terms, added here in logarithms:
    the relative error stays below 1e-12 for up to 100 degrees and any chance a float can hold.

    Examples
    --------
    >>> round(chi_square_tail(3.841458820694124, 1), 12)
    0.05
    """
    half = statistic / 2
    if half <= 0:
        return 1.0
    odd = freedom % 2
    powers = (j + odd / 2 for j in range(freedom // 2))
    terms = (math.exp(a * math.log(half) - half - math.lgamma(a + 1)) for a in powers)
    return min(1.0, math.fsum(terms) + (math.erfc(math.sqrt(half)) if odd else 0.0))
