"""The draws themselves: one noise field read under one table, or under two."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from fastgumbel import NoiseField, gumbel_max

from .blocks import BlockSize, spans
from .flows import Flows
from .sinks import Sink
from .softmax import softmax_in_place
from .tables import Table
from .tally import Tally


@dataclass(frozen=True)
class Arm:
    """A table, and where its choices go."""

    table: Table
    tally: Tally
    sink: Sink | None


@dataclass(frozen=True)
class Simulation:
    """Which noise is read: `draws` draws of rows numbered from `first_row`."""

    seed: int
    first_row: int
    draws: int

    def run(self, arms: Sequence[Arm], flows: Flows | None, size: BlockSize, advance: Callable[[int], object]) -> float:
        """Draw every arm with the same noise, block by block, and give the seconds spent in drawing alone."""
        seconds = 0.0
        field = NoiseField(self.seed)
        for arm in arms:  # the first call for a type of table compiles, which is no part of the rate
            gumbel_max(arm.table.block(0, 1), noise=field, invalid="mark")
        for first, last in spans(arms[0].table.shape[0], size.rows):
            row_ids = np.arange(last - first, dtype=np.uint64) + np.uint64(self.first_row + first)
            for arm in arms:
                arm.tally.expect(softmax_in_place(arm.table.doubles(first, last)))
            blocks = [arm.table.block(first, last) for arm in arms]
            for draw, end in spans(self.draws, size.draws):
                noise = field.at(rows=row_ids, draw=draw)
                start = perf_counter()
                choices = [gumbel_max(block, size=end - draw, noise=noise) for block in blocks]
                seconds += perf_counter() - start
                for arm, chosen in zip(arms, choices, strict=True):
                    arm.tally.count(chosen)
                    if arm.sink is not None:
                        arm.sink.write(chosen, first, draw)
                if flows is not None:
                    flows.count(*choices)
                advance(len(arms) * choices[0].size)
        return seconds
