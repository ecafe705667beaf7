"""An answer on the whole way in memory: history, a question that goes on, a deletion in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fakes.talk import BEN, CHANNEL, command, in_thread, message

from bot.conversations import in_place
from bot.messages import MessageDeleted

MakeWay = Callable[..., Any]
pytestmark = [pytest.mark.looptime]

FACT = "The release of 2.4 moved to Thursday because Carla found a leak."


async def settle_one(way: Any) -> str:
    lease = await way.store.claim(worker="w", lease_s=900.0, wait_s=0.0)
    await way.replier.reply(lease, stop=asyncio.Event())
    await way.store.release(lease)
    return str(way.surface.texts[-1])


async def test_a_command_answers_from_what_was_said_before_jay_came(make_way: MakeWay) -> None:
    way = make_way(" The release of 2.4 moved to Thursday.\n###")
    way.surface.history_of = [message(FACT, message_id="1.0", author=BEN)]

    await way.hear(command("answer", "When is the release of 2.4?"))
    text = await settle_one(way)

    asked, said = text.split("\n\n", 1)
    assert asked == "> When is the release of 2.4?", "nobody else sees what a command asked"
    assert said.startswith("The release of 2.4 moved to Thursday.\n\nFrom:\n- **Ben**")
    assert "_Searched 1 message of this channel since 1 Jan._" in said
    *_, turn = await way.store.turns(in_place(CHANNEL, root="cmd-answer"))
    assert turn.text == said, "the next prompt needs the question but once"


async def test_a_question_in_the_thread_of_an_answer_goes_on_from_it(make_way: MakeWay) -> None:
    """Without a command, and with no word of what it is about."""
    way = make_way(" Nobody knows.\n###")
    thread = in_thread("9.0")
    await way.hear(message(FACT, message_id="1.0", author=BEN))
    asked = message(
        "answer when is the release of 2.4?", message_id="9.0", mentions_jay=True, place=CHANNEL
    )
    await way.hear(asked)
    await settle_one(way)

    await way.hear(message("and who found the leak?", message_id="10.0", place=thread))
    text = await settle_one(way)

    assert text.startswith("This is what was said about it:")
    assert "Carla" in text
    (turn,) = [one for one in await way.store.turns(await talk_of(way)) if one.at > 0][-1:]
    assert turn.made.skill == "answer"
    assert turn.made.sources == ("1.0",)


async def talk_of(way: Any) -> Any:
    return await way.store.conversation_at(CHANNEL, "9.0")


async def test_what_is_deleted_while_the_model_reads_is_not_shown(make_way: MakeWay) -> None:
    way = make_way(" The release of 2.4 moved to Thursday.\n###")
    way.engine.delay_s = 5.0
    await way.hear(message(FACT, message_id="1.0", author=BEN))
    await way.hear(command("answer", "When is the release of 2.4?"))

    async def delete() -> None:
        await asyncio.sleep(8.0)
        await way.hear(MessageDeleted(place=CHANNEL, message_id="1.0"))

    text, _ = await asyncio.gather(settle_one(way), delete())

    assert "Thursday" not in text
    assert "I found nothing about that here." in text


async def test_another_channel_is_not_read(make_way: MakeWay) -> None:
    """Those who hear the answer may not be in it."""
    way = make_way()
    elsewhere = replace(CHANNEL, channel="C2")
    await way.hear(message(FACT, message_id="1.0", author=BEN, place=elsewhere))

    await way.hear(command("answer", "When is the release of 2.4?"))

    assert "\n\nI found nothing about that here." in await settle_one(way)
