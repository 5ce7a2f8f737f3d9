"""Heat-bath sweeps of the two-dimensional Potts model at its critical point: site by site, and by checkerboard.

The lattice is one that is its own dual: right and bottom neighbours of the last sites are a wall of spin 0, and the
first sites have none on their left and above. So E[open edges] of its random-cluster measure at the self-dual point is
half of all edges, whatever the size, and the energy -sum(equal neighbours) has mean -(1 + 1/sqrt(q)) a site, exactly:
for q = 2 this is Onsager's infinite lattice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

import fastgumbel as fg
import fastgumbel.jit as fgj

Spins = NDArray[np.int8]


def critical(q: int) -> float:
    """Inverse temperature where ordered and disordered phases meet."""
    return math.log1p(math.sqrt(q))


def exact_energy(q: int) -> float:
    return -(1 + 1 / math.sqrt(q))


def lattices(count: int, size: int, q: int, spins: Any) -> Spins:
    """Lattices with these spins and with a frame: the wall, and spin q where there is no neighbour."""
    framed = np.zeros((count, size + 2, size + 2), np.int8)
    framed[:, 0], framed[:, :, 0] = q, q
    framed[:, 1:-1, 1:-1] = spins
    return framed


def energy(framed: Spins) -> NDArray[np.float64]:
    """Energy a site of each lattice."""
    inner = framed[:, 1:-1, 1:-1]
    equal = (inner == framed[:, 2:, 1:-1]).sum((1, 2)) + (inner == framed[:, 1:-1, 2:]).sum((1, 2))
    return -equal / (inner.shape[1] * inner.shape[2])


@numba.njit
def inverse_cdf(x, key, row, draw):
    """What one would write without fastgumbel; it reads Numba's own generator."""
    total = 0.0
    for c in range(len(x)):
        total += np.exp(x[c])
        x[c] = total
    u = np.random.random() * total  # noqa: NPY002
    c = 0
    while x[c] <= u:
        c += 1
    return c


def site_by_site(choose: Any) -> Callable[..., None]:
    """Sweeps in compiled code, first the even sites and then the odd ones, with a sampler that is called inside."""

    @numba.njit
    def sweep(framed, q, beta, key, first, last):
        x = np.empty(q + 1)
        size = framed.shape[1] - 2
        for draw in range(first, last):
            for odd in range(2):
                for lattice in range(len(framed)):
                    spins = framed[lattice]
                    for i in range(size):
                        for j in range((i + odd) % 2, size, 2):
                            x[:] = 0
                            x[spins[i, j + 1]] += beta
                            x[spins[i + 2, j + 1]] += beta
                            x[spins[i + 1, j]] += beta
                            x[spins[i + 1, j + 2]] += beta
                            row = (lattice * size + i) * size + j
                            spins[i + 1, j + 1] = choose(x[:q], key, row, draw)

    return sweep


by_gumbel_max = site_by_site(fgj.gumbel_max)
by_categorical = site_by_site(fgj.categorical)
by_inverse_cdf = site_by_site(inverse_cdf)


class Checkerboard:
    """The same sweeps with `fastgumbel.gumbel_max` on all even sites of all lattices, and then on all odd ones.

    Each half is an array of its own, with a frame, in which column m of row i is site 2m or 2m + 1: neighbours above
    and below, and one of those at the sides, have the same m. `numbers` are the lattices' in the noise.
    """

    def __init__(self, framed: Spins, q: int, beta: float, field: fg.NoiseField, numbers: NDArray[Any]) -> None:
        self.q, self.framed = q, framed
        count, size = len(framed), framed.shape[1] - 2
        kinds = np.arange(q + 1)
        neighbours = np.stack(np.meshgrid(*4 * [kinds], indexing="ij"), -1).reshape(-1, 4, 1)
        self.potentials = (beta * (neighbours == kinds[:q]).sum(1)).astype(np.float32)
        self.chosen = np.empty((count, size, size // 2, q), np.float32)
        self.halves, self.fields, self.places = [], [], []
        for odd in range(2):
            i, j = np.indices((size, size // 2))
            j = 2 * j + (i + odd) % 2
            half = np.zeros((count, size + 2, size // 2 + 2), np.uint8)
            half[:, 0], half[:, :, 0] = q, q
            half[:, 1:-1, 1:-1] = framed[:, i + 1, j + 1]
            self.halves.append(half)
            self.places.append((i + 1, j + 1))
            self.fields.append(field.at(rows=numbers[:, np.newaxis, np.newaxis] * size**2 + i * size + j))

    def sweep(self, draw: int) -> None:
        """Choose every spin anew, with one draw of the field."""
        base = np.uint8(self.q + 1)
        for odd in range(2):
            # Four spins below q + 1 in one byte, which is the row of their log-potentials.
            others = self.halves[1 - odd]
            code = others[:, :-2, 1:-1] * base
            code += others[:, 2:, 1:-1]
            code *= base
            code += others[:, 1:-1, 1:-1]
            code *= base
            code[:, odd::2] += others[:, 1 + odd : -1 : 2, :-2]
            code[:, 1 - odd :: 2] += others[:, 2 - odd : -1 : 2, 2:]
            np.take(self.potentials, code, axis=0, out=self.chosen, mode="clip")
            self.halves[odd][:, 1:-1, 1:-1] = fg.gumbel_max(self.chosen, noise=self.fields[odd].at(draw=draw))

    def lattices(self) -> Spins:
        """The lattices with their frames, as they are now."""
        for half, (i, j) in zip(self.halves, self.places, strict=True):
            self.framed[:, i, j] = half[:, 1:-1, 1:-1]
        return self.framed
