"""A PTX text made ready to run: the public face of the interpreter."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from tests.ptx.errors import PTXError
from tests.ptx.frame import Frame, Geometry
from tests.ptx.instructions import build
from tests.ptx.kinds import DTYPES, dtype
from tests.ptx.literals import literal
from tests.ptx.machine import Machine, Tally
from tests.ptx.memory import Memory
from tests.ptx.operands import Operands
from tests.ptx.rounding import check as check_rounding
from tests.ptx.syntax import Function, Instruction, Module, Variable, parse
from tests.ptx.written import check as check_written

# Data of a program lies above what callers register.
_FIRST_OF_PROGRAM = 1 << 20


def _three(size: int | Sequence[int]) -> tuple[int, int, int]:
    sizes = (size,) if isinstance(size, int | np.integer) else tuple(size)
    if not 1 <= len(sizes) <= 3 or min(sizes) < 1:
        raise ValueError(f"{size} is no size of a grid or block")
    return tuple(int(n) for n in (*sizes, 1, 1)[:3])


class Program:
    """One kernel of a PTX text.

    Parameters
    ----------
    text : str
        The PTX.
    entry : str, optional
        Name of the kernel; may be left out if there is only one.
    bare : bool
        Allow additions and multiplications without a rounding mode where they cannot be contracted.

    Attributes
    ----------
    params : list of (name, type, count)
        What the kernel takes, in order.
    counts : Counter
        Executions so far by opcode with its modifiers: one for each thread that came by, guarded or not.
    """

    lanes: ClassVar[int] = 16384
    branches: ClassVar[int] = 1_000_000

    def __init__(self, text: str, entry: str | None = None, *, bare: bool = False) -> None:
        module = parse(text)
        self._function = _entry(module, entry)
        self.params = [(p.name, p.kind, p.count) for p in self._function.params]
        self._data = Memory(_FIRST_OF_PROGRAM)
        symbols = self._layout([*module.variables, *self._function.variables])
        check_rounding(self._function.instructions, bare=bare)
        end = Instruction("the end of the function", None, False, "ret", ())
        self._instructions = [*self._function.instructions, end]
        self._operands = Operands(self._function.registers, symbols, self._function.labels, self._function.tables)
        self._lines = [build(i, self._operands) for i in self._instructions]
        check_written(self._function, self._instructions, self._lines)
        self._tally = Tally(len(self._lines))

    @property
    def counts(self) -> Counter:
        """Executions so far by opcode."""
        counts: Counter = Counter()
        for instruction, threads, _ in self.executions:
            if threads:
                counts[instruction.opcode] += threads
        return counts

    @property
    def executions(self) -> list[tuple[Instruction, int, int]]:
        """Instructions in the order of the text, each with the threads and the warps that came by so far."""
        return list(zip(self._function.instructions, self._tally.threads, self._tally.warps, strict=False))

    def _layout(self, variables: list[Variable]) -> dict[str, int]:
        """Give every variable an address; shared ones of unknown size begin where the others end."""
        symbols, end, dynamic = {}, 0, []
        for variable in variables:
            if variable.space == "local":
                raise PTXError(f"local memory {variable.name}: a spill or an array on the stack")
            if variable.space == "shared" and variable.count is None:
                dynamic.append(variable)
            elif variable.space == "shared":
                symbols[variable.name] = start = -(-end // variable.align) * variable.align
                end = start + variable.count * DTYPES[variable.kind].itemsize
            elif variable.space in ("global", "const"):
                array = _initial(variable)
                symbols[variable.name] = self._data.add(array, constant=variable.space == "const")
        self._shared = -(-end // 16) * 16 if dynamic else end
        return symbols | {variable.name: self._shared for variable in dynamic}

    def run(
        self,
        grid: int | Sequence[int],
        block: int | Sequence[int],
        arguments: Sequence[Any],
        memory: Memory,
        *,
        seed: int | None = None,
        shared_bytes: int = 0,
        blocks: Iterable[int] | None = None,
    ) -> None:
        """Launch the kernel.

        Parameters
        ----------
        grid, block : int or up to three of them
            Blocks, and threads of a block.
        arguments : sequence of numbers
            One for each parameter, converted to its type.
        memory : Memory
            What global addresses refer to.
        seed : int, optional
            Draws an order of blocks, of warps and of atomic operations; without it they run in lock step.
        shared_bytes : int
            Dynamic shared memory.
        blocks : iterable of int, optional
            Which blocks run, numbered with the first dimension fastest; all without it.

        Raises
        ------
        PTXError
            If the kernel does what no correct kernel does.
        """
        geometry = Geometry(_three(grid), _three(block))
        self._check_limits(geometry)
        parameters = self._parameters(arguments)
        rng = None if seed is None else np.random.default_rng(seed)
        chosen = np.arange(np.prod(geometry.grid)) if blocks is None else np.array(list(blocks), np.int64)
        if rng is not None:
            chosen = rng.permutation(chosen)
        side = max(1, self.lanes // geometry.lanes)
        frame = None
        with np.errstate(all="ignore"):
            for start in range(0, len(chosen), side):
                batch = chosen[start : start + side].tolist()
                slots = frame.slots if frame is not None and len(frame.blocks) == len(batch) else None
                frame = Frame(geometry, batch, rng)
                frame.open((memory, self._data), self._shared, shared_bytes)
                frame.slots = self._operands.allocate(frame.lanes, frame.special(), parameters, slots)
                Machine(self._lines, frame, self._tally, self.branches).run()

    def _check_limits(self, geometry: Geometry) -> None:
        if geometry.threads > 1024:
            raise PTXError(f"{geometry.threads} threads in a block")
        for name, limit in self._function.limits.items():
            exact = name == "reqntid"
            if geometry.threads > np.prod(limit) or (exact and geometry.threads != np.prod(limit)):
                raise PTXError(f"{geometry.threads} threads in a block, but .{name} {limit}")

    def _parameters(self, arguments: Sequence[Any]) -> dict[str, bytes]:
        if len(arguments) != len(self.params):
            raise PTXError(f"{len(self.params)} parameters, but {len(arguments)} arguments")
        return {
            name: _argument(kind, count, value)
            for (name, kind, count), value in zip(self.params, arguments, strict=True)
        }


def _argument(kind: str, count: int, value: Any) -> bytes:
    own = dtype(kind)
    if count != 1:
        raise PTXError("parameters that are arrays are not supported")
    if own.kind == "f":
        return own.type(value).tobytes()
    if isinstance(value, float | np.floating):
        raise PTXError(f"the real {value} for a parameter of type .{kind}")
    return int(value).to_bytes(16, "little", signed=True)[: own.itemsize]


def _initial(variable: Variable) -> np.ndarray:
    """Return the array of a module's variable; what is not given is zero."""
    array = np.zeros(variable.count, DTYPES[variable.kind])
    for k, text in enumerate(variable.values):
        value = literal(text, variable.kind)
        if value is None:
            raise PTXError(f"{variable.name} begins with {text}, which is no number")
        array[k] = value
    return array


def _entry(module: Module, name: str | None) -> Function:
    entries = {f.name: f for f in module.functions.values() if f.is_entry}
    if name is None and len(entries) == 1:
        return next(iter(entries.values()))
    if name not in entries:
        raise PTXError(f"no entry {name!r} among {sorted(entries)}")
    return entries[name]
