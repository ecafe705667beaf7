"""Digests and messages' menus on real parts: sandbox platforms, a real Valkey, sockets between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.completions import CompletionsServer, says
from stage import Stage, playing, until
from test_flow_summaries import open_channel, summary, thread_on

from adapters.sandbox.server import Sandbox
from adapters.sandbox.world import Message
from bot.digests import Digest
from bot.messages import PLATFORMS, PlatformName

both = pytest.mark.parametrize("platform", PLATFORMS)
pytestmark = [pytest.mark.valkey]


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as opened:
        yield opened


@pytest.fixture
async def stage(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[Stage]:
    async with (
        CompletionsServer(answers=[says(" Nothing of the kind.")], window=2048).running() as engine,
        playing(sandbox, data_dir=tmp_path, engine_url=engine.url) as opened,
    ):
        yield opened


@both
async def test_a_summary_from_a_message_on_begins_with_that_message(
    platform: PlatformName, stage: Stage
) -> None:
    world = stage.world(platform)
    channel, people = open_channel(stage, platform)
    began = world.clock() - 900
    said = [
        world.say(channel, people[at % 3], f"Ship {at} leaves at {at}:15.", at=began + at)
        for at in range(6)
    ]

    told = await stage.choose(platform, people[1], said[2], "Summarize from here")
    shown = await summary(stage, platform, channel, "Asked:")

    assert told["ok"]
    assert "Asked: since" in shown.text
    assert "Read 4 of 4 messages, by 3 people" in shown.text
    assert shown.ephemeral_to == people[1]


@both
async def test_a_thread_is_summed_up_from_its_first_messages_menu(
    platform: PlatformName, stage: Stage
) -> None:
    """Slack has no slash commands in threads."""
    world = stage.world(platform)
    channel, people = open_channel(stage, platform)
    began = world.clock() - 900
    root = world.say(channel, people[0], "The ferry leaves at 9:15.", at=began)
    world.say(channel, people[1], "Something else altogether, 77.", at=began + 1)
    where = thread_on(stage, platform, channel, root, people[0])
    for at in range(3):
        world.say(author=people[2], text=f"Berth {at} is free.", at=began + 10 + at, **where)

    await stage.choose(platform, people[0], root, "Summarize this thread")
    found: list[Message] = []

    def there() -> bool:
        inside = (*world.messages(channel), *world.messages(where["channel"]))
        found[:] = [one for one in inside if "Asked: this thread" in one.text]
        return bool(found)

    await until(there)

    assert "Read 4 of 4 messages and 1 of 1 thread" in found[-1].text
    assert "altogether" not in found[-1].text
    assert found[-1].ephemeral_to == people[0]


async def test_discord_is_told_where_no_thread_hangs_on_a_message(stage: Stage) -> None:
    world = stage.world("discord")
    channel, people = open_channel(stage, "discord")
    alone = world.say(channel, people[0], "The ferry leaves at 9:15.")

    await stage.choose("discord", people[0], alone, "Summarize this thread")

    await summary(stage, "discord", channel, "No thread hangs on this.")


async def fall_due(stage: Stage, digest: Digest) -> None:
    """Let the time of a digest come."""
    now = replace(digest, due=time.time() - 1, covered=time.time() - 3_600)
    assert await stage.app.store.move_digest(now, was_due=digest.due)


@both
async def test_a_digest_is_ordered_and_comes_in_private_when_it_is_due(
    platform: PlatformName, stage: Stage
) -> None:
    world = stage.world(platform)
    channel, people = open_channel(stage, platform)
    world.say(channel, people[1], "The ferry leaves at 9:15 on Monday.", at=world.clock() - 60)
    await stage.side(platform).run_command(people[0], channel, "summarize", "every weekday 9:00")
    told = await summary(stage, platform, channel, "I'll send you a summary of #harbour")
    (kept,) = await stage.app.store.digests_of(platform, people[0])

    await fall_due(stage, kept)
    digest = await summary(stage, platform, kept.to.channel, "Digest of #harbour")
    await asyncio.sleep(1.0)

    assert told.ephemeral_to == people[0]
    assert world.channels[kept.to.channel].kind == "direct"
    assert "The ferry leaves at 9:15 on Monday." in digest.text
    assert "Read 1 of 1 message" in digest.text
    assert sum("Digest of" in one.text for one in world.messages(kept.to.channel)) == 1


@both
async def test_whoever_left_the_channel_gets_no_word_of_it(
    platform: PlatformName, stage: Stage
) -> None:
    """What a digest tells would otherwise go on for ever to somebody who was shut out."""
    world = stage.world(platform)
    # The first of them look after Discord's server, and read everything there.
    owner, *_, asker = stage.people(platform, 9)
    members = (world.bot_id, owner, asker)
    channel = world.add_channel("vault", private=True, members=members).id
    world.say(channel, owner, "The password is swordfish.", at=world.clock() - 60)
    await stage.side(platform).run_command(asker, channel, "summarize", "every day 9:00")
    await summary(stage, platform, channel, "I'll send you a summary")
    (kept,) = await stage.app.store.digests_of(platform, asker)
    world.leave(channel, asker)

    await fall_due(stage, kept)
    await summary(stage, platform, kept.to.channel, "has ended")

    assert not any("swordfish" in one.text for one in world.messages(kept.to.channel))
    assert list(await stage.app.store.digests_of(platform, asker)) == []


async def test_who_joins_a_slack_channel_gets_its_last_week(stage: Stage) -> None:
    world = stage.world("slack")
    people = stage.people("slack", 3)
    channel = world.add_channel("late", members=(world.bot_id, *people[1:])).id
    world.say(channel, people[1], "The ferry leaves at 9:15 on Monday.", at=world.clock() - 60)
    general = world.channel_named("general").id
    await stage.sandbox.slack.run_command(people[0], general, "summarize", "when I join")
    await summary(stage, "slack", general, "Whenever you join a channel")
    (kept,) = await stage.app.store.digests_of("slack", people[0])

    world.join(channel, people[0])
    told = await summary(stage, "slack", kept.to.channel, "You joined #late")

    assert "The ferry leaves at 9:15 on Monday." in told.text
