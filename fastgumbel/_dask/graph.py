"""Arguments of dask arrays, checked, and the graphs over their blocks: one task a block, trees and chains over shards.

The blocks of an array lie along the batch and along the categories; the latter are the shards of its rows. Draws have
blocks of their own. What a shard knows of its rows is a tuple of small arrays, draws by rows, and it alone travels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial, reduce
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._dask.block import Block, Call, Place, check_unmasked
from fastgumbel._dask.extra import ArraySliceDep, HighLevelGraph, da, tokenize
from fastgumbel._host.repeats import refuse_repeats
from fastgumbel._request.faults import chunks_message, excluded_text, flag_message
from fastgumbel._request.request import Request
from fastgumbel._request.scalars import array_of


def known_chunks(x: Any, name: str) -> Any:
    """A dask array whose chunks have known sizes."""
    if not isinstance(x, da.Array):
        raise TypeError(f"{name} must be a dask array, not {type(x).__name__}; see dask.array.from_array")
    if any(math.isnan(length) for lengths in x.chunks for length in lengths):
        raise ValueError(f"{name} has chunks of unknown sizes, which coordinates need: see its compute_chunk_sizes()")
    check_unmasked(x, name)
    return x


class DaskArrays:
    """Dask arrays with chunks of known sizes, as a kind of arrays of requests; noise may also be a host array."""

    noise = "an array"
    own_noise = False

    def owns(self, x: Any) -> bool:
        """Whether an argument is a dask array."""
        return isinstance(x, da.Array)

    def array(self, x: Any, name: str) -> Any:
        """The argument, which must be a dask array; a mask of integers as booleans, checked when it is computed."""
        if name == "noise" and not isinstance(x, da.Array):
            return array_of(x, name)
        x = known_chunks(x, name)
        if name == "where" and x.dtype.kind in "iu":
            return x.map_blocks(_booleans, meta=np.empty((0,) * x.ndim, np.bool_))
        return x

    def fetch(self, x: Any, name: str) -> NDArray[Any]:
        """The argument, which must lie in memory."""
        if isinstance(x, da.Array):
            raise TypeError(f"{name} must be a number or an array in memory, not a dask array; see its compute()")
        return array_of(x, name)


def _booleans(part: NDArray[Any], block_info: Any) -> NDArray[np.bool_]:
    """A block of integers 0 and 1 as booleans."""
    bad = (part < 0) | (part > 1)
    if bad.any():
        at = np.unravel_index(int(bad.argmax()), bad.shape) if bad.ndim else ()
        starts = (start for start, _ in block_info[0]["array-location"])
        index = tuple(start + int(i) for start, i in zip(starts, at, strict=True))
        raise ValueError(flag_message(index, part[at]))
    return part.astype(np.bool_)


def cut(
    name: str, chunks: Any, shape: tuple[int, ...], dtype: Any, beside: tuple[tuple[int, ...], ...] = ()
) -> tuple[tuple[int, ...], ...]:
    """Chunks of the axes of a shape from what users pass as the argument of this name.

    "auto" lets dask choose, so that a block is not too large; further axes have the chunks `beside`.
    """
    wanted = tuple(chunks) if isinstance(chunks, tuple | list) else (chunks,) * len(shape)
    if len(shape) == 1 and len(wanted) > 1:
        # Lengths of the chunks of the only axis.
        wanted = (wanted,)
    try:
        whole = shape + tuple(map(sum, beside))
        normal: tuple[tuple[int, ...], ...] = da.core.normalize_chunks((*wanted, *beside), whole, dtype=dtype)
    except Exception as error:  # whatever dask makes of what it does not know
        raise ValueError(chunks_message(name, chunks, shape)) from error
    own = normal[: len(shape)]
    if tuple(map(sum, own)) != shape:
        raise ValueError(chunks_message(name, chunks, shape))
    return own


def in_chunks(mask: Any, x: Any) -> Any:
    """A mask that fits the log-potentials x, in their chunks."""
    mask = da.asarray(mask)
    chunks = x.chunks[x.ndim - mask.ndim :]
    mask = mask.rechunk(tuple(c if own == sum(c) else (own,) for own, c in zip(mask.shape, chunks, strict=True)))
    return da.broadcast_to(mask, x.shape, chunks=x.chunks)


def _chunked(noise: Any, chunks: tuple[tuple[int, ...], ...]) -> Any:
    """Noise, a dask or a host array, in these chunks."""
    return noise.rechunk(chunks) if isinstance(noise, da.Array) else da.from_array(noise, chunks=chunks)


class Grid:
    """A call on a dask array: its operands, and tasks over its blocks.

    A draw of a row has so many `results`, or as many as categories if that is None.
    """

    def __init__(self, request: Request, draw_chunks: Any, results: int | None = 1) -> None:
        self.request, self.x = request, request.x
        self.where = None if request.where is None else in_chunks(request.where, self.x)
        axis, size, place = request.axis, request.draw_shape, request.place
        batch_chunks = list(self.x.chunks)
        del batch_chunks[axis]
        self.batch_chunks = tuple(batch_chunks)
        self.rows = tuple(
            self.by_row(values.reshape(request.batch if values.size > 1 else ())) if values.size else None
            for values in (place.rows, place.draws, place.temperatures)
        )
        self.categories = None
        if place.categories is not None:
            self.categories = da.from_array(place.categories, chunks=self.x.chunks)
        self.call = Call(
            place.key,
            place.draw,
            place.start,
            place.rows if request.raises else place.rows[:0],
            excluded_text(place.empty, request.given is not None),
            request.given is not None,
            place.wide,
            size,
            request.batch,
            request.n,
            axis,
            not request.raises,
        )
        self.draw_chunks = self._draw_chunks(draw_chunks, results)
        self.noise = None if request.given is None else _chunked(request.given, self.draw_chunks + self.x.chunks)
        self.draw_letters = tuple(range(len(size)))
        self.x_letters = tuple(range(len(size), len(size) + self.x.ndim))
        self.category = self.x_letters[axis]
        self.batch_letters = tuple(letter for letter in self.x_letters if letter != self.category)

    @property
    def shards(self) -> int:
        """How many parts each row has."""
        return len(self.x.chunks[self.call.axis])

    def refuse_repeats(self) -> None:
        """Raise where a category id stands twice in a row that is cut: no shard can tell which place counts."""
        if self.shards > 1:
            refuse_repeats(self.request.place, self.call.axis, "bring whole rows into chunks, see rechunk()")

    @property
    def kind(self) -> Any:
        """The dtype of relaxed samples."""
        return self.request.dtype

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

    def operands(self, drawn: bool) -> tuple[Any, ...]:
        """Log-potentials, mask, category ids; by row ids, draws and temperatures; and noise of blocks with draws."""
        where = (None, None) if self.where is None else (self.where, self.x_letters)
        categories = (None, None) if self.categories is None else (self.categories, self.x_letters)
        rows = [(None, None) if values is None else self.row_operand(values) for values in self.rows]
        noise = (self.noise, self.draw_letters + self.x_letters) if drawn and self.noise is not None else (None, None)
        return self.x, self.x_letters, *where, *categories, *(item for operand in rows for item in operand), *noise

    def row_operand(self, values: Any) -> tuple[Any, tuple[int, ...] | None]:
        """What `by_row` gave as an operand."""
        return values, self.batch_letters if isinstance(values, da.Array) else None

    def by_row(self, values: NDArray[Any]) -> Any:
        """An array in the shape of the batch in its blocks, or its only item."""
        return values.reshape(()) if values.size == 1 else da.from_array(values, chunks=self.batch_chunks)

    def map(
        self, work: Any, letters: tuple[int, ...], *operands: Any, dtype: Any = object, new_axes: Any = None
    ) -> Any:
        """Call `work` for every block."""
        meta = np.empty((0,) * len(letters), dtype)
        return da.blockwise(work, letters, *operands, new_axes=new_axes, align_arrays=False, meta=meta)

    def samples(self, work: Any, *operands: Any, dtype: Any) -> Any:
        """Call work(block, ...) for the blocks of draws and log-potentials, which those of the result are."""
        letters = self.draw_letters + self.x_letters
        blocks = *self.operands(True), *self.places
        return self.map(partial(_at_block, work, self.call), letters, *blocks, *operands, dtype=dtype)

    def results(self, work: Any, *operands: Any, dtype: Any) -> Any:
        """Call work(call, place, ...) for every block of draws and rows."""
        return self.map(partial(work, self.call), self.result_letters, *self.row_places, *operands, dtype=dtype)

    def by_shard(self, work: Any, *operands: Any) -> Any:
        """Call work(block, ...) for the blocks of draws and log-potentials; the shards are the last axis."""
        out = (*self.result_letters, self.category)
        return self.map(partial(_at_block, work, self.call), out, *self.operands(True), *self.places, *operands)

    def by_row_shard(self, work: Any, *operands: Any) -> Any:
        """As `by_shard`, once for all draws."""
        places = ArraySliceDep(self.x.chunks), self.x_letters
        drawn_once = partial(_at_block, work, replace(self.call, size=()))
        return self.map(drawn_once, (*self.batch_letters, self.category), *self.operands(False), *places, *operands)

    def _draw_chunks(self, chunks: Any, results: int | None) -> tuple[tuple[int, ...], ...]:
        """Chunks of the draws, as `cut` finds them for the results."""
        size = self.call.size
        if not size and chunks != "auto":
            raise ValueError("draw_chunks needs size, whose axes they cut")
        if not size or 0 in size + self.x.shape:
            return tuple((length,) for length in size)
        given = self.request.given
        if isinstance(given, da.Array) and isinstance(chunks, str) and chunks == "auto":
            own: tuple[tuple[int, ...], ...] = given.chunks[: len(size)]
            return own
        # The axes beside the draws, whose chunks are given.
        beside = self.x.chunks if results is None else (*self.batch_chunks, (results,))
        return cut("draw_chunks", chunks, size, self.kind if results is None else np.float64, beside)


def _at_block(
    work: Any, call: Call, x: Any, where: Any, categories: Any, ids: Any, draws: Any, temperatures: Any, given: Any,
    place: Place, *operands: Any,
) -> Any:  # fmt: skip
    return work(Block(call, x, where, categories, (ids, draws, temperatures), given, place), *operands)


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
