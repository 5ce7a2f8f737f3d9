"""Calls from many Python threads, forked children, and how the number of threads is set.

That results do not depend on the number of threads is in ``test_invariance.py``; interrupts are in ``faults``.
"""

import os
import subprocess
import sys
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


def test_the_number_of_threads_can_be_set_and_read(threads):
    assert fastgumbel.get_num_threads() >= 1
    for count in (1, 3, np.int64(2)):
        threads(count)
        assert fastgumbel.get_num_threads() == count
        assert type(fastgumbel.get_num_threads()) is int


ENVIRONMENT = """
import os
import fastgumbel

print(fastgumbel.get_num_threads())
for value in ("2", " 1 ", "", "0", "-2", "two", "1.5"):
    os.environ["FASTGUMBEL_NUM_THREADS"] = value
    try:
        print(fastgumbel.get_num_threads())
    except ValueError as error:
        print(error)
"""


def test_the_environment_sets_the_number_of_threads():
    """And what is no number of threads is named."""
    started, two, one, unset, *bad = python(ENVIRONMENT, FASTGUMBEL_NUM_THREADS="3").split("\n")
    assert (started, two, one) == ("3", "2", "1")
    assert int(unset) >= 1
    assert bad == [
        f"FASTGUMBEL_NUM_THREADS must be a whole number of at least 1, not {value!r}"
        for value in ("0", "-2", "two", "1.5")
    ]
