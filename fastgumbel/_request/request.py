"""`Request`: what a call asks for, checked once, from shapes and types, wherever its arrays lie."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgumbel._request.arrays import HOST, Arrays, arrays_of
from fastgumbel._request.checks import boolean_of, check_real, choice_of, shape_of
from fastgumbel._request.coordinates import (
    NOWHERE,
    check_conditioned,
    check_device,
    check_reach,
    coordinates_of,
    field_of,
)
from fastgumbel._request.device import backend
from fastgumbel._request.faults import RNG_AND_NOISE, row_name, zero_tau_message
from fastgumbel._request.field import NoiseField
from fastgumbel._request.key import SEEDS
from fastgumbel._request.labels import check_labels, is_labelled
from fastgumbel._request.layout import fits, layout_of
from fastgumbel._request.ndarrays import BFLOAT16, count_set, frozen
from fastgumbel._request.scalars import array_of, integer, whole
from fastgumbel._request.tangents import agreed_directions, beside_rows, lead_of, slopes_of
from fastgumbel._request.temperature import scales, temperatures
from fastgumbel._request.threshold import threshold_message, thresholds

_RAISE = "raise"
_INVALID = (_RAISE, "mark")
# Kinds of arrays that a NumPy array will do for.
_HOST = (None, HOST)


class Tangents(NamedTuple):
    """Tangents of log-potentials (None for zero) and, on the host, of temperatures; the axis of directions, if any."""

    x: Any
    tau: NDArray[Any] | None
    directions: tuple[int, ...]


class Request:
    """Log-potentials, how often and on what noise they are sampled, and what becomes of invalid rows.

    Parameters
    ----------
    log_potentials, axis, size, where, rng, noise, invalid
        What users pass.
    arrays : Arrays, optional
        The kind of arrays that log-potentials must be; the default is what they are.
    field_only : bool, optional
        Whether noise may not be an array.

    Attributes
    ----------
    x, where, given : array, or None
        Log-potentials, their mask, and precomputed noise, as their kind of arrays gives them. A mask may be a host
        array beside others.
    layout : Layout
        What follows, but for the shape, in one.
    frame : object, or None
        Log-potentials with labels, as of pandas or xarray.
    shape, axis, batch, count, n : tuple of int, int, tuple of int, int, int
        Of the log-potentials; the axis of the n categories is counted from the end, and the batch has so many rows.
    dtype : numpy.dtype
        The type in which log-potentials are read, and that of relaxed samples.
    draw_shape, draws : tuple of int, int
        Axes of draws, and their number.
    field : NoiseField, or None
        What is read where noise is not given.
    place : Coordinates
        Where the rows lie in that field.
    raises : bool
        Whether invalid rows are errors, and not marked.
    """

    __slots__ = (
        "arrays", "axis", "batch", "count", "draw_shape", "draws", "dtype", "field", "frame", "given", "layout", "n",
        "place", "raises", "shape", "where", "x",
    )  # fmt: skip

    def __init__(
        self,
        log_potentials: Any,
        axis: Any,
        size: Any,
        where: Any,
        rng: Any,
        noise: Any,
        invalid: Any,
        arrays: Arrays | None = None,
        field_only: bool = False,
    ) -> None:
        if type(log_potentials) is np.ndarray and arrays in _HOST and log_potentials.dtype.char in "fd":
            # The most common case is told at once: to do so step by step takes a tenth of a small call.
            self.arrays: Arrays = HOST
            self.x: Any = log_potentials
            self.frame: Any = None
        else:
            self.frame = log_potentials if is_labelled(log_potentials) else None
            self.arrays = arrays = arrays_of(log_potentials) if arrays is None else arrays
            self.x = arrays.array(log_potentials, "log_potentials")
            if self.x.dtype is not BFLOAT16:
                check_real(self.x.dtype, "log_potentials")
        self.shape = shape = self.x.shape
        self.layout = layout = layout_of(shape, self.x.dtype, axis if type(axis) is int else integer(axis, "axis"))
        axis, n, batch, self.count, self.dtype = layout
        self.axis, self.n, self.batch = axis, n, batch
        self.where = None if where is None else self._mask(where)
        self.raises = invalid is _RAISE or choice_of(invalid, "invalid", _INVALID) == _RAISE
        self.draw_shape: tuple[int, ...] = ()
        self.draws = draws = 1
        if size is not None:
            self.draw_shape = draw_shape = shape_of(size, "size")
            self.draws = draws = math.prod(draw_shape)
        if noise is None or isinstance(noise, NoiseField):
            self.field: NoiseField | None = field_of(rng, noise)
            self.given: Any = None
            check_reach(self.field, draws, n)
            self.place = coordinates_of(self.field, batch, shape, axis)
        else:
            self.field, self.place = None, NOWHERE
            self.given = self._precomputed(rng, noise, "" if field_only else self.arrays.noise)

    def _check_labels(self, x: Any, name: str, by_row: bool = False) -> None:
        """Check the order of labels of an argument with items by category, or by row."""
        if self.frame is not None and type(x) is not np.ndarray:
            check_labels(self.frame, x, name, by_row, self.axis)

    def _fetch(self, x: Any, name: str) -> NDArray[Any]:
        """An argument with an item a row as a host array, wherever it is."""
        self._check_labels(x, name, by_row=True)
        return self.arrays.fetch(x, name)

    def _either(self, x: Any, name: str, by_row: bool = False) -> Any:
        """An argument that may be of the same kind as the log-potentials, or from the host."""
        self._check_labels(x, name, by_row)
        if self.arrays is HOST:
            return array_of(x, name)
        return self.arrays.array(x, name) if self.arrays.owns(x) else array_of(x, name)

    def _mask(self, where: Any) -> Any:
        mask = self._either(where, "where")
        if mask.dtype.kind != "b":
            mask = boolean_of(mask)
        if not fits(mask.shape, self.shape):
            raise ValueError(
                f"where of shape {mask.shape} does not broadcast to the shape of log_potentials, {self.shape}"
            )
        return mask

    def _precomputed(self, rng: Any, noise: Any, wanted: str) -> Any:
        if isinstance(noise, SEEDS):
            raise TypeError(f"noise must be a NoiseField or an array, not {type(noise).__name__}: pass rng=")
        if rng is not None and wanted:
            raise ValueError(RNG_AND_NOISE)
        if not wanted or (self.arrays.own_noise and not self.arrays.owns(noise)):
            beside = f" or {wanted}, as log_potentials is one" if wanted else ""
            raise TypeError(f"noise must be a NoiseField{beside}, not {type(noise).__name__}")
        self._check_labels(noise, "noise")
        array = self.arrays.array(noise, "noise")
        check_real(array.dtype, "noise")
        expected = self.draw_shape + self.shape
        if array.shape != expected:
            raise ValueError(f"noise must have shape {expected}, not {array.shape}")
        return array

    def served_by(self, host: ModuleType) -> Any:
        """The module of the backend of the arrays; `host` is the one for NumPy arrays."""
        if self.arrays is HOST:
            return host
        check_device(self.place)
        return backend(host.__name__.rpartition(".")[2])

    def check_no_categories(self) -> None:
        """Refuse category ids, and another first category than 0, where draws read no field."""
        if self.field is not None and self.field.categories is not None:
            raise ValueError(
                "noise: these draws read no category ids: pass where=categories >= 0 to exclude empty places, or use "
                "gumbel_max, whose choices follow the ids"
            )
        if self.place.start or self.place.categories is not None:
            start = self.place.start or "an array"
            raise ValueError(f"noise: start must be 0, not {start}: these draws know no parts of a row")

    def conditioned_samples(self, samples: Any = 1) -> int:
        """How many samples of conditioned noise each draw takes, all of which the field must have."""
        count = whole(samples, "rao", 1)
        if self.field is None:
            raise ValueError("noise must be a NoiseField with rao, not an array")
        if count > 1:
            check_reach(self.field, self.draws, self.n, count)
        check_conditioned(self.field, self.n)
        return count

    def temperatures(self, tau: Any) -> NDArray[np.float64]:
        """One temperature a row, in C order of the batch, or a single one if all rows have the same."""
        if type(tau) is float and 0 <= tau < math.inf:
            own = np.empty(1)
            own[0] = tau
            return own
        return temperatures(self._fetch(tau, "tau"), self.batch, self.axis)

    def temperatures_above_0(self, tau: Any) -> NDArray[np.float64]:
        """As `temperatures`, of samples that are differentiated."""
        taus = self.temperatures(tau)
        if count_set(taus) < taus.size:
            raise ValueError(zero_tau_message(taus, lambda row: row_name(self.batch, row, self.place.rows)))
        return taus

    def scale_noise(self, temperature: Any) -> None:
        """Let the noise of each row be scaled by a temperature."""
        if not (type(temperature) is float and temperature == 1):
            own = scales(self._fetch(temperature, "temperature"), self.batch, self.axis)
            self.place = self.place._replace(temperatures=own)

    def thresholds(self, threshold: Any) -> NDArray[np.float64]:
        """Thresholds by draw and row, or one for all along an axis; of a row that is marked for NaN, +inf."""
        if type(threshold) is float and threshold == threshold:
            return frozen(np.array(((threshold,),)))
        array = self._fetch(threshold, "threshold")
        own = thresholds(array, self.draw_shape, self.batch, self.axis)
        bad = threshold_message(own, self.batch, self.place.rows)
        if bad is None:
            return own
        if self.raises:
            raise ValueError(bad)
        return frozen(np.where(np.isnan(own), np.inf, own))

    def choices(self, choice: Any) -> Any:
        """Observed choices, of the shape of the draws or of the batch, as their kind of arrays gives them."""
        array = self._either(choice, "choice", by_row=True)
        if isinstance(array, np.ndarray) and array.shape == (0,):  # an empty list is one of floats
            array = array.astype(np.intp)
        if array.dtype.kind not in "iu":
            raise TypeError(f"choice must be integers, not {array.dtype}")
        shape = self.draw_shape + self.batch
        if array.shape not in (shape, self.batch):
            either = f"{shape} or {self.batch}" if self.draw_shape else f"{shape}"
            raise ValueError(f"choice must have shape {either}, not {array.shape}")
        return array

    def cotangent(self, cotangent: Any) -> Any:
        """Cotangents of samples, of the shape of these, as their kind of arrays gives them."""
        array = self._either(cotangent, "cotangent")
        check_real(array.dtype, "cotangent")
        expected = self.draw_shape + self.shape
        if array.shape != expected:
            raise ValueError(f"cotangent must have the shape of the samples, {expected}, not {array.shape}")
        return array

    def tangents(self, d_x: Any, d_tau: Any, tau: Any) -> Tangents:
        """Tangents, checked; those of the temperatures tau broadcast to (directions +) batch."""
        lead: tuple[int, ...] = ()
        tau_lead: tuple[int, ...] = ()
        if d_x is not None:
            d_x = self._either(d_x, "tangents[0]")
            check_real(d_x.dtype, "tangents[0]")
            lead = lead_of(d_x.shape, self.shape)
        if d_tau is not None:
            own = self._fetch(d_tau, "tangents[1]")
            if own.ndim:
                of_tau = self.arrays.fetch(tau, "tau").shape
                own = beside_rows(own, of_tau, lead, self.batch, self.axis)
            d_tau, tau_lead = slopes_of(own, self.dtype, self.batch)
        return Tangents(d_x, d_tau, agreed_directions(lead, tau_lead))
