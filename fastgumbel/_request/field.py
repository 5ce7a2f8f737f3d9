"""`NoiseField`: the key of a field of Gumbel noise and the coordinates at which it is read."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgumbel._request.ids import CATEGORIES, DRAWS, ROWS, category_ids, one_or_each, row_ids, span_of
from fastgumbel._request.key import Rng, key_of
from fastgumbel._request.scalars import whole


class _Kept:
    """The default of what `NoiseField.at` leaves as it is."""

    def __repr__(self) -> str:
        return "unchanged"


_KEPT: Any = _Kept()
# What `NoiseField.at` changes.
_AT = ("rows", "draw", "start", "categories")


class NoiseField:
    """A field of independent standard Gumbel noise, `G(key, row, draw, category)`.

    The same coordinates give the same number for ever, on every machine, thread count, batch and chunk. A field is
    immutable; `at` returns the same field read at other coordinates.

    Parameters
    ----------
    seed : None, int, sequence of ints, SeedSequence, BitGenerator or Generator, optional
        Seed or generator that selects the field, as in `numpy.random.default_rng`. An int (at least 0, of any size), a
        sequence of them (such as the step of a model and a seed) or a SeedSequence always names the same one; None
        takes fresh entropy; a BitGenerator or Generator gives up its next 64 bits. NumPy ignores zeros at the end of a
        sequence: put what may be 0 first.

    Attributes
    ----------
    key : numpy.uint64
        The 64 bits that name the field.
    rows : numpy.ndarray of uint64, or None
        Row ids, broadcast to the batch; None counts 0, 1, ... in C order of the batch.
    draw : int, or numpy.ndarray of uint64
        The first draw, below 2**32; or one a row, broadcast to the batch.
    start : int, or numpy.ndarray of uint64
        Category id of the first category, below 2**32; or one a row, broadcast to the batch. 0 where `categories` are
        given.
    categories : numpy.ndarray of int64, or None
        Category ids, broadcast to the log-potentials, -1 in empty places; None counts from `start`.

    Raises
    ------
    TypeError, ValueError
        If `seed` is nothing of the above, or a negative int.

    Notes
    -----
    Every number is -log(E) of an exponential E that Philox4x32-10 (Salmon et al. 2011) draws at its coordinates. In
    blocks of 64 categories the smallest exponential is drawn first, with rate 64 and on a uniform lane; each other
    lane is that minimum plus a fresh Exp(1), by the lack of memory. `_law/CONTRACT.md` states the contract in full.

    References
    ----------
    .. [1] J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3",
       SC 2011, https://doi.org/10.1145/2063384.2063405
    .. [2] C. J. Maddison, D. Tarlow and T. Minka, "A* sampling", NeurIPS 2014, https://doi.org/10.48550/arXiv.1411.0030

    Examples
    --------
    >>> import fastgumbel as fg
    >>> field = fg.NoiseField(7)
    >>> field.key
    np.uint64(16920295385781661272)
    >>> fg.gumbel(3, noise=field.at(rows=5)) == fg.gumbel((6, 3), noise=field)[5]
    array([ True,  True,  True])
    """

    __slots__ = ("_known", "_span", "categories", "draw", "key", "rows", "start")

    key: np.uint64
    rows: NDArray[np.uint64] | None
    draw: int | NDArray[np.uint64]
    start: int | NDArray[np.uint64]
    categories: NDArray[np.int64] | None
    # The least and the largest of the category ids, which every call asks for.
    _span: tuple[int, int]
    # What was read last, a shape and the axis of its categories, and its coordinates. None is whatever shape, where
    # neither rows nor categories have anything of their own.
    _known: tuple[tuple[tuple[int, ...], int] | None, Any] | None

    def __init__(self, seed: Rng = None) -> None:
        self._set(key_of(seed, "seed"), None, 0, 0, None)

    @classmethod
    def from_key(cls, key: int | np.integer[Any]) -> Self:
        """The field of a key, as `NoiseField.key` gives it.

        Parameters
        ----------
        key : int
            From 0 to 2**64 - 1.

        Returns
        -------
        NoiseField

        Raises
        ------
        TypeError, ValueError
            If `key` is not such an int.

        Examples
        --------
        >>> import fastgumbel as fg
        >>> field = fg.NoiseField(7)
        >>> fg.NoiseField.from_key(field.key) == field
        True
        """
        return cls.__new__(cls)._set(np.uint64(whole(key, "key", 0, ROWS)), None, 0, 0, None)

    def at(
        self,
        *,
        rows: ArrayLike | None = _KEPT,
        draw: ArrayLike | None = _KEPT,
        start: ArrayLike | None = _KEPT,
        categories: ArrayLike | None = _KEPT,
    ) -> NoiseField:
        """The same field, read at other coordinates; what is not given stays as it is, and None is where it began.

        Parameters
        ----------
        rows : array_like of int, optional
            Row ids from 0 to 2**64 - 1, of a shape that broadcasts to the batch shape of what reads the field (a
            single id names the one row, or gives all rows the same noise). They come from the host, like categories.
            Places are what counts: labels of pandas, also those of draws and categories, are not looked at.
        draw : int or array_like of int, optional
            Id of the first draw, from 0 to 2**32 - 1; or one a row, of a shape that broadcasts to the batch: draw s of
            row r is then draw[r] + s.
        start : int or array_like of int, optional
            Category id of the first category, from 0 to 2**32 - 1: where a shard of a long row begins. Or one a row, of
            a shape that broadcasts to the batch. Unless all are equal, they are written out as category ids, which take
            8 bytes a category.
        categories : array_like of int, optional
            Category ids up to 2**63 - 1 (on a device, 2**32 - 1) in any order, of a shape that broadcasts to that of
            the log-potentials (for `gumbel`, to `size`): each place reads the noise of its own category. A negative id
            marks an empty place, which is excluded as by ``where=False``. Places of one id in a row are one
            alternative, that of the largest log-potential, the first of equals: no function chooses it twice, or its
            other places. They take the place of `start`, and a field has one or the other. They come from the host,
            also for device arrays: each call then copies them to the device, without repeating what is broadcast. A
            `start` takes their place in turn.

        Returns
        -------
        NoiseField

        Raises
        ------
        TypeError, ValueError
            If an id is not an integer or out of its range, or if there are both categories and a start.

        Notes
        -----
        What functions return are still places along the axis, not ids: of equal perturbed values the first place wins.

        Examples
        --------
        Row 17 gets the same noise alone as in any batch, and a shard the same as in the whole.

        >>> import fastgumbel as fg
        >>> field = fg.NoiseField(0)
        >>> whole = fg.gumbel((20, 100), noise=field)
        >>> bool((fg.gumbel(40, noise=field.at(rows=17, start=60)) == whole[17, 60:]).all())
        True

        Categories have their own noise in whatever order they stand; of the third row, one place is empty.

        >>> zones = [[7, 3, 12], [3, 99, 7], [50, -1, 3]]
        >>> fg.gumbel((3, 3), noise=field.at(categories=zones))[1] == whole[1, [3, 99, 7]]
        array([ True,  True,  True])

        Sequences that are at different steps get the noise of their own step each.

        >>> steps = fg.gumbel((3, 5), noise=field.at(rows=[4, 4, 9], draw=[0, 7, 2]))
        >>> bool((steps[1] == fg.gumbel(5, noise=field.at(rows=4, draw=7))).all())
        True
        """
        first = self.start if start is _KEPT else one_or_each(start, "start", CATEGORIES)
        ids = self.categories if categories is _KEPT else None if categories is None else category_ids(categories)
        # The one that is given takes the place of the other.
        if categories is _KEPT and start is not _KEPT:
            ids = None
        elif ids is not None and start is _KEPT:
            first = 0
        if ids is not None:
            if np.any(first):
                raise ValueError(
                    "start and categories exclude each other: ids name all categories of a field that has them"
                )
            first = 0
        return NoiseField.__new__(NoiseField)._set(
            self.key,
            self.rows if rows is _KEPT else None if rows is None else row_ids(rows, "rows", ROWS),
            self.draw if draw is _KEPT else one_or_each(draw, "draw", DRAWS),
            first,
            ids,
            self._span if ids is self.categories else span_of(ids),
        )

    def _set(
        self,
        key: np.uint64,
        rows: NDArray[np.uint64] | None,
        draw: int | NDArray[np.uint64],
        start: int | NDArray[np.uint64],
        categories: NDArray[np.int64] | None,
        span: tuple[int, int] = (0, 0),
    ) -> Self:
        keep = object.__setattr__
        keep(self, "key", key)
        keep(self, "rows", rows)
        keep(self, "draw", draw)
        keep(self, "start", start)
        keep(self, "categories", categories)
        keep(self, "_span", span)
        keep(self, "_known", None)
        return self

    @property
    def has_empty_places(self) -> bool:
        """Whether a category id is negative."""
        return self._span[0] < 0

    @property
    def has_wide_categories(self) -> bool:
        """Whether a category id is 2**32 or more."""
        return self._span[1] >= CATEGORIES

    def __setattr__(self, name: str, value: object) -> None:
        remedy = "; use NoiseField.from_key()" if name == "key" else f"; use .at({name}=...)" if name in _AT else ""
        raise AttributeError(f"a NoiseField is immutable{remedy}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a NoiseField is immutable")

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (int(self.key), self.rows, self.draw, self.start, self.categories)

    def _identity(self) -> tuple[Any, ...]:
        at = self.rows, self.draw, self.start, self.categories
        return int(self.key), *((ids.shape, ids.tobytes()) if isinstance(ids, np.ndarray) else ids for ids in at)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NoiseField) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        parts = []
        for name in _AT:
            at = getattr(self, name)
            if isinstance(at, np.ndarray):
                parts.append(f"{name}={np.array2string(at, threshold=8, separator=', ')}")
            elif at:
                parts.append(f"{name}={at}")
        return f"NoiseField.from_key({int(self.key):#x})" + (f".at({', '.join(parts)})" if parts else "")


def _restore(
    key: int, rows: ArrayLike | None, draw: ArrayLike, start: ArrayLike, categories: ArrayLike | None
) -> NoiseField:
    return NoiseField.from_key(key).at(rows=rows, draw=draw, start=start, categories=categories)
