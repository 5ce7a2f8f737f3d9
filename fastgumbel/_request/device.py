"""Device arrays are told from others here; nothing of CUDA is loaded before the first one comes.

A device array is whatever has `__cuda_array_interface__`, unless it is NumPy's.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

_INSTALL = "pip install 'fastgumbel[cuda]', or 'fastgumbel[cuda12]' for a driver below 580"


def is_device(x: Any) -> bool:
    """Whether x is a device array."""
    if isinstance(x, np.ndarray):
        return False
    try:
        return hasattr(x, "__cuda_array_interface__")
    except Exception:  # a device tensor of PyTorch that requires grad refuses to be asked
        return True


def interface_of(x: Any, name: str) -> dict[str, Any]:
    """The CUDA array interface of a device array."""
    try:
        interface: dict[str, Any] = x.__cuda_array_interface__
    except Exception as error:
        if getattr(x, "requires_grad", False):
            raise TypeError(f"{name} must not require grad: pass {name}.detach()") from None
        raise TypeError(f"{name} gives no CUDA array interface: {error}") from error
    return interface


def backend(name: str) -> Any:
    """A module of `fastgumbel._cuda`, which serves device arrays.

    Raises
    ------
    ImportError
        If numba-cuda or its toolkit is missing, or does not load; the message says why.
    """
    try:
        return importlib.import_module(f"fastgumbel._cuda.{name}")
    except Exception as error:  # numba-cuda has errors of its own for what it misses
        reason = f"{type(error).__name__}: {error}"
        raise ImportError(f"device arrays need CUDA support ({_INSTALL}), which does not load: {reason}") from error


def current() -> Any:
    """The current device.

    Raises
    ------
    ImportError
        If there is no CUDA support; see `backend`.
    RuntimeError
        If there is no driver, or no device.
    """
    return backend("device").current()
