from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fakes.talk import CHANNEL, DIRECT, command, in_thread, message

from bot.conversations import Reply, in_place
from bot.errors import EngineBroke, EngineUnreachable, MayNotWrite, PlatformUnreachable
from bot.skills.chat import NO_WORDS

MakeWay = Callable[..., Any]
pytestmark = [pytest.mark.looptime]


async def settle_one(way: Any, *, stop: asyncio.Event | None = None) -> None:
    lease = await way.store.claim(worker="w", lease_s=600.0, wait_s=0.0)
    await way.replier.reply(lease, stop=stop or asyncio.Event())
    await way.store.release(lease)


async def test_the_reply_and_how_it_was_made_are_remembered(make_way: MakeWay) -> None:
    way = make_way(" Hi there.\n###")
    await way.hear(message("hello", place=DIRECT))
    await settle_one(way)

    turns = await way.store.turns(in_place(DIRECT, root=""))

    assert [(turn.role, turn.text) for turn in turns] == [("person", "hello"), ("jay", "Hi there.")]
    assert turns[1].message_ids == ("m1",)
    assert turns[1].made is not None
    assert turns[1].made.model == "scripted"


async def test_words_that_show_nothing_are_answered_in_words_of_jays_own(make_way: MakeWay) -> None:
    """A rule or a heading of nothing; the person would wait for a reply that is settled."""
    way = make_way(" ---\n###")
    await way.hear(message("hello", place=DIRECT))
    await settle_one(way)

    assert way.surface.texts == [NO_WORDS]
    assert [turn.role for turn in await way.store.turns(in_place(DIRECT, root=""))] == ["person"]


async def test_messages_that_wait_are_answered_together(make_way: MakeWay) -> None:
    """People write in bursts; an answer to each line would talk past them."""
    way = make_way(" Both.\n###")
    await way.hear(message("first", message_id="1.0", place=DIRECT))
    await way.hear(message("second", message_id="2.0", place=DIRECT))
    await settle_one(way)

    assert way.surface.texts == ["Both."]
    assert "first" in way.engine.prompts[0]
    assert "second" in way.engine.prompts[0]


async def test_a_skill_asked_for_in_between_is_answered_alone(make_way: MakeWay) -> None:
    way = make_way(" Hello.\n###")
    thread = in_thread("1.0")
    await way.hear(message("hello", message_id="1.0", mentions_jay=True))
    await way.hear(message("summarize soon", message_id="2.0", place=thread, mentions_jay=True))
    await way.hear(message("summarize 5", message_id="3.0", place=thread, mentions_jay=True))
    await settle_one(way)
    await settle_one(way)

    assert way.surface.texts[0] == "Hello."
    assert "messages" in way.surface.texts[1]


async def test_the_next_prompt_extends_the_last(make_way: MakeWay) -> None:
    """vLLM's prefix cache answers only for what stands unchanged from the start."""
    way = make_way(" One.\n###", " Two.\n###")
    await way.hear(message("hello", message_id="1.0", place=DIRECT))
    await settle_one(way)
    await way.hear(message("more", message_id="2.0", place=DIRECT))
    await settle_one(way)

    assert way.engine.prompts[1].startswith(way.engine.prompts[0] + " One.\n###\n")


async def test_an_engine_that_breaks_leaves_what_was_said_and_says_so(make_way: MakeWay) -> None:
    """An error must not replace half an answer that somebody is reading."""
    way = make_way(" The answer begins well and")
    way.engine.fail_after(3, EngineBroke("gone"))
    await way.hear(message("hello", place=DIRECT))
    await settle_one(way)

    (text,) = way.surface.texts
    assert text.startswith("The")
    assert EngineBroke.to_person in text


async def test_an_engine_that_never_comes_is_told_to_the_person(make_way: MakeWay) -> None:
    way = make_way()
    way.engine.unreachable = True

    async def nothing() -> Any:
        raise EngineUnreachable("nothing there")

    object.__setattr__(way.replier, "open_speech", nothing)
    await way.hear(message("hello", place=DIRECT))
    await settle_one(way)

    assert way.surface.texts == [f"_{EngineUnreachable.to_person}_"]
    assert await way.store.claim(worker="w", lease_s=5.0, wait_s=0.0) is None


async def test_stop_stops_at_once_and_keeps_what_was_said(make_way: MakeWay) -> None:
    way = make_way("".join(f" word{at}" for at in range(500)))
    way.engine.delay_s = 0.5
    stop = asyncio.Event()
    await way.hear(message("tell me everything", place=DIRECT))
    asyncio.get_running_loop().call_later(6.0, stop.set)
    await settle_one(way, stop=stop)

    (text,) = way.surface.texts
    assert text.endswith("_Stopped._")
    assert text.startswith("word0 word1")
    assert asyncio.get_running_loop().time() < 12.0


async def test_where_jay_may_not_write_the_person_is_told_in_private(make_way: MakeWay) -> None:
    way = make_way(" Hi.\n###")
    way.surface.errors = [MayNotWrite("read only")] * 9
    await way.hear(message("hello", mentions_jay=True))
    await settle_one(way)

    ((person, text),) = way.surface.whispers
    assert person == "U1"
    assert "Hi." in text


async def test_a_platform_that_stays_away_keeps_the_mail(make_way: MakeWay) -> None:
    way = make_way(" Hi.\n###")
    way.surface.errors = [PlatformUnreachable("502")] * 99
    await way.hear(message("hello", place=DIRECT))
    lease = await way.store.claim(worker="w", lease_s=600.0, wait_s=0.0)
    with pytest.raises(PlatformUnreachable):
        await way.replier.reply(lease, stop=asyncio.Event())

    assert [one.text for one in await way.store.mail(lease)] == ["hello"]


async def test_a_reply_that_another_worker_began_is_finished_in_place(make_way: MakeWay) -> None:
    way = make_way(" and the rest.\n###")
    await way.hear(message("hello", place=DIRECT))
    lease = await way.store.claim(worker="dead", lease_s=600.0, wait_s=0.0)
    way.surface.shown["m9"] = "The first half"
    begun = Reply(
        reply_id="r1", answers=("1.0",), message_ids=("m9",), text="The first half", began_at=1.0
    )
    await way.store.save_reply(lease, begun)
    await way.store.release(lease)

    await settle_one(way)

    assert way.surface.shown == {"m9": "The first half and the rest."}
    assert way.engine.prompts[0].endswith("[robot]: The first half")


async def test_a_long_message_is_cut_and_the_person_is_told(make_way: MakeWay) -> None:
    way = make_way(" Long indeed.\n###", max_message_chars=100)
    await way.hear(message("x y " * 10_000, place=DIRECT))
    await settle_one(way)

    assert "first 100 of 40,000 characters" in way.surface.texts[0]


async def test_a_mention_without_words_gets_a_hint(make_way: MakeWay) -> None:
    way = make_way()
    await way.hear(message("", mentions_jay=True))
    await settle_one(way)

    assert "/summarize" in way.surface.texts[0]
    assert way.engine.prompts == []


async def test_people_see_that_jay_is_at_work_where_the_platform_shows_nothing(
    make_way: MakeWay,
) -> None:
    way = make_way(" Done.\n###")
    way.surface.shows_status = False
    way.engine.delay_s = 10.0
    await way.hear(message("hello", place=DIRECT))
    await settle_one(way)

    assert way.surface.writes[0][2] == "_Thinking…_"
    assert way.surface.texts == ["Done."]


async def test_a_summary_reads_the_history_that_jay_had_not_seen(make_way: MakeWay) -> None:
    way = make_way(*[" Nothing of note in Paris.\n###"] * 9)
    way.surface.history_of = [
        message("The server moves to Oslo on 12 May.", message_id=f"{at}.0") for at in range(5, 9)
    ]
    await way.hear(command("summarize", "last 10"))
    await settle_one(way)

    assert "Oslo" in way.surface.texts[0]
    assert "Read 4 of 4 messages" in way.surface.texts[0]
    assert len(await way.store.messages(CHANNEL, limit=10)) == 4
