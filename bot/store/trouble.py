"""Tells an outage once, not with every call that meets it."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from bot.errors import StoreError

REMIND_S = 60.0
"""How long the same kind of trouble is not told again."""

log = structlog.get_logger(__name__)


class Trouble:
    """What is wrong with a store now, as far as its log was told."""

    def __init__(self, address: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing wrong."""
        self._address, self._clock = address, clock
        self._told_at: dict[type[StoreError], float] = {}
        self._failing: set[int] = set()
        self._since = 0.0
        self._announced = False

    def met(self, error: StoreError, *, shard: int) -> None:
        """Log an error, unless its kind was logged within the last minute."""
        now = self._clock()
        if not self._failing:
            self._since = now
        self._failing.add(shard)
        if now - self._told_at.get(type(error), float("-inf")) > REMIND_S:
            self._told_at[type(error)] = now
            self._announced = True
            log.error("store.failing", error=str(error), hint=error.hint, address=self._address)

    def over(self, *, shard: int) -> None:
        """Note that a shard works; the first that failed and works again ends the trouble."""
        if shard not in self._failing:
            return
        self._failing.clear()
        if self._announced:
            self._announced = False
            lasted_s = round(self._clock() - self._since, 1)
            log.info("store.well_again", address=self._address, after_s=lasted_s)
