"""Kernels compiled as they would be loaded on a device that is not there: no driver is asked for anything."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from unittest import mock

from cuda import pathfinder
from numba.cuda import codegen, dispatcher

CAPABILITIES = ((7, 5), (8, 0), (8, 6), (9, 0), (10, 0), (12, 0))


@dataclass(frozen=True)
class Compiled:
    """A kernel for argument types and a compute capability.

    ``ptx`` is what is left after link-time optimisation, ``cubin`` what would be loaded.
    """

    name: str
    ptx: str
    cubin: bytes

    def _dump(self, what):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "kernel.cubin"
            file.write_bytes(self.cubin)
            return _tool("cuobjdump", what, str(file))

    @cached_property
    def _usage(self):
        return self._dump("-res-usage")

    def _resource(self, name):
        return int(re.search(rf"\b{name}:(\d+)", self._usage)[1])

    @property
    def registers(self):
        """32-bit registers a thread."""
        return self._resource("REG")

    @property
    def local_bytes(self):
        """Bytes of local memory and stack a thread, spills among them."""
        return self._resource("STACK") + self._resource("LOCAL")

    @property
    def shared_bytes(self):
        """Bytes of static shared memory a block."""
        return self._resource("SHARED")

    @cached_property
    def sass(self):
        """Machine instructions as text, in order, without the padding at the end."""
        lines = re.findall(r"/\*[0-9a-f]{4,}\*/\s+([^;]+?)\s*;", self._dump("-sass"))
        return [line for line in lines if line != "NOP"]

    @cached_property
    def opcodes(self):
        """Names of the machine instructions, without guards and modifiers."""
        return [re.sub(r"^@!?U?P\w+\s+", "", line).split()[0].split(".")[0] for line in self.sass]

    @property
    def spills(self):
        """Instructions that read or write local memory."""
        return [name for name in self.opcodes if name in ("LDL", "STL")]


def _tool(name, *arguments):
    path = pathfinder.find_nvidia_binary_utility(name)
    if path is None:
        raise FileNotFoundError(f"{name} is missing: pip install 'fastgumbel[cuda-test]'")
    return subprocess.run([path, *arguments], capture_output=True, text=True, check=True).stdout


@cache
def library(kernel, types, capability):
    """Return the code library of a kernel, whose frontend ran for a capability."""

    class Device:
        compute_capability = capability

    with (
        mock.patch.object(dispatcher, "get_current_device", return_value=Device),
        mock.patch.object(codegen.CUDACodeLibrary, "_ensure_cc", return_value=_target(capability)),
    ):
        return dispatcher._Kernel(kernel.py_func, types, **kernel.targetoptions)._codelibrary


def _target(capability):
    """Return the target that the library chooses for a device of a capability."""
    return (*capability, "a" if capability >= (9, 0) else "")


@cache
def compiled(kernel, types, capability):
    """Compile a kernel of the package for a tuple of Numba types and a capability ``(major, minor)``.

    The frontend knows nothing of capabilities (``test_compiled.py`` looks), so it runs once for all.
    """
    code, target = library(kernel, types, CAPABILITIES[0]), _target(capability)
    return Compiled(kernel.py_func.__name__, code.get_lto_ptx(cc=target), bytes(code.get_cubin(cc=target).code))
