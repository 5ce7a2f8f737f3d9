"""Shared memory of a batch of blocks, with a record of who touched each byte since the last barrier."""

import numpy as np

from tests.ptx.errors import LaneFault
from tests.ptx.kinds import unsigned
from tests.ptx.memory import SHARED_WINDOW, GlobalSpace, check_stores

# A mark is 64 times the number of barriers that its block has passed, plus the warp, or one of these:
_MANY = 62
_ATOMIC = 63
_UNWRITTEN = -1


class SharedSpace:
    """One allocation for each block; a race is an access of another warp with no barrier between."""

    def __init__(self, blocks: int, size: int, block_of: np.ndarray, warp_of: np.ndarray) -> None:
        self.size = size
        self._stride = -(-size // 16) * 16
        self._bytes = np.zeros(blocks * self._stride, np.uint8)
        self._written = np.full(self._bytes.size, _UNWRITTEN, np.int32)
        self._read = np.full(self._bytes.size, _UNWRITTEN, np.int32)
        self._interval = np.zeros(blocks, np.int32)
        self._block_of, self._warp_of = block_of, warp_of

    def pass_barrier(self, blocks: np.ndarray) -> None:
        """Begin a new interval for some blocks: what was touched before is ordered before what comes."""
        self._interval[blocks] += 1

    def _words(self, addresses, lanes, size: int) -> np.ndarray:
        outside = addresses + np.uint64(size) > self.size
        outside |= addresses >= SHARED_WINDOW
        if outside.any():
            bad = outside.argmax()
            reason = f"shared address {int(addresses[bad]):#x} out of bounds: {self.size} bytes"
            raise LaneFault(reason, lanes[bad])
        return (self._block_of[lanes] * self._stride + addresses.astype(np.int64)) // size

    def _marks(self, lanes) -> tuple[np.ndarray, np.ndarray]:
        """Return the interval's first mark, and the warps' own marks, as columns."""
        base = self._interval[self._block_of[lanes]][:, None] * 64
        return base, base + self._warp_of[lanes][:, None]

    def _check(self, marks, base, allowed, harmful, lanes, reason: str) -> None:
        """Raise for marks of the present interval that others left, among the harmful lanes."""
        race = ((marks >= base) & (marks != allowed)).any(axis=1) & harmful
        if race.any():
            raise LaneFault(f"race in shared memory: {reason} with no barrier between", lanes[race.argmax()])

    def _check_written(self, marks, lanes) -> None:
        missing = (marks == _UNWRITTEN).any(axis=1)
        if missing.any():
            raise LaneFault("read of shared memory that nobody has written", lanes[missing.argmax()])

    def load(self, addresses: np.ndarray, lanes: np.ndarray, size: int) -> np.ndarray:
        """Return the words at addresses."""
        words = self._words(addresses, lanes, size)
        written, read = self._written.reshape(-1, size), self._read.reshape(-1, size)
        base, own = self._marks(lanes)
        self._check_written(written[words], lanes)
        self._check(written[words], base, own, True, lanes, "read of what another warp wrote")
        before = read[words]
        read[words] = np.where((before >= base) & (before != own), base + _MANY, own)
        # Where several warps read one word in this very step, the mark that came last is not all.
        row, byte = np.nonzero(read[words] != own)
        read[words[row], byte] = base[row, 0] + _MANY
        return self._bytes.view(unsigned(size))[words]

    def store(self, addresses: np.ndarray, lanes: np.ndarray, values: np.ndarray) -> None:
        """Write words to addresses."""
        size = values.itemsize
        words = self._words(addresses, lanes, size)
        written, read = self._written.reshape(-1, size), self._read.reshape(-1, size)
        base, own = self._marks(lanes)
        target = self._bytes.view(values.dtype)
        changes = target[words] != values
        self._check(written[words], base, own, changes, lanes, "write over what another warp wrote")
        self._check(read[words], base, own, changes, lanes, "write over what another warp read")
        target[words] = values
        check_stores(target[words], values, lanes)
        written[words] = own

    def update(self, addresses: np.ndarray, lanes: np.ndarray, size: int, apply) -> None:
        """Call `apply(words of the space, word numbers, which lanes)` for an atomic operation."""
        words = self._words(addresses, lanes, size)
        written, read = self._written.reshape(-1, size), self._read.reshape(-1, size)
        base, own = self._marks(lanes)
        marks = written[words]
        self._check_written(marks, lanes)
        self._check(
            np.where(marks == base + _ATOMIC, own, marks), base, own, True, lanes, "atomic on what a warp wrote"
        )
        self._check(read[words], base, own, True, lanes, "atomic on what another warp read")
        written[words] = base + _ATOMIC
        apply(self._bytes.view(unsigned(size)), words, slice(None))


class GenericSpace:
    """What instructions without a space reach: shared memory through its window, global memory everywhere else."""

    def __init__(self, shared: SharedSpace, global_: GlobalSpace) -> None:
        self._shared, self._global = shared, global_

    def _parts(self, addresses):
        inside = addresses >= SHARED_WINDOW
        for space, which in ((self._shared, np.flatnonzero(inside)), (self._global, np.flatnonzero(~inside))):
            if len(which):
                yield space, which, addresses[which] - np.uint64(SHARED_WINDOW if space is self._shared else 0)

    def load(self, addresses: np.ndarray, lanes: np.ndarray, size: int) -> np.ndarray:
        """Return the words at addresses."""
        result = np.empty(len(addresses), unsigned(size))
        for space, which, inner in self._parts(addresses):
            result[which] = space.load(inner, lanes[which], size)
        return result

    def store(self, addresses: np.ndarray, lanes: np.ndarray, values: np.ndarray) -> None:
        """Write words to addresses."""
        for space, which, inner in self._parts(addresses):
            space.store(inner, lanes[which], values[which])

    def update(self, addresses: np.ndarray, lanes: np.ndarray, size: int, apply) -> None:
        """Call `apply(words, word numbers, which lanes)` for an atomic operation."""
        for space, which, inner in self._parts(addresses):
            # What the space calls all of its lanes are these of ours.
            space.update(inner, lanes[which], size, lambda words, at, part, which=which: apply(words, at, which[part]))
