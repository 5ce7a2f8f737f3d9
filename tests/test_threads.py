"""Calls from many Python threads, forked children, interrupts, and how the number of threads is set.

That results do not depend on the number of threads is in ``test_invariance.py``.
"""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import fastgumbel
from tests.subprocesses import ROOT, environment, python

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX processes")


def test_sixteen_python_threads_at_once():
    shapes = [(2000, 10), (200, 70), (7, 40_000), (1, 300_000)] * 8
    inputs = [np.random.default_rng(i).normal(size=shape) for i, shape in enumerate(shapes)]

    def work(i):
        return fastgumbel.gumbel_max(inputs[i], rng=i, return_max=True), fastgumbel.gumbel((5, 300), rng=i)

    expected = [work(i) for i in range(len(inputs))]
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(work, range(len(inputs))))
    for ((indices, values), noise), (pair, same_noise) in zip(results, expected, strict=True):
        np.testing.assert_array_equal(indices, pair[0])
        np.testing.assert_array_equal(values, pair[1])
        np.testing.assert_array_equal(noise, same_noise)


def test_the_number_of_threads_may_change_while_others_work(threads):
    x = np.random.default_rng(0).normal(size=(300, 3000))
    expected = fastgumbel.gumbel_max(x, rng=1)

    def work(i):
        threads(1 + i % 4)
        return fastgumbel.gumbel_max(x, rng=1)

    with ThreadPoolExecutor(8) as pool:
        for result in pool.map(work, range(40)):
            np.testing.assert_array_equal(result, expected)


FORK = """
import multiprocessing
import numpy as np
import fastgumbel

x = np.random.default_rng(0).normal(size=(500, 2000))
fastgumbel.set_num_threads(3)

def work(i):
    return fastgumbel.gumbel_max(x, rng=i)

if __name__ == "__main__":
    expected = [work(i) for i in range(4)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        results = pool.map_async(work, range(4)).get(timeout=100)
    assert np.array_equal(results, expected)
    print("same", fastgumbel.get_num_threads())
"""


@posix
def test_forked_children_compute_the_same():
    """A thread pool does not survive a fork: a child must make its own, or it would wait for ever."""
    done = subprocess.run(
        [sys.executable, "-c", FORK], env=environment(), cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.strip() == "same 3", done.stderr


INTERRUPTED = """
import time
import numpy as np
import fastgumbel

fastgumbel.set_num_threads({threads})
x = np.random.default_rng(0).normal(size={shape}).astype(np.float32)
expected = fastgumbel.gumbel_max(x, rng=1)
print("started", flush=True)
try:
    fastgumbel.gumbel_max(x, size={size}, rng=1)
except KeyboardInterrupt:
    print("interrupted", flush=True)
assert np.array_equal(fastgumbel.gumbel_max(x, rng=1), expected)
print("works", flush=True)
"""


@posix
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(("shape", "size"), [((131_072,), 10**7), ((20_000, 90), 2000), ((64, 40_000), 20_000)])
def test_an_interrupt_ends_a_call_within_seconds(shape, size, threads):
    """The call would run for a minute or more; the next one must work as before."""
    code = INTERRUPTED.format(threads=threads, shape=shape, size=size)
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment(), cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "started\n"
            time.sleep(0.5)
            begin = time.monotonic()
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()
    assert rest == "interrupted\nworks\n"
    assert time.monotonic() - begin < 5


def test_the_number_of_threads_can_be_set_and_read(threads):
    assert fastgumbel.get_num_threads() >= 1
    for count in (1, 3, np.int64(2)):
        threads(count)
        assert fastgumbel.get_num_threads() == count
        assert type(fastgumbel.get_num_threads()) is int


def test_the_environment_sets_the_number_of_threads():
    code = "import fastgumbel; print(fastgumbel.get_num_threads())"
    assert python(code, FASTGUMBEL_NUM_THREADS="3") == "3"
    assert int(python(code, FASTGUMBEL_NUM_THREADS=None)) >= 1


@pytest.mark.parametrize("value", ["0", "-2", "two", "1.5"])
def test_a_bad_number_in_the_environment_is_named(value):
    code = "import fastgumbel; fastgumbel.get_num_threads(); fastgumbel.gumbel(3)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(FASTGUMBEL_NUM_THREADS=value),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ValueError")
    assert "FASTGUMBEL_NUM_THREADS" in last
