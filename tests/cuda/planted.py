"""Faults planted into the PTX that the emulated device runs, or into the source of a module of kernels."""

import importlib
import sys
import types
from pathlib import Path

from tests.cuda import emulated
from tests.cuda.offline import compiled
from tests.ptx import Program


def plant(monkeypatch, alter):
    """Let the device run ``alter(name of the kernel, PTX)`` instead of each PTX."""

    def loaded(kernel, kinds, capability):
        return Program(alter(kernel.py_func.__name__, compiled(kernel, kinds, capability).ptx), bare=True)

    monkeypatch.setattr(emulated, "loaded", loaded)


def plant_source(monkeypatch, name, old, new):
    """Put a module of kernels in place whose source differs in one place."""
    module = importlib.import_module(f"fastgumbel._kernels.{name}")
    path = Path(module.__file__)
    source = path.read_text()
    assert source.count(old) == 1
    faulty = types.ModuleType(module.__name__)
    exec(compile(source.replace(old, new), str(path), "exec"), faulty.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, faulty)


def nth_replaced(text, old, new, n):
    """Replace the n-th occurrence."""
    parts = text.split(old)
    return old.join(parts[: n + 1]) + new + old.join(parts[n + 1 :])
