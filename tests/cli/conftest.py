"""Ways to run the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from fastgumbel.__main__ import main
from fastgumbel._cli import draws
from fastgumbel._cli.table import Table


class Outcome(NamedTuple):
    """What a user sees of a run."""

    code: int
    out: str
    err: str


Choose = Callable[..., Outcome]


@pytest.fixture(scope="session", autouse=True)
def _kernels() -> None:
    """Compile what the tests draw with, as the notice of it would be one more line on stderr."""
    for dtype, alternatives in [("f4", 2), ("f8", 2), ("f4", 300)]:
        table, size = Table("zeros", np.zeros((1, alternatives), dtype)), draws.ChunkSize(1, 64)
        # 64 draws, and one more.
        draws.Simulation(0, 0, 65).warm_up([table], size)


@pytest.fixture
def choose(capsys: pytest.CaptureFixture[str]) -> Choose:
    """Run `choose` in this process."""

    def run(*arguments: object) -> Outcome:
        code = main(["choose", *map(str, arguments)])
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut the work into so small chunks that a few rows make many."""
    monkeypatch.setattr(draws, "CELLS", 20)
    monkeypatch.setattr(draws, "CHOICES", 8)


@pytest.fixture
def utilities() -> np.ndarray:
    """33 rows of 4 alternatives."""
    return np.random.default_rng(20).normal(size=(33, 4))


@pytest.fixture
def npy(tmp_path: Path, utilities: np.ndarray) -> Path:
    """The utilities as a file."""
    path = tmp_path / "utilities.npy"
    np.save(path, utilities)
    return path
