"""The kinds of arrays that log-potentials may be, as far as a request asks: whose they are, their shape and type."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fastgumbel._request.device import current, is_device
from fastgumbel._request.scalars import array_of


class Arrays(Protocol):
    """A kind of arrays.

    Attributes
    ----------
    noise : str
        What precomputed noise must be, beside such log-potentials; empty where there can be none.
    own_noise : bool
        Whether it must be such an array, too.
    """

    noise: str
    own_noise: bool

    def owns(self, x: Any) -> bool:
        """Whether an argument is such an array."""

    def array(self, x: Any, name: str) -> Any:
        """The argument as something that has a shape and a dtype."""

    def fetch(self, x: Any, name: str) -> NDArray[Any]:
        """The argument as a host array, wherever it is."""


class HostArrays:
    """NumPy arrays and all that becomes one."""

    noise = "an array"
    own_noise = False

    def owns(self, x: Any) -> bool:
        return True

    array = staticmethod(array_of)
    fetch = array


HOST = HostArrays()


def arrays_of(x: Any) -> Arrays:
    """The kind that x is.

    Raises
    ------
    ImportError, RuntimeError
        If x is a device array, and CUDA support, or a driver, is missing.
    """
    if type(x) is np.ndarray or not is_device(x):
        return HOST
    device: Arrays = current()
    return device
