"""Settings of the suite: hypothesis repeats the same examples on every run; the number of threads is put back."""

import pytest
from hypothesis import settings

import fastgumbel
from fastgumbel import _device

settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
settings.load_profile("fixed")


@pytest.fixture
def threads():
    """Give the setter of the number of threads, and put it back afterwards."""
    usual = fastgumbel.get_num_threads()
    yield fastgumbel.set_num_threads
    fastgumbel.set_num_threads(usual)


@pytest.fixture
def device(monkeypatch):
    """Give an emulated CUDA device, which the package takes for the current one."""
    from tests.cuda.emulated import EmulatedDevice

    device = EmulatedDevice()
    monkeypatch.setattr(_device, "current", lambda: device)
    return device
