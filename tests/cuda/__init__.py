"""Kernels for CUDA, proven without a device: compiled as they would be loaded, and run by the PTX interpreter."""

import importlib

import pytest

try:
    importlib.import_module("fastgumbel._cuda.seam")
    importlib.import_module("cuda.pathfinder")
except Exception as error:  # the toolkit's own errors among them
    reason = f"no numba-cuda with its toolkit ({type(error).__name__}): pip install 'fastgumbel[cuda-test]'"
    pytest.skip(reason, allow_module_level=True)
