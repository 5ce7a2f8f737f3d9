"""Two processes of dask's distributed scheduler, on loopback: the same bits, also when one of them is killed."""

import os
import re
import signal
import sys
import time
from pathlib import Path

import dask.array as da
import distributed
import numpy as np
import pytest

import fastgumbel as fg
import fastgumbel.dask as fgd

LIMIT = 512 * 2**20


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Two workers of one thread, each with a memory limit."""
    options = {"host": "127.0.0.1", "dashboard_address": None, "silence_logs": 50}
    options |= {"local_directory": tmp_path_factory.mktemp("workers"), "memory_limit": LIMIT}
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert all("127.0.0.1" in address for address in client.run(os.getpid))
        assert set(client.run(lambda: Path(fg.__file__)).values()) == {Path(fg.__file__)}
        yield client


def normal(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def slow(block):
    time.sleep(0.05)
    return block


def transitions(dask_scheduler):
    """Steps that tasks have made so far, from waiting to being done."""
    return dask_scheduler.transition_counter


def results(x, wrap):
    """All functions on an array, in one tuple of arrays."""
    top = wrap.gumbel_top_k(x, 5, rng=1, return_threshold=True)
    most = wrap.gumbel_max(x, rng=1, return_max=True)
    return *most, *top, wrap.gumbel_softmax(x, 0.5, rng=1), wrap.categorical(x, 3, rng=1)


def assert_same(arrays, expected):
    for array, other in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(array, other)


def test_two_processes(client):
    x = normal((30, 2_000))
    arrays = client.gather(client.compute(results(da.from_array(x, chunks=(13, 700)), fgd)))
    assert_same(arrays, results(x, fg))
    sample = fgd.reservoir(da.from_array(x[0], chunks=300), 7, rng=1).compute()
    np.testing.assert_array_equal(sample.indices, fg.gumbel_top_k(x[0], 7, rng=1)[0])


def test_the_error_arrives(client):
    x = da.zeros((4, 300), chunks=(2, 100))
    with pytest.raises(ValueError, match="row 3 has nan at category 250;"):
        fgd.gumbel_max(da.where((da.arange(4) == 3)[:, None] & (da.arange(300) == 250), np.nan, x), rng=1).compute()


def test_a_worker_is_killed(client):
    x = normal((8, 2_000))
    lazily = da.from_array(x, chunks=(1, 400)).map_blocks(slow, meta=np.empty((0, 0), np.float32))
    begun, before = time.monotonic(), client.run_on_scheduler(transitions)
    futures = client.compute(results(lazily, fgd))
    while client.run_on_scheduler(transitions) < before + 300:
        assert time.monotonic() - begun < 60
        time.sleep(0.01)
    workers = client.run(os.getpid)
    assert not all(future.done() for future in futures)
    os.kill(next(iter(workers.values())), signal.SIGKILL)
    assert_same(client.gather(futures), results(x, fg))
    client.wait_for_workers(2, timeout=60)
    assert set(client.run(os.getpid).values()) != set(workers.values())


def peak():
    """Return the most memory that this process has had; what `getrusage` tells begins with that of its parent."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) * 1024


def sample_beyond_memory(client, n, chunk):
    """Sample from log-potentials that only the field holds, several times as large as the memory of a worker."""
    size = n * 8
    assert size > 2 * LIMIT
    sample, value = fgd.gumbel_max(fgd.gumbel(n, chunks=chunk, rng=8), rng=1, return_max=True)
    index, value = client.gather(client.compute((sample, value)))
    best = -np.inf
    field, noise = fg.NoiseField(8), fg.NoiseField(1)
    for first in range(0, n, chunk):
        part = fg.gumbel(min(chunk, n - first), noise=field.at(start=first))
        here, own = fg.gumbel_max(part, noise=noise.at(start=first), return_max=True)
        if own > best:
            best, at = own, first + here
    assert (index, value) == (at, best)
    assert max(client.run(peak).values()) < LIMIT


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read as Linux tells it")
def test_an_array_larger_than_memory(client):
    sample_beyond_memory(client, 140_000_000, 4_000_000)


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read as Linux tells it")
def test_a_billion_categories(client):
    sample_beyond_memory(client, 10**9, 5_000_000)
