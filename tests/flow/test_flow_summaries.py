"""Summaries on real parts: a sandbox platform with its limits, a real Valkey, sockets between."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.completions import SILENCE, CompletionsServer, says
from stage import Stage, playing, until

from adapters.sandbox.server import Sandbox
from adapters.sandbox.world import Message
from bot.messages import PLATFORMS, PlatformName

both = pytest.mark.parametrize("platform", PLATFORMS)
pytestmark = [pytest.mark.valkey]


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as opened:
        yield opened


def open_channel(stage: Stage, platform: PlatformName) -> tuple[str, list[str]]:
    """Make a channel that Jay and three people are in."""
    world, people = stage.world(platform), stage.people(platform, 3)
    return world.add_channel("harbour", members=(world.bot_id, *people)).id, people


async def summary(stage: Stage, platform: PlatformName, channel: str, sign: str) -> Message:
    """Return Jay's message in a channel, once it holds a sign."""
    world = stage.world(platform)
    found: list[Message] = []

    def there() -> bool:
        found[:] = [
            one
            for one in world.messages(channel)
            if one.author == world.bot_id and sign in one.text and not one.deleted
        ]
        return bool(found)

    await until(there)
    return found[-1]


def thread_on(stage: Stage, platform: PlatformName, channel: str, root: Message, who: str) -> dict:
    """Return how a reply is said in a root's thread: in Discord that is a channel of its own."""
    world = stage.world(platform)
    if platform == "slack":
        return {"channel": channel, "thread": root.id}
    return {"channel": world.create_thread(channel, root.id, "Thread", by=who).id}


@both
async def test_a_summary_tells_exactly_what_was_said_before_jay_came(
    platform: PlatformName, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Threads, bots, edits and deletions of before; Jay heard none of them."""
    async with (
        CompletionsServer(answers=[says(" Nothing of the kind.")], window=2048).running() as engine,
        playing(sandbox, data_dir=tmp_path, engine_url=engine.url) as stage,
    ):
        world = stage.world(platform)
        channel, people = open_channel(stage, platform)
        robot = world.add_member("robot", "Robot", bot=True)
        world.join(channel, robot.id)
        began = world.clock() - 4_000
        said = [
            world.say(channel, people[at % 3], f"Ship {at} leaves at {at}:15.", at=began + at)
            for at in range(130)
        ]
        where = thread_on(stage, platform, channel, said[7], people[0])
        for at in range(5):
            text = f"Berth {at} is free."
            world.say(author=people[0], text=text, at=began + 200 + at, **where)
        world.say(channel, robot.id, "deployed", at=began + 300)
        world.edit(channel, said[3].id, "Ship 3 is cancelled, 99.")
        world.delete(channel, said[4].id)
        for one in said[:2]:
            world.delete(channel, one.id)

        await stage.side(platform).run_command(people[1], channel, "summarize", "2 hours")
        shown = await summary(stage, platform, channel, "Asked:")

        assert "Read 132 of 133 messages and 1 of 1 thread, by 3 people" in shown.text
        assert "Left out: 1 from bots" in shown.text
        assert shown.ephemeral_to == people[1]
        assert "deployed" not in shown.text
        links = re.findall(r"https?://[^\s|)>]+", shown.text)
        known = {one.id.replace(".", "") for one in said if not one.deleted}
        berths = {one.id.replace(".", "") for one in world.messages(where["channel"])}
        cited = [re.sub(r".*[/p](\d+)(?:\?.*)?$", r"\1", one) for one in links]
        assert cited
        assert set(cited) <= known | berths


@both
async def test_whoever_presses_stop_gets_what_is_finished(
    platform: PlatformName, sandbox: Sandbox, tmp_path: Path
) -> None:
    answers = [says(" Nothing of the kind.")] * 8 + [says(" N", end=SILENCE)]
    async with (
        CompletionsServer(answers=answers, window=2048).running() as engine,
        playing(sandbox, data_dir=tmp_path, engine_url=engine.url) as stage,
    ):
        world = stage.world(platform)
        channel, people = open_channel(stage, platform)
        for at in range(120):
            world.say(
                channel, people[0], f"Ship {at} leaves at {at}:15.", at=world.clock() - 900 + at
            )
        await stage.side(platform).run_command(people[0], channel, "summarize", "last 120")
        shown = await summary(stage, platform, channel, "parts…")
        button = "jay_stop" if platform == "slack" else "jay:stop"
        assert button in str(shown.extra)
        while len(engine.requests) < 9:
            await asyncio.sleep(0.05)

        # Who presses before the reply is on record isn't heard, and presses again.
        ended = asyncio.create_task(summary(stage, platform, channel, "topped:"))
        while not ended.done():
            await stage.side(platform).press_button(people[0], channel, shown.id, button)
            await asyncio.wait({ended}, timeout=2.0)
        shown = await ended

        assert re.search(r"Stopped: 8 of \d+ parts", shown.text)
        assert "Read 120 of 120 messages" in shown.text
        assert button not in str(shown.extra)


@both
async def test_a_summary_is_private_until_whoever_asked_shares_it(
    platform: PlatformName, sandbox: Sandbox, tmp_path: Path
) -> None:
    async with (
        CompletionsServer(answers=[says(" Nothing of the kind.")], window=2048).running() as engine,
        playing(sandbox, data_dir=tmp_path, engine_url=engine.url) as stage,
    ):
        world = stage.world(platform)
        channel, people = open_channel(stage, platform)
        world.say(channel, people[0], "The ferry leaves at 9:15 on Monday.", at=world.clock() - 60)
        await stage.side(platform).run_command(people[0], channel, "summarize", "last 5")
        private = await summary(stage, platform, channel, "Asked:")
        button = "jay_share" if platform == "slack" else "jay:share"
        assert (private.ephemeral_to, button in str(private.extra)) == (people[0], True)

        for _ in range(2):
            await stage.side(platform).press_button(people[0], channel, private.id, button)
            shared = await summary(stage, platform, channel, "Shared by")
        await asyncio.sleep(1.0)

        assert shared.ephemeral_to is None
        assert "The ferry leaves at 9:15" in shared.text
        told = [one for one in world.messages(channel) if "Shared by" in one.text]
        assert len(told) == 1
