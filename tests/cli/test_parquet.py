"""Parquet files in and out."""

import decimal
import sys

import numpy as np
import pytest

from tests.cli.files import MODES, complaint, direct, read_csv, save_csv

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

IDS = [2**63 - 1, 0, 7, *range(1000, 1030)]


@pytest.fixture(autouse=True)
def _small_reads(monkeypatch):
    """Cut files into so small pieces that a few rows make many."""
    monkeypatch.setattr("fastgumbel._cli.parquet.CELLS", 12)


def save(path, **columns):
    pq.write_table(pa.table(columns), path)
    return path


def save_modes(path, table, **more):
    return save(path, **more, **{mode: table[:, i] for i, mode in enumerate(MODES)})


def test_a_table_equals_its_text(choose, small_chunks, tmp_path, utilities):
    inputs = save_modes(tmp_path / "in.parquet", utilities), save_csv(tmp_path / "in.csv", utilities)
    seen = []
    for number, path in enumerate(inputs):
        out = tmp_path / f"{number}.csv"
        seen.append(choose(path, "--draws", 7, "--out", out).out.split("\n", 1)[1].rpartition("\n\n")[0])
    assert seen[0] == seen[1]
    assert (tmp_path / "0.csv").read_bytes() == (tmp_path / "1.csv").read_bytes()


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "int8", "int64", "uint64", "decimal"])
def test_types_of_numbers(choose, tmp_path, kind):
    table = np.random.default_rng(0).integers(0, 9, (20, 2))
    if kind == "decimal":
        columns = {name: [decimal.Decimal(int(x)) / 2 for x in table[:, i]] for i, name in enumerate("ab")}
        table = table / 2
    else:
        columns = {name: table[:, i].astype(kind) for i, name in enumerate("ab")}
    out = tmp_path / "out.npy"
    assert choose(save(tmp_path / "in.parquet", **columns), "--draws", 9, "--out", out).code == 0
    np.testing.assert_array_equal(np.load(out), direct(table.astype(float), draws=9))


@pytest.mark.parametrize("kind", [pa.int64(), pa.uint64(), pa.string(), pa.large_string()])
def test_ids_are_rows_of_the_field(choose, small_chunks, tmp_path, utilities, kind):
    column = pa.array(IDS).cast(kind)
    out = tmp_path / "out.parquet"
    for order in (np.arange(33), np.random.default_rng(0).permutation(33)):
        path = save_modes(tmp_path / "in.parquet", utilities[order], person_id=column.take(pa.array(order)))
        seen = choose(path, "--id", "person_id", "--draws", 11, "--out", out, "--force")
        assert "33 rows (numbered by person_id) x 4 alternatives" in seen.out
        expected = direct(utilities[order], draws=11, rows=np.array(IDS)[order])
        result = pq.read_table(out)
        assert result.column_names == ["person_id", "draw", "choice"]
        assert result["person_id"].type == result["draw"].type == pa.int64()
        assert result["person_id"].to_pylist() == np.repeat(np.array(IDS)[order], 11).tolist()
        assert result["draw"].to_pylist() == list(range(11)) * 33
        assert result["choice"].to_pylist() == [MODES[i] for i in expected.T.ravel()]


def test_ids_beyond_signed_integers(choose, tmp_path, utilities):
    column, out = pa.array(range(2**64 - 33, 2**64), pa.uint64()), tmp_path / "out.parquet"
    path = save_modes(tmp_path / "in.parquet", utilities, person_id=column)
    assert choose(path, "--id", "person_id", "--out", out).code == 0
    assert pq.read_table(out)["person_id"].combine_chunks() == column


def test_spaces_around_ids_are_no_part_of_them(choose, tmp_path):
    table, names = np.array([[0.5, 0.2], [0.1, 0.3], [0.0, 0.0]]), [" 101", "102 ", "\t7"]
    text = save_csv(tmp_path / "in.csv", table, ["a", "b"], ids=names)
    inputs = text, save(tmp_path / "in.parquet", person_id=names, a=table[:, 0], b=table[:, 1])
    outs = tmp_path / "0.csv", tmp_path / "1.csv"
    for path, out in zip(inputs, outs, strict=True):
        assert "numbered by person_id" in choose(path, "--id", "person_id", "--draws", 50, "--out", out).out
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_ids_below_0_are_refused(choose, tmp_path, utilities):
    path = save_modes(tmp_path / "in.parquet", utilities, person_id=pa.array([*range(20), -7, *range(20, 32)]))
    said = complaint(choose(path, "--id", "person_id"))
    assert f"{path}: row 20, column 'person_id': -7 is not from 0 to 2**64 - 1" in said


def test_text_is_carried_to_the_output(choose, tmp_path, utilities):
    names = [f"p{i % 7}" for i in range(33)]
    column = pa.array(names).dictionary_encode()
    path, out = save_modes(tmp_path / "in.parquet", utilities, name=column), tmp_path / "out.parquet"
    assert "(numbered 0 to 32, as name is" in choose(path, "--id", "name", "--draws", 3, "--out", out).out
    result = pq.read_table(out)
    assert result["name"].to_pylist() == np.repeat(names, 3).tolist()
    assert result["choice"].to_pylist() == [MODES[i] for i in direct(utilities, draws=3).T.ravel()]


def test_rows_without_ids_and_names_have_numbers(choose, tmp_path, npy, utilities):
    out = tmp_path / "out.parquet"
    assert choose(npy, "--draws", 2, "--first-row", 2**64 - 33, "--out", out).code == 0
    result = pq.read_table(out)
    assert result.schema.types == [pa.uint64(), pa.int64(), pa.int64()]
    assert result["row"].to_pylist()[-1] == 2**64 - 1
    assert result["choice"].to_pylist() == direct(utilities, draws=2, first_row=2**64 - 33).T.ravel().tolist()


def test_columns_are_picked(choose, tmp_path):
    path = save(tmp_path / "in.parquet", a=[1.0, 2.0], text=["x", "y"], **{"b.c": [2.0, 1.0]})
    out = tmp_path / "out.csv"
    assert choose(path, "--columns", "b.c,a", "--draws", 20, "--out", out).code == 0
    expected = direct(np.array([[2.0, 1.0], [1.0, 2.0]]), draws=20)
    assert [line[2] for line in read_csv(out)[1:]] == [["b.c", "a"][i] for i in expected.T.ravel()]
    assert "there is no column 'z'; there are 'a', 'text', 'b.c'" in complaint(choose(path, "--columns", "z"))


def test_missing_values_are_blank_cells(choose, tmp_path):
    a, b = [1.0, None, 2.0, 0.0, np.nan] * 5, [1, 2, None, 0, 3] * 5
    path, out = save(tmp_path / "in.parquet", a=a, b=b), tmp_path / "out.npy"
    expected = f"{path}: row 1, column 'a': the cell is blank; --blank unavailable excludes such alternatives"
    assert expected in complaint(choose(path))
    assert choose(path, "--blank", "unavailable", "--draws", 9, "--out", out).code == 0
    table = np.array([[-np.inf if x is None or np.isnan(x) else x for x in column] for column in (a, b)]).T
    np.testing.assert_array_equal(np.load(out), direct(table, draws=9))


@pytest.mark.parametrize("name", ["person_id", "__index_level_0__"])
def test_ids_among_the_alternatives_are_refused(choose, tmp_path, name):
    path = save(tmp_path / "in.parquet", a=np.zeros(20), **{name: np.arange(20)})
    assert f"column {name!r} looks like ids" in complaint(choose(path))
    path = save(path, a=np.zeros(3), **{name: ["x", "y", "z"]})
    assert f"column {name!r} holds string; expected numbers; --id {name} names" in complaint(choose(path))


@pytest.mark.parametrize(
    ("columns", "options", "expected"),
    [
        ({"a": [1.0, 2.0], "b": ["x", "y"]}, [], ": column 'b' holds string; expected numbers\n"),
        ({"a": [True, False]}, [], ": column 'a' holds bool; expected numbers\n"),
        ({"a": [1.0] * 9, "b": [0.0] * 8 + [np.nan]}, [], ": row 8, column 'b': NaN; --blank unavailable"),
        ({"a": [1.0] * 9, "b": [0.0] * 8 + [np.inf]}, [], ": row 8, column 'b': +inf"),
        ({"a": [1.0, -np.inf]}, [], ": row 1: every alternative is excluded (-inf"),
        ({"a": [1.0, 2.0], "id": [1.0, 2.0]}, ["--id", "id"], ": column 'id' holds double; ids are whole numbers or"),
        ({"a": [0.0] * 9, "id": [*range(8), None]}, ["--id", "id"], ": row 8, column 'id': the cell is blank, so"),
        ({"a": [0.0] * 9, "id": ["x"] * 8 + [" "]}, ["--id", "id"], ": row 8, column 'id': the cell is blank, so"),
        ({"a": [0.0] * 9, "id": [*range(8), 3]}, ["--id", "id"], ", column 'id': rows 3 and 8 both have id 3;"),
        ({"a": pa.array([], pa.float64())}, [], ": has no rows"),
        ({}, [], ": no column is left for alternatives"),
    ],
)
def test_what_cannot_be_drawn_from(choose, tmp_path, columns, options, expected):
    path = save(tmp_path / "in.parquet", **columns)
    assert f"{path}{expected}" in complaint(choose(path, *options, "--out", tmp_path / "out.parquet"))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-9], lambda data: data[:4] + data[40:]])
def test_damaged_files(choose, tmp_path, utilities, damage):
    path = save_modes(tmp_path / "in.parquet", utilities)
    path.write_bytes(damage(path.read_bytes()))
    assert str(path) in complaint(choose(path))


def test_missing_file(choose, tmp_path):
    assert f"{tmp_path / 'in.parquet'}: No such file" in complaint(choose(tmp_path / "in.parquet"))


def test_without_pyarrow(choose, monkeypatch, tmp_path, npy):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    remedy = ".parquet files need pyarrow: pip install 'fastgumbel[parquet]'"
    for run in ([tmp_path / "in.parquet"], [npy, "--out", tmp_path / "out.parquet"]):
        assert f"{run[-1]}: {remedy}" in complaint(choose(*run))
    assert list(tmp_path.iterdir()) == [npy]
