"""`bench/curve.py` measures everything that its page shows, in processes of its own; on arrays that take no time."""

import importlib
import re

import pytest

from tests.subprocesses import ROOT


@pytest.fixture
def curve(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "bench")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    module = importlib.import_module("curve")
    monkeypatch.setattr(module, "CATEGORIES", (10, 300))
    monkeypatch.setattr(module, "SHAPES", ((100_000, 100), (10_000, 1024)))
    monkeypatch.setattr(module, "KERNELS", (64, 20_000))
    return module


def figures(rows):
    return [float(figure) for row in rows for figure in re.findall(r"\d+\.\d+", row)]


def test_all_tables(curve):
    text, lines = curve.measured({"own": {}}, rounds=1, items=20_000, patience=0)
    titles = "One thread", "Two threads", "Over `np.max`", "Which kernel"
    tables = {title: text.split(f"### {title}\n")[1].split("###")[0].strip().splitlines() for title in titles}
    for table in tables.values():
        head, _, *rows = (line for line in table if line.startswith("|"))
        assert [row.count("|") for row in rows] == [head.count("|")] * 2
        assert min(figures(rows)) >= 0
    # The middle kernel cannot do 20,000 categories.
    assert len(figures(tables["Which kernel"])) == 15
    assert "fastgumbel, 1 thread" in lines
    assert set(lines) <= set(curve.LINES)
    assert all(len(line) == 2 and min(line) > 0 for line in lines.values())


def test_two_checkouts(curve):
    _, _, _, *rows = curve.old_table(ROOT, rounds=1, items=20_000)
    assert [row.split("|")[1].strip() for row in rows] == ["200 x 100", "20 x 1,024"]
    assert len(figures(rows)) == 12
    assert min(figures(rows)) > 0


def test_a_process_that_ends_is_told(curve):
    with curve.Child() as child, pytest.raises(RuntimeError, match="the process that measures unknown"):
        child.measure("unknown")
