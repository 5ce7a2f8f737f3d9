"""What a call costs: warp instructions by pipe and bytes by launch, counted where the PTX interpreter runs it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
from cuda_cases import Case
from cuda_machine_code import MachineCode, machine_code
from numba import types

from tests.cuda.driver import FakeDriver, loaded
from tests.ptx.memory import GlobalSpace

_CONTROL = {"BRA", "BRX", "JMP", "EXIT", "RET", "CALL", "BSSY", "BSYNC", "BREAK", "BAR", "WARPSYNC", "NANOSLEEP"}
_CONTROL |= {"ENDCOLLECTIVE", "DEPBAR", "MEMBAR", "ERRBAR", "CCTL", "S2R", "CS2R", "R2UR", "LDC", "YIELD", "KILL"}
_GLOBAL = {"LDG", "STG", "LD", "ST", "ATOM", "ATOMG", "RED", "REDG"}
_CONVERSIONS = {"I2F", "F2I", "F2F", "FRND", "MUFU", "POPC", "FLO", "BREV", "I2FP", "F2IP"}
_FLOAT32 = {"FADD", "FMUL", "FFMA", "HFMA2", "HADD2", "HMUL2", "FADD32I", "FMUL32I", "FFMA32I"}


def pipe(opcode: str) -> str:
    """Where a machine instruction runs, one of `cuda_rates.PIPES`."""
    name = opcode.split(".")[0]
    if name in ("IMAD", "IDP", "IMUL"):
        return "integer product"
    if name in _FLOAT32:
        return "float32"
    if name in ("DADD", "DMUL", "DFMA", "DSETP", "DMNMX"):
        return "float64"
    if name in _CONVERSIONS:
        return "64-bit conversion" if "64" in opcode else "conversion"
    if name in ("SHFL", "LDS", "STS", "ATOMS", "LDSM"):
        return "shared, shuffle"
    if name in _GLOBAL:
        return "global"
    if name in _CONTROL or name.startswith("U"):
        return "uniform, control"
    return "ALU"


@dataclass(frozen=True)
class Launch:
    """One launch: warp instructions by opcode, and the kernel behind it.

    Bytes of global memory are what warps ask for: all that several lanes read at once counts once. Those of
    `distinct_bytes` count once a launch.
    """

    kernel: Any
    grid: int
    block: int
    shared_bytes: int
    opcodes: dict[str, float]
    asked_bytes: int
    distinct_bytes: int

    @property
    def name(self) -> str:
        """The kernel and the type of the first array of numbers that it takes."""
        arrays = [argument.dtype for argument in self.kernel.argument_types if isinstance(argument, types.Array)]
        kind = next((kind for kind in arrays if isinstance(kind, types.Float)), "")
        return f"`{self.kernel.py_func.__name__}` {kind}".rstrip()

    @property
    def pipes(self) -> dict[str, float]:
        """Warp instructions by pipe."""
        pipes: dict[str, float] = defaultdict(float)
        for opcode, executed in self.opcodes.items():
            pipes[pipe(opcode)] += executed
        return pipes


class Traffic:
    """Accesses of global memory."""

    def __init__(self) -> None:
        self.asked = 0
        self._words: dict[int, list[np.ndarray]] = defaultdict(list)

    def add(self, addresses: np.ndarray, lanes: np.ndarray, size: int) -> None:
        """Count one access."""
        order = np.lexsort((addresses, lanes >> 5))
        warps, words = lanes[order] >> 5, addresses[order]
        self.asked += size * (1 + np.count_nonzero((np.diff(warps) != 0) | (np.diff(words) != 0)))
        self._words[size].append(np.unique(words))

    @property
    def distinct(self) -> int:
        """Bytes of all words, each once."""
        return sum(size * np.unique(np.concatenate(words)).size for size, words in self._words.items())

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count all accesses of programs that run meanwhile."""
        load, store, update = GlobalSpace.load, GlobalSpace.store, GlobalSpace.update

        def counting_load(space: Any, addresses: Any, lanes: Any, size: int) -> Any:
            self.add(addresses, lanes, size)
            return load(space, addresses, lanes, size)

        def counting_store(space: Any, addresses: Any, lanes: Any, values: Any) -> None:
            self.add(addresses, lanes, values.itemsize)
            store(space, addresses, lanes, values)

        def counting_update(space: Any, addresses: Any, lanes: Any, size: int, apply: Any) -> None:
            self.add(addresses, lanes, size)
            update(space, addresses, lanes, size, apply)

        with mock.patch.multiple(GlobalSpace, load=counting_load, store=counting_store, update=counting_update):
            yield


class Recorder(FakeDriver):
    """A driver that keeps what every launch cost."""

    def __init__(self, capability: tuple[int, int]) -> None:
        super().__init__(capability=capability)
        self.profiles: list[Launch] = []

    def core_launch(self, stream: Any, config: Any, kernel: Any, *arguments: Any) -> None:
        """Run a kernel, and look at what it cost."""
        program = loaded(kernel, self.capability)
        before, traffic = [warps for *_, warps in program.executions], Traffic()
        with traffic.counted():
            super().core_launch(stream, config, kernel, *arguments)
        warps = [after - once for (*_, after), once in zip(program.executions, before, strict=True)]
        opcodes = executed(machine_code(kernel, self.capability), warps)
        grid, block, shared_bytes = config.grid[0], config.block[0], config.shmem_size
        self.profiles.append(Launch(kernel, grid, block, shared_bytes, opcodes, traffic.asked, traffic.distinct))


def executed(code: MachineCode, warps: list[int]) -> dict[str, float]:
    """Warp instructions by opcode: each as often as its origin in the PTX ran, functions as often as their calls."""
    times = [ran / copies for ran, copies in zip(warps, code.copies, strict=True)]
    calls: dict[str, float] = defaultdict(float)
    for instruction in code.instructions:
        if instruction.calls:
            calls[instruction.calls] += times[instruction.origin]
    result: dict[str, float] = defaultdict(float)
    for instruction in code.instructions:
        result[instruction.opcode] += calls[instruction.part] if instruction.part else times[instruction.origin]
    return result


def profile(case: Case, capability: tuple[int, int]) -> list[Launch]:
    """Run a case on a device of a capability in the host's memory, and tell what its launches cost."""
    with Recorder(capability).installed() as device:
        case.run(device)
    return device.profiles
