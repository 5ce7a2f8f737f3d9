"""Which columns name the rows, which are alternatives, and what happens where nobody says it."""

import shlex

import numpy as np
import pytest

from tests.cli.files import MODES, complaint, direct, read_csv, save_csv

IDS = [2**64 - 1, 0, 7, 2**63, *range(1000, 1029)]


@pytest.fixture
def small_reads(monkeypatch):
    """Cut files into so small pieces that a few rows make many."""
    monkeypatch.setattr("fastgumbel._cli.csv.CELLS", 12)
    monkeypatch.setattr("fastgumbel._cli.table.STEP", 3)
    monkeypatch.setattr("fastgumbel._cli.input.STEP", 3)


def write(path, text):
    path.write_text(text)
    return path


def test_ids_are_rows_of_the_field(choose, small_chunks, small_reads, tmp_path, utilities):
    path, outs = save_csv(tmp_path / "in.csv", utilities, ids=IDS), [tmp_path / "out.npy", tmp_path / "out.csv"]
    for out in outs:
        seen = choose(path, "--id", "person_id", "--draws", 5, "--seed", 3, "--out", out)
        assert "33 rows (numbered by person_id) x 4 alternatives" in seen.out
    expected = direct(utilities, draws=5, seed=3, rows=IDS)
    np.testing.assert_array_equal(np.load(outs[0]), expected)
    lines = [[str(IDS[i]), str(draw), MODES[expected[draw, i]]] for i in range(33) for draw in range(5)]
    assert read_csv(outs[1]) == [["person_id", "draw", "choice"], *lines]


def test_a_traveller_keeps_the_choice_in_any_order_and_in_parts(choose, small_reads, tmp_path, utilities):
    orders = [np.arange(33), np.random.default_rng(4).permutation(33), np.array([30, 2, 17])]
    found = []
    for order in orders:
        path = save_csv(tmp_path / "in.csv", utilities[order], ids=[IDS[i] for i in order])
        out = tmp_path / "out.csv"
        assert choose(path, "--id", "person_id", "--draws", 20, "--out", out, "--force").code == 0
        found.append({(row, draw): choice for row, draw, choice in read_csv(out)[1:]})
    whole, shuffled, part = found
    assert len(whole) == 33 * 20
    assert shuffled == whole
    assert part.items() < whole.items()
    assert len(part) == 3 * 20


def test_the_table_of_the_report(choose, tmp_path):
    """The ids, larger than all utilities, would win every draw."""
    path = write(tmp_path / "in.csv", "person_id,car,bus\n1001,0.5,0.2\n1002,0.1,0.3\n")
    assert complaint(choose(path)) == (
        f"fastgumbel: error: {path}: column 'person_id' looks like ids, as its name says so and all its numbers are "
        "whole; --id person_id names the rows by it, --exclude person_id leaves it out, --columns picks the "
        "alternatives\n"
    )
    table = np.array([[0.5, 0.2], [0.1, 0.3]])
    out = tmp_path / "out.npy"
    for options, rows in [(["--id", "person_id"], [1001, 1002]), (["--columns", "car,bus"], [0, 1])]:
        assert choose(path, *options, "--draws", 100, "--out", out, "--force").code == 0
        np.testing.assert_array_equal(np.load(out), direct(table, draws=100, rows=rows))


@pytest.mark.parametrize(
    "name",
    [
        "id",
        "ID",
        "ID1",
        "person_id",
        "Person ID",
        "house-id",
        "personId",
        "Index",
        "caseid",
        "HHID",
        "pid",
        "PersonID",
        "rownames",
        "Row",
        "obs",
        "nr",
        "idx",
        "key",
        "respondent",
        "household",
        "person2",
        "case",
        "unnamed: 0",
    ],
)
@pytest.mark.parametrize("place", [0, 1])
def test_whole_numbers_of_such_a_name_are_refused(choose, small_reads, tmp_path, name, place):
    names, cells = ["car"], [["0.5"]] * 20
    names.insert(place, name)
    rows = [[*row[:place], str(7 - i), *row[place:]] for i, row in enumerate(cells)]
    path = write(tmp_path / "in.csv", "\n".join(",".join(row) for row in [names, *rows]) + "\n")
    said = complaint(choose(path))
    assert f"column {name!r} looks like ids" in said
    assert f"--id {shlex.quote(name)} names" in said
    assert choose(path, "--columns", f'"{name}",car').code == 0


def counted(path, numbers, place=0):
    names, rows = ["b"], [["0.5"] for _ in numbers]
    for record, cell in zip([names, *rows], ["traveller", *map(str, numbers)], strict=True):
        record.insert(place, cell)
    return write(path, "\n".join(map(",".join, [names, *rows])) + "\n")


@pytest.mark.parametrize("numbers", [range(10), range(101, 400, 7), [-3, *range(9)], [f"{i}.0" for i in range(12)]])
def test_a_first_column_that_counts_is_refused(choose, small_reads, tmp_path, numbers):
    path = counted(tmp_path / "in.csv", numbers)
    assert complaint(choose(path)) == (
        f"fastgumbel: error: {path}: column 'traveller' looks like ids, as it is the first one and its whole numbers "
        "ascend; --id traveller names the rows by it, --exclude traveller leaves it out, --columns picks the "
        "alternatives\n"
    )
    assert choose(path, "--columns", "traveller,b").code == 0


@pytest.mark.parametrize(
    ("numbers", "place"),
    [
        (range(9), 0),
        (range(10), 1),
        (range(20, 0, -1), 0),
        ([*range(10), 9], 0),
        ([*range(6), *range(5, 20)], 0),
        ([*range(10), 10.5], 0),
        (["-inf", *range(10)], 0),
    ],
)
def test_other_columns_of_whole_numbers_are_alternatives(choose, small_reads, tmp_path, numbers, place):
    assert "x 2 alternatives" in choose(counted(tmp_path / "in.csv", numbers, place)).out


def test_ids_that_repeat_are_found_as_well(choose, tmp_path):
    path = write(tmp_path / "in.csv", "a,household_id\n1,5\n1,5\n")
    assert "column 'household_id' looks like ids" in complaint(choose(path))


def test_ids_beside_the_ids_are_found(choose, tmp_path):
    path = write(tmp_path / "in.csv", "person_id,household_id,a\n1,5,1\n2,5,1\n")
    assert "column 'household_id' looks like ids" in complaint(choose(path, "--id", "person_id"))
    assert choose(path, "--id", "person_id", "--columns", "a").code == 0


@pytest.mark.parametrize(
    "text", ["bid,paid\n1,2\n3,4\n", "person_id,a\n1,2\n2,2\n3.5,2\n", "car,covid\n1,2\n", "1,b\n1,2\n"]
)
def test_other_columns_are_alternatives(choose, small_reads, tmp_path, text):
    assert "x 2 alternatives" in choose(write(tmp_path / "in.csv", text)).out


@pytest.mark.parametrize("text", ["id,a\nx,1\n", "id,a\n1,1\n,1\n"])
def test_an_id_that_is_no_number_gets_the_same_advice(choose, tmp_path, text):
    assert "--id id names the rows by it" in complaint(choose(write(tmp_path / "in.csv", text)))


def test_a_first_column_without_a_name(choose, tmp_path):
    """As pandas writes an index."""
    path, out = write(tmp_path / "in.csv", ",a,b\n5,0.5,0.2\n9,0.1,0.3\n"), tmp_path / "out.csv"
    assert "line 1: column 1 has no name; if it holds ids, --id '' names the rows by it" in complaint(choose(path))
    assert choose(path, "--id", "", "--draws", 9, "--out", out).code == 0
    expected = direct(np.array([[0.5, 0.2], [0.1, 0.3]]), draws=9, rows=[5, 9])
    assert [line[2] for line in read_csv(out)[1:]] == ["ab"[i] for i in expected.T.ravel()]
    assert read_csv(out)[0] == ["row", "draw", "choice"]
    assert choose(path, "--columns", "a,b").code == 0


TEXTS = [
    ["b", "a", "ü, the third"],
    ["x", "x", "x"],
    ["1", "p2", "-3"],
    ["-1", "2", "p3"],
    ["1", "2", "3.5"],
    [str(2**64), "2", "3.5"],
    ["1", "2", ".0"],
    ["1", "2", "\u0663"],
    ['"', "a\nb", "c"],
]


@pytest.mark.parametrize("names", TEXTS)
def test_text_is_carried_to_the_output(choose, small_chunks, monkeypatch, tmp_path, names):
    monkeypatch.setattr("fastgumbel._cli.csv.CELLS", 2)
    table = np.array([[0.5, 0.2], [0.1, 0.3], [0.4, 0.4]])
    path, out = save_csv(tmp_path / "in.csv", table, ["a", "b"], ids=names), tmp_path / "out.csv"
    seen = choose(path, "--id", "person_id", "--draws", 20, "--out", out)
    assert "3 rows (numbered 0 to 2, as person_id is not all whole numbers)" in seen.out
    expected = direct(table, draws=20)
    lines = [[names[row], str(draw), "ab"[expected[draw, row]]] for row in range(3) for draw in range(20)]
    assert read_csv(out) == [["person_id", "draw", "choice"], *lines]


BEYOND = ["-3", "-3.0", str(2**64), "9" * 5000]


@pytest.mark.parametrize("where", [0, 1, 2])
@pytest.mark.parametrize("number", BEYOND)
@pytest.mark.parametrize("cells", [2, 4, 100])
def test_whole_numbers_out_of_range_are_refused(choose, monkeypatch, tmp_path, number, where, cells):
    monkeypatch.setattr("fastgumbel._cli.csv.CELLS", cells)
    ids = ["1", "2", "3"]
    ids[where] = number
    path = save_csv(tmp_path / "in.csv", np.zeros((3, 2)), ["a", "b"], ids=ids)
    shown = number if len(number) < 30 else "9" * 30 + "..."
    said = complaint(choose(path, "--id", "person_id"))
    assert f"{path}: line {where + 2} (row {where}), column 'person_id': {shown} is not from 0 to 2**64 - 1" in said


def test_the_first_number_out_of_range_is_named(choose, tmp_path):
    path = save_csv(tmp_path / "in.csv", np.zeros((3, 2)), ["a", "b"], ids=["1", "-1", "-2"])
    assert "line 3 (row 1), column 'person_id': -1 is not" in complaint(choose(path, "--id", "person_id"))


def test_text_leaves_the_count_of_rows_to_first_row(choose, tmp_path, utilities):
    path = save_csv(tmp_path / "in.csv", utilities, ids=[f"p{i}" for i in range(33)])
    out = tmp_path / "out.npy"
    assert choose(path, "--id", "person_id", "--first-row", 100, "--out", out).code == 0
    np.testing.assert_array_equal(np.load(out), direct(utilities, draws=1, first_row=100)[0])


def test_leading_zeros_are_kept_in_the_output(choose, small_reads, monkeypatch, tmp_path):
    monkeypatch.setattr("fastgumbel._cli.csv.CELLS", 2)
    long = "0" * 30 + "7"
    path, out = write(tmp_path / "in.csv", f"id,a,b\n{long},1,1\n10,1,1\n"), tmp_path / "out.csv"
    assert "numbered by id" in choose(path, "--id", "id", "--draws", 9, "--out", out).out
    assert [line[0] for line in read_csv(out)[1:]] == [long] * 9 + ["10"] * 9
    expected = direct(np.ones((2, 2)), draws=9, rows=[7, 10])
    assert [line[2] for line in read_csv(out)[1:]] == ["ab"[i] for i in expected.T.ravel()]


@pytest.mark.parametrize("where", [1, 3, 6])
@pytest.mark.parametrize("again", ["4", "04"])
def test_two_rows_of_one_number_are_refused(choose, small_reads, tmp_path, where, again):
    ids = ["4", "1", "2", "3", "9", "8", "7"]
    ids[where] = again
    path = save_csv(tmp_path / "in.csv", np.zeros((7, 4)), ids=ids)
    said = complaint(choose(path, "--id", "person_id"))
    assert f"{path}, column 'person_id': rows 0 and {where} both have id 4; ids must differ" in said


def test_neighbours_of_one_number_are_refused(choose, small_reads, tmp_path):
    """Also where the two lie in different pieces of the check."""
    for where in range(6):
        ids = [i - (i > where) for i in range(7)]
        path = save_csv(tmp_path / "in.csv", np.zeros((7, 4)), ids=ids)
        assert f"rows {where} and {where + 1} both have id {where};" in complaint(choose(path, "--id", "person_id"))


def test_columns_are_picked_in_the_order_given(choose, tmp_path, utilities):
    path, out = save_csv(tmp_path / "in.csv", utilities), tmp_path / "out.csv"
    assert choose(path, "--columns", "car, air ,bus", "--draws", 7, "--out", out).code == 0
    expected = direct(utilities[:, [3, 0, 2]], draws=7)
    assert [line[2] for line in read_csv(out)[1:]] == [["car", "air", "bus"][i] for i in expected.T.ravel()]


def test_other_columns_are_not_looked_at(choose, tmp_path):
    path = write(tmp_path / "in.csv", 'name,"a, the first",b,,x_id\nAnn,1,2,,3\nBob,2,1,nan,\n')
    seen = choose(path, "--id", "name", "--columns", '"a, the first",b')
    assert seen.code == 0
    assert "\na, the first " in seen.out


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--columns", "a,x"], "in.csv: line 1: there is no column 'x'; there are 'person_id', 'a', 'b'"),
        (["--id", "x"], "in.csv: line 1: there is no column 'x'; there are 'person_id', 'a', 'b'"),
        (["--columns", "a,person_id", "--id", "person_id"], "--columns: 'person_id' is the column of --id"),
        (["--columns", "a,b,a"], "argument --columns: 'a' stands there twice"),
        (["--columns", "a,,b"], "argument --columns: expected names with commas between them"),
        (["--columns", ""], "argument --columns: expected names with commas between them"),
        (["--id", "person_id", "--first-row", "5"], "--first-row: rows are numbered by the column 'person_id' already"),
    ],
)
def test_options_that_do_not_fit(choose, tmp_path, options, expected):
    path = write(tmp_path / "in.csv", "person_id,a,b\n1,2,3\n")
    assert expected in complaint(choose(path, *options))


def test_a_table_of_nothing_but_ids(choose, tmp_path):
    path = write(tmp_path / "in.csv", "id\n1\n")
    assert "no column is left for alternatives" in complaint(choose(path, "--id", "id"))


def test_a_row_without_an_id(choose, tmp_path):
    path = write(tmp_path / "in.csv", "id,a\n1,2\n ,2\n")
    expected = f"{path}: line 3 (row 1), column 'id': the cell is blank, so the row has no id"
    assert expected in complaint(choose(path, "--id", "id", "--blank", "unavailable"))


@pytest.mark.parametrize("name", ["draw", "choice"])
def test_ids_under_a_name_of_the_output(choose, tmp_path, name):
    path = write(tmp_path / "in.csv", f"{name},a,b\n1,2,3\n")
    said = complaint(choose(path, "--id", name, "--out", tmp_path / "out.csv"))
    assert f"--id: the output has a column {name!r} of its own" in said
    assert choose(path, "--id", name, "--out", tmp_path / "out.npy").code == 0


@pytest.mark.parametrize("option", [["--id", "a"], ["--columns", "a"]])
def test_npy_has_no_names(choose, tmp_path, npy, option):
    assert f"{option[0]} needs an INPUT that is a .csv or .parquet file" in complaint(choose(npy, *option))
    text = write(tmp_path / "in.csv", "a,b,c\n1,2,3\n")
    assert f"{npy}: {option[0]} needs named columns" in complaint(choose(text, "--scenario", npy, *option))
    assert f"{option[0]} needs an INPUT" in complaint(choose(*option))


def test_a_scenario_has_the_same_rows(choose, small_reads, tmp_path, utilities):
    better = utilities + np.array([0, 0, 0.5, 0])
    base = save_csv(tmp_path / "base.csv", utilities, ids=IDS)
    scenario = save_csv(tmp_path / "scenario.csv", better[:, ::-1], MODES[::-1], ids=IDS)
    outs = tmp_path / "base.npy", tmp_path / "after.csv"
    run = [base, "--scenario", scenario, "--id", "person_id", "--columns", "air,train,bus,car", "--draws", 9]
    assert ", all to bus\n" in choose(*run, "--out", outs[0], "--scenario-out", outs[1]).out
    np.testing.assert_array_equal(np.load(outs[0]), direct(utilities, draws=9, rows=IDS))
    expected = direct(better, draws=9, rows=IDS)
    assert [line[2] for line in read_csv(outs[1])[1:]] == [MODES[i] for i in expected.T.ravel()]
    save_csv(scenario, better, ids=[*IDS[:20], IDS[21], IDS[20], *IDS[22:]])
    expected = f"{scenario}: row 20 is {IDS[21]}, but {IDS[20]} in {base}; both need the same rows in the same order"
    assert expected in complaint(choose(*run))
    save_csv(scenario, better)
    assert f"{scenario}: line 1: there is no column 'person_id'" in complaint(choose(*run))


def test_ids_of_a_scenario_are_compared_as_numbers(choose, small_reads, tmp_path):
    base, scenario = tmp_path / "base.csv", tmp_path / "scenario.csv"
    run = [base, "--scenario", scenario, "--id", "id"]
    write(base, "id,a,b\n7,1,2\n9,1,2\n12,1,2\n8,1,2\n")
    write(scenario, "id,a,b\n7.0,1,2\n09,1,2\n12,1,2\n8.0,1,2\n")
    assert choose(*run).code == 0
    write(scenario, "id,a,b\n7.0,1,2\n09,1,2\n12,1,2\n80.0,1,2\n")
    assert f"{scenario}: row 3 is 80, but 8 in {base}" in complaint(choose(*run))
    write(scenario, "id,a,b\n7,1,2\n9,1,2\n12,1,2\nx,1,2\n")
    assert f"{scenario}: row 3 is 'x', but '8' in {base}" in complaint(choose(*run))


def test_ids_that_were_written_as_floats(choose, tmp_path):
    """As pandas does beside missing values: they are the numbers that they were."""
    rows = ["7,0.5,0.2", "3,0.1,0.3", "900,0.0,0.0"]
    plain, floats = tmp_path / "plain.csv", tmp_path / "floats.csv"
    plain.write_text("person_id,car,bus\n" + "\n".join(rows) + "\n")
    floats.write_text("person_id,car,bus\n" + "\n".join(row.replace(",", ".0,", 1) for row in rows) + "\n")
    outs = []
    for path in (plain, floats):
        out = tmp_path / f"{path.stem}_out.npy"
        assert choose(path, "--id", "person_id", "--draws", 50, "--out", out).code == 0
        outs.append(np.load(out))
    np.testing.assert_array_equal(*outs)
