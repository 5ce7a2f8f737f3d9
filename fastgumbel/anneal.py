"""Temperature schedules: callables that give the temperature of a training step."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgumbel._request.scalars import array_of, whole

__all__ = ["constant", "cosine", "exponential", "linear"]

_END = 2**63


class _Schedule:
    """What all schedules share: the check of the step, and its shape."""

    @overload
    def __call__(self, step: int | np.integer[Any]) -> float: ...

    @overload
    def __call__(self, step: ArrayLike) -> Any: ...

    def __call__(self, step: ArrayLike) -> Any:
        """Temperature at a step, or at each step of an array."""
        steps = _steps(step)
        tau = self._at(steps)
        return tau if steps.ndim else float(tau)

    def _at(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        raise NotImplementedError

    def _store_temperature(self, name: str) -> None:
        object.__setattr__(self, name, _at_least_zero(getattr(self, name), name))

    def _store_count(self, name: str) -> None:
        object.__setattr__(self, name, whole(getattr(self, name), name, 1, _END))


@dataclass(frozen=True)
class constant(_Schedule):
    """The same temperature at every step.

    Parameters
    ----------
    tau : float
        Temperature, at least 0.

    Returns
    -------
    callable
        Of an int step, gives a float; of an array of steps, a float64 array. Steps count from 0.

    Raises
    ------
    TypeError, ValueError
        If `tau` is not a finite number of at least 0; on a call, if a step is not an integer of at least 0.

    Examples
    --------
    >>> from fastgumbel import anneal
    >>> anneal.constant(0.7)(1000)
    0.7
    """

    tau: float

    def __post_init__(self) -> None:
        self._store_temperature("tau")

    def _at(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.full(steps.shape, self.tau)


@dataclass(frozen=True)
class linear(_Schedule):
    """A straight line from one temperature to another, which then stays.

    Parameters
    ----------
    start : float
        Temperature at step 0, at least 0.
    end : float
        Temperature from step `steps` on, at least 0.
    steps : int
        At least 1.

    Returns
    -------
    callable
        Of an int step, gives a float; of an array of steps, a float64 array. Steps count from 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is none of the above; on a call, if a step is not an integer of at least 0.

    Notes
    -----
    tau = start + (end - start) min(step / steps, 1).

    Examples
    --------
    >>> from fastgumbel import anneal
    >>> anneal.linear(1.0, 0.5, 100)([0, 50, 100, 1000])
    array([1.  , 0.75, 0.5 , 0.5 ])
    """

    start: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        self._store_temperature("start")
        self._store_temperature("end")
        self._store_count("steps")

    def _at(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        return _between(self.start, self.end, np.minimum(steps / self.steps, 1))


@dataclass(frozen=True)
class exponential(_Schedule):
    """Exponential decay down to a floor, updated every so many steps.

    Parameters
    ----------
    rate : float
        Decay per step, at least 0.
    tau_min : float, optional
        The floor, at least 0.
    start : float, optional
        Temperature at step 0, if above the floor; at least 0.
    every : int, optional
        Steps from one update to the next, at least 1.

    Returns
    -------
    callable
        Of an int step, gives a float; of an array of steps, a float64 array. Steps count from 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is none of the above; on a call, if a step is not an integer of at least 0.

    Notes
    -----
    tau = max(tau_min, start * exp(-rate * t)), where t is the last multiple of `every` up to the step: the schedule of
    Jang, Gu and Poole, *Categorical reparameterization with Gumbel-softmax*, ICLR 2017, who took a floor of 0.5, rates
    of 1e-5 and 1e-4 and updates every 500 and 1,000 steps.

    References
    ----------
    .. [1] E. Jang, S. Gu and B. Poole, "Categorical reparameterization with Gumbel-softmax", ICLR 2017,
       https://doi.org/10.48550/arXiv.1611.01144

    Examples
    --------
    >>> from fastgumbel import anneal
    >>> schedule = anneal.exponential(1e-4, every=1000)
    >>> schedule
    exponential(rate=0.0001, tau_min=0.5, start=1.0, every=1000)
    >>> schedule([0, 999, 1000, 6000, 7000]).round(3)
    array([1.   , 1.   , 0.905, 0.549, 0.5  ])
    """

    rate: float
    _: KW_ONLY
    tau_min: float = 0.5
    start: float = 1.0
    every: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", _at_least_zero(self.rate, "rate"))
        self._store_temperature("tau_min")
        self._store_temperature("start")
        self._store_count("every")

    def _at(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        with np.errstate(over="ignore", under="ignore"):
            decayed: NDArray[np.float64] = self.start * np.exp(-self.rate * (steps - steps % self.every))
        return np.maximum(decayed, self.tau_min)


@dataclass(frozen=True)
class cosine(_Schedule):
    """Half a period of a cosine from one temperature to another, then level.

    Parameters
    ----------
    start : float
        Temperature at step 0, at least 0.
    end : float
        Temperature from step `steps` on, at least 0.
    steps : int
        At least 1.

    Returns
    -------
    callable
        Of an int step, gives a float; of an array of steps, a float64 array. Steps count from 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is none of the above; on a call, if a step is not an integer of at least 0.

    Notes
    -----
    tau = end + (start - end) (1 + cos(pi min(step / steps, 1))) / 2, the schedule of learning rates of Loshchilov and
    Hutter, *SGDR: stochastic gradient descent with warm restarts*, ICLR 2017, without restarts.

    References
    ----------
    .. [1] I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017,
       https://doi.org/10.48550/arXiv.1608.03983

    Examples
    --------
    >>> from fastgumbel import anneal
    >>> anneal.cosine(1.0, 0.5, 100)([0, 25, 50, 100, 1000]).round(3)
    array([1.   , 0.927, 0.75 , 0.5  , 0.5  ])
    """

    start: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        self._store_temperature("start")
        self._store_temperature("end")
        self._store_count("steps")

    def _at(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        return _between(self.start, self.end, (1 - np.cos(np.pi * np.minimum(steps / self.steps, 1))) / 2)


def _between(start: float, end: float, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """From start to end: exact at both, and never outside."""
    return np.clip((1 - weight) * start + weight * end, min(start, end), max(start, end))


def _at_least_zero(value: Any, name: str) -> float:
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name} must be a number, not {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not 0 <= number < math.inf:
        raise ValueError(f"{name} must be finite and at least 0, not {number}")
    return number


def _steps(step: ArrayLike) -> NDArray[np.int64]:
    steps = array_of(step, "step")
    if steps.size == 0 and not isinstance(step, np.ndarray):
        steps = steps.astype(np.int64)
    if steps.dtype == object and all(isinstance(i, int) for i in steps.flat):
        beyond = [i for i in steps.flat if not 0 <= i < _END]
        if beyond:
            raise ValueError(f"step must be from 0 to 2**63 - 1, not {beyond[0]}")
        steps = steps.astype(np.int64)
    if steps.dtype.kind not in "iu":
        raise TypeError(f"step must be an integer or an array of integers, not {steps.dtype}")
    if steps.size and (steps.min() < 0 or steps.max() >= _END):
        raise ValueError(f"step must be from 0 to 2**63 - 1, not {steps.min() if steps.min() < 0 else steps.max()}")
    return steps.astype(np.int64)
