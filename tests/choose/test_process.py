"""A real process: exit codes, streams and start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastgumbel
from fastgumbel._choose.progress import progress

ROOT = Path(fastgumbel.__file__).resolve().parents[1]


def python(*arguments, stdout=subprocess.PIPE):
    """Run Python where it finds this package, every warning an error."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [sys.executable, "-W", "error", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
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


def test_library_does_not_import_the_command_line():
    code = "import fastgumbel, sys; sys.exit(any('_choose' in name for name in sys.modules))"
    assert python("-c", code).returncode == 0


def test_progress_shows_on_a_terminal_only(monkeypatch, capsys):
    pytest.importorskip("tqdm")
    monkeypatch.setattr("fastgumbel._choose.progress.PATIENCE", 0)
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
