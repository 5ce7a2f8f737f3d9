"""Loads, stores and atomic operations."""

import numpy as np

from tests.ptx.errors import LaneFault, PTXError
from tests.ptx.kinds import dtype, is_real, unsigned
from tests.ptx.move import vector
from tests.ptx.operands import Operands
from tests.ptx.steps import Modifiers, Step, effect, opcode, pure
from tests.ptx.syntax import Instruction

_SPACES = ("global", "shared", "const", "param", "local")
_ORDERS = frozenset({"weak", "volatile", "relaxed", "acquire", "release", "acq_rel", "cta", "cluster", "gpu", "sys"})
# How data is cached changes no value: one block's stores are seen by the next.
_HINTS = _ORDERS | {"ca", "cg", "cs", "lu", "cv", "wb", "wt", "nc"}


def _space(m: Modifiers) -> str:
    space = m.take(*_SPACES) or "generic"
    if space == "local":
        raise PTXError("local memory: a spill or an array on the stack")
    return space


def _count(m: Modifiers, operand: str) -> int:
    count = int((m.take("v2", "v4") or "v1")[1])
    if len(vector(operand)) != count:
        raise PTXError(f"{operand} has not {count} elements")
    return count


def _addresses(frame, slot: int, offset: np.uint64, lanes: np.ndarray, bytes_: int) -> np.ndarray:
    """Return the addresses of some lanes, which must be multiples of what they move."""
    base = np.broadcast_to(frame.slots[slot], frame.lanes)[lanes].astype(np.uint64)
    addresses = base + offset
    wrong = addresses & np.uint64(bytes_ - 1)
    if wrong.any():
        raise LaneFault(
            f"address {int(addresses[wrong.argmax()]):#x} is not a multiple of {bytes_}", lanes[wrong.argmax()]
        )
    return addresses


@opcode("ld", "ldu")
def ld(i: Instruction, o: Operands) -> Step:
    """Load one to four elements, extended into wider registers."""
    m = Modifiers(i)
    kind, space, count = m.kind(), _space(m), _count(m, i.operands[0])
    m.drop(_HINTS)
    m.finish()
    own = dtype(kind)
    targets = [o.write(x, kind, widen=True) for x in vector(i.operands[0])]
    if space == "param":
        return _parameter(i.operands[1], o, own, targets)
    base, offset = o.address(i.operands[1])

    def run(frame, mask):
        lanes = np.flatnonzero(mask)
        addresses = _addresses(frame, base, offset, lanes, own.itemsize * count)
        for k, d in enumerate(targets):
            words = frame.spaces[space].load(addresses + np.uint64(k * own.itemsize), lanes, own.itemsize)
            frame.slots[d][lanes] = words.view(own)

    return effect(run)


def _parameter(text: str, o: Operands, own: np.dtype, targets: list[int]) -> Step:
    name, _, offset = text.strip("[] ").partition("+")
    slots = [o.parameter(name.strip(), int(offset or 0) + k * own.itemsize, own) for k in range(len(targets))]

    def run(s, where):
        for d, a in zip(targets, slots, strict=True):
            np.copyto(s[d], s[a], where=where, casting="unsafe")

    return pure(run)


@opcode("st")
def st(i: Instruction, o: Operands) -> Step:
    """Store one to four elements, of wider registers the low part."""
    m = Modifiers(i)
    kind, space, count = m.kind(), _space(m), _count(m, i.operands[1])
    m.drop(_HINTS)
    m.finish()
    if space in ("param", "const"):
        raise PTXError(f"space .{space} cannot be written")
    own = dtype(kind)
    word = unsigned(own.itemsize)
    base, offset = o.address(i.operands[0])
    sources = [o.read(x, kind, narrow=True) for x in vector(i.operands[1])]

    def run(frame, mask):
        lanes = np.flatnonzero(mask)
        addresses = _addresses(frame, base, offset, lanes, own.itemsize * count)
        for k, a in enumerate(sources):
            values = np.broadcast_to(frame.slots[a], frame.lanes)[lanes].view(word)
            frame.spaces[space].store(addresses + np.uint64(k * own.itemsize), lanes, values)

    return effect(run)


def _wrapped(old, limit):
    return old.dtype.type(0) if old >= limit else old + old.dtype.type(1)


def _lowered(old, limit):
    return limit if old == 0 or old > limit else old - old.dtype.type(1)


_ATOMIC = {
    "add": np.add, "min": np.minimum, "max": np.maximum, "and": np.bitwise_and, "or": np.bitwise_or,
    "xor": np.bitwise_xor, "exch": lambda old, new: new, "inc": _wrapped, "dec": _lowered,
}  # fmt: skip


@opcode("atom", "red")
def atomic(i: Instruction, o: Operands) -> Step:
    """Read, change and write back, one lane after another (with a seed, in a random order)."""
    m = Modifiers(i)
    kind, space, name = m.kind(), _space(m), m.need("cas", *_ATOMIC)
    m.drop(_ORDERS)
    m.finish()
    own = dtype(kind)
    if own.itemsize < 4 or (is_real(kind) and name != "add"):
        raise PTXError(f"no atomic .{name} of .{kind}")
    operands = i.operands if i.name == "atom" else ("_", *i.operands)
    d, (base, offset) = o.write(operands[0], kind), o.address(operands[1])
    sources = [o.read(x, kind) for x in operands[2:]]

    def one_by_one(words, at, values):
        old = np.empty(len(at), own)
        for k, place in enumerate(at):
            old[k] = words[place]
            if name != "cas":
                words[place] = _ATOMIC[name](old[k], values[0][k])
            elif old[k] == values[0][k]:
                words[place] = values[1][k]
        return old

    def run(frame, mask):
        lanes = frame.atomic_order(np.flatnonzero(mask))
        addresses = _addresses(frame, base, offset, lanes, own.itemsize)
        values = [np.broadcast_to(frame.slots[a], frame.lanes)[lanes] for a in sources]

        def apply(words, at, which):
            old = one_by_one(words.view(own), at, [v[which] for v in values])
            frame.slots[d][lanes[which]] = old

        frame.spaces[space].update(addresses, lanes, own.itemsize, apply)

    return effect(run)
