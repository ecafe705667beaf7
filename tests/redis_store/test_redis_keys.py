from __future__ import annotations

import re
import time

import pytest
from fakes.talk import ANA, CHANNEL, command, in_thread, message
from fakes.valkey import RunningValkey

from bot.conversations import Reply, Turn, in_place
from bot.messages import MessageDeleted
from bot.ports import Store
from bot.store import open_store
from bot.store.keys import DAY_S, KINDS, NOTE_S, PREFIX, SEEN_S, STOP_S, key
from bot.store.scripts import STEPS, read_script

BOUNDS = {"retention_days": 3, "max_turns": 50, "max_log": 1000}
RETENTION_S = 3 * DAY_S
THREAD = in_thread("0.5")
TALK = in_place(THREAD, root="0.5")
LIVES = {
    "ever": {-1},
    "retention": {RETENTION_S},
    "retention and a day": {RETENTION_S + DAY_S},
    "mark": {SEEN_S, RETENTION_S + DAY_S},
    "stop": {STOP_S},
    "note": {min(NOTE_S, RETENTION_S)},
}


async def use_everything(store: Store) -> None:
    """Leave a key of every kind."""
    await store.accept(message("seen", message_id="5.0"), conversation=None, waiting=5)
    await store.accept(message("asked", place=THREAD), conversation=TALK, waiting=5)
    lease = await store.claim(worker="w", lease_s=60.0, wait_s=0.0)
    assert lease is not None
    turn = Turn(role="jay", text="Hi.", author="Jay", at=1.0, message_ids=("m1",))
    await store.settle(lease, answered=["1.0"], turns=[turn])
    await store.accept(
        message("more", message_id="2.0", place=THREAD), conversation=TALK, waiting=5
    )
    await store.save_reply(lease, Reply(reply_id="r", answers=("2.0",), message_ids=("m2",)))
    await store.ask_stop(TALK)
    await store.note_gap("slack", heard_until=9.0)
    await store.accept(message("bad", message_id="3.0", place=THREAD), conversation=TALK, waiting=5)
    await store.park(lease, message_ids=["3.0"])
    await store.save_reply(lease, Reply(reply_id="r", answers=("2.0",), message_ids=("m2",)))
    await store.accept(message("gone", message_id="4.0"), conversation=None, waiting=5)
    await store.delete(MessageDeleted(place=CHANNEL, message_id="4.0"))
    await store.keep_vectors(CHANNEL, {"5.0": b"vector"})
    await store.keep_note(CHANNEL, "digest", "a note", message_ids=["5.0"])
    await store.accept(message("oops", message_id="6.0"), conversation=None, waiting=5)
    await store.delete(MessageDeleted(place=CHANNEL, message_id="6.0"))
    await store.accept_command(command("why"), conversation=in_place(CHANNEL, root="cmd-why"))


@pytest.mark.valkey
async def test_every_key_is_in_the_table_with_its_type_and_its_life(
    empty_valkey: RunningValkey,
) -> None:
    """Whoever changes what is stored looks there first."""
    client = empty_valkey.client
    async with open_store(empty_valkey.url, **BOUNDS) as store:
        await use_everything(store)
    kinds = set()

    for name in client.scan_iter():
        kind = name.decode().removeprefix(PREFIX).split(":")[0]
        kinds.add(kind)
        assert name.decode().startswith(PREFIX)
        assert client.type(name).decode() == KINDS[kind].type, kind
        life = client.ttl(name)
        assert any(life in (one, one - 1) for one in LIVES[KINDS[kind].life]), (kind, life)

    assert kinds == set(KINDS)


def test_scripts_build_only_keys_of_the_table() -> None:
    named = {kind for step in STEPS for kind in re.findall(r"\bkey\('(\w+)'", read_script(step))}

    assert named <= set(KINDS)
    assert len(named) > 10


@pytest.mark.valkey
async def test_messages_and_turns_older_than_the_retention_are_dropped(
    empty_valkey: RunningValkey,
) -> None:
    """Also in a channel that is never quiet, whose keys therefore never run out."""
    client = empty_valkey.client
    async with open_store(empty_valkey.url, **BOUNDS) as store:
        for message_id in ("1.0", "2.0"):
            await store.accept(
                message("x", message_id=message_id, place=THREAD), conversation=TALK, waiting=5
            )
        lease = await store.claim(worker="w", lease_s=60.0, wait_s=0.0)
        assert lease is not None
        turns = [
            Turn(role="person", text=text, author="Ana", at=1.0, message_ids=(text,))
            for text in ("1.0", "2.0")
        ]
        await store.settle(lease, answered=["1.0", "2.0"], turns=turns)
        long_ago = (time.time() - RETENTION_S - 10) * 1e6
        client.zadd(key("ages", "slack:T1:C1"), {"1.0": long_ago})
        header, _, rest = client.lindex(key("turns", TALK.key), 0).split(b"\n", 2)
        client.lset(key("turns", TALK.key), 0, b"%s\n%d\n%s" % (header, long_ago, rest))

        assert [one.message_id for one in await store.messages(CHANNEL, limit=9)] == ["2.0"]
        assert [one.message_id for one in await store.messages(THREAD, limit=9)] == ["2.0"]
        assert [turn.text for turn in await store.turns(TALK)] == ["2.0"]
        assert client.hkeys(key("bodies", "slack:T1:C1")) == [b"2.0"]


@pytest.mark.valkey
async def test_the_index_of_a_person_does_not_outgrow_the_retention(
    empty_valkey: RunningValkey,
) -> None:
    said = key("said", f"slack:{ANA.id}")
    async with open_store(empty_valkey.url, **BOUNDS) as store:
        await store.accept(message("old"), conversation=None, waiting=5)
        long_ago = (time.time() - RETENTION_S - DAY_S - 10) * 1e6
        empty_valkey.client.zadd(said, {"slack:T1:C1\n1.0": long_ago})

        await store.accept(message("new", message_id="2.0"), conversation=None, waiting=5)

    assert empty_valkey.client.zrange(said, 0, -1) == [b"slack:T1:C1\n2.0"]


@pytest.mark.valkey
async def test_the_bell_is_bounded(empty_valkey: RunningValkey) -> None:
    """Nobody may be there to hear it."""
    async with open_store(empty_valkey.url, **BOUNDS) as store:
        for at in range(120):
            sent = message("x", message_id=f"{at}.5")
            await store.accept(sent, conversation=in_place(CHANNEL, root=f"{at}.5"), waiting=5)

    assert empty_valkey.client.llen(key("bell")) == 100
