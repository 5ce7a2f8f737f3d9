"""Faults planted into the PTX that the device runs, or into the source of a module of kernels."""

import importlib
import types
from pathlib import Path

from numba.cuda.dispatcher import CUDADispatcher

from tests.cuda import driver
from tests.cuda.offline import ptx_of
from tests.ptx import Program


def plant(monkeypatch, alter):
    """Let the device run ``alter(name of the kernel, PTX)`` instead of each PTX."""

    def loaded(kernel, capability):
        return Program(alter(kernel.py_func.__name__, ptx_of(kernel, capability)), bare=True)

    monkeypatch.setattr(driver, "loaded", loaded)


def plant_source(monkeypatch, name, old, new):
    """Put kernels in the place of a module's whose source differs in one place."""
    module = importlib.import_module(f"fastgumbel._cuda.kernels.{name}")
    path = Path(module.__file__)
    source = path.read_text()
    assert source.count(old) == 1
    faulty = types.ModuleType(module.__name__)
    exec(compile(source.replace(old, new), str(path), "exec"), faulty.__dict__)
    for kernel, function in vars(faulty).items():
        if isinstance(function, CUDADispatcher) and function.py_func.__module__ == module.__name__:
            monkeypatch.setattr(module, kernel, function)


def nth_replaced(text, old, new, n):
    """Replace the n-th occurrence."""
    parts = text.split(old)
    return old.join(parts[: n + 1]) + new + old.join(parts[n + 1 :])
