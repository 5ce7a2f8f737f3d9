"""A batch of blocks side by side as lanes; every block begins a new warp, the last of which may be partly idle."""

from dataclasses import dataclass, field

import numpy as np

from tests.ptx.memory import GlobalSpace, Memory
from tests.ptx.shared import GenericSpace, SharedSpace

WARP = 32


@dataclass(frozen=True)
class Geometry:
    """A launch: three dimensions of the grid, and of a block."""

    grid: tuple[int, int, int]
    block: tuple[int, int, int]

    @property
    def threads(self) -> int:
        """Threads of a block."""
        return int(np.prod(self.block))

    @property
    def lanes(self) -> int:
        """Lanes of a block: its threads, filled up to whole warps."""
        return -(-self.threads // WARP) * WARP

    def coordinates(self, block: int) -> tuple[int, int, int]:
        """Return the three indices of a block."""
        x, y, _ = self.grid
        return block % x, block // x % y, block // (x * y)


@dataclass
class Frame:
    """What the steps of a batch work on."""

    geometry: Geometry
    blocks: list[int]
    rng: np.random.Generator | None
    slots: list = field(default_factory=list)
    spaces: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Number the lanes."""
        self.lanes = len(self.blocks) * self.geometry.lanes
        lane = np.arange(self.lanes)
        self.block_of = lane // self.geometry.lanes
        self.thread_of = lane % self.geometry.lanes
        self.exists = self.thread_of < self.geometry.threads

    def open(self, memories: tuple[Memory, ...], static_bytes: int, dynamic_bytes: int) -> None:
        """Provide the address spaces; dynamic shared memory comes last."""
        self.dynamic_bytes = dynamic_bytes
        shared = SharedSpace(len(self.blocks), static_bytes + dynamic_bytes, self.block_of, self.thread_of // WARP)
        global_ = GlobalSpace(*memories)
        self.spaces = {
            "shared": shared,
            "global": global_,
            "const": GlobalSpace(*memories, constant=True),
            "generic": GenericSpace(shared, global_),
        }

    def special(self) -> dict[str, np.ndarray]:
        """Return the special registers."""
        thread, lane = self.thread_of, self.thread_of % WARP
        x, y, _ = self.geometry.block
        threads = thread % x, thread // x % y, thread // (x * y)
        at = np.array([self.geometry.coordinates(b) for b in self.blocks])[self.block_of]
        registers = {"%laneid": lane, "%warpid": thread // WARP, "%nwarpid": np.asarray(self.geometry.lanes // WARP)}
        registers["%dynamic_smem_size"] = np.asarray(self.dynamic_bytes)
        for k, axis in enumerate("xyz"):
            registers[f"%tid.{axis}"] = threads[k]
            registers[f"%ctaid.{axis}"] = at[:, k]
            registers[f"%ntid.{axis}"] = np.asarray(self.geometry.block[k])
            registers[f"%nctaid.{axis}"] = np.asarray(self.geometry.grid[k])
        bit = 1 << lane
        lower = bit - 1
        masks = {
            "eq": bit,
            "lt": lower,
            "le": lower | bit,
            "ge": ~lower & 0xFFFFFFFF,
            "gt": ~(lower | bit) & 0xFFFFFFFF,
        }
        return registers | {f"%lanemask_{name}": mask for name, mask in masks.items()}

    def atomic_order(self, lanes: np.ndarray) -> np.ndarray:
        """Return the lanes in the order in which an atomic operation serves them."""
        return lanes if self.rng is None else self.rng.permutation(lanes)

    def thread(self, lane: int) -> str:
        """Name the thread of a lane."""
        x, y, _ = self.geometry.block
        t = int(self.thread_of[lane])
        thread = t % x, t // x % y, t // (x * y)
        return f"thread {thread} of block {self.geometry.coordinates(self.blocks[self.block_of[lane]])}"
