"""How often each alternative was drawn, and how often it should have been."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .chi_square import chi_square_tail, quadratic_form

GROUPS = 64  # of neighbouring alternatives at most: the test needs a square of this side for any number of them


class Tally:
    """Counts of draws beside their exact expectation, fed block by block.

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
        """Take in the exact chances of further rows."""
        self.expected += self._draws * chances.sum(axis=0)
        grouped = chances if self.groups == len(self.counts) else np.add.reduceat(chances, self._starts, axis=1)
        covariance = -(grouped.T @ grouped)
        # p (1 - p) and not p - p^2: where one alternative is all but certain, the difference is rounding
        np.fill_diagonal(covariance, np.einsum("rg,rg->g", grouped, 1 - grouped))
        self._covariance += self._draws * covariance

    def count(self, choices: NDArray[np.integer[Any]]) -> None:
        """Take in further draws, of any shape."""
        self.counts += np.bincount(choices.ravel(), minlength=len(self.counts))

    def test(self) -> tuple[float, int, float] | None:
        """Give chi-square, its degrees of freedom and its p-value, or None where too little is random to tell."""
        surprise = np.add.reduceat(self.counts - self.expected, self._starts)
        statistic, freedom = quadratic_form(surprise, self._covariance)
        return (statistic, freedom, chi_square_tail(statistic, freedom)) if freedom else None
