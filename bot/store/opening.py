"""The store as a whole, and how it is opened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from redis.exceptions import RedisError

from bot.store.changes import ChangesOfLog
from bot.store.checks import may_lose
from bot.store.digests import KeptDigests
from bot.store.gaps import Gaps
from bot.store.leases import Leases
from bot.store.log import Log
from bot.store.mailboxes import Mailboxes
from bot.store.notes import KeptNotes
from bot.store.server import Bounds
from bot.store.traces import KeptTraces
from bot.store.turns import Turns

WARN_TIMEOUT_S = 5.0

log = structlog.get_logger(__name__)


class RedisStore(
    Log, ChangesOfLog, Gaps, KeptNotes, KeptTraces, KeptDigests, Mailboxes, Leases, Turns
):
    """A `bot.ports.Store` in Redis or Valkey. `open_store` is the way to one."""

    async def warn(self) -> None:
        """Tell the log how the servers are set where that would lose data, or can't be seen."""
        try:
            async with asyncio.timeout(WARN_TIMEOUT_S):
                findings = await may_lose(self._topology)
        except (RedisError, OSError) as error:
            log.warning("store.not_checked", error=type(error).__name__)
            return
        for one in findings:
            if not one.ok:
                log.warning("store.may_lose", setting=one.name, found=one.detail, hint=one.hint)
            elif not one.hint:
                log.info("store.not_checked", setting=one.name, found=one.detail)


@asynccontextmanager
async def open_store(
    url: str, *, retention_days: int, max_turns: int, max_log: int, replicas: int = 0
) -> AsyncIterator[RedisStore]:
    """Open the store at a Redis URL.

    An outage later on makes each call raise `StoreUnreachable`; when the
    server is back, calls work again.

    Args:
        url: of one of the forms in bot/store/addresses.py.
        retention_days: what was stored longer ago is dropped.
        max_turns: the most turns kept of one conversation.
        max_log: the most messages kept of one channel.
        replicas: how many replicas must have a write before it counts.

    Raises:
        SettingsError: the address can't be one.
        StoreUnreachable: nothing answers there.
        StoreFull: what answers takes no writes.
        StoreVersion: the data there were written by another version.
    """
    bounds = Bounds(
        retention_days=retention_days, max_turns=max_turns, max_log=max_log, replicas=replicas
    )
    store = RedisStore(url, bounds)
    try:
        await store.open()
        log.info("store.opened", address=store.address)
        await store.warn()
        yield store
    finally:
        await store.close()
