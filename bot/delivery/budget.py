"""The write budget: who may write to a lane, and when.

A lane is what a platform counts writes by (`Place.write_lane`). Each lane
holds a bucket of writes that refills evenly, and a queue that is served in
order. A platform's `Retry-After` stops its lane for that long.

What a platform allows all its lanes together is a queue of its own
(`SharedTurns`): a place in it is a moment, so that hundreds can wait for the cost
of a timer each. Last words have a queue that goes before the other one.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field

from bot.paces import Pace, SharedPace

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


SOON_S = 1e-4
"""A clock can't be told to wait for less."""


class SharedTurns:
    """Whose turn it is to write to a platform, of all that want to."""

    def __init__(self, pace: SharedPace) -> None:
        """Take the pace; nobody waits."""
        self.pace = pace
        self._free_at = self._making_at = float("-inf")
        """When the next write may go out, and the next one of a reply in the making."""

    def queue_s(self) -> float:
        """Return how long a reply in the making would wait for its turn now."""
        return max(0.0, max(self._making_at, self._free_at) - asyncio.get_running_loop().time())

    def take_if_free(self) -> bool:
        """Take a turn for what may as well be left out; False: somebody waits for it."""
        if self.queue_s() > 0:
            return False
        self._take(asyncio.get_running_loop().time())
        return True

    async def wait(self, last: asyncio.Event) -> None:
        """Wait for a turn and take it.

        Args:
            last: set once the write carries the reply's last words; the wait is then that of
                last words.
        """
        loop = asyncio.get_running_loop()
        if not last.is_set():
            every_s = 1.0 / self.pace.making_per_s
            turn_at = max(self._making_at, loop.time() - (self.pace.burst - 1) * every_s)
            self._making_at = turn_at + every_s
            try:
                while not last.is_set():
                    left_s = max(turn_at, self._free_at) - loop.time()
                    if left_s < SOON_S:
                        break
                    await set_within(last, left_s)
            except asyncio.CancelledError:
                self._making_at -= every_s
                raise
            if last.is_set():
                self._making_at -= every_s
        now = loop.time()
        go_at = self._take(now)
        await asyncio.sleep(max(0.0, go_at - now))

    def _take(self, now: float) -> float:
        every_s = 1.0 / self.pace.last_per_s
        go_at = max(self._free_at, now - (self.pace.burst - 1) * every_s)
        self._free_at = go_at + every_s
        return go_at


class WriteBudget:
    """Hands out writes, lane by lane, first come first served."""

    def __init__(self) -> None:
        self._lanes: OrderedDict[str, _Lane] = OrderedDict()
        self._shared: dict[str, SharedTurns] = {}

    def shared(self, platform: str, pace: SharedPace | None) -> SharedTurns | None:
        """Return the turns of a platform that bounds all its lanes together."""
        if pace is None:
            return None
        return self._shared.setdefault(platform, SharedTurns(pace))

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

    def give_back(self, lane: str, pace: Pace) -> None:
        """Put a write back that was taken and not made."""
        entry = self._lane(lane, pace)
        entry.left = min(float(pace.writes), entry.left + 1.0)

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


async def set_within(event: asyncio.Event, wait_s: float) -> None:
    """Wait until an event is set, at most so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(wait_s):
            await event.wait()
