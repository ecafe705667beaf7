"""The write budget: who may write to a lane, and when.

A lane is what a platform counts writes by (`Place.write_lane`). Each lane
holds a bucket of writes that refills evenly, and a queue that is served in
order. A platform's `Retry-After` stops its lane for that long.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from bot.ports import Pace

MOST_LANES = 10_000
"""Lanes remembered; the one idle for longest goes first. A forgotten lane starts full."""


@dataclass(slots=True)
class _Lane:
    pace: Pace
    left: float
    filled_at: float
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0

    def refill(self, now: float) -> None:
        grown = max(0.0, now - self.filled_at) * self.pace.writes / self.pace.per_s
        self.left = min(float(self.pace.writes), self.left + grown)
        self.filled_at = max(self.filled_at, now)

    def wait_s(self) -> float:
        return max(0.0, 1.0 - self.left) * self.pace.per_s / self.pace.writes


class WriteBudget:
    """Hands out writes, lane by lane, first come first served."""

    def __init__(self) -> None:
        self._lanes: OrderedDict[str, _Lane] = OrderedDict()

    async def acquire(self, lane: str, pace: Pace) -> None:
        """Wait until one more write may go to the lane, and take it."""
        entry = self._lane(lane, pace)
        loop = asyncio.get_running_loop()
        entry.waiting += 1
        try:
            async with entry.turn:
                while True:
                    entry.refill(loop.time())
                    if entry.left >= 1.0 - 1e-9 and entry.filled_at <= loop.time():
                        entry.left -= 1.0
                        return
                    stopped = max(0.0, entry.filled_at - loop.time())
                    await asyncio.sleep(stopped + entry.wait_s())
        finally:
            entry.waiting -= 1

    def waiting(self, lane: str) -> int:
        """Return how many writes wait for their turn in a lane."""
        entry = self._lanes.get(lane)
        return entry.waiting if entry else 0

    def stop(self, lane: str, pace: Pace, *, for_s: float) -> None:
        """The platform asked to wait: nothing goes to the lane for so many seconds."""
        entry = self._lane(lane, pace)
        entry.left = 1.0
        entry.filled_at = max(entry.filled_at, asyncio.get_running_loop().time() + for_s)

    def _lane(self, lane: str, pace: Pace) -> _Lane:
        now = asyncio.get_running_loop().time()
        entry = self._lanes.get(lane)
        if entry is None:
            entry = self._lanes[lane] = _Lane(pace, float(pace.writes), now)
            self._forget_idle()
        self._lanes.move_to_end(lane)
        return entry

    def _forget_idle(self) -> None:
        while len(self._lanes) > MOST_LANES:
            name, entry = next(iter(self._lanes.items()))
            if entry.turn.locked():
                return
            del self._lanes[name]
