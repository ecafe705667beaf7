"""Tells an outage once, not with every call that meets it."""

from __future__ import annotations

import time

import structlog

from bot.errors import StoreError

REMIND_S = 60.0
"""How long the same kind of trouble is not told again while it lasts."""

log = structlog.get_logger(__name__)


class Trouble:
    """What is wrong with a store now, as far as its log was told."""

    def __init__(self, address: str) -> None:
        """Begin with nothing wrong."""
        self._address = address
        self._told: dict[type[StoreError], float] = {}
        self._shards: set[int] = set()
        self._since = 0.0

    def met(self, error: StoreError, *, shard: int) -> None:
        """Log an error, unless its kind was logged within the last minute."""
        now = time.monotonic()
        if not self._shards:
            self._since = now
        self._shards.add(shard)
        if now - self._told.get(type(error), float("-inf")) > REMIND_S:
            self._told[type(error)] = now
            log.error("store.failing", error=str(error), hint=error.hint, address=self._address)

    def over(self, *, shard: int) -> None:
        """Note that a shard works; the first that failed and works again ends the trouble."""
        if shard in self._shards:
            lasted_s = round(time.monotonic() - self._since, 1)
            log.info("store.well_again", address=self._address, after_s=lasted_s)
            self._shards.clear()
            self._told = {kind: at for kind, at in self._told.items() if lasted_s < REMIND_S}
