"""Runs the steps of a program for a batch of blocks: divergence, barriers, and lanes that wait for each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tests.ptx.errors import LaneFault, PTXError
from tests.ptx.frame import WARP, Frame
from tests.ptx.schedule import Schedule
from tests.ptx.steps import Kind, Step
from tests.ptx.warp import alike, ballot

_NONE = -1


@dataclass(frozen=True)
class Line:
    """One instruction of the program: its text, its guard's slot, what it does, and its registers."""

    text: str
    guard: int | None
    negated: bool
    step: Step
    reads: frozenset[str]
    writes: frozenset[str]


class Tally:
    """How often each line ran: for how many threads, and for how many warps of which some thread took part."""

    def __init__(self, lines: int) -> None:
        self.threads = [0] * lines
        self.warps = [0] * lines


class Machine:
    """The state of one batch."""

    def __init__(self, lines: Sequence[Line], frame: Frame, tally: Tally, limit: int) -> None:
        self._lines, self._frame, self._tally, self._left = lines, frame, tally, limit
        self._schedule = Schedule(frame)
        self._pc = np.zeros(frame.lanes, np.int64)
        self._live = frame.exists.copy()
        self._runnable = frame.exists.copy()
        self._alive = int(np.count_nonzero(self._live))
        # Where a lane waits for the lanes of its mask; which barrier it waits at, and for how many threads.
        self._gathers = np.full(frame.lanes, _NONE, np.int64)
        self._barrier = np.full(frame.lanes, _NONE, np.int64)
        self._expected = np.zeros(frame.lanes, np.int64)

    def run(self) -> None:
        """Run until every thread has ended."""
        while self._runnable.any():
            self._segment(*self._schedule.choose(self._runnable, self._pc))
        if self._alive:
            self._explain_deadlock()

    def _segment(self, at: int, active: np.ndarray, stop: int) -> None:
        """Run active lanes from an address until they part, wait, end or come to where others are."""
        count = int(np.count_nonzero(active))
        warps = int(np.count_nonzero(active.reshape(-1, WARP).any(axis=1)))
        try:
            while at < stop:
                self._tally.threads[at] += count
                self._tally.warps[at] += warps
                at = self._one(at, active, count)
                if at < 0:
                    return
        except LaneFault as fault:
            where = self._frame.thread(fault.lane)
            raise PTXError(f"{fault.reason}: {self._lines[self._at].text!r} in {where}") from None
        self._pc[active] = at

    def _one(self, at: int, active: np.ndarray, count: int) -> int:
        """Run one line; return the next address, or -1 when the lanes have to be looked at anew."""
        line, slots = self._lines[at], self._frame.slots
        self._at = at
        mask, taken = active, count
        if line.guard is not None:
            mask = (np.greater if line.negated else np.logical_and)(active, slots[line.guard])
            taken = int(np.count_nonzero(mask))
            if taken == 0:
                return at + 1
        step = line.step
        if step.kind is Kind.PURE:
            # Lanes that have ended may compute: nobody looks at their registers again.
            step.run(slots, True if taken == self._alive else mask)
            return at + 1
        if step.kind is Kind.EFFECT:
            step.run(self._frame, mask)
            return at + 1
        self._left -= 1
        if self._left < 0:
            raise LaneFault("does not come to an end", mask.argmax())
        if step.kind is Kind.BRANCH:
            return self._branch(at, active, mask, count == taken)
        if step.kind is Kind.COLLECTIVE and self._gather(at, active, mask):
            return at + 1
        if step.kind is Kind.EXIT:
            self._pc[active] = at + 1
            self._runnable[mask] = self._live[mask] = False
            self._alive -= taken
        elif step.kind is Kind.BARRIER:
            self._pc[active] = at + 1
            self._arrive(mask, *step.run(self._frame, mask))
        return _NONE

    def _branch(self, at: int, active, mask, together: bool) -> int:
        target = self._lines[at].step.run(self._frame, mask)
        if together and isinstance(target, int) and not self._schedule.is_random:
            return target
        self._pc[active] = at + 1
        self._pc[mask] = target if isinstance(target, int) else target[mask]
        return _NONE

    def _gather(self, at: int, active, mask) -> bool:
        """Run a collective step for lanes whose partners are all here; tell whether that was all and simple."""
        step, live = self._lines[at].step, self._live
        members = np.broadcast_to(self._frame.slots[step.members], self._frame.lanes)
        here = mask | (self._gathers == at)
        present = ballot(here)
        if np.array_equal(here, mask) and not (mask & (members != present)).any():
            step.run(self._frame, mask)
            return True
        own = members >> (np.arange(self._frame.lanes, dtype=np.uint32) & np.uint32(31)) & np.uint32(1)
        for wrong, reason in (
            (mask & (own == 0), "the mask leaves out the lane itself"),
            (mask & ((members & ~ballot(live)) != 0), "the mask names lanes that have ended"),
        ):
            if wrong.any():
                raise LaneFault(reason, wrong.argmax())
        agreed = alike(members) & present
        complete = here & ((members & ~agreed) == 0)
        self._pc[active] = at + 1
        self._pc[mask] = at
        self._runnable[mask] = False
        self._gathers[mask] = at
        if complete.any():
            step.run(self._frame, complete)
            self._pc[complete] = at + 1
            self._runnable[complete] = True
            self._gathers[complete] = _NONE
        return False

    def _arrive(self, mask, barriers, counts) -> None:
        """Let lanes wait at barriers, and release the blocks in which all have come."""
        lanes, threads = self._frame.lanes, self._frame.geometry.threads
        self._barrier[mask] = np.broadcast_to(barriers, lanes)[mask]
        self._expected[mask] = np.broadcast_to(counts, lanes)[mask]
        self._runnable[mask] = False
        for barrier in np.unique(self._barrier[mask]):
            waiting = (self._barrier == barrier).reshape(len(self._frame.blocks), -1)
            expected = np.where(waiting, self._expected.reshape(waiting.shape), 0).max(axis=1)
            full = waiting.sum(axis=1) == np.where(expected == 0, threads, expected)
            released = (waiting & full[:, None]).reshape(-1)
            self._check_together(released)
            self._barrier[released] = _NONE
            self._runnable[released] = True
            blocks = np.flatnonzero(full)
            self._frame.spaces["shared"].pass_barrier(blocks)
            self._schedule.deal(blocks)

    def _check_together(self, released) -> None:
        """The lanes of a warp must have come to one and the same barrier instruction."""
        least = np.where(released, self._pc, len(self._lines)).reshape(-1, WARP).min(axis=1)
        apart = released & (self._pc != np.repeat(least, WARP))
        if apart.any():
            raise LaneFault("lanes of one warp wait at different barrier instructions", apart.argmax())

    def _explain_deadlock(self) -> None:
        stuck = self._gathers != _NONE
        if stuck.any():
            lane = int(stuck.argmax())
            at, reason = self._gathers[lane], "the mask names lanes that never come"
        else:
            lane = int((self._barrier != _NONE).argmax())
            block = self._frame.block_of == self._frame.block_of[lane]
            ended = (block & self._frame.exists & ~self._live).any()
            at = self._pc[lane] - 1
            reason = "barrier while some threads have exited" if ended else "barrier to which some threads never come"
        raise PTXError(f"{reason}: {self._lines[at].text!r} in {self._frame.thread(lane)}")
