from __future__ import annotations

import pytest
from fakes.talk import CHANNEL, message
from fakes.valkey import RunningValkey
from structlog.testing import capture_logs

from bot.conversations import in_place
from bot.errors import LeaseLost, StoreVersion
from bot.store import open_store
from bot.store.keys import SCHEMA, key

BOUNDS = {"retention_days": 3, "max_turns": 50, "max_log": 1000}
TALK = in_place(CHANNEL, root="1.0")
pytestmark = [pytest.mark.valkey]


async def test_a_store_that_was_emptied_says_so_and_goes_on(empty_valkey: RunningValkey) -> None:
    """FLUSHALL on the wrong terminal; nobody else would notice."""
    async with open_store(empty_valkey.url, **BOUNDS) as store:
        await store.accept(message("hello"), conversation=TALK, waiting=5)
        lease = await store.claim(worker="w", lease_s=60.0, wait_s=0.0)
        assert lease is not None
        empty_valkey.client.flushall()

        with capture_logs() as told:
            await store.ping()
            await store.ping()

        assert [one["event"] for one in told] == ["store.emptied"]
        assert empty_valkey.client.get(key("schema", shard=3)) == SCHEMA.encode()
        with pytest.raises(LeaseLost):
            await store.mail(lease)
        assert await store.accept(message("hello"), conversation=TALK, waiting=5)


async def test_a_store_that_another_version_took_over_is_refused_while_running(
    empty_valkey: RunningValkey,
) -> None:
    async with open_store(empty_valkey.url, **BOUNDS) as store:
        empty_valkey.client.set(key("schema", shard=3), "99")

        with pytest.raises(StoreVersion):
            await store.ping()
