"""The choices are the library's own, however the work is cut."""

import numpy as np
import pytest

import fastgumbel
from tests.cli.files import complaint, direct, read_csv, save_csv


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f2", ">f4", ">f8", "i1", "u2", ">i8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_equals_library(choose, small_chunks, tmp_path, utilities, dtype, order):
    table = np.asarray(np.abs(3 * utilities), dtype=dtype, order=order)
    np.save(tmp_path / "in.npy", table)
    out = tmp_path / "out.npy"
    assert choose(tmp_path / "in.npy", "--draws", 7, "--seed", 5, "--out", out).code == 0
    np.testing.assert_array_equal(np.load(out), direct(table.astype(table.dtype.newbyteorder("=")), draws=7, seed=5))


def test_csv_equals_npy(choose, small_chunks, tmp_path, npy, utilities):
    text = save_csv(tmp_path / "in.csv", utilities)
    out = tmp_path / "out.npy"
    assert choose(text, "--draws", 7, "--out", out).code == 0
    np.testing.assert_array_equal(np.load(out), direct(utilities, draws=7))


@pytest.mark.parametrize("cut", [(10**9, 10**9), (20, 8), (4, 1), (1, 3)])
def test_chunks_do_not_matter(choose, monkeypatch, tmp_path, npy, utilities, cut):
    cells, choices = cut
    monkeypatch.setattr("fastgumbel._cli.draws.CELLS", cells)
    monkeypatch.setattr("fastgumbel._cli.draws.CHOICES", choices)
    outs = tmp_path / "out.npy", tmp_path / "out.csv"
    seen = [choose(npy, "--draws", 5, "--out", out).out.rpartition("\n\n")[0] for out in outs]
    array = np.load(outs[0])
    np.testing.assert_array_equal(array, direct(utilities, draws=5))
    lines = [[str(row), str(draw), str(array[draw, row])] for row in range(33) for draw in range(5)]
    assert read_csv(outs[1]) == [["row", "draw", "choice"], *lines]
    assert seen[0] == seen[1]


def test_parts_make_the_whole(choose, tmp_path, npy, utilities):
    parts = []
    for first, last in [(0, 10), (10, 11), (11, 33)]:
        part, out = tmp_path / "part.npy", tmp_path / "out.npy"
        np.save(part, utilities[first:last])
        choose(part, "--draws", 3, "--first-row", 100 + first, "--out", out, "--force")
        parts.append(np.load(out))
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), direct(utilities, draws=3, first_row=100))


def test_rows_have_all_64_bits(choose, tmp_path, npy, utilities):
    out = tmp_path / "out.csv"
    assert choose(npy, "--first-row", 2**64 - 33, "--out", out).code == 0
    assert read_csv(out)[-1][0] == str(2**64 - 1)
    fault = choose(npy, "--first-row", 2**64 - 32)
    assert (fault.code, fault.out) == (2, "")
    assert "--first-row" in fault.err


def test_threads_do_not_matter(choose, tmp_path, npy):
    before = fastgumbel.get_num_threads()
    outs = [tmp_path / "1.npy", tmp_path / "2.npy"]
    try:
        for threads, out in enumerate(outs, start=1):
            assert choose(npy, "--draws", 50, "--threads", threads, "--out", out).code == 0
            assert fastgumbel.get_num_threads() == threads
    finally:
        fastgumbel.set_num_threads(before)
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_a_bad_number_of_threads_in_the_environment(choose, monkeypatch, npy):
    monkeypatch.setattr("fastgumbel._host.threads._chosen", None)
    monkeypatch.setenv("FASTGUMBEL_NUM_THREADS", "two")
    assert "FASTGUMBEL_NUM_THREADS must be a whole number of at least 1, not 'two'" in complaint(choose(npy))
    assert choose(npy, "--threads", 1).code == 0


def test_seed_names_the_noise(choose, tmp_path, npy):
    default, zero, other, huge = (tmp_path / f"{name}.npy" for name in "abcd")
    choose(npy, "--draws", 9, "--out", default)
    choose(npy, "--draws", 9, "--seed", 0, "--out", zero)
    choose(npy, "--draws", 9, "--seed", 1, "--out", other)
    choose(npy, "--draws", 9, "--seed", 10**40, "--out", huge)
    assert default.read_bytes() == zero.read_bytes()
    assert len({path.read_bytes() for path in (zero, other, huge)}) == 3


def test_one_row_may_be_flat(choose, tmp_path):
    np.save(tmp_path / "row.npy", np.array([0.0, 1.0, -np.inf]))
    assert "1 rows" in choose(tmp_path / "row.npy", "--draws", 3).out


def test_excluded_alternatives_are_never_drawn(choose, tmp_path):
    text = tmp_path / "in.csv"
    text.write_text('a,"b, the second",c\n0,-inf,0\n-inf,1e13,-1e308\n')
    out = tmp_path / "out.csv"
    assert choose(text, "--draws", 40, "--out", out).code == 0
    rows = read_csv(out)[1:]
    assert {choice for row, _, choice in rows if row == "0"} == {"a", "c"}
    assert {choice for row, _, choice in rows if row == "1"} == {"b, the second"}


def test_scenario_moves_only_towards_what_improved(choose, small_chunks, tmp_path, npy, utilities):
    better = utilities + np.array([0, 0, 0.5, 0])
    np.save(tmp_path / "better.npy", better)
    outs = tmp_path / "base.npy", tmp_path / "scenario.npy"
    seen = choose(
        npy, "--scenario", tmp_path / "better.npy", "--draws", 20, "--out", outs[0], "--scenario-out", outs[1]
    ).out
    base, scenario = map(np.load, outs)
    np.testing.assert_array_equal(base, direct(utilities, draws=20))
    np.testing.assert_array_equal(scenario, direct(better, draws=20))
    changed = base != scenario
    assert set(scenario[changed]) == {2}
    assert f"{changed.sum()} of 660 choices changed" in seen
    assert "all to 2\n" in seen
    flows = np.array([line.split()[1:] for line in seen.partition("from \\ to")[2].splitlines()[1:5]], dtype=int)
    np.testing.assert_array_equal(flows, np.bincount(4 * base.ravel() + scenario.ravel(), minlength=16).reshape(4, 4))


def test_same_scenario_changes_nobody(choose, npy, tmp_path):
    twin = tmp_path / "twin.npy"
    twin.write_bytes(npy.read_bytes())
    assert "\n0 of 33 choices changed (0.00 %)\n" in choose(npy, "--scenario", twin).out
