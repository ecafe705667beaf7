"""Jay stops and starts again, with both platforms, a real Valkey and real connections.

What the model says doesn't matter here: a server of vLLM's API says the same always.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.completions import CompletionsServer, says
from stage import Stage, playing, until

from adapters.sandbox.records import Message
from adapters.sandbox.server import Sandbox
from bot.messages import PLATFORMS, Place, PlatformName

both = pytest.mark.parametrize("platform", PLATFORMS)
pytestmark = [pytest.mark.valkey]


@pytest.fixture
async def engine() -> AsyncIterator[CompletionsServer]:
    async with CompletionsServer(answers=[says(" Yes, ", "I am.")], window=2048).running() as up:
        yield up


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as opened:
        yield opened


def follow_up(stage: Stage, platform: PlatformName, reply: Message, text: str) -> Message:
    """Answer a reply of Jay's as people do on this platform."""
    world, person = stage.world(platform), stage.people(platform)[0]
    if platform == "slack":
        return world.say(reply.channel, person, text, thread=reply.thread)
    return world.say(reply.channel, person, text, reply_to=reply.id)


@both
async def test_what_people_say_while_jay_is_stopped_is_answered_once_when_it_is_back(
    platform: PlatformName, sandbox: Sandbox, engine: CompletionsServer, tmp_path: Path
) -> None:
    """An upgrade takes a minute, and somebody always writes in it."""
    async with playing(sandbox, data_dir=tmp_path, engine_url=engine.url) as stage:
        world, person = stage.world(platform), stage.people(platform)[0]
        general = world.channel_named("general").id
        direct = world.open_direct(world.bot_id, person).id
        private = len(own(stage, platform, direct))
        first = stage.mention(platform, "hello?")
        reply = await stage.answered(platform, first)
        world.say(direct, person, "hello in private")
        await until(lambda: len(own(stage, platform, direct)) == private + 1)
        kept = world.say(general, person, "the code is 1234")
        taken = world.say(general, person, "the password is hunter2")
        place = Place(platform=platform, workspace=world.home_id, channel=general)
        await logged(stage, place, "hunter2", there=True)

    missed = stage.mention(platform, "are you there?")
    follow_up(stage, platform, reply, "and then?")
    world.say(direct, person, "still there?")
    world.edit(general, kept.id, "the code is 5678")
    world.delete(general, taken.id)
    before = len(own(stage, platform, general))

    async with playing(sandbox, data_dir=tmp_path, engine_url=engine.url) as stage:
        await stage.answered(platform, missed)
        await until(lambda: len(own(stage, platform, general)) == before + 2)
        await until(lambda: len(own(stage, platform, direct)) == private + 2)
        await logged(stage, place, "5678", there=True)
        await logged(stage, place, "hunter2", there=False)
    async with playing(sandbox, data_dir=tmp_path, engine_url=engine.url) as stage:
        last = stage.mention(platform, "good")
        await stage.answered(platform, last)
        await until(lambda: not stage.app.worker or True)

    assert len(stage.replies(platform, first)) == (2 if platform == "slack" else 1)
    assert len(stage.replies(platform, missed)) == 1
    assert len(own(stage, platform, general)) == before + 3
    assert len(own(stage, platform, direct)) == private + 2


def own(stage: Stage, platform: PlatformName, channel: str) -> list[Message]:
    world = stage.world(platform)
    return [
        one
        for one in world.messages(channel)
        if one.author == world.bot_id and not one.deleted and "…_" not in one.text
    ]


async def logged(stage: Stage, place: Place, text: str, *, there: bool) -> None:
    async with asyncio.timeout(30):
        while True:
            messages = await stage.app.store.messages(place, limit=500)
            if any(text in one.text for one in messages) == there:
                return
            await asyncio.sleep(0.05)
