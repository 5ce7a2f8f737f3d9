"""Who changed from which alternative to which."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 1024  # alternatives up to which every pair has a counter; beyond, only what each one lost and gained


class Flows:
    """Counts the choices that differ between a base and a scenario, fed block by block."""

    def __init__(self, alternatives: int) -> None:
        self.total = 0
        self.left = np.zeros(alternatives, np.int64)
        self.joined = np.zeros(alternatives, np.int64)
        self.pairs = np.zeros((alternatives, alternatives), np.int64) if alternatives <= MOST else None

    @property
    def changed(self) -> int:
        """How many choices differ."""
        return int(self.left.sum())

    def count(self, base: NDArray[np.integer[Any]], scenario: NDArray[np.integer[Any]]) -> None:
        """Take in further pairs of choices, two arrays of one shape."""
        alternatives = len(self.left)
        moved = base != scenario
        self.total += base.size
        self.left += np.bincount(base[moved], minlength=alternatives)
        self.joined += np.bincount(scenario[moved], minlength=alternatives)
        if self.pairs is not None:
            cells = base.ravel() * alternatives + scenario.ravel()
            self.pairs += np.bincount(cells, minlength=self.pairs.size).reshape(self.pairs.shape)
