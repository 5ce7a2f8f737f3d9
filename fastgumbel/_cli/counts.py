"""What is counted of the draws, and whether the counts are what they should be."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Neighbouring alternatives are tested together in so many groups at most, as the test needs a square of this side.
GROUPS = 64
# Counts whose variance along a direction is smaller are too rare to be near normal.
LEAST_VARIANCE = 5.0
# Up to so many alternatives every pair has a counter of changes; beyond, only what each one lost and gained is counted.
MOST_PAIRED = 1024


def softmax_in_place(chunk: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn rows of log-potentials, all below +inf and one at least finite, into chances; the argument is used up."""
    with np.errstate(over="ignore"):  # a difference beyond float64 is a chance of zero all the same
        chunk -= chunk.max(axis=1, keepdims=True)
    np.exp(chunk, out=chunk)
    chunk /= chunk.sum(axis=1, keepdims=True)
    return chunk


class Tally:
    """Counts of draws beside their exact expectation; chunks are added one by one.

    Parameters
    ----------
    alternatives : int
        How many there are.
    draws : int
        How often every row is drawn.
    """

    def __init__(self, alternatives: int, draws: int) -> None:
        self.counts = np.zeros(alternatives, np.int64)
        self.expected = np.zeros(alternatives)
        self._draws = draws
        groups = min(alternatives, GROUPS)
        self._starts = np.arange(groups) * alternatives // groups
        self._covariance = np.zeros((groups, groups))

    @property
    def groups(self) -> int:
        """How many groups of alternatives the test compares."""
        return len(self._starts)

    def expect(self, chances: NDArray[np.float64]) -> None:
        """Add the exact chances of further rows."""
        self.expected += self._draws * chances.sum(axis=0)
        grouped = chances if self.groups == len(self.counts) else np.add.reduceat(chances, self._starts, axis=1)
        covariance = -(grouped.T @ grouped)
        # p (1 - p) and not p - p^2: where one alternative is all but certain, the difference is rounding.
        np.fill_diagonal(covariance, np.einsum("rg,rg->g", grouped, 1 - grouped))
        self._covariance += self._draws * covariance

    def count(self, choices: NDArray[np.integer[Any]]) -> None:
        """Add further draws, of any shape."""
        self.counts += np.bincount(choices.ravel(), minlength=len(self.counts))

    def test(self) -> tuple[float, int, float] | None:
        """Return chi-square, its degrees of freedom and its p-value, or None where too little is random to tell."""
        surprise = np.add.reduceat(self.counts - self.expected, self._starts)
        statistic, freedom = _quadratic_form(surprise, self._covariance)
        return (statistic, freedom, chi_square_tail(statistic, freedom)) if freedom else None


def _quadratic_form(surprise: NDArray[np.float64], covariance: NDArray[np.float64]) -> tuple[float, int]:
    """Return the chi-square statistic of counts minus expectation, and its degrees of freedom.

    Rows differ, so the counts are no multinomial and Pearson's sum would be too small; with their own covariance the
    law is chi-square again. It is singular, as counts add up to a constant, and some directions see next to no
    events: only the principal directions of some variance count.
    """
    variances, directions = np.linalg.eigh(covariance)
    kept = variances > max(LEAST_VARIANCE, 1e-12 * variances[-1])
    scores = directions[:, kept].T @ surprise
    return float((scores**2 / variances[kept]).sum()), int(kept.sum())


def chi_square_tail(statistic: float, freedom: int) -> float:
    """Return the chance that a chi-square variable of `freedom` >= 1 degrees reaches `statistic`.

    The incomplete gamma function of half a whole number is a finite sum of positive terms, added here in logarithms:
    the relative error stays below 1e-12 for up to 100 degrees and any chance that a float can hold.

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


class Flows:
    """Counts of the choices that differ between a base and a scenario; chunks are added one by one."""

    def __init__(self, alternatives: int) -> None:
        self.total = 0
        self.left = np.zeros(alternatives, np.int64)
        self.joined = np.zeros(alternatives, np.int64)
        self.pairs = np.zeros((alternatives, alternatives), np.int64) if alternatives <= MOST_PAIRED else None

    @property
    def changed(self) -> int:
        """How many choices differ."""
        return int(self.left.sum())

    def count(self, base: NDArray[np.integer[Any]], scenario: NDArray[np.integer[Any]]) -> None:
        """Add further pairs of choices, two arrays of one shape."""
        alternatives = len(self.left)
        moved = base != scenario
        self.total += base.size
        self.left += np.bincount(base[moved], minlength=alternatives)
        self.joined += np.bincount(scenario[moved], minlength=alternatives)
        if self.pairs is not None:
            cells = base.ravel() * alternatives + scenario.ravel()
            self.pairs += np.bincount(cells, minlength=self.pairs.size).reshape(self.pairs.shape)
