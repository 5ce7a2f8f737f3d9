"""Text tables: what separates cells, what a blank one means, and which numbers are numbers."""

import os
import threading

import numpy as np
import pytest

from tests.cli.files import complaint, direct, read_csv, save_csv


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("delimiter", "options"),
    [
        (",", []),
        (";", []),
        ("\t", []),
        (",", ["--delimiter", ","]),
        (";", ["--delimiter", ";"]),
        ("\t", ["--delimiter", "\t"]),
        ("\t", ["--delimiter", "tab"]),
        ("\t", ["--delimiter", r"\t"]),
        ("|", ["--delimiter", "|"]),
    ],
)
def test_delimiters(choose, tmp_path, utilities, delimiter, options):
    path, out = save_csv(tmp_path / "in.csv", utilities, delimiter=delimiter), tmp_path / "out.npy"
    assert choose(path, "--draws", 7, "--out", out, *options).code == 0
    np.testing.assert_array_equal(np.load(out), direct(utilities, draws=7))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_named_pipe(choose, tmp_path, utilities):
    path, out = tmp_path / "in.csv", tmp_path / "out.npy"
    text = save_csv(tmp_path / "text.csv", utilities).read_bytes()
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=[text])
    writer.start()
    assert choose(path, "--draws", 7, "--out", out).code == 0
    writer.join()
    np.testing.assert_array_equal(np.load(out), direct(utilities, draws=7))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
@pytest.mark.parametrize("name", ["in.npy", "in.parquet"])
def test_a_named_pipe_of_another_kind(choose, tmp_path, name):
    os.mkfifo(tmp_path / name)
    holder = os.open(tmp_path / name, os.O_RDWR)  # so that nobody waits for the other end
    os.write(holder, b"PAR1")
    try:
        assert "is a pipe, of which only .csv can be read" in complaint(choose(tmp_path / name))
    finally:
        os.close(holder)


def test_a_delimiter_in_quotes_is_part_of_a_name(choose, tmp_path):
    path, out = write(tmp_path / "in.csv", '\n\n"a, first";"b"\n1;99\n'), tmp_path / "out.csv"
    assert choose(path, "--out", out).code == 0
    assert read_csv(out)[1][2] == "b"


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', "\ufeffsep=;"])
def test_a_first_line_that_names_the_delimiter(choose, tmp_path, first):
    path, out = write(tmp_path / "in.csv", f"{first}\r\n\r\na;b,c\r\n1;99\r\n"), tmp_path / "out.csv"
    assert choose(path, "--out", out).code == 0
    assert read_csv(out)[1][2] == "b,c"
    path = write(path, f"{first}\na;b,c\n1;x\n")
    assert "line 3 (row 0), column 'b,c': 'x' is not a number" in complaint(choose(path))


def test_the_option_goes_before_the_first_line(choose, tmp_path):
    path, out = write(tmp_path / "in.csv", "sep=;\na,b;c\n1,99\n"), tmp_path / "out.csv"
    assert choose(path, "--delimiter", ",", "--out", out).code == 0
    assert read_csv(out)[1][2] == "b;c"


@pytest.mark.parametrize(("delimiter", "options"), [(";", []), ("\t", []), ("|", ["--delimiter", "|"])])
def test_decimal_commas(choose, tmp_path, utilities, delimiter, options):
    cells = [[str(x).replace(".", ",") for x in row] for row in utilities]
    path, out = save_csv(tmp_path / "in.csv", cells, delimiter=delimiter), tmp_path / "out.npy"
    assert choose(path, "--decimal", ",", *options, "--draws", 7, "--out", out).code == 0
    np.testing.assert_array_equal(np.load(out), direct(utilities, draws=7))


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("a;b\n1;1.5\n", [], "line 2 (row 0), column 'b': '1.5' is not a number with a decimal comma"),
        ("a;b\n1;1.000,5\n", [], "column 'b': '1.000,5' is not a number with a decimal comma"),
        ("a;b\n1;\n", [], "column 'b': the cell is blank"),
        ("a;b\n1;NA\n", [], "column 'b': NA; --blank"),
        ("0,5;1\n1;1\n", [], "line 1: holds only numbers"),
        ("a,b\n1,2\n", [], "commas separate the columns, so they are not decimal"),
        ("sep=,\na,b\n1,2\n", [], "commas separate the columns, so they are not decimal"),
        ("a;b\tc\n1;2\n", [], "has both semicolons and tabs"),
        ("a;b\n1;2\n", ["--delimiter", ","], "--decimal: the comma is the --delimiter already"),
    ],
)
def test_what_is_no_decimal_comma(choose, tmp_path, text, options, expected):
    assert expected in complaint(choose(write(tmp_path / "in.csv", text), "--decimal", ",", *options))


@pytest.mark.parametrize("header", ["a", '"a, b"', "a;b, c"])
def test_a_header_whose_commas_are_none_of_the_delimiter(choose, tmp_path, header):
    row = ";".join(["1,5"] * (header.count(";") + 1))
    assert choose(write(tmp_path / "in.csv", f"{header}\n{row}\n"), "--decimal", ",").code == 0


def test_two_delimiters_in_one_header(choose, tmp_path):
    path, out = write(tmp_path / "in.csv", "\na;1,b;2\n1,99\n"), tmp_path / "out.csv"
    expected = "line 2: has both commas and semicolons; --delimiter says which separate the columns"
    assert expected in complaint(choose(path))
    assert choose(path, "--delimiter", ",", "--out", out).code == 0
    assert read_csv(out)[1][2] == "b;2"


def test_a_single_alternative_needs_no_delimiter(choose, tmp_path):
    assert "x 1 alternatives" in choose(write(tmp_path / "in.csv", "a\n1\n2\n")).out


@pytest.mark.parametrize("text", ["", ";;", " ", "a", "1", ".", "-", '"', "\n"])
def test_what_separates_nothing(choose, tmp_path, text):
    path = write(tmp_path / "in.csv", "a,b\n1,2\n")
    assert f"{text!r} does not separate columns" in complaint(choose(path, "--delimiter", text))


def test_npy_has_no_delimiters_and_no_blank_cells(choose, npy):
    assert "--delimiter needs an INPUT that is a .csv file" in complaint(choose(npy, "--delimiter", ";"))
    assert "--decimal needs an INPUT that is a .csv file" in complaint(choose(npy, "--decimal", ","))
    said = complaint(choose(npy, "--blank", "unavailable"))
    assert "--blank needs an INPUT that is a .csv or .parquet file" in said


@pytest.mark.parametrize("options", [[], ["--blank", "error"]])
@pytest.mark.parametrize("cell", ["", " ", '""'])
def test_a_blank_cell_is_an_error(choose, tmp_path, cell, options):
    path = write(tmp_path / "in.csv", f"a,b,c\n1,2,3\n1,{cell},3\n")
    expected = "line 3 (row 1), column 'b': the cell is blank; --blank unavailable excludes such alternatives"
    assert f"{path}: {expected}" in complaint(choose(path, *options))


def test_a_blank_cell_may_exclude(choose, monkeypatch, tmp_path, utilities):
    monkeypatch.setattr("fastgumbel._cli.csv.CELLS", 12)
    gone = np.random.default_rng(5).random(utilities.shape) < 0.4
    gone[:, 2] = False
    path = save_csv(tmp_path / "in.csv", np.where(gone, "", utilities.astype(str)))
    out = tmp_path / "out.npy"
    assert choose(path, "--blank", "unavailable", "--draws", 50, "--out", out).code == 0
    np.testing.assert_array_equal(np.load(out), direct(np.where(gone, -np.inf, utilities), draws=50))


@pytest.mark.parametrize("cell", ["NA", "NaN", "nan", " NA "])
def test_what_is_not_available_may_exclude(choose, tmp_path, cell):
    path, out = write(tmp_path / "in.csv", f"a,b,c\n1,{cell},3\n"), tmp_path / "out.npy"
    assert choose(path, "--blank", "unavailable", "--draws", 50, "--out", out).code == 0
    np.testing.assert_array_equal(np.load(out), direct(np.array([[1, -np.inf, 3]]), draws=50))


def test_a_first_row_with_a_missing_number_is_no_header(choose, tmp_path):
    path = write(tmp_path / "in.csv", "0.5,NA\n1,2\n")
    assert "line 1: holds only numbers" in complaint(choose(path, "--blank", "unavailable"))


def test_a_blank_row_has_nothing_left(choose, tmp_path):
    path = write(tmp_path / "in.csv", "a,b\n1,2\n,\n")
    said = complaint(choose(path, "--blank", "unavailable"))
    assert "line 3 (row 1): every alternative is excluded (-inf" in said


def test_a_blank_cell_excuses_no_other(choose, tmp_path):
    path = write(tmp_path / "in.csv", "a,b,c\n1,,x\n")
    assert "column 'c': 'x' is not a number" in complaint(choose(path, "--blank", "unavailable"))


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("1_000", "'1_000' is not a plain decimal number"),
        ("\u0661\u0662", "'\u0661\u0662' is not a plain decimal number"),
        ("\uff11", "'\uff11' is not a plain decimal number"),
        ("\u00a01", "'\\xa01' is not a plain decimal number"),
        ("-iNf", "'-iNf' is not a plain decimal number"),
        ("INFinity", "'INFinity' is not a plain decimal number"),
        ("nAn", "'nAn' is not a plain decimal number"),
        ("-1e999", "'-1e999' is too large for float64"),
        ("1e999", "'1e999' is too large for float64"),
        ("3,5", "'3,5' is not a number; write a decimal point, or say --decimal ,"),
        ("-,5", "'-,5' is not a number; write a decimal point, or say --decimal ,"),
        ("0,500", "'0,500' is not a number; write a decimal point, or say --decimal ,"),
        ("1,000", "'1,000' is not a number; write 1000 or 1.000"),
        ("-12,345", "'-12,345' is not a number; write -12345 or -12.345"),
        ("1,000,000", "'1,000,000' is not a number; write 1000000"),
        ("1,000.5", "'1,000.5' is not a number; write 1000.5"),
        ("1,000,5", "'1,000,5' is not a number"),
        ("0x10", "'0x10' is not a number"),
        ("1 000", "'1 000' is not a number"),
        ("N/A", "'N/A' is not a number"),
        ("NA", "NA; --blank unavailable excludes such alternatives"),
        ("nan", "nan; --blank unavailable excludes such alternatives"),
        (" NaN", "NaN; --blank unavailable excludes such alternatives"),
        ("NAN", "NaN"),
        ("Infinity", "+inf"),
    ],
)
@pytest.mark.parametrize("beside", ["1e13", "-inf", "-Inf", "7"])
def test_what_is_no_number(choose, tmp_path, cell, what, beside):
    path = write(tmp_path / "in.csv", f"a;b;c\n1;2;3\n{beside};0;{cell}\n")
    assert complaint(choose(path)) == f"fastgumbel: error: {path}: line 3 (row 1), column 'c': {what}\n"


def test_what_is_a_number(choose, tmp_path):
    """One cell in each row is so far ahead that it wins."""
    rows = ["-inf,99,1e13,1.5E+13", " 99 ,-Inf,+.5,1.", "-1e-999,-Infinity,\t99,-0", "-INFINITY,1e0,-99,99.0"]
    path, out = write(tmp_path / "in.csv", "a,b,c,d\n" + "\n".join(rows) + "\n"), tmp_path / "out.csv"
    assert choose(path, "--draws", 9, "--out", out).code == 0
    assert [line[2] for line in read_csv(out)[1::9]] == ["d", "a", "c", "d"]
