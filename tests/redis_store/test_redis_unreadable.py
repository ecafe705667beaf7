from __future__ import annotations

import pytest
from fakes.talk import ANA, CHANNEL, digest
from fakes.valkey import RunningValkey
from structlog.testing import capture_logs

from bot.store import open_store
from bot.store.keys import key, shard_of
from bot.store.records import author_key, channel_id

BOUNDS = {"retention_days": 3, "max_turns": 50, "max_log": 1000}
pytestmark = [pytest.mark.valkey]


async def test_a_digest_that_can_not_be_read_holds_up_no_other(empty_valkey: RunningValkey) -> None:
    """A newer version may have written it before somebody went back to this one."""
    of = key("digests", author_key("slack", ANA.id), shard=shard_of(channel_id(CHANNEL)))
    async with open_store(empty_valkey.url, **BOUNDS) as store:
        await store.keep_digest(digest("d1", due=50.0), most=5)
        await store.keep_digest(digest("d2", number=2), most=5)
        empty_valkey.client.hset(of, "d1", b'{"number": "secret"}')

        with capture_logs() as told:
            due = await store.due_digests(until=1e12, limit=9)
            mine = await store.digests_of("slack", ANA.id)

    assert [one.digest_id for one in due] == [one.digest_id for one in mine] == ["d2"]
    assert {one["event"] for one in told} == {"store.digest_unreadable"}
    assert "secret" not in str(told)
