"""Tables on standard input, packed tables, and columns that are left out."""

import gzip
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.cli.files import MODES, complaint, direct, save_csv
from tests.cli.test_process import python

TEXT = "air,train\n0.5,1\n-inf,2\n"


@pytest.fixture
def piped(monkeypatch, tmp_path):
    """Let standard input be what is given: a file, or a pipe that someone writes to."""
    opened = []

    def give(data, pipe=False):
        path = tmp_path / "stdin"
        path.write_bytes(data)
        if pipe:
            opened.append(subprocess.Popen(["cat", path], stdout=subprocess.PIPE))
            monkeypatch.setattr(sys, "stdin", opened[-1].stdout)
        else:
            opened.append(path.open("rb"))
            monkeypatch.setattr(sys, "stdin", opened[-1])

    yield give
    for file in opened:
        if isinstance(file, subprocess.Popen):
            file.stdout.close()
            file.wait()
        else:
            file.close()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("pipe", [False, pytest.param(True, marks=pytest.mark.skipif(os.name == "nt", reason="cat"))])
def test_standard_input(choose, piped, tmp_path, utilities, packed, pipe):
    data = save_csv(tmp_path / "in.csv", utilities, ids=range(50, 83)).read_bytes()
    piped(gzip.compress(data) if packed else data, pipe)
    out = tmp_path / "out.npy"
    seen = choose("-", "--id", "person_id", "--draws", 5, "--seed", 3, "--out", out)
    assert (seen.code, seen.err) == (0, "")
    np.testing.assert_array_equal(np.load(out), direct(utilities, draws=5, seed=3, rows=np.arange(50, 83)))
    assert "standard input" in seen.out


def test_standard_input_stays_open(choose, piped):
    piped(TEXT.encode())
    assert choose("-").code == 0
    assert not sys.stdin.closed
    os.fstat(sys.stdin.fileno())


def test_a_scenario_on_standard_input(choose, piped, tmp_path, utilities):
    path = save_csv(tmp_path / "in.csv", utilities)
    piped(path.read_bytes())
    assert choose(path, "--scenario", "-", "--draws", 3).code == 0
    assert "--scenario: standard input is the INPUT already" in complaint(choose("-", "--scenario", "-"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "standard input: is empty; expected a header"),
        (b"a,b\n1,x\n", "standard input: line 2 (row 0), column 'b': 'x' is not a number"),
        (b"a,b\n1,\xff\n", "standard input: after line 0: not UTF-8 text"),
        (b"PAR1\x15...", "standard input: is a Parquet file; name it .parquet"),
        (b"\x93NUMPY\x01\x00", "standard input: is a NumPy file; name it .npy"),
        (gzip.compress(TEXT.encode(), mtime=0)[:-9], "standard input: is no sound gzip file: Compressed file ended"),
    ],
)
def test_what_is_wrong_with_standard_input(choose, piped, data, message):
    piped(data)
    assert message in complaint(choose("-"))


def test_a_closed_standard_input(choose, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert "standard input: is closed" in complaint(choose("-"))


def test_a_file_whose_name_is_a_dash(choose, tmp_path, monkeypatch, piped):
    """It has a directory before it, and then a name that tells no kind."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_text(TEXT)
    assert "-: expected a file named" in complaint(choose(tmp_path / "-"))


def test_a_pipeline():
    """A real process, which reads from another one."""
    seen = subprocess.run(
        [sys.executable, "-W", "error", "-m", "fastgumbel", "choose", "-", "--quiet"],
        input=TEXT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (seen.returncode, seen.stderr) == (0, "")
    assert "standard input:\n2 rows (numbered 0 to 1) x 2 alternatives" in seen.stdout


@pytest.mark.parametrize("name", ["in.csv.gz", "IN.CSV.GZ"])
def test_packed_text(choose, tmp_path, utilities, name):
    data = save_csv(tmp_path / "plain.csv", utilities).read_bytes()
    path, out = tmp_path / name, tmp_path / "out.npy"
    # Two members after each other are one file, too.
    path.write_bytes(gzip.compress(data[:100]) + gzip.compress(data[100:]))
    assert choose(path, "--draws", 5, "--out", out, "--delimiter", ",").code == 0
    np.testing.assert_array_equal(np.load(out), direct(utilities, draws=5))
    assert choose(path, "--scenario", tmp_path / "plain.csv").code == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"a,b\n1,2\n", "in.csv.gz: is no sound gzip file: Not a gzipped file"),
        (lambda data: b"", "in.csv.gz: is empty"),
        (lambda data: data[:-12], "in.csv.gz: is no sound gzip file: Compressed file ended"),
        (lambda data: data[:-8] + b"\0" * 8, "in.csv.gz: is no sound gzip file: CRC check failed"),
        (lambda data: data[:30] + b"\xff" * 20 + data[50:], "in.csv.gz: is no sound gzip file"),
        (lambda data: gzip.compress(b"PAR1\x15..."), "in.csv.gz: is a Parquet file"),
        (lambda data: gzip.compress(data), "in.csv.gz: is a gzip file; name it .csv.gz"),
    ],
    ids=["plain", "empty", "cut", "checksum", "damaged", "parquet", "twice"],
)
def test_what_is_wrong_with_packed_text(choose, tmp_path, utilities, change, message):
    path = tmp_path / "in.csv.gz"
    data = save_csv(tmp_path / "plain.csv", np.tile(utilities, (50, 1))).read_bytes()
    path.write_bytes(change(gzip.compress(data, mtime=0)))
    assert message in complaint(choose(path))
    assert "no.csv.gz: No such file" in complaint(choose(tmp_path / "no.csv.gz"))
    assert "o.csv.gz: expected a file named" in complaint(
        choose(tmp_path / "plain.csv", "--out", tmp_path / "o.csv.gz")
    )


def with_others(tmp_path, utilities, name="in.csv"):
    """Write a table with an unnamed index, text and numbers beside the alternatives."""
    others = [["", "income", *MODES, "note"]]
    others += [[i, 2 * i, *row, f"n{i}"] for i, row in enumerate(utilities.tolist())]
    path = tmp_path / name
    path.write_text("\n".join(",".join(map(str, line)) for line in others) + "\n")
    return path


@pytest.mark.parametrize(
    "options",
    [
        ["--exclude", ",income,note"],
        ["--id", "", "--exclude", "note, income"],
        ["--exclude", "", "--id", "note", "--columns", "air,train,bus,car"],
    ],
)
def test_columns_that_are_left_out(choose, tmp_path, utilities, options):
    path, out = with_others(tmp_path, utilities), tmp_path / "out.npy"
    seen = choose(path, *options, "--draws", 4, "--out", out)
    if "--columns" in options:
        assert "--exclude: what is not among --columns is left out already" in complaint(seen)
        return
    assert "33 rows" in seen.out
    np.testing.assert_array_equal(np.load(out), direct(utilities, draws=4))


def test_columns_of_parquet_that_are_left_out(choose, tmp_path, utilities):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame(utilities, columns=MODES).assign(note="text", day=pandas.Timestamp("2026-01-01"))
    path, out = tmp_path / "in.parquet", tmp_path / "out.npy"
    frame.to_parquet(path)
    assert "column 'note' holds" in complaint(choose(path))
    assert choose(path, "--exclude", "note,day", "--draws", 4, "--out", out).code == 0
    np.testing.assert_array_equal(np.load(out), direct(utilities, draws=4))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--exclude", "incme"], "line 1: there is no column 'incme'; there are 'income', 'air', 'train'"),
        (["--exclude", "note,note"], "'note' stands there twice"),
        (["--id", "note", "--exclude", "note"], "--exclude: 'note' is the column of --id"),
        (["--exclude", ",income,air,train,bus,car,note"], "no column is left for alternatives"),
        (
            ["--exclude", "income,note"],
            "column 1 has no name; if it holds ids, --id '' names the rows by it; --exclude ''",
        ),
    ],
)
def test_what_cannot_be_left_out(choose, tmp_path, utilities, options, message):
    assert message in complaint(choose(with_others(tmp_path, utilities), *options))


def test_an_array_has_no_columns_to_leave_out(choose, npy, tmp_path, utilities):
    assert "--exclude needs an INPUT that is a .csv or .parquet file" in complaint(choose(npy, "--exclude", "a"))
    path = save_csv(tmp_path / "in.csv", utilities)
    assert "--exclude needs named columns" in complaint(choose(path, "--scenario", npy, "--exclude", "air"))


def test_help_names_them():
    text = python("-m", "fastgumbel", "choose", "--help").stdout
    for part in ("--exclude A,B,...", ".csv.gz", "on standard input"):
        assert part in text
