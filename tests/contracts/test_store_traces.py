from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.talk import ANA, BEN, CHANNEL, DIRECT, command, in_thread, message

from bot.conversations import Reply, Turn, in_place
from bot.messages import MessageChanged, MessageDeleted, Place
from bot.ports import Store
from bot.prompts import Sampling
from bot.traces import Asked, Passage, ReadTurn, Sureness, Trace, Traced, Unsure

THREAD = in_thread("1.0")
TALK = in_place(THREAD, root="1.0")


def trace(message_id: str = "m1", *, place: Place = THREAD, **other: object) -> Trace:
    given = {"reply_id": "r", "at": 9.0, "revision": 1, "skill": "chat", "finish": "stop"}
    return Trace(place=place, message_ids=(message_id,), **(given | other))


WHOLE = trace(
    "m2",
    person=ANA.id,
    asked=Asked(
        model="mini",
        revision="/models/mini",
        family="mini",
        sampling=Sampling(top_k=7),
        window=2048,
        budget_tokens=1748,
        max_tokens=300,
        prompt_tokens=31,
        cached_tokens=16,
        reply_tokens=5,
    ),
    read=(
        ReadTurn(role="person", message_ids=("1.0",)),
        ReadTurn(role="jay", message_ids=("m0", "m1")),
    ),
    left_out=3,
    cut_tokens=2,
    passages=(Passage(message_id="1.0", score=-0.5, words=3.25, meaning=0.5, shown=True),),
    cited=1,
    sureness=Sureness(
        tokens=5, mean_logprob=-0.75, unsure=(Unsure(start=0, end=4, probability=0.125),)
    ),
    traceable=True,
    begun_chars=4,
)


async def say(store: Store, message_id: str, text: str = "x", place: Place = CHANNEL) -> None:
    sent = message(text, message_id=message_id, place=place)
    await store.accept(sent, conversation=None, waiting=5)


async def stands(store: Store, *message_ids: str, revision: int) -> list[str]:
    return sorted(await store.standing(CHANNEL, message_ids, revision=revision))


async def test_a_trace_is_read_as_it_was_kept(store: Store) -> None:
    await store.keep_trace(WHOLE)

    assert await store.trace(CHANNEL, "m2") == WHOLE
    assert await store.trace(CHANNEL, "m1") is None
    assert await store.trace(DIRECT, "m2") is None


async def test_keeping_a_trace_again_changes_nothing_else(store: Store) -> None:
    """Its answer may have been lost, or another worker settles the reply once more."""
    for at in (9.0, 9.0, 10.0):
        await store.keep_trace(trace(at=at))

    assert await store.traced(CHANNEL) == [Traced(thread="1.0", person="", message_id="m1")]
    assert await store.trace(CHANNEL, "m1") == trace(at=10.0)


async def test_a_reply_that_stands_nowhere_leaves_no_trace(store: Store) -> None:
    await store.keep_trace(replace(trace(), message_ids=()))

    assert await store.traced(CHANNEL) == []


async def test_the_newest_replies_of_a_channel_are_known_the_newest_first(store: Store) -> None:
    for at in range(60):
        await store.keep_trace(trace(f"m{at}", at=float(at)))
    await store.keep_trace(trace("p1", place=CHANNEL, at=30.5, person=BEN.id))

    known = await store.traced(THREAD)
    assert len(known) == 50
    assert [one.message_id for one in known[:3]] == ["m59", "m58", "m57"]
    assert Traced(thread="", person=BEN.id, message_id="p1") in known


async def test_the_trace_goes_with_the_reply(store: Store) -> None:
    await store.keep_trace(trace())

    await store.delete(MessageDeleted(place=CHANNEL, message_id="m1"))
    assert await store.trace(CHANNEL, "m1") is None
    await store.keep_trace(trace())
    assert await store.trace(CHANNEL, "m1") is None


async def test_messages_stand_until_they_are_edited_or_deleted(store: Store) -> None:
    for message_id in ("1.0", "2.0", "3.0"):
        await say(store, message_id)
    revision = await store.revision(CHANNEL)
    assert await stands(store, "1.0", "2.0", "3.0", revision=revision) == ["1.0", "2.0", "3.0"]

    edit = MessageChanged(place=CHANNEL, message_id="1.0", text="y", changed_at=5.0)
    await store.change(edit)
    await store.delete(MessageDeleted(place=CHANNEL, message_id="2.0"))
    await say(store, "4.0")

    assert await stands(store, "1.0", "2.0", "3.0", "4.0", "9.0", revision=revision) == ["3.0"]
    newest = await store.revision(CHANNEL)
    assert newest > revision
    found = await store.standing(CHANNEL, ["1.0"], revision=newest)
    assert found["1.0"] is not None
    assert found["1.0"].text == "y"


async def test_another_channels_messages_do_not_stand_here(store: Store) -> None:
    await say(store, "1.0")

    assert await store.standing(DIRECT, ["1.0"], revision=99) == {}
    assert await store.standing(CHANNEL, [], revision=99) == {}
    assert await store.revision(DIRECT) == 0


async def test_commands_and_jays_own_messages_stand_though_they_are_in_no_log(
    store: Store,
) -> None:
    asked = command("answer", "who?")
    await store.accept_command(asked, conversation=TALK)
    lease = await store.claim(worker="w", lease_s=60.0, wait_s=0.0)
    assert lease is not None
    await store.save_reply(lease, Reply(reply_id="r", answers=(), message_ids=("m1",)))
    turn = Turn(role="jay", text="Ana.", author="Jay", at=1.0, message_ids=("m1",))
    await store.settle(lease, answered=[asked.message_id], turns=[turn])

    ids = [asked.message_id, "m1", "m7"]
    assert await store.standing(CHANNEL, ids, revision=0) == {asked.message_id: None, "m1": None}
    await store.delete(MessageDeleted(place=CHANNEL, message_id="m1"))
    assert await stands(store, *ids, revision=0) == [asked.message_id]


async def test_what_the_log_let_go_does_not_stand(store: Store) -> None:
    """Whether it was edited since can't be told any more."""
    for at in range(1, 34):
        await say(store, f"{at}.0")
    revision = await store.revision(CHANNEL)

    assert await stands(store, "1.0", "33.0", revision=revision) == ["33.0"]


@pytest.mark.parametrize("told", ["", "x"])
async def test_forgetting_a_person_takes_their_messages_out_of_what_stands(
    store: Store, told: str
) -> None:
    await say(store, "1.0", told)
    revision = await store.revision(CHANNEL)

    await store.forget_person("slack", ANA.id)

    assert await stands(store, "1.0", revision=revision) == []
