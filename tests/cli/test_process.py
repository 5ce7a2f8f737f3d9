"""A real process: exit codes, streams and start."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

import fastgumbel
from fastgumbel.__main__ import main
from fastgumbel._cli.console import compile_notice, progress

ROOT = Path(fastgumbel.__file__).resolve().parents[1]
NOTICE = "fastgumbel: compiling kernels, once for this machine: some seconds"
# Runs the command, and prints a line where Numba begins to compile a function, and where a clock is read.
WITNESS = """
import sys
from time import perf_counter

from numba.core import event

from fastgumbel.__main__ import main
from fastgumbel._cli import draws


class Witness(event.Listener):
    def on_start(self, event):
        print("compile", file=sys.stderr)

    def on_end(self, event):
        pass


def clock():
    print("clock", file=sys.stderr)
    return perf_counter()


draws.perf_counter = clock
with event.install_listener("numba:compile", Witness()):
    sys.exit(main(["choose", "--draws", "10"]))
"""


def python(*arguments, stdout=subprocess.PIPE, **variables):
    """Run Python where it finds this package, every warning an error."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [sys.executable, "-W", "error", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))} | variables,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
        check=False,
    )


def run(*arguments, stdout=subprocess.PIPE):
    return python("-m", "fastgumbel", *arguments, stdout=stdout)


def test_shipped_data():
    done = run("choose", "--draws", 10)
    assert (done.returncode, done.stderr) == (0, "")
    assert ", all to train\n" in done.stdout


def test_a_first_run_says_beforehand_that_it_compiles_and_does_not_count_that(tmp_path):
    first, second = (python("-c", WITNESS, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    lines = first.stderr.splitlines()
    start = lines.index("clock")
    assert lines[:2] == ["compile", NOTICE]
    assert set(lines[2:start]) == {"compile"}
    assert set(lines[start:]) == {"clock"}
    assert set(second.stderr.splitlines()) == {"clock"}


@pytest.mark.parametrize("quiet", [False, True])
def test_the_notice_comes_once_and_only_where_something_is_compiled(capsys, quiet):
    @numba.njit
    def double(x):
        return 2 * x

    for _ in range(2):
        with compile_notice(quiet=quiet):
            assert double(1) == double(1.0) == 2
    assert capsys.readouterr().err == ("" if quiet else f"{NOTICE}\n")


def test_help_without_a_command():
    done = run()
    assert (done.returncode, done.stderr) == (0, "")
    assert "choose" in done.stdout


def test_version():
    assert run("--version").stdout == f"fastgumbel {fastgumbel.__version__}\n"


def test_error_is_one_line():
    done = run("choose", "missing.npy")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "fastgumbel: error: missing.npy: No such file or directory\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
def test_full_standard_output():
    with open("/dev/full", "w") as full:
        done = run(stdout=full)
    assert done.returncode == 2
    assert done.stderr == "fastgumbel: error: standard output: No space left on device\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no such pipes")
def test_a_reader_that_has_read_enough(tmp_path, npy):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = run("choose", npy, "--quiet", "--out", tmp_path / "out.npy", stdout=writer)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")
    assert (tmp_path / "out.npy").exists()


def test_names_that_the_terminal_cannot_show(monkeypatch, tmp_path):
    path, shown = tmp_path / "in.csv", io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    path.write_text("åuto,バス\n1,2\n", encoding="utf-8")
    monkeypatch.setattr("sys.stdout", shown)
    assert main(["choose", str(path)]) == 0
    text = shown.buffer.getvalue().decode("cp1252")
    assert "\nåuto " in text
    assert "\n?? " in text


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_stream_that_is_closed(choose, monkeypatch, tmp_path, npy, stream):
    """As Python begins so in a process without it."""
    monkeypatch.setattr(sys, stream, None)
    assert choose(npy, "--out", tmp_path / "out.npy").code == 0
    assert (tmp_path / "out.npy").exists()
    failed = choose("missing.npy")
    assert (failed.code, failed.out) == (2, "")


def test_library_does_not_import_the_command_line():
    code = "import fastgumbel, sys; sys.exit('fastgumbel._cli' in sys.modules)"
    assert python("-c", code).returncode == 0


def test_progress_shows_on_a_terminal_only(monkeypatch, capsys):
    pytest.importorskip("tqdm")
    monkeypatch.setattr("fastgumbel._cli.console.PATIENCE", 0)
    for terminal, quiet, shown in [(False, False, False), (True, True, False), (True, False, True)]:
        monkeypatch.setattr(sys.stderr, "isatty", lambda terminal=terminal: terminal)
        with progress(10, " choices", quiet=quiet) as advance:
            advance(10)
        assert ("choices" in capsys.readouterr().err) is shown


def test_progress_does_without_tqdm(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress(10, " choices", quiet=False) as advance:
        advance(10)
    assert capsys.readouterr().err == ""
