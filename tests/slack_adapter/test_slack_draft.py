"""A whole reply: the real draft, budget and surface against the sandbox's limits."""

from __future__ import annotations

import time

import pytest
from fakes.slack import target

from adapters.sandbox.slack.limits import Limits
from adapters.slack import SlackSurface
from bot.delivery import Draft, WriteBudget


@pytest.fixture
async def to(side, maya, general):
    side.place.limits = Limits(time.time)
    asked = side.say_as(maya.id, general, "@Jay tell me all")
    return target(general, reply_to=asked.id, person=maya.id)


def draft(surface: SlackSurface, to, recorded: list[tuple[str, ...]]) -> Draft:
    async def record(message_ids: tuple[str, ...]) -> None:
        recorded.append(message_ids)

    return Draft(surface=surface, target=to, budget=WriteBudget(), nonce="n", record=record)


async def test_a_long_reply_stands_there_whole_in_two_messages(surface, world, to, general):
    recorded: list[tuple[str, ...]] = []
    words = " ".join(f"word{n}" for n in range(700))

    async with draft(surface, to, recorded) as writing:
        writing.show("word0")
        await writing.finish(words)

    shown = [one.text for one in world.messages(general) if one.author == world.bot_id]
    assert " ".join(shown).split() == words.split()
    assert len(shown) == 2
    assert len(recorded[-1]) == 2


async def test_a_reply_gets_through_a_429_and_a_lost_answer(surface, world, to, general, faults):
    """Each of them loses or doubles replies in other bots."""
    faults.rate_limit("slack", "chat.postMessage", retry_after_s=0.01)
    async with draft(surface, to, []) as writing:
        await writing.finish("all of it")

    shown = [one.text for one in world.messages(general) if one.author == world.bot_id]
    assert shown == ["all of it"]
