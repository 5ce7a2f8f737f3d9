"""Faults planted into the PTX that the emulated device runs."""

from tests.cuda import emulated
from tests.cuda.offline import compiled
from tests.ptx import Program


def plant(monkeypatch, alter):
    """Let the device run ``alter(name of the kernel, PTX)`` instead of each PTX."""

    def loaded(kernel, kinds, capability):
        return Program(alter(kernel.py_func.__name__, compiled(kernel, kinds, capability).ptx), bare=True)

    monkeypatch.setattr(emulated, "loaded", loaded)
