"""Interpreter of PTX on NumPy lanes: runs a GPU kernel with no GPU, and refuses what is not certain to be right."""

from tests.ptx.errors import PTXError
from tests.ptx.memory import UNWRITTEN, Memory
from tests.ptx.program import Program

__all__ = ["UNWRITTEN", "Memory", "PTXError", "Program"]
