"""Suites on CUDA skip where something is missing, and fail where it is broken; seen from outside, without a GPU."""

import subprocess
import sys

import pytest

from fastgumbel._request import device
from tests import requirements
from tests.subprocesses import ROOT, environment

# Pytest in a process where numba-cuda is what it is told to be: loading a module raises an error, or it is not there.
PROGRAM = """
import sys, types
from importlib.machinery import ModuleSpec

sys.modules["numba_cuda"] = {installed} and types.ModuleType("numba_cuda")
if {installed}:
    sys.modules["numba_cuda"].__spec__ = ModuleSpec("numba_cuda", None)
    pathfinder = types.ModuleType("cuda.pathfinder")
    class DynamicLibNotFoundError(RuntimeError):
        pass
    def load_nvidia_dynamic_lib(name):
        if name in {lost}:
            raise DynamicLibNotFoundError(name)
    pathfinder.DynamicLibNotFoundError = DynamicLibNotFoundError
    pathfinder.load_nvidia_dynamic_lib = load_nvidia_dynamic_lib
    sys.modules["cuda"] = types.ModuleType("cuda")
    sys.modules["cuda"].pathfinder = sys.modules["cuda.pathfinder"] = pathfinder

class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "numba.cuda":
            raise {error}

sys.meta_path.insert(0, Broken())
import pytest
raise SystemExit(pytest.main(["-q", "--collect-only", "-p", "no:cacheprovider", "tests/{file}"]))
"""
# One file each, as all of a suite find the same.
FILES = {"device": "device/test_streams.py", "cuda": "cuda/test_seam.py"}
NUMPY = "AttributeError('module numpy has no attribute row_stack')"


def collect(suite, installed=True, lost=(), error="ImportError('not reached')", require=None):
    """Collect a suite in a process of its own, and return whether it failed and what it printed."""
    code = PROGRAM.format(file=FILES[suite], installed=installed or None, lost=lost, error=error)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(FASTGUMBEL_REQUIRE_DEVICE=require),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.NO_TESTS_COLLECTED), done.stderr
    return done.returncode == pytest.ExitCode.INTERRUPTED, done.stdout


@pytest.mark.parametrize("suite", ["device", "cuda"])
def test_without_numba_cuda_the_suites_are_skipped(suite):
    failed, output = collect(suite, installed=False)
    assert not failed
    assert "SKIPPED" in output
    assert "numba-cuda is not installed" in output


def test_without_the_toolkit_the_proof_is_skipped():
    failed, output = collect("cuda", lost=("nvJitLink",))
    assert not failed
    assert "its toolkit has no nvJitLink" in output


@pytest.mark.parametrize("suite", ["device", "cuda"])
def test_what_is_installed_and_does_not_import_fails_with_its_cause(suite):
    failed, output = collect(suite, error=NUMPY)
    assert failed
    assert "AttributeError: module numpy has no attribute row_stack" in output
    assert "SKIPPED" not in output


def test_what_is_missing_fails_where_it_is_required():
    failed, output = collect("device", installed=False, require="1")
    assert failed
    assert "FASTGUMBEL_REQUIRE_DEVICE is set, but numba-cuda is not installed" in output


@pytest.fixture
def installed(monkeypatch):
    """Have numba-cuda installed, with all that the toolkit has."""
    monkeypatch.setattr(requirements, "_is_installed", lambda: True)
    monkeypatch.setattr(requirements, "_TOOLKIT", ())
    monkeypatch.setitem(sys.modules, "cuda", type(sys)("cuda"))
    sys.modules["cuda"].pathfinder = None


def raising(error):
    """Return a function that raises an error."""

    def current():
        raise error

    return current


def test_without_a_device_the_reason_is_the_cause_and_the_proof_goes_on(installed, monkeypatch):
    monkeypatch.setattr(device, "current", raising(RuntimeError("no driver: libcuda.so.1 not found")))
    assert requirements.missing_device() == "no driver: libcuda.so.1 not found"
    assert requirements.missing_toolkit() is None


def test_a_device_lacks_nothing(installed, monkeypatch):
    monkeypatch.setattr(device, "current", lambda: None)
    assert requirements.missing_device() is None
    assert requirements.missing_toolkit() is None


@pytest.mark.parametrize("missing", [requirements.missing_device, requirements.missing_toolkit])
def test_errors_of_imports_are_not_caught(installed, monkeypatch, missing):
    monkeypatch.setattr(device, "current", raising(ImportError("broken")))
    with pytest.raises(ImportError, match="broken"):
        missing()


@pytest.mark.parametrize(("value", "outcome"), [("", "skip"), ("0", "skip"), ("1", "fail")])
def test_the_variable_decides_between_skip_and_failure(monkeypatch, value, outcome):
    monkeypatch.setenv("FASTGUMBEL_REQUIRE_DEVICE", value)
    with pytest.raises(getattr(pytest, outcome).Exception, match="no GPU"):
        requirements.skip_if("no GPU")
    requirements.skip_if(None)
