"""The CUDA suite needs numba-cuda, though no device; without it all of it is skipped."""

import importlib
from pathlib import Path

import pytest

try:
    importlib.import_module("numba.cuda.extending")
    MISSING = None
except Exception as error:  # the toolkit's own errors among them
    MISSING = f"numba-cuda cannot be imported ({type(error).__name__}): pip install 'fastgumbel[cuda-test]'"


class _Skipped(pytest.Module):
    def collect(self):
        pytest.skip(MISSING, allow_module_level=True)


def pytest_pycollect_makemodule(module_path, parent):
    """Stand in for modules that cannot be imported, so that they are reported as skipped."""
    if MISSING is not None and module_path.is_relative_to(Path(__file__).parent):
        return _Skipped.from_parent(parent, path=module_path)
    return None


@pytest.fixture
def device(monkeypatch):
    """Give an emulated device, which the package takes for the current one."""
    from fastgumbel import _device
    from tests.cuda.emulated import EmulatedDevice

    device = EmulatedDevice()
    monkeypatch.setattr(_device, "current", lambda: device)
    return device
