"""Kernels for CUDA, proven without a device: compiled as they would be loaded, and run by the PTX interpreter."""

from tests.requirements import missing_toolkit, skip_if

skip_if(missing_toolkit())
