"""The store as a whole, and how it is opened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from bot.store.changes import ChangesOfLog
from bot.store.gaps import Gaps
from bot.store.leases import Leases
from bot.store.log import Log
from bot.store.mailboxes import Mailboxes
from bot.store.notes import KeptNotes
from bot.store.server import Bounds
from bot.store.turns import Turns

log = structlog.get_logger(__name__)


class RedisStore(Log, ChangesOfLog, Gaps, KeptNotes, Mailboxes, Leases, Turns):
    """A `bot.ports.Store` in Redis or Valkey. `open_store` is the way to one."""


@asynccontextmanager
async def open_store(
    url: str, *, retention_days: int, max_turns: int, max_log: int
) -> AsyncIterator[RedisStore]:
    """Open the store at a Redis URL.

    An outage later on makes each call raise `StoreUnreachable`; when the
    server is back, calls work again.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
        retention_days: what was stored longer ago is dropped.
        max_turns: the most turns kept of one conversation.
        max_log: the most messages kept of one channel.

    Raises:
        SettingsError: the address can't be one.
        StoreUnreachable: nothing answers there.
        StoreVersion: the data there were written by another version.
    """
    bounds = Bounds(retention_days=retention_days, max_turns=max_turns, max_log=max_log)
    store = RedisStore(url, bounds)
    try:
        await store.open()
        log.info("store.opened", address=store.address)
        yield store
    finally:
        await store.close()
