"""What the reports on CUDA kernels need of a machine without a GPU: numba-cuda, its toolkit, and NVIDIA's binaries."""

from __future__ import annotations

import importlib
import subprocess

import pytest

try:
    importlib.import_module("tests.cuda")
except pytest.skip.Exception as missing:
    raise SystemExit(f"{missing}. For reports, in a clone: pip install -e '.[cuda-bench]'") from None

from cuda import pathfinder


def tool(name: str, *arguments: str) -> str:
    """Output of a binary of the toolkit."""
    path = pathfinder.find_nvidia_binary_utility(name)
    if path is None:
        raise SystemExit(f"{name} is missing: pip install -e '.[cuda-bench]'")
    done = subprocess.run([path, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{path} failed: pip install -e '.[cuda-bench]' brings the one that fits. {done.stderr}")
    return done.stdout
