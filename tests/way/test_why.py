"""`/why` on the whole way in memory: what is told of a reply, and to whom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fakes.talk import ANA, BEN, CHANNEL, DIRECT, command, in_thread, message

from bot.conversations import Reply, in_place
from bot.messages import Command, MessageChanged, MessageDeleted, Person, Place
from bot.skills.why import NONE_HERE, NOTHING_KNOWN

MakeWay = Callable[..., Any]
pytestmark = [pytest.mark.looptime]

THREAD = in_thread("1.0")
FACT = "The release of 2.4 moved to Thursday because Carla found a leak."
asked = iter(range(10_000))


async def why(
    way: Any, of: str = "", *, place: Place = CHANNEL, person: Person = ANA
) -> tuple[str, bool]:
    """Use /why; returns what is told, and whether that is seen by the person alone."""
    used = Command(
        place=place,
        message_id=f"why{next(asked)}",
        author=person,
        name="why",
        text=of,
        sent_at=99.0,
        handle="h",
    )
    await way.hear(used)
    lease = await way.store.claim(worker="w", lease_s=900.0, wait_s=0.0)
    await way.replier.reply(lease, stop=asyncio.Event())
    await way.store.release(lease)
    return way.surface.texts[-1], way.surface.targets[-1].private


async def chat(way: Any, *texts: str, place: Place = THREAD) -> None:
    """Say things to Jay in a thread, and have each answered."""
    for at, text in enumerate(texts):
        where = place if at or place.direct else CHANNEL
        sent = message(text, message_id=f"{at + 1}.0", mentions_jay=True, place=where)
        await way.hear(sent)
        await way.answer_all()


async def test_a_reply_tells_what_it_was_made_of_to_who_asks_alone(make_way: MakeWay) -> None:
    way = make_way(" Nine at sea.\n###")
    await chat(way, "hello", "how many ships?")

    text, private = await why(way)

    assert private
    assert text.startswith("**Why this reply**\n- The prompt held 2 messages of people and 1 reply")
    assert "Ana [1 Jan](https://chat.example/C1/1.0)" in text
    assert "Model `scripted`, prompt family `test`." in text
    assert "temperature 0.7, top-p 0.9, top-k off, repetition penalty 1" in text
    assert "at most 200" in text
    assert "It ended by itself." in text


async def test_a_mention_asks_in_a_thread_with_exactly_these_words(make_way: MakeWay) -> None:
    """Slack's threads know no commands. An ordinary question is none of it."""
    way = make_way(" Because.\n###")
    await chat(way, "hello", "Why?", place=THREAD)
    assert way.surface.texts[-1].startswith("**Why this reply**")

    for number, (text, named) in enumerate(
        [("why not", True), ("why? tell me", True), ("why?", False)]
    ):
        said = message(text, message_id=f"{number + 7}.0", mentions_jay=named, place=THREAD)
        await way.hear(said)
        await way.answer_all()
        assert way.surface.texts[-1] == "Because."


async def test_what_is_told_of_a_reply_is_no_part_of_the_conversation(make_way: MakeWay) -> None:
    way = make_way(" Because.\n###")
    await chat(way, "hello", "why?", "and now?")

    turns = await way.store.turns(in_place(CHANNEL, root="1.0"))
    assert [one.text for one in turns] == ["hello", "Because.", "and now?", "Because."]
    assert "Why this reply" not in way.engine.prompts[-1]
    assert (await why(way))[0].count("reply of mine") == 1


async def test_the_latest_reply_of_the_place_is_meant(make_way: MakeWay) -> None:
    way = make_way(" One.\n###", " One two three four.\n###")
    await chat(way, "hello")
    await way.hear(message("hi", message_id="2.0", mentions_jay=True))
    await way.answer_all()

    assert "wrote 4 " in (await why(way))[0]
    assert "wrote 1 " in (await why(way, place=THREAD))[0]
    assert (await why(way, place=replace(CHANNEL, channel="C2")))[0] == NONE_HERE


async def test_a_guards_cut_is_told(make_way: MakeWay) -> None:
    way = make_way(" One.\n[human]: and you?\n###")
    await chat(way, "hello")

    assert "A guard cut it: it went on to write somebody else's message." in (await why(way))[0]


async def test_an_answer_tells_its_passages_with_scores(make_way: MakeWay) -> None:
    way = make_way(" The release of 2.4 moved to Friday, says Bob.\n###")
    await way.hear(message(FACT, message_id="1.0", author=BEN))
    await way.hear(command("answer", "When is the release of 2.4?"))
    await way.answer_all()

    text, _ = await why(way)

    assert "Found, best first" in text
    assert "shown: Ben [1 Jan](https://chat.example/C1/1.0): The release of 2.4 moved" in text
    assert "What the model said was not shown" in text


async def test_passages_of_before_jays_time_stand_though_they_were_logged_for_the_answer(
    make_way: MakeWay,
) -> None:
    """The first question in a channel is what brings its history into the log."""
    way = make_way(" The release of 2.4 moved to Thursday.\n###")
    way.surface.history_of = [message(FACT, message_id="1.0", author=BEN)]
    await way.hear(command("answer", "When is the release of 2.4?"))
    await way.answer_all()

    text, _ = await why(way)

    assert "shown: Ben [1 Jan](https://chat.example/C1/1.0): The release of 2.4 moved" in text
    assert "is gone" not in text


async def test_what_was_edited_or_deleted_since_is_counted_and_not_shown(
    make_way: MakeWay,
) -> None:
    way = make_way(" Yes.\n###")
    await way.hear(message(FACT, message_id="1.0", author=BEN))
    await way.hear(command("answer", "When is the release of 2.4?"))
    await chat_in(way, "5.0", "hello")
    await chat_in(way, "6.0", "hello")
    await way.store.delete(MessageDeleted(place=CHANNEL, message_id="1.0"))
    await way.store.delete(MessageDeleted(place=CHANNEL, message_id="5.0"))
    edit = MessageChanged(place=CHANNEL, message_id="6.0", text="hi", changed_at=9.0)
    await way.store.change(edit)
    replies = [one.message_id for one in await way.store.traced(CHANNEL)]

    told = [(await why(way, one))[0] for one in replies]

    assert len(told) == 3
    assert not any("Thursday" in one or "hello" in one or "Ana" in one for one in told)
    assert sum("1 message of these no longer reads as it did" in one for one in told) == 2
    assert sum("a message that no longer reads as it did, or is gone" in one for one in told) == 1


async def chat_in(way: Any, message_id: str, text: str) -> None:
    await way.hear(message(text, message_id=message_id, mentions_jay=True))
    await way.answer_all()


async def test_what_one_person_saw_is_told_to_nobody_else(make_way: MakeWay) -> None:
    """A private summary may be of a channel that others can't read."""
    way = make_way(" Nothing.\n###")
    await way.hear(message(FACT, message_id="1.0", author=BEN))
    await way.hear(replace(command("summarize", "last 5"), handle="h"))
    await way.answer_all()
    (private,) = await way.store.traced(CHANNEL)

    assert private.person == ANA.id
    assert (await why(way, person=BEN))[0] == NONE_HERE
    assert (await why(way, private.message_id, person=BEN))[0] == NOTHING_KNOWN
    assert "It stands on" in (await why(way))[0]
    await way.hear(message("why?", message_id="9.0", mentions_jay=True))
    await way.answer_all()
    assert way.surface.texts[-1] == NONE_HERE


async def test_a_discord_threads_reply_is_told_of_only_there(make_way: MakeWay) -> None:
    """The thread may be private; a Slack thread is read by all who read its channel."""
    way = make_way(" Yes.\n###")
    server = Place(platform="discord", workspace="1", channel="2")
    inside = replace(server, thread="3")
    await way.hear(message("hello", message_id="7", mentions_jay=True, place=inside))
    await way.answer_all()
    (reply,) = await way.store.traced(server)

    assert (await why(way, place=server))[0] == NONE_HERE
    assert (await why(way, reply.message_id, place=server))[0] == NOTHING_KNOWN
    assert (await why(way, reply.message_id, place=inside))[0].startswith("**Why this reply**")


async def test_a_long_reply_is_known_by_each_of_its_messages(make_way: MakeWay) -> None:
    way = make_way(f"{' word' * 3} and{' more' * 3}.\n###")
    way.surface.limit = 20
    await chat(way, "hello", place=DIRECT)
    way.surface.limit = 2_000

    for one in ("m1", "m2"):
        assert (await why(way, one, place=DIRECT))[0].startswith("**Why this reply**")


async def test_an_old_reply_is_no_longer_known(make_way: MakeWay) -> None:
    way = make_way(" Yes.\n###")
    await chat(way, "hello")
    now = way.store._clock
    way.store._clock = lambda: now() + 8 * 86_400

    assert (await why(way, "m1"))[0] == NOTHING_KNOWN
    assert (await why(way, "nonsense"))[0] == NOTHING_KNOWN
    assert (await why(way))[0] == NONE_HERE


async def test_what_is_shared_came_about_as_it_did_before(make_way: MakeWay) -> None:
    way = make_way(" Nothing.\n###")
    await way.hear(message(FACT, message_id="1.0", author=BEN))
    await way.hear(replace(command("summarize", "last 5"), handle="h"))
    await way.answer_all()
    (private,) = await way.store.traced(CHANNEL)
    talk = await way.store.conversation_at(CHANNEL, private.message_id)
    share = replace(command("share"), message_id="press")
    await way.store.accept_command(share, conversation=talk)
    await way.answer_all()

    assert "It stands on" in (await why(way, person=BEN))[0]


async def test_replies_carry_a_button_and_what_explains_them_none(make_way: MakeWay) -> None:
    way = make_way(" Yes it is.\n###")
    await chat(way, "hello")
    await why(way)

    assert way.surface.explained == {"m1"}


async def test_without_the_setting_there_is_no_button(make_way: MakeWay) -> None:
    way = make_way(" Yes it is.\n###")
    way.replier = replace(way.replier, why_button=False)
    await chat(way, "hello")

    assert way.surface.explained == set()
    assert (await why(way))[0].startswith("**Why this reply**")


async def test_an_apology_for_what_always_fails_has_no_button(make_way: MakeWay) -> None:
    way = make_way()
    await way.hear(message("hello", place=DIRECT))
    lease = await way.store.claim(worker="w", lease_s=600.0, wait_s=0.0)
    given_up = Reply(reply_id="r", answers=("1.0",), failures=way.replier.max_tries)
    await way.store.save_reply(lease, given_up)
    await way.replier.reply(lease, stop=asyncio.Event())

    assert way.surface.texts
    assert way.surface.explained == set()


async def test_words_that_the_model_was_unsure_of_are_marked(make_way: MakeWay) -> None:
    way = make_way(" It sails on Tuesday, I think.\n###")
    way.engine.logprobs = {" Tuesday,": -3.0}
    await chat(way, "hello")

    text, _ = await why(way)

    assert "Mean log-probability of its 6 tokens: -0.58 (0 is certain)." in text
    assert "It sails on **Tuesday** (5 %), I think." in text


async def test_a_reply_that_another_worker_finished_says_what_is_missing(
    make_way: MakeWay,
) -> None:
    """The first one's probabilities went with it."""
    way = make_way(" It sails on Tuesday.\n###")
    way.engine.goes_on = True
    await way.hear(message("hello", place=DIRECT))
    lease = await way.store.claim(worker="w", lease_s=600.0, wait_s=0.0)
    begun = Reply(reply_id="r", answers=("1.0",), text="It sails", tries=1)
    await way.store.save_reply(lease, begun)
    await way.replier.reply(lease, stop=asyncio.Event())
    await way.store.release(lease)

    text, _ = await why(way, place=DIRECT)

    assert way.surface.texts[0] == "It sails on Tuesday."
    assert "Another worker began it: of the first 8 characters I don't know" in text
    assert "Mean log-probability of its 2 tokens" in text


async def test_a_reply_taken_over_when_it_was_whole_is_told_as_its_maker_noted_it(
    make_way: MakeWay,
) -> None:
    way = make_way(" It sails on Tuesday.\n###")
    await chat(way, "hello", place=DIRECT)
    (reply,) = await way.store.traced(DIRECT)
    trace = await way.store.trace(DIRECT, reply.message_id)
    await way.hear(message("and now?", message_id="2.0", place=DIRECT))
    lease = await way.store.claim(worker="w", lease_s=600.0, wait_s=0.0)
    whole = Reply(
        reply_id="r2", answers=("2.0",), text="No.", whole="No.", finish="stop", trace=trace
    )
    await way.store.save_reply(lease, whole)
    await way.replier.reply(lease, stop=asyncio.Event())
    await way.store.release(lease)

    kept = await way.store.trace(DIRECT, "m2")
    assert kept == replace(trace, message_ids=("m2",))
