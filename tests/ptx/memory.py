"""Global memory: NumPy arrays far apart in one address space, so that no stray address finds another array."""

from collections.abc import Iterator

import numpy as np

from tests.ptx.errors import LaneFault
from tests.ptx.kinds import unsigned

_SEGMENT = np.uint64(40)
_OFFSET = np.uint64((1 << 40) - 1)
# Every byte of an array that nobody has written yet. Words of nothing else may not be read, as on a device they would
# hold whatever was there before; of one or two bytes they may well be numbers.
UNWRITTEN = 0xA5
_UNWRITTEN_WORDS = {size: np.full(size, UNWRITTEN, np.uint8).view(unsigned(size))[0] for size in (4, 8)}
# Generic addresses from here on are shared ones.
SHARED_WINDOW = 1 << 62


class Segment:
    """One array, seen as words of any size."""

    def __init__(self, array: np.ndarray, *, writable: bool = True, constant: bool = False) -> None:
        self._bytes = array.reshape(-1).view(np.uint8)
        self.size = self._bytes.size
        self.writable = writable and array.flags.writeable
        self.constant = constant
        self._words: dict[int, np.ndarray] = {}

    def words(self, size: int) -> np.ndarray:
        """Return the array as unsigned words; a last incomplete one is left out."""
        if size not in self._words:
            self._words[size] = self._bytes[: self.size // size * size].view(unsigned(size))
        return self._words[size]


class Memory:
    """The allocations of a caller."""

    def __init__(self, first: int = 1) -> None:
        self._first = first
        self._segments: list[Segment] = []

    def add(self, array: np.ndarray, *, constant: bool = False) -> int:
        """Register a C-contiguous array, which kernels then read and write in place, and return its address."""
        if not array.flags.c_contiguous:
            raise ValueError("the array must be C-contiguous")
        self._segments.append(Segment(array, constant=constant))
        return self._first + len(self._segments) - 1 << 40

    def segment(self, number: int) -> Segment | None:
        """Return the segment of the upper bits of an address."""
        index = number - self._first
        return self._segments[index] if 0 <= index < len(self._segments) else None


def check_stores(stored: np.ndarray, values: np.ndarray, lanes: np.ndarray) -> None:
    """Complain about a store of one instruction that another lane's store overwrote with another value."""
    lost = stored != values
    if lost.any():
        raise LaneFault("threads store different values at one address", lanes[lost.argmax()])


def check_written(words: np.ndarray, lanes: np.ndarray) -> None:
    """Complain about words of an array that are as they were when it was made."""
    if words.itemsize not in _UNWRITTEN_WORDS:
        return
    missing = words == _UNWRITTEN_WORDS[words.itemsize]
    if missing.any():
        raise LaneFault("read of global memory that nobody has written", lanes[missing.argmax()])


class GlobalSpace:
    """What `.global`, or `.const`, instructions reach: several memories."""

    def __init__(self, *memories: Memory, constant: bool = False) -> None:
        self._memories = memories
        self._constant = constant

    def _parts(self, addresses, lanes, size: int) -> Iterator[tuple[Segment, slice | np.ndarray, np.ndarray]]:
        """Yield segment, which of the lanes, and their word numbers in it."""
        numbers = addresses >> _SEGMENT
        first = numbers[0]
        if (numbers == first).all():
            yield self._part(int(first), slice(None), addresses, lanes, size)
            return
        for number in np.unique(numbers):
            yield self._part(int(number), np.flatnonzero(numbers == number), addresses, lanes, size)

    def _part(self, number: int, which, addresses, lanes, size: int):
        segment = next((s for m in self._memories if (s := m.segment(number))), None)
        if segment is None or segment.constant != self._constant:
            space = "constant" if self._constant else "global"
            raise LaneFault(f"{space} address {int(addresses[which][0]):#x} out of bounds", lanes[which][0])
        offsets = addresses[which] & _OFFSET
        outside = offsets + np.uint64(size) > segment.size
        if outside.any():
            bad = outside.argmax()
            reason = f"out of bounds: {size} bytes at {int(offsets[bad])} of an allocation of {segment.size}"
            raise LaneFault(reason, lanes[which][bad])
        return segment, which, offsets // np.uint64(size)

    def load(self, addresses: np.ndarray, lanes: np.ndarray, size: int) -> np.ndarray:
        """Return the words at addresses."""
        result = np.empty(len(addresses), unsigned(size))
        for segment, which, words in self._parts(addresses, lanes, size):
            found = segment.words(size)[words]
            check_written(found, lanes[which])
            result[which] = found
        return result

    def store(self, addresses: np.ndarray, lanes: np.ndarray, values: np.ndarray) -> None:
        """Write words to addresses."""
        for segment, which, words in self._parts(addresses, lanes, values.itemsize):
            self._check_writable(segment, lanes[which])
            target = segment.words(values.itemsize)
            target[words] = values[which]
            check_stores(target[words], values[which], lanes[which])

    def update(self, addresses: np.ndarray, lanes: np.ndarray, size: int, apply) -> None:
        """Call `apply(words of the segment, word numbers, which lanes)` for an atomic operation."""
        for segment, which, words in self._parts(addresses, lanes, size):
            self._check_writable(segment, lanes[which])
            check_written(segment.words(size)[words], lanes[which])
            apply(segment.words(size), words, which)

    @staticmethod
    def _check_writable(segment: Segment, lanes) -> None:
        if not segment.writable or segment.constant:
            raise LaneFault("write to memory that is only read", lanes[0])
