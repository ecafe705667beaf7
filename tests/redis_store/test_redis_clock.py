"""The server's clock is set back or forward by hours: leases and order hold."""

from __future__ import annotations

import pytest
from fakes.talk import CHANNEL, message
from fakes.valkey import RunningValkey

from bot.conversations import in_place
from bot.errors import LeaseLost
from bot.store import open_store
from bot.store.keys import key, shard_of

BOUNDS = {"retention_days": 3, "max_turns": 50, "max_log": 1000}
TALK = in_place(CHANNEL, root="1.0")
HOURS_US = 5 * 3_600 * 1_000_000
pytestmark = [pytest.mark.valkey]


def shift(valkey: RunningValkey, by_us: int) -> None:
    """Leave the leases as a server has them whose clock was set back (or forward, below 0)."""
    leases = key("leased", shard=shard_of(TALK.key))
    held = valkey.client.zrange(leases, 0, -1, withscores=True)
    assert held
    for member, score in held:
        valkey.client.zadd(leases, {member: score + by_us})


async def test_a_clock_set_back_keeps_no_conversation_for_a_dead_worker(
    empty_valkey: RunningValkey,
) -> None:
    """Its lease would run out in five hours, and nobody would be answered until then."""
    async with open_store(empty_valkey.url, **BOUNDS) as store:
        await store.accept(message("hello"), conversation=TALK, waiting=5)
        assert await store.claim(worker="dead", lease_s=60.0, wait_s=0.0)
        shift(empty_valkey, HOURS_US)

        lease = await store.claim(worker="next", lease_s=0.05, wait_s=2.0)

    assert lease is not None
    assert lease.conversation == TALK


async def test_a_clock_set_back_takes_nothing_from_a_worker_that_lives(
    empty_valkey: RunningValkey,
) -> None:
    async with open_store(empty_valkey.url, **BOUNDS) as store:
        await store.accept(message("hello"), conversation=TALK, waiting=5)
        lease = await store.claim(worker="w", lease_s=60.0, wait_s=0.0)
        assert lease is not None
        shift(empty_valkey, HOURS_US)

        assert await store.claim(worker="next", lease_s=60.0, wait_s=0.0) is None
        await store.renew(lease, lease_s=60.0)

        assert await store.claim(worker="next", lease_s=60.0, wait_s=0.0) is None
        assert [one.text for one in await store.mail(lease)] == ["hello"]


async def test_a_clock_set_forward_lets_only_one_of_two_workers_write(
    empty_valkey: RunningValkey,
) -> None:
    async with open_store(empty_valkey.url, **BOUNDS) as store:
        await store.accept(message("hello"), conversation=TALK, waiting=5)
        first = await store.claim(worker="first", lease_s=60.0, wait_s=0.0)
        assert first is not None
        shift(empty_valkey, -HOURS_US)

        second = await store.claim(worker="second", lease_s=60.0, wait_s=0.0)

        assert second is not None
        with pytest.raises(LeaseLost):
            await store.renew(first, lease_s=60.0)
        assert [one.text for one in await store.mail(second)] == ["hello"]
