"""`Reservoir`: samples without replacement from a stream."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgumbel._host.reservoir import Piece, Top
from fastgumbel._host.rows import Rows, rows_of
from fastgumbel._request import scalars
from fastgumbel._request.arrays import HOST
from fastgumbel._request.coordinates import Coordinates, field_of, row_ids
from fastgumbel._request.faults import expected
from fastgumbel._request.field import NoiseField
from fastgumbel._request.ids import CATEGORIES, ROWS
from fastgumbel._request.key import Rng
from fastgumbel._request.layout import ITEMS
from fastgumbel._request.request import Request

# Chunks are checked as rows of any field; pieces of them say where they lie.
_ANY = NoiseField.from_key(0)
# Positions are stored in 63 bits.
_POSITIONS = 2**63
# From so many times as many items as places on, few of the next ones get in.
_MATURE = 64


class Reservoir:
    """Sample k items without replacement from a stream of log-potentials.

    Equal, to the bit, to `gumbel_top_k` of the whole stream, however it is cut into chunks and parts.

    Parameters
    ----------
    k : int
        How many, at least 1; 16 (k + 1) bytes are held from the start.
    rng : None, int, sequence of ints, SeedSequence, BitGenerator or Generator, optional
        Seed or generator that selects the noise field; see `NoiseField`; a Generator gives up its 64 bits here, once.
        Reservoirs that are to be merged need the same int, SeedSequence or `noise`.
    noise : NoiseField, optional
        Noise field to read instead, with its coordinates: at most one row id, one draw and one start.
    first : int, optional
        Position in the stream of the first item that this reservoir gets, from 0 to 2**63 - 1: where its part begins.

    Attributes
    ----------
    k : int
        As given.
    noise : NoiseField
        The field.
    count : int
        Items seen, those that were excluded too.
    indices : ndarray of intp
        Positions in the stream of the sample, best first; shape (k,), or shorter where fewer items are left.
    values : ndarray of float64
        Their perturbed values, of the same shape, falling.
    threshold : float
        The (k+1)-th largest perturbed value, -inf where there is no further item.

    Raises
    ------
    ValueError
        If k or `first` is out of its range, if the field names several rows, or both `rng` and `noise` are given.
    TypeError
        If an argument is of the wrong type.

    See Also
    --------
    gumbel_top_k : the same of an array, and what the threshold is good for: importance weights.

    Notes
    -----
    Item i of the stream is read at coordinate c = `noise.start` + i of the field: at category c mod 2**32 of row
    r + (c >> 32), in draw `noise.draw`, where r is the row id of the field, 0 if it has none. So the first 2**32 items
    are the categories of one row, as `gumbel_top_k` reads them, and longer streams go on in the next rows. This is
    part of the noise contract and never changes.

    Each next item of the sample is drawn in proportion to exp(x) among those that are left. The reservoir of
    Efraimidis and Spirakis (2006) keeps the items with the k largest u**(1/w), w = exp(x); -log(-log u) is a Gumbel,
    and -log(-log(u) / w) = x - log(-log u) rises with their keys, so theirs is the same law, and here neither
    overflow nor underflow can spoil it.

    The sample is a function of the items and their positions alone: chunks, merges in any order, threads and machines
    cannot change it. A reservoir can be pickled, and goes on where it was. `update` may use several threads itself,
    but a reservoir must not be used by two threads at a time: give each its own, and merge them.

    References
    ----------
    .. [1] P. S. Efraimidis and P. G. Spirakis, "Weighted random sampling with a reservoir", Information Processing
       Letters 97, 2006, https://doi.org/10.1016/j.ipl.2005.11.003
    .. [2] W. Kool, H. van Hoof and M. Welling, "Stochastic beams and where to find them", ICML 2019,
       https://doi.org/10.48550/arXiv.1903.06059

    Examples
    --------
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> x = np.log(np.arange(1.0, 1001.0))
    >>> reservoir = fg.Reservoir(3, rng=0)
    >>> for chunk in np.array_split(x, 7):
    ...     reservoir.update(chunk)
    >>> indices, values = fg.gumbel_top_k(x, 3, rng=0)
    >>> bool((reservoir.indices == indices).all() and (reservoir.values == values).all())
    True

    Two machines, each with a part of the stream:

    >>> one, two = fg.Reservoir(3, rng=0), fg.Reservoir(3, rng=0, first=600)
    >>> one.update(x[:600])
    >>> two.update(x[600:])
    >>> one.merge(two)
    >>> one.count
    1000
    >>> bool((one.indices == indices).all())
    True
    """

    def __init__(
        self,
        k: int,
        *,
        rng: Rng = None,
        noise: NoiseField | None = None,
        first: int = 0,
    ) -> None:
        self._k = scalars.whole(k, "k", 1)
        if self._k >= ITEMS:
            raise ValueError(f"k must be below 2**59, not {k}")
        self._position = scalars.whole(first, "first", 0)
        if self._position >= _POSITIONS:
            raise ValueError(f"first must be from 0 to 2**63 - 1, not {first}")
        self._noise = field_of(rng, noise)
        if self._noise.categories is not None:
            raise ValueError("noise: a stream counts its items, so the field of a Reservoir must have no categories")
        draw, start = self._noise.draw, self._noise.start
        if isinstance(draw, np.ndarray) or isinstance(start, np.ndarray):
            raise ValueError("noise: a stream is one row, so the field of a Reservoir must have one draw and one start")
        self._draw, self._start = draw, start
        rows = self._noise.rows
        ids = rows.reshape(1) if rows is not None and rows.size == 1 else row_ids(self._noise, ())
        self._row = int(ids[0]) if ids.size else 0
        self._runs: tuple[tuple[int, int], ...] = ()
        # The one place more holds the threshold.
        self._top = Top(self._k + 1)

    def update(self, log_potentials: ArrayLike, *, where: ArrayLike | None = None) -> None:
        """Take the next items of the stream.

        The first chunk begins at `first`, and each next one after the last. After a merge, the stream goes on after
        the other part if that began where this one ended.

        Parameters
        ----------
        log_potentials : array_like of float16, bfloat16, float32, float64 or int
            Shape (n,), n from 0 on. Unnormalised logarithms of weights; -inf excludes an item. Device arrays are
            refused: copy chunks to the host.
        where : array_like of bool, optional
            Broadcasts to `log_potentials`; False excludes an item.

        Raises
        ------
        ValueError
            If an item is NaN or +inf: the first one is named by its position in the stream. If the shape does not fit;
            if the items were seen already, as a merge can have it; if the stream grows beyond 2**63 items or beyond
            the last row of the field. In all these cases the reservoir is as it was, and goes on with the next chunk
            in the place of this one.
        TypeError
            If an argument is of the wrong type.

        Examples
        --------
        >>> import fastgumbel as fg
        >>> reservoir = fg.Reservoir(2, rng=0)
        >>> reservoir.update([0.0, 1.0, float("-inf")])
        >>> reservoir.count, len(reservoir)
        (3, 2)
        """
        rows = rows_of(Request(log_potentials, -1, None, where, None, _ANY, "raise", HOST))
        if rows.batch:
            raise ValueError(f"log_potentials must have one axis, not {len(rows.batch) + 1}")
        if rows.n == 0:
            return
        begin, end = self._position, self._position + rows.n
        if end > min(_POSITIONS, (ROWS - self._row) * CATEGORIES - self._start):
            raise ValueError(
                f"log_potentials: items {begin} to {end - 1} of the stream go beyond 2**63 - 1 or the last row of the "
                "field"
            )
        runs = _joined((*self._runs, (begin, end)), "log_potentials")
        every = self.count + rows.n < _MATURE * (self._k + 1)
        if not self._top.offer(self._pieces(rows), every):
            bad = rows.first_bad(0)
            assert bad is not None
            raise ValueError(
                f"log_potentials: item {begin + bad[0]} of the stream, at {bad[0]} in this chunk, is {bad[1]}; "
                f"{expected(bad[1])}"
            )
        self._advance(runs)

    def merge(self, other: Reservoir) -> None:
        """Take in what another reservoir has seen, of another part of the same stream; it stays as it is.

        Parameters
        ----------
        other : Reservoir
            With the same k and field, including the coordinates, and none of the items that this one has seen.

        Raises
        ------
        ValueError
            If one of these is not so; this reservoir is then as it was.
        TypeError
            If `other` is not a Reservoir.

        Examples
        --------
        >>> import fastgumbel as fg
        >>> one, two = fg.Reservoir(2, rng=0), fg.Reservoir(2, rng=0, first=3)
        >>> one.update([0.0, 1.0, 2.0])
        >>> two.update([3.0, 4.0])
        >>> one.merge(two)
        >>> one.count
        5
        """
        if not isinstance(other, Reservoir):
            raise TypeError(f"other must be a Reservoir, not {type(other).__name__}")
        if other._k != self._k:
            raise ValueError(f"other must have the same k, not {self._k} and {other._k}")
        if other._noise != self._noise:
            raise ValueError(f"other must have the same noise, not {self._noise} and {other._noise}")
        runs = _joined((*self._runs, *other._runs), "other")
        self._top.merge(other._top)
        self._advance(runs)

    @property
    def k(self) -> int:
        """How many items are sampled."""
        return self._k

    @property
    def noise(self) -> NoiseField:
        """The field."""
        return self._noise

    @property
    def count(self) -> int:
        """Items seen, those that were excluded too."""
        return sum(end - begin for begin, end in self._runs)

    @property
    def indices(self) -> NDArray[np.intp]:
        """Positions in the stream of the sample, best first."""
        return self._top.ranked()[0][: len(self)]

    @property
    def values(self) -> NDArray[np.float64]:
        """Perturbed values of the sample, falling."""
        return self._top.ranked()[1][: len(self)]

    @property
    def threshold(self) -> float:
        """The (k+1)-th largest perturbed value, -inf where there is no further item."""
        return self._top.root

    def __len__(self) -> int:
        return min(self._k, self._top.count)

    def __repr__(self) -> str:
        return f"<Reservoir of {len(self)} from {self.count} items, k={self._k}, noise={self._noise}>"

    def __getstate__(self) -> dict[str, Any]:
        # A shallow copy, too, must go its own way.
        return {**self.__dict__, "_top": copy.deepcopy(self._top)}

    def _pieces(self, rows: Rows) -> list[Piece]:
        """The next items of the stream, cut where they go on in the next row of the field."""
        pieces, at = [], 0
        while at < rows.n:
            row, start = divmod(self._start + self._position + at, CATEGORIES)
            end = min(rows.n, at + CATEGORIES - start)
            ids = np.array([self._row + row], np.uint64)
            place = Coordinates(self._noise.key, self._draw, start, ids, None)
            pieces.append(Piece(rows.part(at, end, place), self._position + at))
            at = end
        return pieces

    def _advance(self, runs: tuple[tuple[int, int], ...]) -> None:
        """Count the items of these runs as seen."""
        self._runs = runs
        for begin, end in runs:
            if begin <= self._position <= end:
                self._position = end


def _joined(runs: Iterable[tuple[int, int]], name: str) -> tuple[tuple[int, int], ...]:
    """Runs of items in order, those that touch in one; the name is that of the argument that adds items."""
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(runs):
        if joined and begin < joined[-1][1]:
            last = min(end, joined[-1][1]) - 1
            raise ValueError(f"{name}: items {begin} to {last} of the stream would count twice")
        if joined and begin == joined[-1][1]:
            begin = joined.pop()[0]
        joined.append((begin, end))
    return tuple(joined)
