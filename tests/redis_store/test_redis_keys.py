from __future__ import annotations

import random
import re
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace

import pytest
from fakes.stored import stored
from fakes.talk import ANA, CHANNEL, command, digest, in_thread, message
from fakes.valkey import RunningValkey
from redis.crc import key_slot

from bot.conversations import Reply, Turn, in_place
from bot.errors import LeaseLost, MailboxFull
from bot.messages import MessageDeleted, Place
from bot.ports import Store
from bot.store import open_store
from bot.store.keys import (
    DAY_S,
    KINDS,
    MAX_PARKED,
    MAX_PLACES,
    MAX_TRACED,
    NOTE_S,
    SEEN_S,
    SHARDS,
    STOP_S,
    TRACE_S,
    key,
    prefix_of,
    shard_of,
)
from bot.store.scripts import STEPS, read_script
from bot.traces import Trace

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
    "trace": {min(TRACE_S, RETENTION_S)},
}


def traced(message_id: str, *, place: Place = CHANNEL) -> Trace:
    return Trace(
        reply_id="r",
        place=place,
        at=float(message_id[1:]),
        revision=1,
        skill="chat",
        finish="stop",
        message_ids=(message_id,),
    )


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
    await store.keep_trace(traced("m1", place=THREAD))
    await store.accept(message("oops", message_id="6.0"), conversation=None, waiting=5)
    await store.delete(MessageDeleted(place=CHANNEL, message_id="6.0"))
    asked = replace(command("why"), about="5.0")
    await store.accept_command(asked, conversation=in_place(CHANNEL, root="cmd-why"))
    await store.keep_digest(digest(), most=5)


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
        found = re.fullmatch(r"jay:\{s(\d+)\}:(\w+)(?::(.*))?", name.decode())
        assert found, name
        shard, kind, of = found.groups()
        kinds.add(kind)
        assert name.decode().startswith(prefix_of(int(shard)))
        if KINDS[kind].per in ("channel", "thread", "message", "conversation"):
            assert int(shard) == shard_of(of)
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
    said = key("said", f"slack:{ANA.id}", shard=shard_of("slack:T1:C1"))
    async with open_store(empty_valkey.url, **BOUNDS) as store:
        await store.accept(message("old"), conversation=None, waiting=5)
        long_ago = (time.time() - RETENTION_S - DAY_S - 10) * 1e6
        empty_valkey.client.zadd(said, {"slack:T1:C1\n1.0": long_ago})

        await store.accept(message("new", message_id="2.0"), conversation=None, waiting=5)

    assert empty_valkey.client.zrange(said, 0, -1) == [b"slack:T1:C1\n2.0"]


def test_channels_are_spread_over_the_shards() -> None:
    """One hot shard would be one hot master."""
    counts = Counter(shard_of(f"slack:T1:C{number:08}:1.0") for number in range(1_600))

    assert len(counts) == SHARDS
    assert max(counts.values()) < 1.5 * min(counts.values())


def test_each_shard_is_one_slot_and_every_master_of_few_has_some() -> None:
    slots = [key_slot(prefix_of(shard).encode()) for shard in range(SHARDS)]

    assert len(set(slots)) == SHARDS
    for masters in (2, 3, 4, 5, 6):
        assert len({slot * masters // 16_384 for slot in slots}) == masters


async def live(store: Store, dice: random.Random, at: int) -> None:
    """Do one of the things that happen on a busy day."""
    channel = replace(CHANNEL, channel=f"C{dice.randrange(3)}")
    message_id, root = f"{at}.5", f"{dice.randrange(9)}.5"
    match dice.randrange(15):
        case 0 | 1 | 2:
            sent = message("x", message_id=message_id, place=replace(channel, thread=root))
            with suppress(MailboxFull):
                await store.accept(sent, conversation=in_place(channel, root=root), waiting=WAITING)
        case 3 | 4:
            sent = message("x", message_id=message_id, place=channel)
            await store.accept(sent, conversation=None, waiting=WAITING)
        case 5:
            await store.log_history([message("old", message_id=f"{at}.{n}") for n in range(5)])
        case 6:
            about = f"{dice.randrange(at + 1)}.5"
            asked = replace(command("why", place=channel), message_id=message_id, about=about)
            await store.accept_command(asked, conversation=in_place(channel, root=message_id))
        case 7:
            place = replace(channel, thread=root)
            gone = f"{dice.randrange(at + 1)}.5"
            await store.delete(MessageDeleted(place=place, message_id=gone))
            await store.note_gap("slack", heard_until=1e12)
        case 8:
            said = [f"{dice.randrange(at + 1)}.5" for _ in range(3)]
            await store.keep_note(channel, f"d{at}", "A note.", message_ids=said)
        case 9:
            await store.keep_vectors(channel, {f"{dice.randrange(at + 1)}.5": b"1" for _ in "abc"})
        case 10:
            await store.keep_digest(digest(f"d{at}", about=channel), most=DIGESTS)
            await store.drop_digest(digest(f"d{dice.randrange(at + 1)}", about=channel))
        case _:
            await answer(store, dice, at)


async def answer(store: Store, dice: random.Random, at: int) -> None:
    lease = await store.claim(worker="w", lease_s=dice.choice([0.001, 60.0]), wait_s=0.0)
    if lease is None:
        return
    with suppress(LeaseLost):
        ids = [one.message_id for one in await store.mail(lease)]
        reply = Reply(reply_id=f"r{at}", answers=tuple(ids), message_ids=(f"m{at}",))
        await store.save_reply(lease, reply)
        turn = Turn(role="jay", text="Hi.", author="Jay", at=1.0, message_ids=(f"m{at}",))
        match dice.randrange(4):
            case 0:
                await store.park(lease, message_ids=ids)
            case 1:
                return
            case _:
                place = replace(CHANNEL, channel=lease.conversation.channel)
                await store.keep_trace(traced(f"m{at}", place=place))
                await store.settle(lease, answered=ids, turns=[turn, turn])
        await store.release(lease)


WAITING, DIGESTS = 4, 2
SMALL = {"retention_days": 3, "max_turns": 10, "max_log": 30}
MOST = {
    **dict.fromkeys(("log", "bodies", "ages", "thread"), SMALL["max_log"]),
    **dict.fromkeys(("heard", "gaps"), MAX_PLACES),
    "turns": SMALL["max_turns"],
    "traced": MAX_TRACED,
    "mail": WAITING + 1,
    "state": 8,
    "parked": MAX_PARKED,
    "digested": DIGESTS,
    **dict.fromkeys(("digests", "due"), 3 * DIGESTS),
}
"""How much a key may hold. What is not here ends with time, or holds one thing."""


@pytest.mark.valkey
async def test_after_a_busy_day_every_key_ends_or_is_bounded(empty_valkey: RunningValkey) -> None:
    """Memory that only grows is an outage with a date."""
    client, dice = empty_valkey.client, random.Random(5)
    sizes = {"hash": client.hlen, "zset": client.zcard, "list": client.llen}
    async with open_store(empty_valkey.url, **SMALL) as store:
        for at in range(400):
            await live(store, dice, at)
        talks = {of for _, _, of in stored("state", client)} | {
            of for _, _, of in stored("mail", client)
        }
    seen = set()

    for _, name, _ in stored("*", client):
        kind = name.split(":")[2]
        seen.add(kind)
        size = sizes.get(KINDS[kind].type, lambda _: 1)(name)
        assert size <= MOST.get(kind, len(talks) if KINDS[kind].life == "ever" else size), name
        assert client.ttl(name) > 0 or KINDS[kind].life == "ever", name

    assert seen >= set(KINDS) - {"stop", "leased"}


@pytest.mark.valkey
async def test_places_to_read_back_are_bounded(empty_valkey: RunningValkey) -> None:
    """Threads are opened for ever."""
    shard = shard_of("slack:T1:C1")
    threads = {f"slack:T1:C1:{at}.5:0": float(at) for at in range(MAX_PLACES + 50)}
    for kind in ("heard", "gaps"):
        empty_valkey.client.zadd(key(kind, "slack", shard=shard), threads)
    async with open_store(empty_valkey.url, **BOUNDS) as store:
        await store.accept(message("x", message_id="9999.5"), conversation=None, waiting=5)
        await store.note_gap("slack", heard_until=1e12)

    for kind in ("heard", "gaps"):
        assert empty_valkey.client.zcard(key(kind, "slack", shard=shard)) == MAX_PLACES
