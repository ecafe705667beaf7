"""`/why` and its button on real parts: a sandbox platform, a real Valkey, sockets between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.completions import CompletionsServer, says
from stage import WITHIN_S, Stage, playing, until

from adapters.sandbox.server import Sandbox
from adapters.sandbox.world import Message
from bot.messages import PLATFORMS, Place, PlatformName

both = pytest.mark.parametrize("platform", PLATFORMS)
pytestmark = [pytest.mark.valkey]
ANSWERS = [says(" The ferry", " is", " at nine.")]


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as opened:
        yield opened


async def told(stage: Stage, platform: PlatformName, channel: str, known: set[str]) -> Message:
    """Return what is told in a channel beyond what is known."""
    world = stage.world(platform)
    found: list[Message] = []

    def there() -> bool:
        found[:] = [
            one
            for one in world.messages(channel)
            if one.id not in known and ("Why this reply" in one.text or "no longer" in one.text)
        ]
        return bool(found)

    await until(there)
    known |= {one.id for one in found}
    return found[0]


async def finished(stage: Stage, platform: PlatformName, to: Message, button: str) -> Message:
    """Return Jay's reply once it is whole, with its button."""
    reply = await stage.answered(platform, to)
    await until(lambda: reply.text.endswith("at nine."))
    assert button in str(reply.extra)
    place = Place(platform=platform, workspace=stage.world(platform).home_id, channel=to.channel)
    async with asyncio.timeout(WITHIN_S):
        while await stage.app.store.trace(place, reply.id) is None:
            await asyncio.sleep(0.05)
    return reply


@both
async def test_the_button_and_the_command_tell_how_a_reply_came_about(
    platform: PlatformName, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Each to who asks alone, with links that exist, and nothing that was deleted since."""
    async with (
        CompletionsServer(answers=ANSWERS, window=2048).running() as engine,
        playing(sandbox, data_dir=tmp_path, engine_url=engine.url) as stage,
    ):
        world, known = stage.world(platform), set[str]()
        ana, ben = stage.people(platform, 2)
        asked = stage.mention(platform, "when is the ferry?", person=ana)
        button = "jay_why" if platform == "slack" else "jay:why"
        reply = await finished(stage, platform, asked, button)
        assert "The ferry is at nine." in reply.text

        await stage.side(platform).press_button(ben, asked.channel, reply.id, button)
        pressed = await told(stage, platform, asked.channel, known)
        assert pressed.ephemeral_to == ben
        if platform == "slack":
            assert pressed.thread == asked.id
        assert "1 message of people and 0 replies of mine" in pressed.text
        assert asked.id.replace(".", "") in pressed.text.replace(".", "")

        await stage.side(platform).run_command(ben, asked.channel, "why")
        used = await told(stage, platform, asked.channel, known)
        assert (used.ephemeral_to, "at most 24" in used.text) == (ben, True)

        world.delete(asked.channel, asked.id)
        await asyncio.sleep(0.5)
        await stage.side(platform).press_button(ben, asked.channel, reply.id, button)
        later = await told(stage, platform, asked.channel, known)
        assert "1 message of these no longer reads as it did, or is gone" in later.text
        assert asked.id.replace(".", "") not in later.text.replace(".", "")


async def test_a_mention_tells_it_in_a_slack_thread(sandbox: Sandbox, tmp_path: Path) -> None:
    """There are no commands in threads."""
    async with (
        CompletionsServer(answers=ANSWERS, window=2048).running() as engine,
        playing(sandbox, data_dir=tmp_path, engine_url=engine.url) as stage,
    ):
        world = stage.world("slack")
        asked = stage.mention("slack", "when is the ferry?")
        await finished(stage, "slack", asked, "jay_why")
        world.say(asked.channel, asked.author, f"<@{world.bot_id}> why?", thread=asked.id)

        shown = await told(stage, "slack", asked.channel, set())
        assert (shown.thread, shown.ephemeral_to) == (asked.id, None)
        assert "1 message of people and 0 replies of mine" in shown.text
