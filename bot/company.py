"""What people see until a reply's first words: that Jay is at work, or where the reply waits.

A platform's own status (typing dots, a status line) is the first choice. It tells
no place in a queue on Discord, and not in each of Slack's forms; so a reply that
waits for its turn says so in its own message, which its words then replace.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass

from bot.delivery import Draft, WriteBudget
from bot.driving import Driver
from bot.errors import PlatformError
from bot.ports import Surface, Target

LOOK_EVERY_S = 2.0
"""After so long without a word people begin to wonder; so often the line is brought up to date."""
SPREAD_S = 0.5
"""Up to so much longer: a crowd that came at once must not all find the channel free at once."""
STATUS_EVERY_LOOKS = 4
"""Discord's typing dots last ten seconds."""
CROWDED_LANE = 3
"""Where so many writes wait for one channel, none is spent on telling people that they wait."""


@dataclass(slots=True, kw_only=True)
class Company:
    """Keeps people company through one reply."""

    surface: Surface
    target: Target
    driver: Driver
    draft: Draft
    budget: WriteBudget
    may_write: bool = True
    """False where the message shows words already, of a reply that another worker began."""
    progress: bool = False
    """Whether the line tells how far a skill is: it is then shown whatever the platform shows."""
    _wrote: bool = False

    async def keep(self, *, spoken: Callable[[], bool]) -> None:
        """Go on until the first words are there.

        Args:
            spoken: tells whether they are.
        """
        seen = False
        for look in itertools.count():
            if spoken():
                return
            if look % STATUS_EVERY_LOOKS == 0:
                seen = await self._show_status(seen=seen)
            await asyncio.sleep(LOOK_EVERY_S + random.uniform(0.0, SPREAD_S))
            if not spoken():
                self._write(seen=seen)

    async def _show_status(self, *, seen: bool) -> bool:
        turns = self.budget.shared(self.target.place.platform, self.surface.shared_pace)
        if turns is not None and turns.pace.posts and not turns.take_if_free():
            return seen
        try:
            return await self.surface.show_working(self.target, f"{self._line()}…")
        except PlatformError:
            return False

    def _write(self, *, seen: bool) -> None:
        needed = self.progress or self._wrote or not seen or self.driver.waiting is not None
        crowded = self.budget.waiting(self.target.place.write_lane) >= CROWDED_LANE
        if self.may_write and needed and not crowded:
            self._wrote = True
            self.draft.show(f"_{self._line()}…_", spoken=False)

    def _line(self) -> str:
        waiting = self.driver.waiting
        return self.driver.status if waiting is None else waiting.said
