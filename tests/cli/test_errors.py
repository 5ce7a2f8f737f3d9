"""Bad input ends with one line that names the place, exit code 2 and no output."""

import codecs
import gzip

import numpy as np
import pytest

from fastgumbel._cli import draws
from tests.cli.files import complaint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "in.csv: is empty; expected a header"),
        ("\n\n", "in.csv: is empty; expected a header"),
        ("a,b\n", "in.csv: has no rows"),
        ("0.5,-inf\n1,2\n", "line 1: holds only numbers; expected a header"),
        ("a,,b\n1,2,3\n", "line 1: column 2 has no name"),
        ("a,b,a\n1,2,3\n", "line 1: columns 1 and 3 are both named 'a'"),
        ("a,b\n1,2\n\n3,x\n", "line 4 (row 1), column 'b': 'x' is not a number"),
        ("\n\na,b\n1,x\n", "line 4 (row 0), column 'b': 'x' is not a number"),
        ("a,b\n1,2\n3, \n", "line 3 (row 1), column 'b': the cell is blank"),
        ('a,b\n1,2\n"3,5",2\n', "line 3 (row 1), column 'a': '3,5' is not a number"),
        ("a,b\n1,2\n3\n", "line 3 (row 1): 1 cells, but 2 names in the header"),
        ("a,b\n1,2,3\n", "line 2 (row 0): 3 cells, but 2 names in the header"),
        ("a,b\n1,2\n3,nan\n", "line 3 (row 1), column 'b': nan; --blank"),
        ("a,b\n1,2\ninf,1\n", "line 3 (row 1), column 'a': +inf"),
        ("a,b\n1,2\n3,1e17\n", "line 3 (row 1), column 'b': 1e+17 is not below 2**46: subtract the row's maximum"),
        ("a,b\n1,2\n-1e30,-inf\n", "line 3 (row 1): every alternative is excluded (-inf, or at most -2**46"),
        ("a,b\n1,2\n-inf,-inf\n", "line 3 (row 1): every alternative is excluded (-inf"),
        ('"a\n1",b\n1,2\n-inf,-inf\n', "line 4 (row 1): every alternative"),
        ('a,b\n1,2\n3,"4\n', "line 3: unexpected end of data"),
    ],
)
def test_csv(choose, tmp_path, text, expected):
    path, out = tmp_path / "in.csv", tmp_path / "out.npy"
    path.write_text(text)
    assert f"{path}: {expected.removeprefix('in.csv: ')}" in complaint(choose(path, "--out", out))
    assert list(tmp_path.iterdir()) == [path]


def test_csv_names_the_row_beyond_the_first_chunk(choose, tmp_path, monkeypatch):
    monkeypatch.setattr("fastgumbel._cli.csv.CELLS", 4)
    path = tmp_path / "in.csv"
    path.write_text("a,b\n" + "1,2\n" * 5 + "1,nan\n")
    assert "line 7 (row 5), column 'b': nan" in complaint(choose(path))


def test_csv_in_another_encoding(choose, tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes("a,b\n1,é\n".encode("latin-1"))
    assert "not UTF-8 text" in complaint(choose(path))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("a,b\n1,2\n".encode("utf-16"), "is UTF-16 text; save it as UTF-8"),
        (codecs.BOM_UTF16_BE + "a,b\n1,2\n".encode("utf-16-be"), "is UTF-16 text; save it as UTF-8"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "is a gzip file; name it .csv.gz"),
        (b"PK\3\4...", "is a zip file, as Excel workbooks are; unzip it, or save the sheet as CSV in UTF-8"),
        (b"PAR1\x15...", "is a Parquet file; name it .parquet"),
        ("a,b\n1,é\n".encode("latin-1"), "after line 0: not UTF-8 text; save it as UTF-8"),
    ],
)
def test_csv_that_is_no_text(choose, tmp_path, data, expected):
    path = tmp_path / "in.csv"
    path.write_bytes(data)
    assert complaint(choose(path)) == f"fastgumbel: error: {path}: {expected}\n"


def test_a_name_that_begins_like_a_parquet_file(choose, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("PAR1,PAR2\n1,2\n")
    assert choose(path).code == 0


def test_csv_with_byte_order_mark(choose, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("Zürich,b\r\n1,2\r\n", encoding="utf-8-sig", newline="")
    assert "\nZürich " in choose(path).out


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.zeros((2, 3, 4)), "has 3 axes"),
        (np.array(1.0), "has 0 axes"),
        (np.zeros((0, 3)), "is empty, its shape is (0, 3)"),
        (np.zeros((3, 0)), "is empty, its shape is (3, 0)"),
        (np.zeros((2, 3), complex), "holds complex128"),
        (np.zeros((2, 3), bool), "holds bool"),
        (np.zeros((2, 3), "U2"), "holds <U2"),
        (np.zeros(3, "f4,i4"), "holds [("),
        (np.array([[1.0, 2.0], [np.nan, 1.0]]), "row 1, column 0: NaN"),
        (np.array([[1.0, 2.0], [-np.inf, np.inf]], "f2"), "row 1, column 1: +inf"),
        (np.array([[1.0, 2.0], [-np.inf, -np.inf]], "f4"), "row 1: every alternative is excluded (-inf"),
    ],
)
def test_npy(choose, tmp_path, array, expected):
    path, out = tmp_path / "in.npy", tmp_path / "out.npy"
    np.save(path, array)
    assert f"{path}: {expected}" in complaint(choose(path, "--out", out))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="no type beyond float64")
def test_npy_of_long_doubles(choose, tmp_path):
    np.save(tmp_path / "in.npy", np.zeros((2, 2), np.longdouble))
    assert "expected float16, float32, float64 or integers" in complaint(choose(tmp_path / "in.npy"))


def test_npy_of_objects_is_not_unpickled(choose, tmp_path):
    np.save(tmp_path / "in.npy", np.array([[1.0, None]], object))
    assert "Python objects" in complaint(choose(tmp_path / "in.npy"))


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: b"PK\3\4" + data, lambda data: data[:-1]])
def test_damaged_npy(choose, npy, damage):
    npy.write_bytes(damage(npy.read_bytes()))
    assert f"{npy}: not a .npy file that can be mapped" in complaint(choose(npy))


def test_npy_fault_in_a_late_chunk_leaves_nothing(choose, small_chunks, tmp_path, npy, utilities):
    utilities[31, 2] = np.nan
    np.save(npy, utilities)
    assert "row 31, column 2: NaN" in complaint(choose(npy, "--out", tmp_path / "out.csv", "--first-row", 1000))
    assert list(tmp_path.iterdir()) == [npy]


@pytest.mark.parametrize("name", ["missing.npy", "missing.csv", "no/missing.csv"])
def test_missing_input(choose, tmp_path, name):
    assert f"{tmp_path / name}: No such file" in complaint(choose(tmp_path / name))


@pytest.mark.parametrize("name", ["folder.npy", "folder.csv"])
def test_input_is_a_directory(choose, tmp_path, name):
    (tmp_path / name).mkdir()
    assert f"{tmp_path / name}: Is a directory" in complaint(choose(tmp_path / name))


def test_unknown_kind_of_input(choose, tmp_path):
    assert "in.txt: expected a file named .npy, .csv, .csv.gz or .parquet, or - for text on" in complaint(
        choose(tmp_path / "in.txt")
    )


@pytest.mark.parametrize(
    ("base", "scenario", "expected"),
    [
        ("a,b\n1,2\n", "a,c\n1,2\n", "column 2 is 'c', but 'b' in"),
        ("a,b\n1,2\n", "b,a\n1,2\n", "column 1 is 'b', but 'a' in"),
        ("a,b\n1,2\n", "a,b,c\n1,2,3\n", "1 rows x 3 alternatives, but 1 rows x 2 alternatives in"),
        ("a,b\n1,2\n", "a,b\n1,2\n3,4\n", "2 rows x 2 alternatives, but 1 rows x 2 alternatives in"),
    ],
)
def test_scenario_of_another_kind(choose, tmp_path, base, scenario, expected):
    paths = tmp_path / "base.csv", tmp_path / "scenario.csv"
    for path, text in zip(paths, (base, scenario), strict=True):
        path.write_text(text)
    said = complaint(choose(paths[0], "--scenario", paths[1]))
    assert f"{paths[1]}: {expected} {paths[0]}" in said


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--draws", "0"], "argument --draws: must be at least 1"),
        (["--draws", "1.5"], "argument --draws: '1.5' is not a whole number from 0"),
        (["--draws", str(2**32 + 1)], "--draws: at most 4294967296"),
        (["--seed", "-1"], "argument --seed"),
        (["--first-row", "x"], "argument --first-row"),
        (["--threads", "0"], "argument --threads"),
        (["--colour"], "unrecognized arguments: --colour"),
        (["--scenario", "s.npy"], "--scenario needs an INPUT"),
        (["in.npy", "--scenario-out", "s.npy"], "--scenario-out needs --scenario"),
        (["in.npy", "--out", "o.txt"], "o.txt: expected a file named .npy, .csv or .parquet"),
        (["in.npy", "--out", "no/o.npy"], "no/o.npy: there is no directory no"),
        (["--out", "o.npy", "--scenario-out", "./o.npy"], "is the output of both"),
    ],
)
def test_arguments(choose, tmp_path, monkeypatch, arguments, expected):
    monkeypatch.chdir(tmp_path)
    assert expected in complaint(choose(*arguments))
    assert list(tmp_path.iterdir()) == []


def test_too_little_memory(choose, monkeypatch, tmp_path, npy):
    """It can be missing in a library, long before the table is read."""

    def refuse(*arguments, **options):
        raise MemoryError

    monkeypatch.setattr(draws, "gumbel_max", refuse)
    assert "not enough memory" in complaint(choose(npy, "--out", tmp_path / "out.npy"))
    assert not (tmp_path / "out.npy").exists()
