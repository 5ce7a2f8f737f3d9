"""A block of a dask array: its log-potentials as rows, where it lies, and what is wrong with it, as tasks read it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastgumbel._host.repeats import once_each
from fastgumbel._host.rows import Rows, overflow_of, rows_at
from fastgumbel._request.coordinates import Coordinates
from fastgumbel._request.faults import (
    category_name,
    draw_name,
    fault_message,
    first_bad,
    infinite_message,
    place_name,
    row_name,
)
from fastgumbel._request.foreign import masked_message
from fastgumbel._request.ndarrays import any_negative, frozen

Place = tuple[slice, ...]
# By row: where its first NaN or +inf is, in words, and what it is; or None.
Faults: TypeAlias = NDArray[Any]


def positions(place: Place, shape: tuple[int, ...]) -> NDArray[np.uint64]:
    """Positions, in C order of the whole shape, of the items in a block of it, in C order too."""
    at: NDArray[np.uint64] = np.zeros((), np.uint64)
    for part, length in zip(place, shape, strict=True):
        along = np.arange(part.start, part.stop, dtype=np.uint64)
        at = (at[..., np.newaxis] * np.uint64(length) + along).astype(np.uint64, copy=False)
    return at.reshape(-1)


def lengths(place: Place) -> tuple[int, ...]:
    """Shape of a block."""
    return tuple(part.stop - part.start for part in place)


def writable(array: NDArray[Any]) -> NDArray[Any]:
    """The array or, where it came from another process and is read-only, a copy: kernels are compiled for one kind."""
    return np.require(array, requirements=["C", "W"])


def check_unmasked(x: Any, name: str) -> None:
    """Refuse a masked block, or a dask array that has such blocks: the mask would be lost."""
    if isinstance(x, np.ma.MaskedArray) or isinstance(getattr(x, "_meta", None), np.ma.MaskedArray):
        raise TypeError(masked_message(name))


class Block:
    """Log-potentials of a block as rows, and the coordinates at which they are read, or the noise beside them.

    Noise has the rows of the first draw, then those of the second, ...
    """

    def __init__(
        self, call: Call, x: Any, where: Any, categories: Any, by_row: tuple[Any, Any, Any], given: Any, place: Place
    ) -> None:
        ids, draws, temperatures = by_row
        check_unmasked(x, "log_potentials")
        check_unmasked(where, "where")
        self.call = call
        self.draw_place, x_place = place[: len(call.size)], list(place[len(call.size) :])
        shard = x_place.pop(call.axis)
        self.place = tuple(x_place)
        self.first = shard.start
        ids = frozen(positions(self.place, call.batch) if ids is None else self._by_row(ids))
        start = call.start if categories is not None else call.start + self.first
        empty = categories is not None and any_negative(categories)
        at = Coordinates(call.key, call.draw, start, ids, categories, wide=call.wide, empty=empty)
        if draws is not None:
            at = at._replace(draws=frozen(self._by_row(draws)))
        if temperatures is not None:
            at = at._replace(temperatures=frozen(self._by_row(temperatures)))
        self.rows = rows_at(x, where, call.axis, at)
        self.draws = math.prod(lengths(self.draw_place))
        self.noise = None if given is None else self._noise(given)

    def _noise(self, given: Any) -> Rows:
        """Precomputed noise, each item of which is finite, also times its temperature, or -inf."""
        check_unmasked(given, "noise")
        noise = rows_at(np.asarray(given), None, self.call.axis)
        bad = ~(noise.values < np.inf)
        if bad.any():
            line, column = divmod(int(bad.argmax()), noise.n)
            raise ValueError(self.noise_message(line, column, noise.values.reshape(-1, noise.n)[line, column]))
        found = overflow_of(noise, self.rows.place.temperatures)
        if found is not None:
            raise ValueError(self.noise_message(*found[:3], temperature=found[3]))
        return noise

    def noise_message(self, line: int, column: int, value: Any, **options: Any) -> str:
        """As `infinite_message`, of a line and column of the block's noise."""
        lead = self.call.size + self.call.batch
        at = int(positions(self.draw_place + self.place, lead)[line])
        return infinite_message(place_name(lead, at), value, self.first + column, **options)

    def _by_row(self, values: Any) -> NDArray[Any]:
        """An item for each row of the block."""
        return np.array(np.broadcast_to(values, lengths(self.place)), order="C").reshape(-1)

    def keep_one_each(self) -> None:
        """Exclude the lesser places of each category id, in whole rows."""
        self.rows = once_each(self.rows)[0]

    def runs(self) -> Iterator[tuple[slice, Rows, Rows | None]]:
        """Draws of the block that follow each other, and the rows at the first of them; all draws of given noise."""
        if self.noise is not None:
            yield slice(0, self.draws), self.rows, self.noise
            return
        draws = positions(self.draw_place, self.call.size)
        for run in np.split(draws, np.flatnonzero(np.diff(draws) != 1) + 1) if draws.size else ():
            at = int(np.searchsorted(draws, run[0]))
            yield slice(at, at + run.size), self.rows.moved(int(run[0])), None

    def matrix(self) -> NDArray[Any]:
        """The rows in the dtype of relaxed samples, -inf where excluded."""
        return self.rows.piece(0, self.rows.count, 0, self.rows.n)

    def faults(self, bad: NDArray[np.bool_]) -> Faults:
        """The first NaN or +inf of each of these rows, in words; none of others, and where nobody will ask."""
        found: Faults = np.full(bad.size, None, object)
        for row in () if self.call.mark else np.flatnonzero(bad):
            first = self._first_bad(int(row))
            if first is not None:
                column, value = first
                id_ = self.rows.id_at(int(row), column)
                found[row] = category_name(self.first + column, id_), value
        return found

    def _first_bad(self, row: int) -> tuple[int, Any] | None:
        """Column and value of the first NaN or +inf of a row, in the first draw of which the noise does not hide it."""
        if self.noise is None:
            return self.rows.first_bad(row)
        line, count, n = self.rows.piece(row, row + 1, 0, self.rows.n)[0], self.rows.count, self.rows.n
        for i in range(row, self.draws * count, count):
            bad = first_bad(np.where(self.noise.piece(i, i + 1, 0, n)[0] > -np.inf, line, -np.inf))
            if bad is not None:
                return bad
        return None


@dataclass(frozen=True)
class Call:
    """What all blocks of a call know.

    `row_ids` are those of all rows, for messages; empty where they count from 0. `excluded` is what may exclude
    categories, in words. Noise may be `given`.
    """

    key: np.uint64
    draw: int
    start: int
    row_ids: NDArray[np.uint64]
    excluded: str
    given: bool
    wide: bool
    size: tuple[int, ...]
    batch: tuple[int, ...]
    n: int
    axis: int
    mark: bool

    def name(self, place: Place, row: int) -> str:
        """Name a row of a block as a user would index it in the whole."""
        return row_name(self.batch, int(positions(place[len(self.size) :], self.batch)[row]), self.row_ids)

    def draw_of(self, place: Place, draw: int, name: str) -> str:
        """Name a row in a draw of a block, if draws differ in what is left of it: where noise is given."""
        if not (self.given and self.size):
            return name
        return draw_name(self.size, int(positions(place[: len(self.size)], self.size)[draw]), name)

    def refuse(self, invalid: NDArray[Any], faults: Faults, place: Place) -> None:
        """Raise for the first of the rows that are invalid, by draw and row, unless such rows are marked."""
        if not self.mark and invalid.any():
            row = int(invalid.any(0).argmax())
            name = self.name(place, row)
            if faults[row] is None:
                name = self.draw_of(place, int(invalid[:, row].argmax()), name)
            raise ValueError(fault_message(name, faults[row], self.excluded))


def earlier_fault(one: Faults, two: Faults) -> Faults:
    """Of the faults of two shards those that come first; `one` comes before `two`."""
    none = np.array([fault is None for fault in one], bool)
    return np.where(none, two, one)
