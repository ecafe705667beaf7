"""Data of an older Jay are moved over; those of a newer one are left alone."""

from __future__ import annotations

import pytest
from fakes.talk import ANA, CHANNEL, DIRECT, in_thread, message
from fakes.valkey import RunningValkey
from fakes.valkey_user import allow, as_user
from structlog.testing import capture_logs

from bot.conversations import Reply, Turn, in_place
from bot.errors import StoreError, StoreVersion
from bot.ports import Store
from bot.store import open_store
from bot.store.keys import KINDS, SCHEMA, SHARDS, key, shard_of

pytestmark = pytest.mark.valkey

BOUNDS = {"retention_days": 90, "max_turns": 50, "max_log": 1000}
THREAD = in_thread("0.5")
TALK = in_place(THREAD, root="0.5")
PRIVATE = in_place(DIRECT, root="")
ALWAYS = 1e12
YOUNGER = {
    "gone",
    "copies",
    "vectors",
    "note",
    "noted",
    "deleted",
    "trace",
    "traced",
    "digests",
    "digested",
    "due",
}
"""Kinds of key that data of version 1 can't hold."""


async def fill(store: Store) -> None:
    for at in (1, 2, 3):
        sent = message(f"said {at}", message_id=f"{at}.0", place=THREAD)
        await store.accept(sent, conversation=TALK, waiting=9)
    lease = await store.claim(worker="w", lease_s=60.0, wait_s=0.0)
    assert lease is not None
    turn = Turn(role="person", text="said 1", author="Ana", at=1.0, message_ids=("1.0",))
    await store.settle(lease, answered=["1.0"], turns=[turn])
    await store.park(lease, message_ids=["2.0"])
    await store.save_reply(lease, Reply(reply_id="r", answers=("3.0",), text="So far"))
    await store.keep_window_start(lease, 7)
    await store.release(lease)
    await store.accept(message("psst", place=DIRECT), conversation=PRIVATE, waiting=9)
    await store.note_gap("slack", heard_until=ALWAYS)


async def everything(store: Store) -> dict[str, object]:
    told: dict[str, object] = {
        "turns": list(await store.turns(TALK)),
        "window": await store.window_start(TALK),
        "parked": [(one.id, one.at) for one in await store.parked()],
        "gaps": list(await store.gaps("slack", limit=9)),
        "log": [list(await store.messages(place, limit=9)) for place in (CHANNEL, DIRECT)],
        "at": await store.conversation_at(THREAD, "3.0"),
    }
    leases = {}
    while lease := await store.claim(worker="w", lease_s=60.0, wait_s=0.0):
        mail = [one.message_id for one in await store.mail(lease)]
        leases[lease.conversation.key] = (mail, await store.open_reply(lease))
    return told | {"leases": leases}


async def age(server: RunningValkey) -> None:
    """Put the data back into the one shard of version 1."""
    client = server.client
    for name in list(client.scan_iter("jay:{s*")):
        _, _, kind, *of = name.decode().split(":", 3)
        old = ":".join(["jay", "{0}", kind, *of])
        if client.type(name) == b"zset":
            client.zunionstore(old, [old, name], aggregate="MAX")
            life = client.pttl(name)
            client.delete(name)
            if life > 0:
                client.pexpire(old, life)
        elif kind != "parked" or not client.exists(old):
            client.rename(name, old)
    client.set("jay:{0}:schema", "1")
    client.rpush("jay:{0}:bell", "")


async def test_data_of_the_older_version_are_moved_over(empty_valkey: RunningValkey) -> None:
    """Whoever upgrades would find every conversation forgotten."""
    client = empty_valkey.client
    async with open_store(empty_valkey.url, **BOUNDS) as store:
        await fill(store)
        lives = {name: client.pttl(name) for name in client.scan_iter("jay:{s*}:mail:*")}
        expected = await everything(store)
        forgotten = await store.forget_person("slack", ANA.id)
        client.flushall()
        await fill(store)
    await age(empty_valkey)

    async with open_store(empty_valkey.url, **BOUNDS) as store:
        left = list(client.scan_iter("jay:{0}:*"))
        kinds = {name.decode().split(":")[2] for name in client.scan_iter("jay:{s*")}
        lives_now = {name: client.pttl(name) for name in lives}
        found = await everything(store)
        forgotten_now = await store.forget_person("slack", ANA.id)

    assert left == [b"jay:{0}:schema"]
    assert kinds == set(KINDS) - {"stop", "leased"} - YOUNGER
    parked, told_parked = found.pop("parked"), expected.pop("parked")
    assert [one[0] for one in parked] == [one[0] for one in told_parked]
    assert found == expected
    assert all(abs(lives[name] - life) < 60_000 for name, life in lives_now.items())
    assert forgotten_now == forgotten > 4


async def test_a_move_that_was_cut_off_is_taken_up(empty_valkey: RunningValkey) -> None:
    client = empty_valkey.client
    async with open_store(empty_valkey.url, **BOUNDS) as store:
        await fill(store)
    await age(empty_valkey)
    allow(client, also=("+scan", "+dump", "+pttl"))
    with pytest.raises(StoreError, match="restore"):
        async with open_store(as_user(empty_valkey.url), **BOUNDS):
            pass
    assert client.get("jay:{0}:schema") == b"moving"

    allow(client, also=("+scan", "+dump", "+pttl", "+restore"))
    async with open_store(as_user(empty_valkey.url), **BOUNDS) as store:
        assert len(await store.turns(TALK)) == 1
        assert len(await store.messages(CHANNEL, limit=9)) == 3


async def test_only_one_process_moves_the_data(empty_valkey: RunningValkey) -> None:
    empty_valkey.client.set("jay:{0}:schema", "1")
    empty_valkey.client.set("jay:{0}:mover", "1")

    with pytest.raises(StoreVersion, match="Another Jay is moving"):
        async with open_store(empty_valkey.url, **BOUNDS):
            pass


async def test_an_older_jay_refuses_what_was_moved(empty_valkey: RunningValkey) -> None:
    """Version 1 looks at one key only, and would begin with an empty memory."""
    empty_valkey.client.set("jay:{0}:schema", "1")
    with capture_logs() as told:
        for _ in range(2):
            async with open_store(empty_valkey.url, **BOUNDS):
                pass

    assert empty_valkey.client.get("jay:{0}:schema") == SCHEMA.encode()
    assert [one["event"] for one in told].count("store.moved") == 1


@pytest.mark.parametrize("shard", [0, SHARDS - 1, shard_of("slack:T1:C1")])
async def test_data_of_a_newer_version_are_refused(empty_valkey: RunningValkey, shard: int) -> None:
    empty_valkey.client.set(key("schema", shard=shard), "3")

    with pytest.raises(StoreVersion, match="version 3") as caught:
        async with open_store(empty_valkey.url, **BOUNDS):
            pass

    assert "operations.md" in caught.value.hint
    assert empty_valkey.client.get(key("schema", shard=shard)) == b"3"
