"""The examples of the README run, and what they print in comments is what they give."""

import re
from pathlib import Path

import numpy as np
import pytest

import fastgumbel
from fastgumbel import anneal, dask, jit
from tests.requirements import missing_device, skip_if

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def skip_without_a_gpu(block):
    """Skip where an example cannot run."""
    if "import cupy" in block:
        pytest.importorskip("cupy", reason="CuPy is not installed")
        skip_if(missing_device())


@pytest.mark.parametrize("block", range(len(BLOCKS)))
def test_a_block_runs(block):
    skip_without_a_gpu(BLOCKS[block])
    exec(BLOCKS[block], {})


def test_the_opening_example():
    names = {}
    exec(BLOCKS[0], names)
    np.testing.assert_array_equal(fastgumbel.gumbel_max(names["utilities"], rng=42), [1, 2])
    changed = names["before"] != names["after"]
    assert (names["after"][changed] == 2).all()


def test_the_table_has_all_public_names():
    table = README.split("## All public names")[1].split("\n\n")[1]
    names = re.findall(r"`([^`]+)`", "".join(line.split("|")[1] for line in table.splitlines()))
    assert sorted(names) == sorted([*fastgumbel.__all__, "fastgumbel.dask", "fastgumbel.jit"])
    for name, module in (("anneal", anneal), ("fastgumbel.dask", dask), ("fastgumbel.jit", jit)):
        row = next(line for line in table.splitlines() if line.startswith(f"| `{name}`"))
        assert set(module.__all__) == set(re.findall(r"`([^`]+)`", row)) - {name}


def test_the_commands_are_one_line_each():
    """As `.ci/run` finds them: by how they begin, and by the first that holds these words."""
    commands = [line for line in README.splitlines() if line.startswith("python3 -m venv")]
    assert len(commands) == 3
    assert "fastgumbel choose" in commands[0]
    assert commands[1].endswith("pytest")
    assert commands[2].endswith("pytest -n auto tests/cuda")


def test_the_reservoir_is_the_top_k():
    names = {}
    exec(next(block for block in BLOCKS if "Reservoir" in block), names)
    indices, values, threshold = fastgumbel.gumbel_top_k(names["x"], 100, rng=3, return_threshold=True)
    np.testing.assert_array_equal(names["one"].indices, indices)
    np.testing.assert_array_equal(names["one"].values, values)
    assert names["one"].threshold == threshold
