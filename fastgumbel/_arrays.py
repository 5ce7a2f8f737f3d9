"""Validation, broadcasting and axes: from what users pass to what the kernels trust."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgumbel._checks import array_of, integer, whole
from fastgumbel._device import interface_of, is_device
from fastgumbel._rows import Rows, RowShape, infinite_message, place_name
from fastgumbel.noise import CATEGORIES, DRAWS, NoiseField, key_of

# Items that an array can have, as its bytes are counted in 63 bits.
ITEMS = 2**59


def choice_of(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """A word from a list."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be {' or '.join(map(repr, choices))}, not {value!r}")
    return str(value)


def float_type(dtype: Any, name: str) -> np.dtype[Any]:
    """The dtype float64 or float32."""
    try:
        kind: np.dtype[Any] = np.dtype(dtype)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be float64 or float32, not {dtype!r}") from None
    if kind not in (np.dtype(np.float64), np.dtype(np.float32)):
        raise TypeError(f"{name} must be float64 or float32, not {kind}")
    return kind


def shape_of(size: Any, name: str, most: int = DRAWS) -> tuple[int, ...]:
    """A shape of so many items at most from an int or a sequence of ints; None is ()."""
    if size is None:
        return ()
    items = (size,) if isinstance(size, int | np.integer) else size
    if not (isinstance(items, tuple | Sequence) or np.ndim(items) == 1) or isinstance(items, str | bytes):
        raise TypeError(f"{name} must be an int or a tuple of ints, not {type(size).__name__}")
    shape = tuple(items)
    for item in shape:
        if isinstance(item, bool | np.bool_) or not isinstance(item, int | np.integer):
            raise TypeError(f"{name} must be an int or a tuple of ints, not {size!r}")
        if item < 0:
            raise ValueError(f"{name} must not be negative, not {size!r}")
    if math.prod(int(item) or 1 for item in shape) > most:
        raise ValueError(f"{name} must be of at most 2**{most.bit_length() - 1} items, not {size!r}")
    return tuple(int(item) for item in shape)


def real_array(x: ArrayLike, name: str) -> NDArray[Any]:
    """An array of float16 to float64 or of integers."""
    array = array_of(x, name)
    check_real(array.dtype, name)
    return array


def check_real(dtype: np.dtype[Any], name: str) -> None:
    """Whether a dtype is float16 to float64 or an integer."""
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise TypeError(f"{name} must be real numbers (float16, float32, float64 or integers), not {dtype}")


def check_categories(n: int) -> None:
    """Whether the field has so many categories."""
    if n > CATEGORIES:
        raise ValueError(f"log_potentials must have at most 2**32 categories, not {n}")


def category_axis(axis: Any, ndim: int) -> int:
    """The axis of the categories, counted from the end."""
    if ndim == 0:
        raise ValueError("log_potentials must have at least one axis, that of the categories")
    place = integer(axis, "axis")
    if not -ndim <= place < ndim:
        raise ValueError(f"axis must be from {-ndim} to {ndim - 1}, as log_potentials have {ndim} axes, not {axis}")
    return place % ndim - ndim


def with_categories(lead: tuple[int, ...], n: int, axis: int) -> tuple[int, ...]:
    """A shape with an axis of n categories, counted from the end, put into it."""
    at = len(lead) + 1 + axis
    return (*lead[:at], n, *lead[at:])


def categories_last(array: NDArray[Any], axis: int) -> NDArray[Any]:
    """A view with the axis of the categories, counted from the end, moved there."""
    return array if axis == -1 else np.moveaxis(array, axis, -1)


def categories_back(array: NDArray[Any], axis: int) -> NDArray[Any]:
    """A view with the last axis moved to where that of the categories is, counted from the end."""
    return array if axis == -1 else np.moveaxis(array, -1, axis)


def field_of(rng: Any, noise: Any) -> NoiseField:
    """The field that `rng` names or `noise` is."""
    if noise is None:
        return NoiseField.from_key(key_of(rng, "rng"))
    if rng is not None:
        raise ValueError("give rng or noise, not both")
    if not isinstance(noise, NoiseField):
        raise TypeError(f"noise must be a NoiseField, not {type(noise).__name__}")
    return noise


def places_of(k: Any, n: int) -> int:
    """How many of n categories are to be ranked."""
    places = whole(k, "k", 1)
    if places > n:
        raise ValueError(f"k must be at most the number of categories, {n}, not {places}")
    return places


def ranked_shapes(
    draw_shape: tuple[int, ...], batch: tuple[int, ...], k: int, axis: int, with_threshold: bool
) -> list[tuple[tuple[int, ...], Any]]:
    """Shapes and types of indices and values by rank, on an axis counted from the end, and of the threshold."""
    ranked = with_categories(draw_shape + batch, k, axis)
    shapes: list[tuple[tuple[int, ...], Any]] = [(ranked, np.intp), (ranked, np.float64)]
    return [*shapes, (draw_shape + batch, np.float64)] if with_threshold else shapes


def check_ranked_outs(out: Any, shapes: list[tuple[tuple[int, ...], Any]]) -> None:
    """A tuple of as many arrays."""
    if not isinstance(out, tuple) or len(out) != len(shapes):
        names = "(indices, values, threshold)" if len(shapes) == 3 else "(indices, values)"
        raise TypeError(f"out must be a tuple of {len(shapes)} arrays {names}")


def check_reach(field: NoiseField, draws: int, categories: int) -> None:
    """Whether the coordinates end before the field does."""
    if field.draw + draws > DRAWS:
        raise ValueError(f"noise: draws {field.draw} to {field.draw + draws - 1} go beyond the last, 2**32 - 1")
    if field.start + categories > CATEGORIES:
        raise ValueError(
            f"noise: categories {field.start} to {field.start + categories - 1} go beyond the last, 2**32 - 1"
        )


def named(field: NoiseField, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """The category ids of a field that has them, for every place of an array of this shape."""
    assert field.categories is not None
    try:
        return np.broadcast_to(field.categories, shape)
    except ValueError:
        raise ValueError(
            f"noise: categories of shape {field.categories.shape} do not broadcast to the shape {shape}"
        ) from None


def placed(rows: Rows, axis: int, field: NoiseField) -> Rows:
    """The rows with the category ids of a field, if it has them."""
    if field.categories is None:
        return rows
    return rows.at(categories_last(named(field, with_categories(rows.batch, rows.n, axis)), axis))


def draws_of(rng: Any, noise: Any, draws: int, categories: int) -> NoiseField:
    """The field whose coordinates name draws that read no field."""
    field = field_of(rng, noise)
    if field.start:
        raise ValueError(f"noise: start must be 0, not {field.start}: these draws know no parts of a row")
    check_reach(field, draws, categories)
    return field


def row_ids(field: NoiseField, batch: tuple[int, ...]) -> NDArray[np.uint64]:
    """Ids of the rows of a batch in C order; empty where they count from 0."""
    if field.rows is None:
        return np.empty(0, np.uint64)
    try:
        ids = np.broadcast_to(field.rows, batch)
    except ValueError:
        raise ValueError(
            f"noise: rows of shape {field.rows.shape} do not broadcast to the batch shape {batch}"
        ) from None
    return np.ascontiguousarray(ids).reshape(-1)


def check_out(out: Any, name: str, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """An output array of exactly this shape and dtype."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{name} must be a numpy array, not {type(out).__name__}")
    if out.dtype != np.dtype(dtype):
        raise TypeError(f"{name} must have dtype {np.dtype(dtype)}, not {out.dtype}")
    if out.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, not {out.shape}")
    if not out.flags.writeable:
        raise ValueError(f"{name} must be writable")
    return out


def flat_of(out: NDArray[Any] | None, shape: tuple[int, int], dtype: Any, rows: Rows) -> NDArray[Any]:
    """Where to compute draws by rows: `out`, or a new array if there is none or kernels cannot write to it."""
    if out is not None and out.flags.c_contiguous and out.flags.aligned and not rows.overlaps(out):
        # A matrix would keep its two axes.
        return np.asarray(out).reshape(shape)
    return np.empty(shape, dtype)


def delivered(flat: NDArray[Any], shape: tuple[int, ...], out: NDArray[Any] | None) -> Any:
    """Draws by rows, in the caller's array if there is one, else of this shape: a scalar if that is ()."""
    if out is None:
        return flat.reshape(shape) if shape else flat[0, 0]
    if not np.may_share_memory(out, flat):
        out[...] = flat.reshape(shape)
    return out


def check_device_out(out: Any, name: str, shape: tuple[int, ...], dtype: Any) -> None:
    """A device array of exactly this shape and dtype, C-contiguous."""
    if not is_device(out):
        raise TypeError(f"{name} must be a device array, as log_potentials is one, not {type(out).__name__}")
    interface = interface_of(out, name)
    own = np.dtype(interface["typestr"])
    if own != np.dtype(dtype):
        raise TypeError(f"{name} must have dtype {np.dtype(dtype)}, not {own}")
    if tuple(interface["shape"]) != shape:
        raise ValueError(f"{name} must have shape {shape}, not {tuple(interface['shape'])}")
    if interface["data"][1]:
        raise ValueError(f"{name} must be writable")
    if interface.get("strides") is not None and 0 not in shape:
        step = own.itemsize
        for length, stride in zip(reversed(shape), reversed(interface["strides"]), strict=True):
            if length != 1 and stride != step:
                raise ValueError(f"{name} must be C-contiguous, as it is a device array")
            step *= length
    if interface["data"][0] % own.itemsize:
        raise ValueError(f"{name} must be aligned")


def rows_of(log_potentials: ArrayLike, axis: Any, where: ArrayLike | None) -> tuple[Rows, int]:
    """Rows of what a user passed, and the axis of the categories counted from the end."""
    x = real_array(log_potentials, "log_potentials")
    axis = category_axis(axis, x.ndim)
    check_categories(x.shape[axis])
    mask = None
    if where is not None:
        mask = array_of(where, "where")
        if mask.dtype != np.bool_:
            raise TypeError(f"where must be boolean, not {mask.dtype}")
        try:
            mask = np.broadcast_to(mask, x.shape)
        except ValueError:
            raise ValueError(
                f"where of shape {mask.shape} does not broadcast to the shape of log_potentials, {x.shape}"
            ) from None
        mask = categories_last(mask, axis)
    return Rows(categories_last(x, axis), mask), axis


def noise_rows(noise: ArrayLike, axis: int, draw_shape: tuple[int, ...], rows: Rows) -> Rows:
    """Rows of precomputed noise: those of all rows for the first draw, then for the second, ..."""
    array = real_array(noise, "noise")
    expected = draw_shape + with_categories(rows.batch, rows.n, axis)
    if array.shape != expected:
        raise ValueError(f"noise must have shape {expected}, not {array.shape}")
    return Rows(categories_last(array, axis), None)


def temperatures(tau: Any, batch: tuple[int, ...]) -> NDArray[np.float64]:
    """One temperature a row, in C order of the batch."""
    if type(tau) is float and 0 <= tau < np.inf:
        return np.full(math.prod(batch), tau)
    return np.ascontiguousarray(spread_temperatures(tau, batch)).reshape(-1)


def spread_temperatures(tau: Any, batch: tuple[int, ...]) -> NDArray[np.float64]:
    """Temperatures in the shape of the batch, without a copy of those that are broadcast."""
    array = real_array(tau, "tau").astype(np.float64)
    try:
        spread = np.broadcast_to(array, batch)
    except ValueError:
        raise ValueError(f"tau of shape {array.shape} does not broadcast to the batch shape {batch}") from None
    if ((array >= 0) & (array < np.inf)).all() or spread.size == 0:
        return spread
    rows = spread.reshape(-1)
    row = int((~((rows >= 0) & (rows < np.inf))).argmax())
    raise ValueError(f"tau must be finite and at least 0, but {place_name(batch, row)} has {rows[row]}")


def rates_of(taus: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """1 / tau in a dtype; the largest number where that is beyond it."""
    with np.errstate(all="ignore"):
        return np.minimum(1 / taus, np.finfo(dtype).max).astype(dtype, copy=False)


def check_conditioned(field: NoiseField, categories: int) -> None:
    """Whether conditioned noise has so many categories.

    Fresh exponentials have 30 bits of index, two calls for a quad, but for the last index, which `categorical` reads.
    """
    if field.categories is not None:
        if field.categories.size and field.categories.max() > 2**31 - 5:
            raise ValueError(
                f"noise: categories beyond 2**31 - 5 have no conditioned noise, but {field.categories.max()} is one"
            )
    elif field.start + categories > 2**31 - 4:
        raise ValueError(f"noise: categories beyond 2**31 - 5 have no conditioned noise, and {field.start} begins here")


def check_choices(dtype: np.dtype[Any], own: tuple[int, ...], shape: tuple[int, ...], batch: tuple[int, ...]) -> None:
    """Whether choices have a type and a shape of theirs."""
    if dtype.kind not in "iu":
        raise TypeError(f"choice must be integers, not {dtype}")
    if own not in (shape, batch):
        raise ValueError(f"choice must have shape {shape} or {batch}, not {own}")


def choices_of(choice: ArrayLike, shape: tuple[int, ...], batch: tuple[int, ...]) -> NDArray[np.intp]:
    """Indices of shape size + batch, of an array of that shape or of the batch's."""
    array = array_of(choice, "choice")
    check_choices(array.dtype, array.shape, shape, batch)
    return np.ascontiguousarray(np.broadcast_to(array, shape), np.intp)


def given_noise(noise: ArrayLike, axis: int, draw_shape: tuple[int, ...], rows: Rows) -> NDArray[Any]:
    """Precomputed noise as draws by rows by categories, in the dtype of the rows."""
    with np.errstate(over="ignore", under="ignore"):
        array = np.ascontiguousarray(noise_rows(noise, axis, draw_shape, rows).values, rows.dtype)
    finite = np.isfinite(array)
    if not finite.all():
        row, at = divmod(int(finite.argmin()), rows.n)
        raise ValueError(infinite_message(array.shape[:-1], row, array.flat[row * rows.n + at], at))
    return array.reshape(math.prod(draw_shape), rows.count, rows.n)


class Result:
    """An array to compute in, C-contiguous with the categories last, and its way to the caller.

    `flat` has the axes (directions,) draws, rows, categories; it is the caller's own array where that will do, and
    overlaps none of the `inputs`. Its dtype is that of the rows, unless another is named.
    """

    def __init__(
        self,
        rows: Rows,
        axis: int,
        draw_shape: tuple[int, ...],
        name: str,
        out: Any,
        inputs: tuple[NDArray[Any], ...],
        directions: tuple[int, ...] | None = None,
        dtype: Any = None,
    ) -> None:
        dtype = rows.dtype if dtype is None else np.dtype(dtype)
        self._axis = axis
        self._shape = (*(directions or ()), *draw_shape, *rows.batch, rows.n)
        flat = math.prod(draw_shape), rows.count, rows.n
        if directions is not None:
            flat = *(directions or (1,)), *flat
        self._out = out
        if out is not None:
            check_out(out, name, with_categories(self._shape[:-1], rows.n, axis), dtype)
        usable = out is not None and axis == -1 and out.flags.c_contiguous and out.flags.aligned
        usable = usable and not any(np.may_share_memory(out, array) for array in inputs)
        # A matrix would keep its two axes.
        self.flat = np.asarray(out).reshape(flat) if usable else np.empty(flat, dtype)

    def deliver(self) -> NDArray[Any]:
        """The result in the caller's shape and order of axes."""
        result = categories_back(self.flat.reshape(self._shape), self._axis)
        if self._out is None:
            return result
        if not np.may_share_memory(self._out, self.flat):
            self._out[...] = result
        out: NDArray[Any] = self._out
        return out


def lead_of(shape: tuple[int, ...], batch: tuple[int, ...], n: int, axis: int) -> tuple[int, ...]:
    """The axis of directions, if there is one, before the shape of the log-potentials in that of their tangents."""
    expected = with_categories(batch, n, axis)
    if shape[-len(expected) :] != expected or len(shape) > len(expected) + 1:
        raise ValueError(
            f"tangents[0] must have the shape of the log-potentials, {expected}, with at most an axis of "
            f"directions before it, not {shape}"
        )
    return shape[: len(shape) - len(expected)]


def agreed_directions(counts: list[int]) -> tuple[int, ...]:
    """The number of directions of both tangents, of those that have such an axis."""
    if len(set(counts)) > 1:
        raise ValueError(f"tangents must have equally many directions, not {counts[0]} and {counts[1]}")
    return tuple(counts[:1])


def tangents_of(
    d_x: ArrayLike | None, d_tau: ArrayLike | None, rows: RowShape, axis: int
) -> tuple[NDArray[Any], NDArray[Any], tuple[int, ...]]:
    """Tangents by direction and row in the dtype of the rows, and the axis of directions, if there is one.

    An absent one stands as an empty array of log-potentials, or as zeros of temperatures.
    """
    kind, batch = rows.dtype, rows.batch
    dx, dtau = np.empty((0, 0, 0), kind), np.zeros((1, rows.count), kind)
    counts: list[int] = []
    if d_x is not None:
        dx, lead = tangents_of_potentials(d_x, rows, axis)
        counts += lead
    if d_tau is not None:
        spread, lead = tangents_of_tau(d_tau, kind, batch)
        counts += lead
        dtau = np.ascontiguousarray(spread, kind).reshape(*(lead or (1,)), rows.count)
    directions = agreed_directions(counts)
    if directions:
        dx = np.ascontiguousarray(np.broadcast_to(dx, (*directions, *dx.shape[1:]))) if dx.size else dx
        dtau = np.ascontiguousarray(np.broadcast_to(dtau, (*directions, *dtau.shape[1:])))
    return dx, dtau, directions


def tangents_of_potentials(d_x: ArrayLike, rows: RowShape, axis: int) -> tuple[NDArray[Any], tuple[int, ...]]:
    """Tangents of log-potentials by direction (or one), row and category, and their axis of directions, if any."""
    array = real_array(d_x, "tangents[0]")
    lead = lead_of(array.shape, rows.batch, rows.n, axis)
    with np.errstate(over="ignore", under="ignore"):
        lines = np.ascontiguousarray(categories_last(array, axis), rows.dtype)
    return lines.reshape(*(lead or (1,)), rows.count, rows.n), lead


def tangents_of_tau(
    d_tau: ArrayLike, kind: np.dtype[Any], batch: tuple[int, ...]
) -> tuple[NDArray[Any], tuple[int, ...]]:
    """Tangents of temperatures broadcast to lead + batch, without a copy, and lead: an axis of directions, if any."""
    with np.errstate(over="ignore", under="ignore"):
        array = real_array(d_tau, "tangents[1]").astype(kind, copy=False)
    finite = np.isfinite(array)
    if not finite.all():
        where = place_name(array.shape, int(finite.argmin()))
        raise ValueError(f"tangents[1] must be finite in {kind}, but {where} has {array.flat[finite.argmin()]}")
    lead = array.shape[: max(0, array.ndim - len(batch))]
    if len(lead) > 1:
        raise ValueError(f"tangents[1] must have at most an axis of directions more than the batch, not {array.shape}")
    try:
        return np.broadcast_to(array, lead + batch), lead
    except ValueError:
        raise ValueError(
            f"tangents[1] of shape {array.shape} does not broadcast to the batch shape {batch}"
        ) from None
