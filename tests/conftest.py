"""Settings of the suite: hypothesis repeats the same examples on every run; the number of threads is put back."""

import pytest
from hypothesis import settings

import fastgumbel

settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
settings.load_profile("fixed")


@pytest.fixture
def threads():
    """Give the setter of the number of threads, and put it back afterwards."""
    usual = fastgumbel.get_num_threads()
    yield fastgumbel.set_num_threads
    fastgumbel.set_num_threads(usual)


@pytest.fixture
def device():
    """Give a CUDA device in the host's memory, on which numba-cuda stands, and so does the package."""
    from tests.cuda.driver import FakeDriver

    with FakeDriver().installed() as driver:
        yield driver
