"""The twin in memory and a real Valkey agree on any sequence of calls."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from fakes.store import MemoryStore
from fakes.talk import ANA, BEN, CHANNEL, DIRECT, in_thread
from fakes.valkey import RunningValkey
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.conversations import Reply, Turn, in_place
from bot.errors import StoreError
from bot.messages import Command, IncomingMessage, MessageChanged, MessageDeleted
from bot.ports import Lease, Parked, Store
from bot.store import open_store
from bot.traces import Trace


@dataclass(frozen=True)
class Call:
    """One call of the store."""

    name: str
    arguments: dict[str, Any]
    lease: int = 0
    """Which lease it passes: 1 is the newest that was claimed; 0: none."""

    async def make(self, store: Store, leases: list[Lease]) -> object:
        if self.lease > len(leases):
            return None
        passed = (leases[-self.lease],) if self.lease else ()
        try:
            told = await getattr(store, self.name)(*passed, **self.arguments)
        except StoreError as error:
            return type(error)
        if isinstance(told, Lease):
            leases.append(told)
            told = (told.conversation, told.worker)
        if self.arguments.get("lease_s") == BRIEF_S:
            await asyncio.sleep(3 * BRIEF_S)
        return list(told) if isinstance(told, list | tuple) else told


BRIEF_S = 0.001
BOUNDS = {"max_turns": 3, "max_log": 2}
ROOTS = ("1.0", "2.0")
TALKS = tuple(in_place(CHANNEL, root=root) for root in ROOTS)
"""In one channel: which of two shards is asked first is not part of the contract."""

ids = st.sampled_from(["1.0", "2.0", "3.0"])
places = st.sampled_from([CHANNEL, CHANNEL, in_thread("1.0"), DIRECT])
talks = st.sampled_from(TALKS)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
times = st.sampled_from([0.1, 1.0, 2.0, 1764000000.123456])
messages = st.builds(
    IncomingMessage,
    place=places,
    message_id=ids,
    author=st.sampled_from([ANA, BEN]),
    text=texts,
    sent_at=times,
    mentions_jay=st.booleans(),
    mentions_others=st.booleans(),
    reply_to=st.one_of(st.just(""), ids),
)
commands = st.builds(
    Command,
    place=st.just(CHANNEL),
    message_id=ids,
    author=st.just(ANA),
    name=st.just("why"),
    text=texts,
    sent_at=times,
    about=st.one_of(st.just(""), ids),
)
turns = st.builds(
    Turn,
    role=st.sampled_from(["person", "jay"]),
    text=texts,
    author=texts,
    at=times,
    message_ids=st.lists(ids, max_size=2, unique=True).map(tuple),
)
replies = st.builds(
    Reply,
    reply_id=texts,
    answers=st.lists(ids, max_size=2, unique=True).map(tuple),
    message_ids=st.lists(ids, max_size=2, unique=True).map(tuple),
    text=texts,
    began_at=times,
)
traces = st.builds(
    Trace,
    reply_id=texts,
    place=places,
    at=times,
    revision=st.just(1),
    skill=st.just("chat"),
    finish=texts,
    person=st.sampled_from(["", ANA.id]),
    message_ids=st.lists(ids, max_size=2, unique=True).map(tuple),
)


none = st.just(0)


def calls(name: str, lease: st.SearchStrategy[int] = none, **given: Any) -> Any:
    return st.builds(Call, st.just(name), st.fixed_dictionaries(given), lease)


held = st.sampled_from([1, 1, 1, 1, 2])
some_ids = st.lists(ids, max_size=2, unique=True)
claims = calls(
    "claim", worker=st.just("w"), lease_s=st.sampled_from([BRIEF_S, 60.0]), wait_s=st.just(0.0)
)


def arriving(message: IncomingMessage, root: str, may_follow: bool) -> Call:
    """A message comes for a conversation of its own channel, or for nobody."""
    talk = in_place(CHANNEL, root=root) if root and not message.place.direct else None
    given = {"message": message, "conversation": talk, "waiting": 2, "may_follow": may_follow}
    return Call("accept", given)


roots = st.sampled_from(ROOTS)
accepts = st.builds(arriving, messages, st.one_of(st.just(""), roots, roots), st.booleans())
settles = calls("settle", held, answered=some_ids, turns=st.lists(turns, max_size=2))
repeats = st.builds(lambda call: [call, call], settles)
changes = st.builds(
    MessageChanged, place=places, message_id=ids, text=texts, changed_at=st.sampled_from([1.0, 2.5])
)
deletions = st.builds(MessageDeleted, place=places, message_id=ids)
single = st.one_of(
    accepts,
    accepts,
    claims,
    claims,
    calls("accept_command", command=commands, conversation=talks),
    calls("log_history", messages=st.lists(messages, max_size=3)),
    calls("change", changed=changes),
    calls("delete", deleted=deletions),
    calls("forget_person", platform=st.just("slack"), person_id=st.just(BEN.id)),
    calls("ask_stop", conversation=talks),
    calls("renew", held, lease_s=st.just(60.0)),
    calls("release", held),
    calls("save_reply", held, reply=replies),
    settles,
    calls("keep_window_start", held, start=st.integers(0, 9)),
    calls("note_gap", platform=st.just("slack"), heard_until=times),
    calls("mail", held),
    calls("park", held, message_ids=some_ids),
    calls("take_up", parked=st.builds(Parked, conversation=talks, mail=messages, at=st.just(0.0))),
    calls("open_reply", held),
    calls("conversation_at", place=places, message_id=ids),
    calls("takes_part", conversation=talks),
    calls("turns", conversation=talks),
    calls("keep_trace", trace=traces),
    calls("trace", place=places, message_id=ids),
    calls("revision", place=places),
    calls("standing", place=places, message_ids=some_ids, revision=st.integers(0, 9)),
    calls("messages", place=places, limit=st.integers(0, 4), since=times),
)
sequences = st.lists(
    st.one_of(single.map(lambda call: [call]), repeats), min_size=10, max_size=40
).map(lambda groups: [call for group in groups for call in group])


async def everything(store: Store) -> dict[str, object]:
    """All that can be read without a lease."""
    return {
        "turns": [list(await store.turns(talk)) for talk in TALKS],
        "parked": [(one.id, one.mail) for one in await store.parked()],
        "gaps": sorted(
            [(repr(gap.place), gap.since) for gap in await store.gaps("slack", limit=99)]
        ),
        "windows": [await store.window_start(talk) for talk in TALKS],
        "part": [await store.takes_part(talk) for talk in TALKS],
        "logs": [
            list(await store.messages(place, limit=9))
            for place in (CHANNEL, in_thread("1.0"), DIRECT)
        ],
        "at": [await store.conversation_at(CHANNEL, i) for i in ("1.0", "2.0", "3.0")],
    }


async def agree(url: str, sequence: list[Call]) -> None:
    twin, twins_leases = MemoryStore(retention_days=1, **BOUNDS), list[Lease]()
    async with open_store(url, retention_days=1, **BOUNDS) as store:
        leases = list[Lease]()
        for call in sequence:
            expected = await call.make(twin, twins_leases)
            assert (call, await call.make(store, leases)) == (call, expected)
        assert await everything(store) == await everything(twin)


@pytest.mark.valkey
@given(sequence=sequences)
@settings(max_examples=100)
def test_the_twin_and_valkey_agree_on_any_sequence_of_calls(
    valkey: RunningValkey, sequence: list[Call]
) -> None:
    valkey.client.flushall()

    asyncio.run(agree(valkey.url, sequence))
