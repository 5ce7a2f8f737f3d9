"""The samplers on dask arrays: lazy, chunked over the batch and over the categories, with the same bits.

Every function gives, for any chunks, the bits that its namesake gives on the whole array. A chunk is read where it is;
from a row that is cut into shards only small results travel: of a draw an index and a value, never the shard.

Needs the extra ``dask``: ``pip install 'fastgumbel[dask]'``. An int for `rng` always names the same field; a Generator
gives up 64 bits when the graph is built, so that to compute twice gives the same twice.
"""

from __future__ import annotations

from typing import Any, Literal

from numpy.typing import ArrayLike

from fastgumbel._api.reservoir import Reservoir
from fastgumbel._dask import above as _above
from fastgumbel._dask import categorical as _categorical
from fastgumbel._dask import max as _max
from fastgumbel._dask import reservoir as _reservoir
from fastgumbel._dask import top as _top
from fastgumbel._dask.fields import gumbel, gumbel_nested
from fastgumbel._dask.graph import DaskArrays, Grid
from fastgumbel._dask.softmax import relax
from fastgumbel._request.checks import flag_of, places_of
from fastgumbel._request.field import NoiseField
from fastgumbel._request.key import Rng
from fastgumbel._request.request import Request

__all__ = [
    "categorical",
    "gumbel",
    "gumbel_above",
    "gumbel_max",
    "gumbel_nested",
    "gumbel_softmax",
    "gumbel_top_k",
    "reservoir",
]


def gumbel_max(
    log_potentials: Any,
    *,
    axis: int = -1,
    size: int | tuple[int, ...] | None = None,
    draw_chunks: Any = "auto",
    where: Any = None,
    rng: Rng = None,
    noise: Any = None,
    temperature: ArrayLike = 1.0,
    return_max: bool = False,
    invalid: Literal["raise", "mark"] = "raise",
) -> Any:
    """`fastgumbel.gumbel_max` of a dask array: a sample of each row.

    Parameters
    ----------
    log_potentials : dask.array.Array
        As in `fastgumbel.gumbel_max`, in chunks of known sizes, along the categories too.
    axis : int, optional
        The axis of the categories; the default is the last.
    size : int or tuple of ints, optional
        Draws of every row: these axes come before the batch.
    draw_chunks : int, tuple or "auto", optional
        Chunks of the axes of `size`, as `dask.array.zeros` takes them. They do not change the draws. "auto" is those of
        `noise` where that is a dask array.
    where : dask.array.Array or array_like of bool, optional
        Broadcasts to `log_potentials`; False excludes a category. It is brought into their chunks.
    rng : None, int, sequence of ints, SeedSequence, BitGenerator or Generator, optional
        Seed or generator that selects the noise field; see `NoiseField`.
    noise : NoiseField, dask.array.Array or array_like, optional
        Noise field to read instead, with its coordinates; or an array of noise, as `gumbel_nested` writes it, of the
        shape of `log_potentials` with the axes of `size` before it: finite, also times the temperature, or -inf, which
        excludes its place. It is brought into the chunks of log-potentials, and may lie in memory.
    temperature : array_like of float, optional
        As in `fastgumbel.gumbel_max`, default 1; an array in memory, no dask array.
    return_max : bool, optional
        Also return the perturbed values of the samples.
    invalid : {"raise", "mark"}, optional
        As in `fastgumbel.gumbel_max`; the error comes when the result is computed, from the first chunk that has one.

    Returns
    -------
    index : dask.array.Array of intp
        Of shape `size + batch`, counted along the axis.
    value : dask.array.Array of float64
        Of the same shape; only with `return_max`.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, or chunks have unknown sizes; and at the time of computation, if a row is invalid:
        its place in the whole array and its first bad category are named.

    See Also
    --------
    fastgumbel.gumbel_max : the same of NumPy arrays, with the law.

    Notes
    -----
    Each shard of a row is searched where it is. Indices and perturbed values, 16 bytes a draw and shard, are combined
    in a tree; the larger value wins and of equal ones the first index, so the tree cannot change the result.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> import fastgumbel.dask as fgd
    >>> x = np.random.default_rng(0).normal(size=(50, 1000))
    >>> sample = fgd.gumbel_max(da.from_array(x, chunks=(20, 300)), rng=1)
    >>> bool((sample.compute() == fg.gumbel_max(x, rng=1)).all())
    True
    """
    request = Request(log_potentials, axis, size, where, rng, noise, invalid, DaskArrays())
    request.scale_noise(temperature)
    return _max.sample(Grid(request, draw_chunks), flag_of(return_max, "return_max"))


def gumbel_top_k(
    log_potentials: Any,
    k: int,
    *,
    axis: int = -1,
    size: int | tuple[int, ...] | None = None,
    draw_chunks: Any = "auto",
    where: Any = None,
    rng: Rng = None,
    noise: Any = None,
    temperature: ArrayLike = 1.0,
    return_threshold: bool = False,
    invalid: Literal["raise", "mark"] = "raise",
) -> tuple[Any, ...]:
    """`fastgumbel.gumbel_top_k` of a dask array: sampling without replacement.

    Parameters
    ----------
    log_potentials : dask.array.Array
        As in `fastgumbel.gumbel_top_k`, in chunks of known sizes, along the categories too.
    k : int
        How many, from 1 to n.
    axis, size, draw_chunks, where, rng, noise, temperature
        As in `gumbel_max`.
    return_threshold : bool, optional
        Also return the (k+1)-th largest perturbed value, -inf where there is no further category.
    invalid : {"raise", "mark"}, optional
        As in `fastgumbel.gumbel_top_k`; the error comes when the result is computed.

    Returns
    -------
    indices : dask.array.Array of intp
        Shape `size + batch + (k,)` for the default axis.
    values : dask.array.Array of float64
        Their perturbed values, of the same shape, falling.
    threshold : dask.array.Array of float64
        Shape `size + batch`; only with `return_threshold`.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, or chunks have unknown sizes; and at the time of computation, if a row is invalid
        or has fewer than k categories left: its place in the whole array is named.

    See Also
    --------
    fastgumbel.gumbel_top_k : the same of NumPy arrays, with the law.

    Notes
    -----
    Of a shard, its k best (and one more for the threshold) travel, 16 bytes each.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> import fastgumbel.dask as fgd
    >>> x = np.random.default_rng(0).normal(size=(50, 1000))
    >>> indices, values = fgd.gumbel_top_k(da.from_array(x, chunks=(20, 300)), 5, rng=1)
    >>> bool((indices.compute() == fg.gumbel_top_k(x, 5, rng=1)[0]).all())
    True
    """
    request = Request(log_potentials, axis, size, where, rng, noise, invalid, DaskArrays())
    places = places_of(k, request.n)
    request.scale_noise(temperature)
    return _top.sample(Grid(request, draw_chunks, places), places, flag_of(return_threshold, "return_threshold"))


def gumbel_above(
    log_potentials: Any,
    threshold: ArrayLike = 0.0,
    *,
    axis: int = -1,
    size: int | tuple[int, ...] | None = None,
    draw_chunks: Any = "auto",
    where: Any = None,
    rng: Rng = None,
    noise: Any = None,
    temperature: ArrayLike = 1.0,
    invalid: Literal["raise", "mark"] = "raise",
) -> tuple[tuple[Any, ...], Any]:
    """`fastgumbel.gumbel_above` of a dask array: all categories above a threshold.

    Parameters
    ----------
    log_potentials : dask.array.Array
        As in `fastgumbel.gumbel_above`, in chunks of known sizes, along the categories too.
    threshold : array_like of float, optional
        As in `fastgumbel.gumbel_above`, default 0; an array in memory, no dask array.
    axis, size, draw_chunks, where, rng, noise, temperature
        As in `gumbel_max`.
    invalid : {"raise", "mark"}, optional
        As in `fastgumbel.gumbel_above`; an invalid row is an error when the result is computed.

    Returns
    -------
    coordinates : tuple of dask.array.Array of intp
        As `dask.array.nonzero` gives them: of unknown length, which their `compute_chunk_sizes()` finds, in C order. A
        chunk has what is in a chunk of the first axis of `size + batch`; of a single row there is one chunk.
    values : dask.array.Array of float64
        Their perturbed values, in the same chunks.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, or chunks have unknown sizes; and at the time of computation, if a row is invalid:
        its place in the whole array and its first bad category are named.

    See Also
    --------
    fastgumbel.gumbel_above : the same of NumPy arrays, with the law.

    Notes
    -----
    Each shard of a row is searched where it is. What is found travels: 16 bytes, and 8 more for each axis of draws and
    batch. To compute coordinates and values together, pass all to one `dask.compute`.

    Examples
    --------
    >>> import dask
    >>> import dask.array as da
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> import fastgumbel.dask as fgd
    >>> x = np.random.default_rng(0).normal(size=(50, 1000))
    >>> sample = fgd.gumbel_above(da.from_array(x, chunks=(20, 300)), 4.0, rng=1)
    >>> (row, category), values = dask.compute(*sample)
    >>> expected = fg.gumbel_above(x, 4.0, rng=1)
    >>> bool((category == expected[0][1]).all() and (values == expected[1]).all())
    True
    """
    request = Request(log_potentials, axis, size, where, rng, noise, invalid, DaskArrays())
    request.scale_noise(temperature)
    thresholds = request.thresholds(threshold)
    return _above.sample(Grid(request, draw_chunks, None), thresholds)


def gumbel_softmax(
    log_potentials: Any,
    tau: ArrayLike = 1.0,
    *,
    axis: int = -1,
    size: int | tuple[int, ...] | None = None,
    draw_chunks: Any = "auto",
    where: Any = None,
    hard: bool = False,
    log: bool = False,
    rng: Rng = None,
    noise: Any = None,
    invalid: Literal["raise", "mark"] = "raise",
) -> Any:
    """`fastgumbel.gumbel_softmax` of a dask array: relaxed samples.

    Parameters
    ----------
    log_potentials : dask.array.Array
        As in `fastgumbel.gumbel_softmax`, in chunks of known sizes, along the categories too.
    tau : array_like of float, optional
        Temperature, finite and at least 0; an array in memory, no dask array, broadcasts to the batch.
    axis, size, draw_chunks, where, rng, noise
        As in `gumbel_max`.
    hard, log
        As in `fastgumbel.gumbel_softmax`.
    invalid : {"raise", "mark"}, optional
        As in `fastgumbel.gumbel_softmax`; the error comes when the result is computed.

    Returns
    -------
    dask.array.Array
        Of shape `size + log_potentials.shape`, in the same chunks; float32 for float16 and float32, else float64.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, or chunks have unknown sizes; and at the time of computation, if a row is invalid:
        its place in the whole array and its first bad category are named.

    See Also
    --------
    fastgumbel.gumbel_softmax : the same of NumPy arrays, with the law.

    Notes
    -----
    Rows in one chunk are read once, rows in shards four times: for the largest log-potential, and with their noise for
    the largest value, for the sum, and for the sample. The sum is defined by its order, so it goes through the shards
    one after the other: a chain of additions, of one number in 64, whose state of at most 63 numbers and a sum travels.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> import fastgumbel.dask as fgd
    >>> x = np.random.default_rng(0).normal(size=(50, 1000))
    >>> y = fgd.gumbel_softmax(da.from_array(x, chunks=(20, 300)), 0.5, rng=1)
    >>> bool((y.compute() == fg.gumbel_softmax(x, 0.5, rng=1)).all())
    True
    """
    request = Request(log_potentials, axis, size, where, rng, noise, invalid, DaskArrays())
    return relax(Grid(request, draw_chunks, None), tau, flag_of(hard, "hard"), flag_of(log, "log"))


def categorical(
    log_potentials: Any,
    size: int | tuple[int, ...] | None = None,
    *,
    axis: int = -1,
    draw_chunks: Any = "auto",
    where: Any = None,
    rng: Rng = None,
    noise: NoiseField | None = None,
    temperature: ArrayLike = 1.0,
    invalid: Literal["raise", "mark"] = "raise",
) -> Any:
    """`fastgumbel.categorical` of a dask array: draws that read no field.

    Parameters
    ----------
    log_potentials : dask.array.Array
        As in `fastgumbel.categorical`, in chunks of known sizes, along the categories too.
    size : int or tuple of ints, optional
        Draws of every row: these axes come before the batch.
    axis, draw_chunks, where, rng
        As in `gumbel_max`.
    noise : NoiseField, optional
        Names the draws instead, by key, row ids and first draw. `start` must be 0.
    temperature : array_like of float, optional
        As in `fastgumbel.categorical`, default 1; an array in memory, no dask array.
    invalid : {"raise", "mark"}, optional
        As in `fastgumbel.categorical`; the error comes when the result is computed.

    Returns
    -------
    dask.array.Array of intp
        Of shape `size + batch`, counted along the axis.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, or chunks have unknown sizes; and at the time of computation, if a row is invalid:
        its place in the whole array and its first bad category are named.

    See Also
    --------
    fastgumbel.categorical : the same of NumPy arrays, with the law.

    Notes
    -----
    Rows in one chunk are read once. Rows in shards are read four times, for the largest log-potential, the grid of the
    weights, their sums, and the draws that fall into the shard; the sums are of integers, and exact. Every shard looks
    at every draw, so `gumbel_max` is the better one for a few draws of rows in shards.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> import fastgumbel.dask as fgd
    >>> x = np.random.default_rng(0).normal(size=(50, 1000))
    >>> draws = fgd.categorical(da.from_array(x, chunks=(20, 300)), 10, rng=1)
    >>> bool((draws.compute() == fg.categorical(x, 10, rng=1)).all())
    True
    """
    request = Request(log_potentials, axis, size, where, rng, noise, invalid, DaskArrays(), True)
    request.check_no_categories()
    request.scale_noise(temperature)
    return _categorical.draw(Grid(request, draw_chunks))


def reservoir(
    log_potentials: Any,
    k: int,
    *,
    where: Any = None,
    rng: Rng = None,
    noise: NoiseField | None = None,
    first: int = 0,
) -> Any:
    """A `Reservoir` that has seen a dask array: one of each chunk, merged in a tree.

    Parameters
    ----------
    log_potentials : dask.array.Array
        Shape (n,), in chunks of known sizes: the stream, as `Reservoir.update` takes it.
    k : int
        How many items to sample, at least 1.
    where : dask.array.Array or array_like of bool, optional
        Broadcasts to `log_potentials`; False excludes an item. It is brought into their chunks.
    rng, noise, first
        As in `Reservoir`.

    Returns
    -------
    dask.delayed.Delayed
        Of a `Reservoir`, which can take further items and merge with others.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, or chunks have unknown sizes; and at the time of computation, if an item is NaN or
        +inf: it is named by its position in the stream.

    See Also
    --------
    gumbel_top_k : the same as arrays, of many rows.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> import fastgumbel.dask as fgd
    >>> x = np.log(np.arange(1.0, 1001.0))
    >>> sample = fgd.reservoir(da.from_array(x, chunks=300), 3, rng=0).compute()
    >>> sample
    <Reservoir of 3 from 1000 items, k=3, noise=NoiseField.from_key(0xdb2cd7e7b0f478be)>
    >>> bool((sample.indices == fg.gumbel_top_k(x, 3, rng=0)[0]).all())
    True
    """
    request = Request(log_potentials, -1, None, where, None, NoiseField.from_key(0), "raise", DaskArrays())
    if request.x.ndim != 1:
        raise ValueError(f"log_potentials must have one axis, not {request.x.ndim}")
    return _reservoir.sample(request, Reservoir(k, rng=rng, noise=noise, first=first), first)
