"""Arguments of dask arrays, checked, and the graphs over their blocks: one task a block, trees and chains over shards.

The blocks of an array lie along the batch and along the categories; the latter are the shards of its rows. Draws have
blocks of their own. What a shard knows of its rows is a tuple of small arrays, draws by rows, and it alone travels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial, reduce
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._dask.extra import ArraySliceDep, HighLevelGraph, da, tokenize
from fastgumbel._host.arguments import placed, rows_of
from fastgumbel._request.checks import check_real, choice_of, shape_of
from fastgumbel._request.coordinates import check_reach, field_of, named
from fastgumbel._request.faults import fault_message, place_name
from fastgumbel._request.field import NoiseField
from fastgumbel._request.layout import category_axis, check_categories
from fastgumbel._request.shape import relaxed_dtype

# Category of the first fault of a row that has none.
NO_FAULT = -1

Place = tuple[slice, ...]


def known_chunks(x: Any, name: str) -> Any:
    """A dask array whose chunks have known sizes."""
    if not isinstance(x, da.Array):
        raise TypeError(f"{name} must be a dask array, not {type(x).__name__}; see dask.array.from_array")
    if any(math.isnan(length) for lengths in x.chunks for length in lengths):
        raise ValueError(f"{name} has chunks of unknown sizes, which coordinates need: see its compute_chunk_sizes()")
    return x


def mask_of(where: Any, x: Any) -> Any:
    """A mask in the chunks of the log-potentials x."""
    mask = known_chunks(where, "where") if isinstance(where, da.Array) else da.asarray(np.asarray(where))
    if mask.dtype != np.bool_:
        raise TypeError(f"where must be boolean, not {mask.dtype}")
    fits = mask.ndim <= x.ndim and all(
        own in (1, length) for own, length in zip(mask.shape[::-1], x.shape[::-1], strict=False)
    )
    if not fits:
        raise ValueError(f"where of shape {mask.shape} does not broadcast to the shape of log_potentials, {x.shape}")
    chunks = x.chunks[x.ndim - mask.ndim :]
    mask = mask.rechunk(tuple(c if own == sum(c) else (own,) for own, c in zip(mask.shape, chunks, strict=True)))
    return da.broadcast_to(mask, x.shape, chunks=x.chunks)


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


class Block:
    """Log-potentials of a block as rows, and the coordinates at which they are read."""

    def __init__(self, call: Call, x: Any, where: Any, categories: Any, ids: Any, place: Place) -> None:
        self._call = call
        self.draw_place, x_place = place[: len(call.size)], list(place[len(call.size) :])
        shard = x_place.pop(call.axis)
        self.x, self.where, self.categories = x, where, categories
        self.place = tuple(x_place)
        self.first = shard.start
        self.rows, _ = rows_of(x, call.axis, where)
        if categories is not None:
            self.rows = placed(self.rows, call.axis, call.field.at(categories=categories))
        if ids is None:
            self.ids = positions(self.place, call.batch)
        else:
            self.ids = np.array(np.broadcast_to(ids, lengths(self.place)), order="C").reshape(-1)
        self.draws = math.prod(lengths(self.draw_place))

    def runs(self) -> Iterator[tuple[slice, NoiseField]]:
        """Draws of the block that follow each other, and the field at the first of them and of the categories."""
        draws = positions(self.draw_place, self._call.size)
        field = self._call.field
        # An empty shard may begin where the field ends.
        if self.categories is None and self.rows.n:
            field = field.at(start=field.start + self.first)
        for run in np.split(draws, np.flatnonzero(np.diff(draws) != 1) + 1) if draws.size else ():
            at = int(np.searchsorted(draws, run[0]))
            yield slice(at, at + run.size), field.at(draw=field.draw + int(run[0]))

    def matrix(self) -> NDArray[Any]:
        """The rows in the dtype of relaxed samples, -inf where excluded."""
        return self.rows.piece(0, self.rows.count, 0, self.rows.n)

    def faults(self, bad: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Category and value of the first NaN or +inf of these rows, NO_FAULT in others and where nobody will ask."""
        category, value = np.full(bad.size, NO_FAULT), np.zeros(bad.size)
        for row in () if self._call.mark else np.flatnonzero(bad):
            found = self.rows.first_bad(int(row))
            if found is not None:
                category[row], value[row] = self.first + found[0], found[1]
        return category, value


@dataclass(frozen=True)
class Call:
    """What all blocks of a call know."""

    field: NoiseField
    size: tuple[int, ...]
    batch: tuple[int, ...]
    n: int
    axis: int
    mark: bool

    def name(self, place: Place, row: int) -> str:
        """Name a row of a block as a user would index it in the whole."""
        return place_name(self.batch, int(positions(place[len(self.size) :], self.batch)[row]))

    def refuse(self, invalid: NDArray[np.bool_], faults: tuple[Any, Any], place: Place) -> None:
        """Raise for the first of the rows that are invalid, unless such rows are marked."""
        if not self.mark and invalid.any():
            row = int(invalid.argmax())
            category, value = (array[row] for array in faults)
            bad = None if category == NO_FAULT else (int(category), value)
            raise ValueError(fault_message(self.name(place, row), bad))


def earlier_fault(one: tuple[Any, Any], two: tuple[Any, Any]) -> tuple[Any, Any]:
    """Of the faults of two shards those that come first; `one` comes before `two`."""
    own = one[0] != NO_FAULT
    return np.where(own, one[0], two[0]), np.where(own, one[1], two[1])


class Grid:
    """A call on a dask array: its operands, and tasks over its blocks.

    A draw of a row has so many `results`, or as many as categories if that is None.
    """

    def __init__(
        self,
        x: Any,
        axis: Any,
        size: Any,
        draw_chunks: Any,
        where: Any,
        rng: Any,
        noise: Any,
        invalid: Any,
        results: int | None = 1,
    ) -> None:
        self.x = known_chunks(x, "log_potentials")
        check_real(self.x.dtype, "log_potentials")
        axis = category_axis(axis, self.x.ndim)
        n = self.x.shape[axis]
        check_categories(n)
        self.where = None if where is None else mask_of(where, self.x)
        mark = choice_of(invalid, "invalid", ("raise", "mark")) == "mark"
        shape = shape_of(size, "size")
        batch, batch_chunks = list(self.x.shape), list(self.x.chunks)
        del batch[axis], batch_chunks[axis]
        field = field_of(rng, noise)
        check_reach(field, math.prod(shape), n)
        self.batch_chunks = tuple(batch_chunks)
        self.ids = None if field.rows is None else self.by_row(field.rows, "noise: rows")
        self.categories = None
        if field.categories is not None:
            self.categories = da.from_array(named(field, self.x.shape), chunks=self.x.chunks)
        self.call = Call(
            NoiseField.from_key(field.key).at(draw=field.draw, start=field.start), shape, tuple(batch), n, axis, mark
        )
        self.draw_chunks = self._draw_chunks(draw_chunks, results)
        self.draw_letters = tuple(range(len(shape)))
        self.x_letters = tuple(range(len(shape), len(shape) + self.x.ndim))
        self.category = self.x_letters[axis]
        self.batch_letters = tuple(letter for letter in self.x_letters if letter != self.category)

    @property
    def shards(self) -> int:
        """How many parts each row has."""
        return len(self.x.chunks[self.call.axis])

    @property
    def kind(self) -> Any:
        """The dtype of relaxed samples."""
        return relaxed_dtype(self.x.dtype)

    @property
    def places(self) -> tuple[Any, tuple[int, ...]]:
        """Where a block lies, of draws and log-potentials, as an operand."""
        return ArraySliceDep((*self.draw_chunks, *self.x.chunks)), self.draw_letters + self.x_letters

    @property
    def row_places(self) -> tuple[Any, tuple[int, ...]]:
        """Where a block lies, of draws and rows, as an operand."""
        return ArraySliceDep(self.draw_chunks + self.batch_chunks), self.result_letters

    @property
    def result_letters(self) -> tuple[int, ...]:
        """The axes of draws and rows."""
        return self.draw_letters + self.batch_letters

    @property
    def operands(self) -> tuple[Any, ...]:
        """Log-potentials, mask, category ids and row ids."""
        where = (None, None) if self.where is None else (self.where, self.x_letters)
        categories = (None, None) if self.categories is None else (self.categories, self.x_letters)
        ids = (None, None) if self.ids is None else self.row_operand(self.ids)
        return self.x, self.x_letters, *where, *categories, *ids

    def row_operand(self, values: Any) -> tuple[Any, tuple[int, ...] | None]:
        """What `by_row` gave as an operand."""
        return values, self.batch_letters if isinstance(values, da.Array) else None

    def by_row(self, values: NDArray[Any], name: str) -> Any:
        """An array that broadcasts to the batch in its blocks, or its only item."""
        batch = tuple(map(sum, self.batch_chunks))
        try:
            whole = np.broadcast_to(values, batch)
        except ValueError:
            raise ValueError(f"{name} of shape {values.shape} do not broadcast to the batch shape {batch}") from None
        return values.reshape(()) if values.size == 1 else da.from_array(whole, chunks=self.batch_chunks)

    def map(
        self, work: Any, letters: tuple[int, ...], *operands: Any, dtype: Any = object, new_axes: Any = None
    ) -> Any:
        """Call `work` for every block."""
        meta = np.empty((0,) * len(letters), dtype)
        return da.blockwise(work, letters, *operands, new_axes=new_axes, align_arrays=False, meta=meta)

    def samples(self, work: Any, *operands: Any, dtype: Any) -> Any:
        """Call work(block, ...) for the blocks of draws and log-potentials, which those of the result are."""
        letters = self.draw_letters + self.x_letters
        return self.map(
            partial(_at_block, work, self.call), letters, *self.operands, *self.places, *operands, dtype=dtype
        )

    def results(self, work: Any, *operands: Any, dtype: Any) -> Any:
        """Call work(call, place, ...) for every block of draws and rows."""
        return self.map(partial(work, self.call), self.result_letters, *self.row_places, *operands, dtype=dtype)

    def by_shard(self, work: Any, *operands: Any) -> Any:
        """Call work(block, ...) for the blocks of draws and log-potentials; the shards are the last axis."""
        out = (*self.result_letters, self.category)
        return self.map(partial(_at_block, work, self.call), out, *self.operands, *self.places, *operands)

    def by_row_shard(self, work: Any, *operands: Any) -> Any:
        """As `by_shard`, once for all draws."""
        places = ArraySliceDep(self.x.chunks), self.x_letters
        drawn_once = partial(_at_block, work, replace(self.call, size=()))
        return self.map(drawn_once, (*self.batch_letters, self.category), *self.operands, *places, *operands)

    def _draw_chunks(self, chunks: Any, results: int | None) -> tuple[tuple[int, ...], ...]:
        """Chunks of the draws; "auto" lets dask choose, so that a block of the results is not too large."""
        size = self.call.size
        if not size and chunks != "auto":
            raise ValueError("draw_chunks needs size, whose axes they cut")
        if not size or 0 in size + self.x.shape:
            return tuple((length,) for length in size)
        wanted = chunks if isinstance(chunks, tuple) else (chunks,) * len(size)
        # The axes beside the draws, whose chunks are given.
        beside = self.x.chunks if results is None else (*self.batch_chunks, (results,))
        shape, dtype = size + tuple(map(sum, beside)), self.kind if results is None else np.float64
        normal: tuple[tuple[int, ...], ...] = da.core.normalize_chunks((*wanted, *beside), shape, dtype=dtype)
        return normal[: len(size)]


def _at_block(
    work: Any, call: Call, x: Any, where: Any, categories: Any, ids: Any, place: Place, *operands: Any
) -> Any:
    return work(Block(call, x, where, categories, ids, place), *operands)


def _same(x: Any, axis: Any, keepdims: bool) -> Any:
    return x


def _combine(parts: list[Any], axis: Any, keepdims: bool, *, merge: Any) -> Any:
    return reduce(merge, parts)


def tree(parts: Any, merge: Callable[[Any, Any], Any] | None = None) -> Any:
    """What the blocks along the last axis have together: merge(a, b) of neighbours, a before b, in a tree.

    Rows that are not cut need no `merge`.
    """
    combine = partial(_combine, merge=merge)
    meta = np.empty((0,) * (parts.ndim - 1), object)
    return da.reduction(
        parts, _same, combine, combine=combine, axis=-1, keepdims=False, dtype=object, concatenate=False, meta=meta
    )


def chain(parts: Any, step: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
    """States along the last axis, each step(the state before, or None, block), and the last of them."""
    name = f"{step.__name__.strip('_')}-{tokenize(parts.name, step)}"
    graph: dict[Any, Any] = {}
    last: dict[Any, Any] = {}
    for lead in product(*map(range, parts.numblocks[:-1])):
        before = None
        for shard in range(parts.numblocks[-1]):
            graph[name, *lead, shard] = step, before, (parts.name, *lead, shard)
            before = (name, *lead, shard)
        last[f"last-{name}", *lead] = before
    states = da.Array(
        HighLevelGraph.from_collections(name, graph, dependencies=[parts]), name, parts.chunks, meta=parts._meta
    )
    end = HighLevelGraph.from_collections(f"last-{name}", last, dependencies=[states])
    meta = np.empty((0,) * (parts.ndim - 1), object)
    return states, da.Array(end, f"last-{name}", parts.chunks[:-1], meta=meta)
