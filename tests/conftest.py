"""Settings of the suite: examples of hypothesis are fixed, the whole suite runs in parallel, threads are put back."""

import os

import pytest
from hypothesis import settings

import fastgumbel

settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
settings.load_profile("fixed")

# More processes than this would mostly compile the same kernels, and each takes up to a GiB of memory.
PROCESSES = 8


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Run the whole suite in several processes; named tests run in this one, as they start sooner so."""
    if not config.pluginmanager.hasplugin("xdist") or hasattr(config, "workerinput"):
        return  # the processes themselves come here, too, and must not start others
    options, named = config.option, config.args_source == config.ArgsSource.ARGS
    if not named and options.numprocesses is None and options.dist == "no":
        options.numprocesses, options.dist = "logical", "worksteal"
        options.maxprocesses = options.maxprocesses or PROCESSES
        # The processes take this over: threads of linear algebra that wait for each other would take their time.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


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
