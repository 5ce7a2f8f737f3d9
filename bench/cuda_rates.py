"""Published rates of devices, and limits of compute capabilities: all that the roofline takes from outside.

Sources, all by NVIDIA:

- CUDA C++ programming guide: "throughput of native arithmetic instructions" (results a cycle a multiprocessor) and
  "technical specifications per compute capability" (warps, blocks, registers, shared memory);
- Nsight Compute documentation, "pipelines": what runs where (integer products with float32 on the FMA pipe, other
  integers and comparisons on the ALU; where there are 128 float32 lanes, integer products run on the heavy half), and
  "warp scheduler": four schedulers a multiprocessor, each one instruction a cycle;
- A100 whitepaper and data sheet (SXM, 80 GB), H100 data sheet (SXM; its 67 TFLOP/s of float32 are 1.98 GHz on 132
  multiprocessors), Ada architecture whitepaper (RTX 4090).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

# Instructions, of a warp each, that a multiprocessor issues a cycle.
ISSUE = 4


@dataclass(frozen=True)
class Limits:
    """What a multiprocessor of a capability holds at most; 65,536 registers everywhere."""

    warps: int
    blocks: int
    shared_bytes: int
    # Taken by the system from every block.
    reserved_bytes: int = 1024

    def resident_warps(self, threads: int, registers: int, shared_bytes: int) -> int:
        """Warps that fit at a time: registers are given to a warp 256 at a time, shared memory 128 bytes at a time."""
        warps = -(-threads // 32)
        by_registers = 65_536 // (-(-registers * 32 // 256) * 256) // 4 * 4 // warps
        shared = -(-(shared_bytes + self.reserved_bytes) // 128) * 128
        by_shared = self.shared_bytes // shared if shared else math.inf
        return int(min(self.blocks, self.warps // warps, by_registers, by_shared)) * warps


LIMITS = {
    (7, 5): Limits(32, 16, 64 * 1024, reserved_bytes=0),
    (8, 0): Limits(64, 32, 164 * 1024),
    (8, 6): Limits(48, 16, 100 * 1024),
    (9, 0): Limits(64, 32, 228 * 1024),
    (10, 0): Limits(64, 32, 228 * 1024),
    (12, 0): Limits(48, 24, 100 * 1024),
}


@dataclass(frozen=True)
class Rates:
    """A device: results a cycle a multiprocessor, hertz at boost, bytes a second of its memory.

    `cache` is a multiprocessor's first level, from which shared memory is taken, in bytes.
    """

    capability: tuple[int, int]
    limits: Limits
    cache: int
    multiprocessors: int
    hertz: float
    bandwidth: float
    fma: int
    double: int
    wide_conversions: int
    alu: int = 64
    products: int = 64
    conversions: int = 16
    shared: int = 32

    def cycles(self, pipes: dict[str, float]) -> dict[str, float]:
        """Cycles of one multiprocessor by resource, for warp instructions by pipe."""
        demand = {name: pipes.get(name, 0.0) for name in PIPES}
        return {
            "issue": sum(demand.values()) / ISSUE,
            "integer products": 32 * demand["integer product"] / self.products,
            "FMA pipe": 32 * (demand["integer product"] + demand["float32"]) / self.fma,
            "ALU": 32 * demand["ALU"] / self.alu,
            "float64": 32 * demand["float64"] / self.double,
            "conversions": 32
            * (demand["conversion"] / self.conversions + demand["64-bit conversion"] / self.wide_conversions),
            "load/store": 32 * (demand["shared, shuffle"] + demand["global"]) / self.shared,
        }


# Where machine instructions run.
PIPES = (
    "integer product",
    "float32",
    "ALU",
    "float64",
    "conversion",
    "64-bit conversion",
    "shared, shuffle",
    "global",
    "uniform, control",
)

DEVICES = {
    "A100 SXM 80 GB": Rates(
        (8, 0), LIMITS[8, 0], 192 * 1024, 108, 1.41e9, 2.039e12, fma=64, double=32, wide_conversions=16
    ),
    "H100 SXM": Rates((9, 0), LIMITS[9, 0], 256 * 1024, 132, 1.98e9, 3.35e12, fma=128, double=64, wide_conversions=16),
    "RTX 4090": Rates(
        (8, 9), Limits(48, 24, 100 * 1024), 128 * 1024, 128, 2.52e9, 1.008e12, fma=128, double=2, wide_conversions=2
    ),
}
