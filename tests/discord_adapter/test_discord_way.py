"""The whole way on Discord: real edge and surface, real steps, a scripted engine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from discord_listening import Listen, until
from fakes.engine import ScriptedEngine
from fakes.store import MemoryStore

from adapters.discord import DiscordSurface
from adapters.sandbox.discord import DiscordSide
from adapters.sandbox.faults import Faults
from adapters.sandbox.records import Message
from adapters.sandbox.world import World
from bot.delivery import WriteBudget
from bot.family import Family
from bot.intake import Intake
from bot.library import Library
from bot.prompting import Speech, open_speech
from bot.prompts import ServedModel
from bot.replying import Replier
from bot.worker import Worker

FAMILY = Family(
    name="test",
    person="[human]: {text}\n###\n",
    jay_open="[robot]:",
    jay_close="\n###\n",
    stop=("\n###",),
)


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine([" It is **raining** here, bring an umbrella.\n###"])


@pytest.fixture
async def answering(
    engine: ScriptedEngine, surface: DiscordSurface, listen: Listen, side: DiscordSide
) -> AsyncIterator[None]:
    """Edge, intake, store, worker and surface, running."""
    store, surfaces = MemoryStore(clock=time.time), {"discord": surface}

    async def speech() -> Speech:
        return await open_speech(
            engine,
            model=ServedModel(name="scripted", window=2048),
            family=FAMILY,
            persona="",
            max_tokens=200,
        )

    replier = Replier(
        store=store,
        surfaces=surfaces,
        library=Library(store, None),
        open_speech=speech,
        budget=WriteBudget(),
        max_message_chars=6_000,
    )
    worker = Worker(
        name="w1", store=store, replier=replier, conversations=8, lease_s=15.0, grace_s=1.0
    )
    working = asyncio.create_task(worker.run())
    intake = Intake(store=store, surfaces=surfaces, max_waiting=20)
    async with listen(intake.hear):
        await until(lambda: len(side.commands) == 2)
        yield
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


def said_by_jay(side: DiscordSide, channel: str) -> list[Message]:
    return [
        one
        for one in side.world.messages(channel)
        if one.author == side.bot_user_id and not one.deleted and not one.streaming
    ]


@pytest.mark.usefixtures("answering")
async def test_a_mention_and_a_follow_up_by_reply_are_answered_in_replies(
    side: DiscordSide, maya: str, general: str
) -> None:
    asked = side.say_as(maya, general, "@Jay how is the weather?")
    await until(lambda: [one for one in said_by_jay(side, general) if "umbrella" in one.text])
    (first,) = said_by_jay(side, general)
    again = side.say_as(maya, general, "and tomorrow?", reply_to=first.id)
    await until(lambda: len(said_by_jay(side, general)) == 2)

    (_, second) = said_by_jay(side, general)
    assert first.text.startswith("It is **raining** here")
    assert (first.reply_to, second.reply_to) == (asked.id, again.id)
    assert side.pings(first) == [maya]


@pytest.mark.usefixtures("answering")
async def test_a_direct_message_is_answered_without_a_mention(
    side: DiscordSide, world: World, maya: str
) -> None:
    direct = world.open_direct(side.bot_user_id, maya)
    side.say_as(maya, direct.id, "hello?")

    await until(lambda: said_by_jay(side, direct.id))
    assert said_by_jay(side, direct.id)[0].reply_to is None


@pytest.mark.usefixtures("answering")
async def test_a_command_is_deferred_and_then_answered_in_its_place(
    side: DiscordSide, world: World, maya: str, general: str
) -> None:
    for number in range(5):
        side.say_as(maya, general, f"The harvest of row {number} is done and weighed.")
    used = await side.run_command(maya, general, "summarize", "last 20")
    await until(lambda: not world.get(general, used["message"]).streaming)

    assert used["ok"]
    assert [one.id for one in said_by_jay(side, general)] == [used["message"]]


@pytest.mark.usefixtures("answering")
async def test_a_reply_where_jay_may_not_write_is_told_to_the_person_alone(
    side: DiscordSide, world: World, maya: str, rules: str
) -> None:
    side.say_as(maya, rules, "@Jay what may I do?")
    direct = world.open_direct(side.bot_user_id, maya)
    await until(lambda: said_by_jay(side, direct.id))

    assert "umbrella" in said_by_jay(side, direct.id)[0].text


@pytest.mark.usefixtures("answering")
async def test_a_reply_survives_a_slow_and_failing_discord(
    side: DiscordSide, faults: Faults, maya: str, general: str
) -> None:
    faults.rate_limit("discord", "POST /channels/*/messages", retry_after_s=1.1)
    faults.fail("discord", "POST /channels/*/messages", status=503, after=True)
    side.say_as(maya, general, "@Jay how is the weather?")
    await until(lambda: [one for one in said_by_jay(side, general) if "umbrella" in one.text])

    assert len(said_by_jay(side, general)) == 1
