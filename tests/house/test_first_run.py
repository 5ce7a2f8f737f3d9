"""`bench/first_run.sh`, of which a GPU sees the most: what it does where there is none, and how it takes failures."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.subprocesses import ROOT, environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the command is for Linux")

SCRIPT = ROOT / "bench" / "first_run.sh"
PARTS = ["machine", "smoke", "host time", "equality", "streams", "other libraries", "large arrays", "benchmark"]
# In the place of Python: prints what it is asked to do, and fails, or never ends, where it is told to.
STUB = """#!/bin/sh
echo "asked: $* (required: $FASTGUMBEL_REQUIRE_DEVICE)"
case "$*" in
    *"$STUB_FAILS"*) exit 1 ;;
    *"$STUB_HANGS"*) exec sleep 600 ;;
esac
"""


def first_run(out, *arguments, **variables):
    """Run the command, and return its status, its log, and the result of every part."""
    done = subprocess.run(
        [SCRIPT, *map(str, arguments)],
        env=environment(OUT=str(out), **variables),
        capture_output=True,
        text=True,
        timeout=300,
    )
    results = dict(re.fullmatch("(.+): (.+), [0-9]+ s", line).groups() for line in lines(out))
    log = (out / "log.txt").read_text()
    assert log in done.stdout, done.stderr
    return done.returncode, log, results


def lines(out):
    """Return the lines of parts in the summary."""
    return [line for line in (out / "summary.txt").read_text().splitlines() if "not run" not in line]


@pytest.fixture
def stub(tmp_path):
    """Give variables that put a stub in the place of Python; a function, of what fails and what hangs."""
    path = tmp_path / "python"
    path.write_text(STUB)
    path.chmod(0o755)
    return lambda fails="nothing", hangs="nothing": {"PYTHON": str(path), "STUB_FAILS": fails, "STUB_HANGS": hangs}


def test_it_parses_and_is_executable():
    subprocess.run(["bash", "-n", SCRIPT], check=True)
    assert os.access(SCRIPT, os.X_OK)


def test_what_it_runs_is_there():
    text = SCRIPT.read_text()
    files = set(re.findall(r"(?:bench|tests)/[\w/]+\.py", text))
    assert files >= {f"tests/device/test_{name}.py" for name in ("equality", "streams", "interop", "large")}
    assert [name for name in sorted(files) if not (ROOT / name).is_file()] == []


def test_the_benchmark_has_time_left():
    limits = [int(limit) for limit in re.findall(r"part (?:'[\w ]+'|\w+) (\d+) ", SCRIPT.read_text())]
    assert len(limits) == len(PARTS)  # with the wheels, without the benchmark
    total = int(re.search(r"FIRST_RUN_SECONDS:-(\d+)", SCRIPT.read_text())[1])
    assert sum(limits) + 80 <= total <= 590


def test_without_a_gpu_it_says_so_and_writes_its_summary(tmp_path):
    status, log, results = first_run(tmp_path, tmp_path, PYTHON=sys.executable, CUDA_VISIBLE_DEVICES="-1")
    assert (status, results) == (1, {"machine": "failed"})
    assert "There is no GPU to run on: " in log
    assert "the other parts: not run" in log


@pytest.mark.parametrize("name", ["device", "device_host_time", "device_machine", "device_smoke"])
def test_without_numba_cuda_every_script_says_so_and_fails(name):
    code = f"""
import runpy, sys
sys.modules["numba_cuda"] = None
sys.path.insert(0, "bench")
sys.argv = ["{name}.py"]
runpy.run_path("bench/{name}.py", run_name="__main__")
"""
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, env=environment(), cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 3
    assert done.stderr.startswith("There is no GPU to run on: numba-cuda is not installed")


def test_wheels_replace_modules_and_numpy_has_what_numba_cuda_asks_for(tmp_path):
    shutil.copy(ROOT / "bench" / "first_run_site.py", tmp_path / "sitecustomize.py")
    (tmp_path / "redirector.pth").write_text("import sys; sys.redirected = True\n")
    code = "import sys, numpy; assert numpy.row_stack([1, 2]).shape == (2, 1); assert sys.redirected"
    subprocess.run([sys.executable, "-c", code], env=environment(tmp_path), check=True)


def test_all_parts_run_in_order(tmp_path, stub):
    (tmp_path / "numba_cuda.whl").touch()
    status, log, results = first_run(tmp_path, tmp_path, **stub())
    assert status == 0
    assert list(results.items()) == [(name, "ok") for name in ["wheels", *PARTS]]
    install = next(line for line in log.splitlines() if "-m pip install" in line)
    assert "--no-index --no-deps" in install
    assert f"{tmp_path}/numba_cuda.whl" in install
    tests = [line for line in log.splitlines() if "-m pytest" in line]
    assert len(tests) == 4
    assert all(line.endswith("(required: 1)") for line in tests)


def test_a_failure_does_not_stop_what_comes_next(tmp_path, stub):
    status, _, results = first_run(tmp_path, tmp_path, **stub(fails="test_streams.py"))
    assert status == 1
    assert results == dict.fromkeys(PARTS, "ok") | {"streams": "failed"}


def test_a_part_is_stopped_when_its_time_is_over(tmp_path, stub):
    status, log, results = first_run(tmp_path, tmp_path, FIRST_RUN_SECONDS="1", **stub(hangs="device_machine.py"))
    assert status == 1
    assert results == dict.fromkeys(PARTS, "out of time")
    assert "asked: bench/device_machine.py" in log
    assert "asked: bench/device_smoke.py" not in log
