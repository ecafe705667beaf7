"""Whatever ails the server: nothing is acked, it is told once, and all goes on when it is well."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import redis
from fakes.talk import CHANNEL, message
from fakes.valkey import RunningValkey, running_valkey
from fakes.valkey_cluster import wait_until
from fakes.valkey_user import NAME, allow, as_user
from structlog.testing import capture_logs

from bot.conversations import in_place
from bot.errors import StoreError, StoreFull, StoreUnreachable
from bot.ports import Store
from bot.store import open_store
from bot.store.keys import key
from bot.store.trouble import REMIND_S, Trouble

BOUNDS = {"retention_days": 90, "max_turns": 50, "max_log": 1000}
TALK = in_place(CHANNEL, root="1.0")
TRIES = 12


@dataclass(frozen=True)
class Ailment:
    """Something that befalls a server, and what ends it."""

    raises: type[StoreError]
    says: str
    begin: Callable[[redis.Redis], object]
    end: Callable[[redis.Redis], object]


def configured(name: str, bad: str, good: str) -> dict[str, Callable[[redis.Redis], object]]:
    return {
        "begin": lambda client: client.config_set(name, bad),
        "end": lambda client: client.config_set(name, good),
    }


AILMENTS = {
    "full": Ailment(StoreFull, "used memory", **configured("maxmemory", "1", "0")),
    "no good replica": Ailment(
        StoreFull, "NOREPLICAS", **configured("min-replicas-to-write", "1", "0")
    ),
    "a read-only replica": Ailment(
        StoreFull,
        "READONLY|replica",
        begin=lambda client: client.replicaof("127.0.0.1", "1"),
        end=lambda client: client.replicaof("NO", "ONE"),
    ),
    "the user is gone": Ailment(
        StoreUnreachable,
        "name or password",
        begin=lambda client: client.acl_deluser(NAME),
        end=allow,
    ),
    "a right is gone": Ailment(
        StoreError,
        "A user of its own",
        begin=lambda client: client.execute_command("ACL", "SETUSER", NAME, "-set"),
        end=allow,
    ),
}


async def accept(store: Store, message_id: str) -> bool:
    sent = message("hello", message_id=message_id)
    return await store.accept(sent, conversation=TALK, waiting=1000)


@pytest.mark.valkey
@pytest.mark.parametrize("name", sorted(AILMENTS))
async def test_trouble_is_told_once_and_nothing_is_acked_until_it_ends(
    empty_valkey: RunningValkey, name: str
) -> None:
    """A flood would hide the line that says what to do."""
    ailment = AILMENTS[name]
    allow(empty_valkey.client)
    with capture_logs() as told:
        async with open_store(as_user(empty_valkey.url), **BOUNDS) as store:
            await accept(store, "1.0")
            ailment.begin(empty_valkey.client)
            try:
                for _ in range(TRIES):
                    with pytest.raises(ailment.raises, match=ailment.says):
                        await accept(store, "2.0")
                    with pytest.raises(ailment.raises):
                        await store.ping()
            finally:
                ailment.end(empty_valkey.client)

            await store.ping()
            assert await accept(store, "2.0")
            lease = await store.claim(worker="w", lease_s=5.0, wait_s=0.0)
            assert lease is not None
            assert [one.message_id for one in await store.mail(lease)] == ["1.0", "2.0"]

    lines = [one for one in told if one["event"] in ("store.failing", "store.well_again")]
    assert [one["event"] for one in lines] == ["store.failing", "store.well_again"]


def is_rewritten(client: redis.Redis) -> bool:
    about = client.info("persistence")
    return not about["aof_rewrite_in_progress"] and not about["aof_rewrite_scheduled"]


@pytest.mark.valkey
async def test_a_server_that_still_loads_its_data_is_waited_for(tmp_path: Path) -> None:
    """After a crash that takes a second for each hundred megabytes."""
    slow = {"key-load-delay": "20000", "loading-process-events-interval-bytes": "1024"}
    options = {"appendonly": "yes", "appendfsync": "always"}
    with running_valkey(tmp_path / "s", **options) as first:
        async with open_store(first.url, **BOUNDS) as store:
            await accept(store, "1.0")
            for at in range(50):
                first.client.set(f"ballast:{at}", os.urandom(1_000))
            first.client.bgrewriteaof()
            wait_until(lambda: is_rewritten(first.client), "the log is rewritten")
            first.kill()
            with contextlib.ExitStack() as stack:
                starting = asyncio.to_thread(
                    stack.enter_context, running_valkey(tmp_path / "s", **options, **slow)
                )
                again = asyncio.create_task(starting)
                says = set()
                async with asyncio.timeout(20):
                    while True:
                        try:
                            await accept(store, "2.0")
                            break
                        except StoreUnreachable as error:
                            says.add(str(error).rpartition("/s")[2])
                            await asyncio.sleep(0.01)
                await again
                assert not await accept(store, "1.0")

    assert " is still loading its data." in says


@pytest.mark.valkey
async def test_a_key_of_a_wrong_type_costs_no_other_channel(empty_valkey: RunningValkey) -> None:
    """Somebody's experiment in the wrong database."""
    async with open_store(empty_valkey.url, **BOUNDS) as store:
        empty_valkey.client.set(key("log", "slack:T1:C1"), "not a sorted set")

        with pytest.raises(StoreError, match="WRONGTYPE"):
            await accept(store, "1.0")
        other = message("hello", place=replace(CHANNEL, channel="C2"))
        assert await store.accept(other, conversation=None, waiting=5)

        empty_valkey.client.delete(key("log", "slack:T1:C1"))
        assert await accept(store, "1.0")


def test_the_same_trouble_is_told_again_after_a_minute() -> None:
    """An outage of an hour must still show in the last screen of the log."""
    now = 1_000.0
    trouble = Trouble("redis://db", clock=lambda: now)
    with capture_logs() as told:
        for _ in range(10):
            trouble.met(StoreFull("full"), shard=1)
            now += REMIND_S / 4

    assert [one["event"] for one in told] == ["store.failing"] * 2


def test_one_failing_shard_among_well_ones_does_not_flood_the_log() -> None:
    trouble = Trouble("redis://db", clock=lambda: 1_000.0)
    with capture_logs() as told:
        for _ in range(50):
            trouble.met(StoreUnreachable("away"), shard=1)
            trouble.over(shard=2)
            trouble.met(StoreUnreachable("away"), shard=3)
            trouble.over(shard=3)

    assert [one["event"] for one in told] == ["store.failing", "store.well_again"]
