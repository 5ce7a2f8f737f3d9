"""What the summary shows of few, many and very many alternatives."""

import re

import numpy as np


def save(path, table):
    np.save(path, table)
    return path


def lines_below(text, heading):
    """The cells of the table whose first line begins so."""
    block = text[text.index(f"\n{heading}") + 1 :].partition("\n\n")[0]
    return [line.split() for line in block.splitlines()[1:]]


def test_few_alternatives_have_a_line_each(choose, npy, utilities, tmp_path):
    out = tmp_path / "out.npy"
    seen = choose(npy, "--draws", 100, "--seed", 6, "--out", out).out
    assert f"{npy}:\n33 rows (numbered 0 to 32) x 4 alternatives, draws of each row: 100, seed: 6\n" in seen
    counts = np.bincount(np.load(out).ravel())
    chances = np.exp(utilities) / np.exp(utilities).sum(axis=1, keepdims=True)
    for index, cells in enumerate(lines_below(seen, "alternative")[:4]):
        share, exact = counts[index] / 3300, chances[:, index].mean()
        assert cells == [str(index), f"{counts[index]:,}", f"{100 * share:.2f}", "%", f"{100 * exact:.2f}", "%"]
    assert re.search(r"\nchi-square \S+, 3 degrees of freedom, p = 0\.\d+\n", seen)
    assert re.search(r"\n3,300 choices drawn in \S+ s: [\d,]+ a second\n$", seen)


def test_many_alternatives_show_the_likeliest(choose, tmp_path):
    table = np.random.default_rng(0).normal(size=(50, 100)) + np.linspace(0, 2, 100)
    lines = lines_below(choose(save(tmp_path / "in.npy", table), "--draws", 200).out, "alternative")
    exact = [float(cells[-2]) for cells in lines[:20]]
    assert exact == sorted(exact, reverse=True)
    assert lines[20][:2] == ["(80", "others)"]
    assert sum(int(cells[-5].replace(",", "")) for cells in lines[:21]) == 10_000
    assert "over 64 groups of neighbouring alternatives" in " ".join(lines[21])


def test_many_alternatives_show_the_largest_flows(choose, tmp_path):
    rng = np.random.default_rng(1)
    base = rng.normal(size=(400, 30))
    seen = choose(
        save(tmp_path / "base.npy", base),
        "--scenario",
        save(tmp_path / "scenario.npy", base + rng.normal(size=(400, 30))),
    ).out
    lines = lines_below(seen, "from")
    moves = [int(cells[2]) for cells in lines[:20]]
    assert moves == sorted(moves, reverse=True)
    assert all(cells[0] != cells[1] for cells in lines[:20])
    assert " of 400 choices changed " in seen


def test_very_many_alternatives_show_losses_and_gains(choose, tmp_path):
    base = np.zeros((200, 2000), "f4")
    better = base.copy()
    better[:, 7] = 9
    seen = choose(save(tmp_path / "base.npy", base), "--scenario", save(tmp_path / "better.npy", better)).out
    (first, *_) = lines_below(seen, "alternative  left it")
    assert first[0] == "7"
    assert first[1] == "0"
    assert first[3] == f"+{first[2]}"
    assert ", all to 7\n" in seen


def test_single_alternative(choose, tmp_path):
    seen = choose(save(tmp_path / "in.npy", np.zeros((3, 1))))
    assert seen.code == 0
    assert "chi-square: too few random choices to test\n" in seen.out


def test_scenario_has_its_own_table_and_test(choose, npy):
    seen = choose(npy, "--scenario", npy, "--draws", 30).out
    assert seen.count("exact share") == seen.count("degrees of freedom") == 2
