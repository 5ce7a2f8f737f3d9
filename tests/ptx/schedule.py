"""Which lanes run next: those at the smallest address; with a seed, of some warps of each block ahead of the others."""

import numpy as np

from tests.ptx.frame import WARP, Frame

NEVER = np.iinfo(np.int64).max

# Warps of a block are dealt to so many classes; a class runs as far as it can before the next one begins.
_CLASSES = 4
# One in so many choices deals anew, so that no class waits for ever for another.
_REDEAL = 32


class Schedule:
    """In order, or in an order drawn from the frame's generator."""

    def __init__(self, frame: Frame) -> None:
        self._rng = frame.rng
        self._blocks = len(frame.blocks)
        self._class = np.zeros((self._blocks, frame.geometry.lanes // WARP), np.int64)
        self.deal(np.arange(self._blocks))

    @property
    def is_random(self) -> bool:
        """Whether an order is drawn."""
        return self._rng is not None

    def deal(self, blocks: np.ndarray) -> None:
        """Deal the warps of some blocks to classes."""
        if self._rng is not None:
            self._class[blocks] = self._rng.integers(_CLASSES, size=self._class[blocks].shape)

    def _eligible(self, runnable: np.ndarray) -> np.ndarray:
        if self._rng is None:
            return runnable
        if self._rng.integers(_REDEAL) == 0:
            self.deal(np.arange(self._blocks))
        lanes = runnable.reshape(*self._class.shape, WARP)
        classes = np.where(lanes.any(axis=2), self._class, _CLASSES)
        first = classes == classes.min(axis=1, keepdims=True)
        return (lanes & first[:, :, None]).reshape(-1)

    def choose(self, runnable: np.ndarray, pc: np.ndarray) -> tuple[int, np.ndarray, int]:
        """Return the address to run at, the lanes that are there, and the next address that others wait at."""
        ready = np.where(self._eligible(runnable), pc, NEVER)
        at = ready.min()
        active = ready == at
        return int(at), active, int(np.where(active, NEVER, ready).min())
