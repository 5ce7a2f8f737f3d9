"""A table that is larger than the memory that the process may have."""

import functools
import subprocess
import sys

import numpy as np
import pytest

import fastgumbel as fg
from tests.subprocesses import ROOT, environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limit counts what a process maps on Linux only")

LIMIT = 384 * 2**20
ALTERNATIVES = 64


def limit_memory(most):
    """Set the most that this process may have beyond files that it only reads."""
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def run(*command):
    # Every thread has a stack of its own, most of it never used.
    variables = environment(OPENBLAS_NUM_THREADS="1", FASTGUMBEL_NUM_THREADS="1")
    return subprocess.run(
        [sys.executable, "-W", "error", *map(str, command)],
        env=variables,
        cwd=ROOT,
        preexec_fn=functools.partial(limit_memory, LIMIT),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def choose_out_of_core(folder, times):
    path, out = folder / "utilities.npy", folder / "choices.npy"
    rows = int(times * LIMIT) // (8 * ALTERNATIVES)
    table = np.lib.format.open_memmap(path, "w+", np.float64, (rows, ALTERNATIVES))
    marked = np.arange(0, rows, 1_000)
    table[marked, marked // 1_000 % ALTERNATIVES] = 50
    table.flush()
    del table
    assert path.stat().st_size > LIMIT
    whole = run("-c", f"import numpy; numpy.load({str(path)!r})")
    assert whole.returncode != 0
    assert "MemoryError" in whole.stderr
    done = run("-m", "fastgumbel", "choose", path, "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    choices = np.load(out)
    np.testing.assert_array_equal(choices[marked], marked // 1_000 % ALTERNATIVES)
    np.testing.assert_array_equal(choices, fg.gumbel_max(np.load(path, mmap_mode="r"), rng=0))


def test_a_table_larger_than_memory(tmp_path):
    choose_out_of_core(tmp_path, 1.1)


@pytest.mark.heavy
def test_a_table_four_times_as_large_as_memory(tmp_path):
    choose_out_of_core(tmp_path, 4)
