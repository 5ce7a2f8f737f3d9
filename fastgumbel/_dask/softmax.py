"""`gumbel_softmax` of dask arrays.

The sum of a row is defined by its order: of rows of up to `SHORT` categories one by one, in the type of the result, and
of longer ones in float64, over the sums of groups and, at the end, over the rest one by one. So shards are read four
times: for the largest log-potential and the largest perturbed value above it, each of which a tree finds; for the sums
of groups, which a chain of small states adds up from the first shard to the last, carrying along what is left over
where a shard does not end with a group; and for the sample.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.softmax.shard import decay_rows, logarithms
from fastgumbel._dask.block import Block, Call, Faults, earlier_fault, lengths, writable
from fastgumbel._dask.extra import da
from fastgumbel._dask.graph import Grid, chain, tree
from fastgumbel._dask.max import Found, search
from fastgumbel._host import softmax as _softmax
from fastgumbel._host.noise import write
from fastgumbel._law.reduce import LIMIT
from fastgumbel._law.sums import GROUP, SHORT
from fastgumbel._request.faults import fault_message, row_name
from fastgumbel._request.ndarrays import converted
from fastgumbel._request.temperature import rates_of

# Largest log-potentials by draw and row, or by row for all draws alike, and the faults of the rows.
Tops = tuple[NDArray[Any], Faults]


class Sums(NamedTuple):
    """What a shard adds to the sums of its rows: single items, sums of groups, and single items after those."""

    head: NDArray[Any]
    groups: NDArray[Any]
    tail: NDArray[Any]


class State(NamedTuple):
    """Sums up to the end of a shard, without the last single items."""

    total: NDArray[Any]
    rest: NDArray[Any]


def _left(block: Block) -> NDArray[Any]:
    """Log-potentials by draw, row and category, -inf where noise excludes; a single draw stands for all alike."""
    x = block.matrix()[np.newaxis]
    if block.noise is None:
        return x
    noise = block.noise.values.reshape(block.draws, *x.shape[1:])
    return np.where(noise > -np.inf, x, x.dtype.type(-np.inf))


def _tops(block: Block) -> Tops:
    largest = _left(block).max(-1, initial=-np.inf)
    return largest, block.faults(~(largest < LIMIT).all(0))


def _merge_tops(one: Tops, two: Tops) -> Tops:
    return np.maximum(one[0], two[0]), earlier_fault(one[1], two[1])


def _check_range(block: Block) -> None:
    """Refuse noise beyond the type of the samples."""
    assert block.noise is not None
    values, kind = block.noise.values, block.rows.dtype
    bad = np.isinf(converted(values, kind)) & np.isfinite(values)
    if bad.any():
        line, column = divmod(int(bad.argmax()), block.rows.n)
        value = values.reshape(-1, block.rows.n)[line, column]
        raise ValueError(block.noise_message(line, column, value, kind=kind))


def _valid(tops: Tops) -> NDArray[np.bool_]:
    return (tops[0] > -LIMIT) & (tops[0] < LIMIT)


def _perturbed(block: Block, tops: Tops) -> NDArray[Any]:
    """Draws by rows by categories: log-potentials less the largest of their row, plus noise; NaN in invalid rows."""
    rows = block.rows
    v = np.empty((block.draws, rows.count, rows.n), rows.dtype)
    if block.noise is not None:
        _check_range(block)
        v[...] = converted(block.noise.values, rows.dtype).reshape(v.shape)
    for run, here, _ in block.runs() if block.noise is None else ():
        for s in range(run.stop - run.start):
            drawn = v[run.start + s].reshape(*rows.batch, rows.n)
            write(drawn, here.moved(s).place)
    v += _left(block) - np.where(_valid(tops), tops[0], np.nan).astype(rows.dtype)[..., np.newaxis]
    return v


def _peaks(block: Block, tops: Tops) -> NDArray[Any]:
    """Largest perturbed values of draws by rows."""
    largest: NDArray[Any] = _perturbed(block, tops).max(-1, initial=-np.inf)
    return largest


def _rates(tau: Any, block: Block) -> NDArray[Any]:
    taus = np.broadcast_to(tau, lengths(block.place)).reshape(-1)
    return rates_of(taus, block.rows.dtype)


def _decays(block: Block, tau: Any, tops: Tops, peaks: NDArray[Any]) -> NDArray[Any]:
    p = _perturbed(block, tops)
    decay_rows(p, writable(peaks), _rates(tau, block))
    return p


def _add_groups(p: NDArray[Any]) -> NDArray[Any]:
    """Sums of groups along the last axis, halves added down to one."""
    groups = p.reshape(*p.shape[:-1], p.shape[-1] // GROUP, GROUP)
    while groups.shape[-1] > 1:
        half = groups.shape[-1] // 2
        groups = groups[..., :half] + groups[..., half:]
    return groups[..., 0].astype(np.float64)


def _add_in_turn(total: NDArray[Any], items: NDArray[Any]) -> NDArray[Any]:
    """Add the items along the last axis one by one."""
    return np.add.accumulate(np.concatenate([total[..., np.newaxis], items], -1, dtype=total.dtype), -1)[..., -1]


def _sums(n: int, block: Block, tau: Any, tops: Tops, peaks: NDArray[Any]) -> Sums:
    p = _decays(block, tau, tops, peaks)
    if n <= SHORT:
        return Sums(p, p[..., :0], p[..., :0])
    head = min(-block.first % GROUP, block.rows.n)
    tail = head + (block.rows.n - head) // GROUP * GROUP
    return Sums(p[..., :head].copy(), _add_groups(p[..., head:tail]), p[..., tail:].copy())


def _add_short(before: NDArray[Any] | None, sums: Sums) -> NDArray[Any]:
    start = np.zeros(sums.head.shape[:2], sums.head.dtype) if before is None else before
    return _add_in_turn(start, sums.head)


def _add_long(before: State | None, sums: Sums) -> State:
    if before is None:
        before = State(np.zeros(sums.head.shape[:2]), sums.head[..., :0])
    total, rest = before.total, np.concatenate([before.rest, sums.head], -1)
    if rest.shape[-1] == GROUP:
        total, rest = _add_in_turn(total, _add_groups(rest)), rest[..., :0]
    if rest.shape[-1]:
        return State(total, rest)
    return State(_add_in_turn(total, sums.groups), sums.tail)


def _total(state: Any) -> NDArray[Any]:
    return _add_in_turn(state.total, state.rest) if isinstance(state, State) else state


def _samples(block: Block, tau: Any, tops: Tops, peaks: NDArray[Any], total: NDArray[Any], log: bool) -> NDArray[Any]:
    """Draws by rows by categories: samples of rows whose largest values and sums are known."""
    if not log:
        y = _decays(block, tau, tops, peaks)
        y *= (1 / total).astype(y.dtype)[..., np.newaxis]
        return y
    of_totals = np.array(total).reshape(-1)
    logarithms(of_totals)
    y = _perturbed(block, tops)
    excluded = y == -np.inf
    y -= peaks[..., np.newaxis]
    y *= _rates(tau, block)[:, np.newaxis]
    np.maximum(y, -np.finfo(y.dtype).max, out=y)
    y -= of_totals.astype(y.dtype).reshape(*total.shape, 1)
    y[excluded] = -np.inf
    return y


def _relaxed(
    call: Call, log: bool, block: Block, tau: Any, tops: Tops, peaks: NDArray[Any], state: Any
) -> NDArray[Any]:
    """Relaxed samples of a block; NaN in invalid rows."""
    invalid = ~_valid(tops)
    if block.draws:
        call.refuse(invalid, tops[1], block.draw_place + block.place)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        y = _samples(block, tau, tops, peaks, _total(state), log)
    y[np.broadcast_to(invalid, y.shape[:2])] = np.nan
    return y


def _one_hot(call: Call, log: bool, block: Block, found: Found) -> NDArray[Any]:
    """One-hots of the samples of a block; NaN in invalid rows."""
    index = found[0]
    call.refuse(index < 0, found[2], block.draw_place + block.place)
    hot = index[..., np.newaxis] == block.first + np.arange(block.rows.n)
    y = np.where(hot, 0 if log else 1, -np.inf if log else 0).astype(block.rows.dtype)
    y[index < 0] = np.nan
    return y


def _in_place(call: Call, block: Block, y: NDArray[Any]) -> NDArray[Any]:
    """Draws by rows by categories in the shape of the block, the categories where they were."""
    return np.moveaxis(y.reshape(*lengths(block.draw_place + block.place), block.rows.n), -1, call.axis)


def _soft(call: Call, log: bool, block: Block, tau: Any, tops: Tops, peaks: NDArray[Any], state: Any) -> NDArray[Any]:
    return _in_place(call, block, _relaxed(call, log, block, tau, tops, peaks, state))


def _hard(call: Call, log: bool, block: Block, found: Found) -> NDArray[Any]:
    return _in_place(call, block, _one_hot(call, log, block, found))


def _mixed(
    call: Call, log: bool, block: Block, tau: Any, tops: Tops, peaks: NDArray[Any], state: Any, found: Found
) -> NDArray[Any]:
    """Samples of a block with hard rows, those of temperature 0."""
    y = _relaxed(call, log, block, tau, tops, peaks, state)
    hard_rows = np.broadcast_to(tau == 0, lengths(block.place)).reshape(-1)
    y[:, hard_rows] = _one_hot(call, log, block, found)[:, hard_rows]
    return _in_place(call, block, y)


def _whole_rows(call: Call, log: bool, hard: bool, block: Block, tau: Any) -> NDArray[Any]:
    """Samples of a block of rows that are not cut."""
    y = np.empty((block.draws, block.rows.count, block.rows.n), block.rows.dtype)
    taus = np.broadcast_to(tau, lengths(block.place)).reshape(-1) if np.ndim(tau) else np.reshape(tau, 1)
    block.keep_one_each()
    if block.noise is not None and not hard and taus.any():
        _check_range(block)
    for run, rows, noise in block.runs():
        _softmax.fill(rows, noise, taus, hard, log, y[run])
    invalid = np.any(np.isnan(y[..., :1]), 2)
    call.refuse(invalid, block.faults(np.any(invalid, 0)), block.draw_place + block.place)
    return _in_place(call, block, y)


def relax(grid: Grid, tau: Any, hard: bool, log: bool) -> Any:
    """Relaxed or hard samples."""
    grid.refuse_repeats()
    call, dtype = grid.call, grid.kind
    batch = call.batch
    taus = grid.request.temperatures(tau)
    if call.n == 0:
        if not call.mark and 0 not in call.size + batch:
            raise ValueError(fault_message(row_name(batch, 0, call.row_ids), None))
        return da.zeros(call.size + grid.x.shape, dtype, chunks=grid.draw_chunks + grid.x.chunks)
    temperatures = grid.row_operand(grid.by_row(taus.reshape(batch if taus.size > 1 else ())))
    if grid.shards == 1:
        return grid.samples(partial(_whole_rows, call, log, hard), *temperatures, dtype=dtype)
    hardened = search(grid), grid.result_letters
    if hard or (taus == 0).all():
        return grid.samples(partial(_hard, call, log), *hardened, dtype=dtype)
    if grid.noise is None:
        tops = tree(grid.by_row_shard(_tops), _merge_tops), grid.batch_letters
    else:
        tops = tree(grid.by_shard(_tops), _merge_tops), grid.result_letters
    peaks = tree(grid.by_shard(_peaks, *tops), np.maximum), grid.result_letters
    known = (*temperatures, *tops, *peaks)
    sums = grid.by_shard(partial(_sums, call.n), *known)
    state = chain(sums, _add_short if call.n <= SHORT else _add_long)[1], grid.result_letters
    if (taus == 0).any():
        return grid.samples(partial(_mixed, call, log), *known, *state, *hardened, dtype=dtype)
    return grid.samples(partial(_soft, call, log), *known, *state, dtype=dtype)
