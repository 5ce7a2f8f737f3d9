"""Kernels compiled as they would be loaded on a device that is not there: no driver is asked for anything."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import SimpleNamespace
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


def bind(kernel):
    """Load nothing, but let a kernel be found from its code, as it is where it has been loaded."""
    kernel._codelibrary.loaded = SimpleNamespace(kernel=kernel, module=SimpleNamespace(initialized=True))


@cache
def kernel_of(dispatched, types, capability=CAPABILITIES[0]):
    """Return a kernel of the package for a tuple of Numba types, whose frontend ran for a capability."""

    class Device:
        compute_capability = capability

    with (
        mock.patch.object(dispatcher, "get_current_device", return_value=Device),
        mock.patch.object(codegen.CUDACodeLibrary, "_ensure_cc", return_value=_target(capability)),
        mock.patch.object(dispatcher._Kernel, "bind", bind),
    ):
        if capability == CAPABILITIES[0]:
            return dispatched.compile(types)  # kept for launches
        return dispatcher._Kernel(dispatched.py_func, types, **dispatched.targetoptions)


def _target(capability):
    """Return the target that the library chooses for a device of a capability."""
    return (*capability, "a" if capability >= (9, 0) else "")


@cache
def ptx_of(kernel, capability):
    """Return the PTX that is left of a kernel after link-time optimisation for a capability."""
    return kernel._codelibrary.get_lto_ptx(cc=_target(capability))


@cache
def compiled(kernel, capability):
    """Compile a kernel for a capability ``(major, minor)``.

    The frontend knows nothing of capabilities (``test_compiled.py`` looks), so it runs once for all.
    """
    cubin = kernel._codelibrary.get_cubin(cc=_target(capability))
    return Compiled(kernel.py_func.__name__, ptx_of(kernel, capability), bytes(cubin.code))
