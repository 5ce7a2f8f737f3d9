"""Kernels compiled as they would be loaded on a device that is not there: no driver is asked for anything."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
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

    @cached_property
    def _dump(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "kernel.cubin"
            file.write_bytes(self.cubin)
            return _tool("cuobjdump", "-res-usage", "-sass", str(file))

    def _resource(self, name):
        return int(re.search(rf"\b{name}:(\d+)", self._dump)[1])

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
        lines = re.findall(r"/\*[0-9a-f]{4,}\*/\s+([^;]+?)\s*;", self._dump)
        return [line for line in lines if line != "NOP"]

    @cached_property
    def opcodes(self):
        """Names of the machine instructions, without guards and modifiers."""
        return [re.sub(r"^@!?U?P\w+\s+", "", line).split()[0].split(".")[0] for line in self.sass]

    @property
    def spills(self):
        """Instructions that read or write local memory."""
        return [name for name in self.opcodes if name in ("LDL", "STL")]

    def rounded_ptx(self):
        """The same with its roundings written out; an error where the assembler could contract two of them."""
        found = contractions(self.ptx)
        if found:
            raise ValueError(f"{self.name}: a product feeds an addition: {found[0]}")
        return re.sub(r"\b((?:mul|add|sub)\.)(f32|f64)\b", r"\1rn.\2", self.ptx)


def contractions(ptx):
    """Return additions of PTX that a product feeds which is neither exact nor marked as rounded.

    Nothing else can be contracted, so without them every bare operation is rounded to nearest. A product by a power of
    two is exact: whether it is rounded first makes no difference.
    """
    lines = [re.findall(r"[\w.%]+", line) for line in ptx.splitlines()]
    products: set[str] = set()
    grown = -1
    while grown != len(products):
        grown = len(products)
        for opcode, target, *sources in (line for line in lines if len(line) > 2):
            bare = re.fullmatch(r"mul\.f(32|64)", opcode) and not any(map(_is_power_of_two, sources))
            moved = re.fullmatch(r"(mov|neg|abs|selp)\.[fb](32|64)", opcode) and products & set(sources)
            if bare or moved:
                products.add(target)
    additions = (line for line in lines if line and re.fullmatch(r"(add|sub)\.f(32|64)", line[0]))
    return [" ".join(line) for line in additions if products & set(line[2:])]


def _is_power_of_two(literal):
    return re.fullmatch(r"0d[0-9A-F]{3}0{13}|0f[0-9A-F]{2}[08]0{5}", literal)


def _tool(name, *arguments):
    path = pathfinder.find_nvidia_binary_utility(name)
    if path is None:
        raise FileNotFoundError(f"{name} is missing: pip install 'fastgumbel[cuda-test]'")
    return subprocess.run([path, *arguments], capture_output=True, text=True, check=True).stdout


def compiled(kernel, types, capability):
    """Compile a kernel of the package for a tuple of Numba types and a capability ``(major, minor)``."""

    class Device:
        compute_capability = capability

    # As the library itself completes the capability of the current device.
    target = (*capability, "a" if capability >= (9, 0) else "")
    with (
        mock.patch.object(dispatcher, "get_current_device", return_value=Device),
        mock.patch.object(codegen.CUDACodeLibrary, "_ensure_cc", lambda self, cc: target if cc is None else cc),
    ):
        library = dispatcher._Kernel(kernel.py_func, types, **kernel.targetoptions)._codelibrary
        return Compiled(kernel.py_func.__name__, library.get_lto_ptx(), bytes(library.get_cubin().code))
