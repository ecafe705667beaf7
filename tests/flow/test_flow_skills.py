"""Skills of files on real parts: sandbox platforms, a real Valkey, sockets between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.completions import CompletionsServer, says
from stage import WITHIN_S, Stage, playing, until

from adapters.sandbox.records import File
from adapters.sandbox.server import Sandbox
from adapters.sandbox.world import Message, World
from bot.conversations import Conversation
from bot.messages import PLATFORMS, Place, PlatformName

both = pytest.mark.parametrize("platform", PLATFORMS)
pytestmark = [pytest.mark.valkey]

PICTURE = File(id="F1", name="quay.png", mimetype="image/png", size=10)

HAIKU = '''
name = "haiku"
description = "Write a haiku"
prompt = """
Write a {mood} haiku about this: {text}
"""
stops = ["(c)"]
seen_by = "asker"
[[arguments]]
name = "mood"
description = "In which mood"
values = ["glad", "sad"]
[[arguments]]
name = "text"
description = "What it is about"
required = true
'''


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as opened:
        yield opened


async def said(stage: Stage, platform: PlatformName, sign: str, channel: str = "") -> Message:
    """Return Jay's message with a sign in it, once there is one."""
    world = stage.world(platform)
    channel = channel or world.channel_named("general").id

    def found() -> list[Message]:
        own = (one for one in world.messages(channel) if one.author == world.bot_id)
        return [one for one in own if sign in one.text and not one.deleted]

    await until(lambda: bool(found()))
    return found()[-1]


@both
async def test_a_skill_answers_to_its_command_and_to_a_mention(
    platform: PlatformName, sandbox: Sandbox, tmp_path: Path
) -> None:
    answers = [
        says(" We are", " late, @everyone <!channel>.", "\n[human]: and"),
        says(" You must wait."),
    ]
    async with (
        CompletionsServer(answers=answers, window=2048).running() as engine,
        playing(sandbox, data_dir=tmp_path, engine_url=engine.url) as stage,
    ):
        channel = stage.world(platform).channel_named("general").id
        person = stage.people(platform)[0]
        done = await stage.side(platform).run_command(
            person, channel, "paraphrase", "formal: the ferry is late"
        )
        by_command = await said(stage, platform, "We are late")
        asked = stage.mention(platform, "paraphrase friendly: please wait")
        by_mention = await stage.answered(platform, asked)

    assert done["ok"]
    assert "The tone is to be formal." in engine.asked[0]
    assert "[human]: Say this in other words" in engine.asked[0]
    assert "the ferry is late\n###\n[robot]:" in engine.asked[0]
    assert by_command.ephemeral_to is None
    assert "<!channel>" not in by_command.text or platform == "discord"
    assert platform == "slack" or sandbox.discord.pings(by_command) == []
    assert "[human]" not in by_command.text
    assert "The tone is to be friendly." in engine.asked[1]
    assert by_mention.text == "You must wait."


@both
async def test_an_operators_skill_comes_and_goes_while_people_talk(
    platform: PlatformName, sandbox: Sandbox, tmp_path: Path
) -> None:
    skills = tmp_path / "skills"
    skills.mkdir()
    (skills / "broken.toml").write_text("name = ")
    async with (
        CompletionsServer(answers=[says(" Grey rain (c) Jay")], window=2048).running() as engine,
        playing(sandbox, data_dir=tmp_path, engine_url=engine.url, skills_dir=skills) as stage,
    ):
        channel = stage.world(platform).channel_named("general").id
        person = stage.people(platform)[0]

        (skills / "haiku.toml").write_text(HAIKU)
        await until(lambda: "haiku" in [one.name for one in stage.app.catalogue.commands])
        if platform == "discord":
            await until(lambda: "haiku" in [one["name"] for one in sandbox.discord.commands])
        await stage.side(platform).run_command(person, channel, "haiku", "sad: rain")
        shown = await said(stage, platform, "Grey rain")

        (skills / "haiku.toml").unlink()
        await until(lambda: "haiku" not in [one.name for one in stage.app.catalogue.commands])
        if platform == "discord":
            await until(lambda: "haiku" not in [one["name"] for one in sandbox.discord.commands])
            gone = await stage.side(platform).run_command(person, channel, "haiku", "sad: rain")
            assert gone == {"ok": False, "error": "unknown_command"}
        else:
            await stage.side(platform).run_command(person, channel, "haiku", "sad: rain")
            await until(
                lambda: any(
                    one.text == "I don't know this command."
                    for one in stage.world(platform).messages(channel)
                )
            )

    assert "Write a sad haiku about this: rain" in engine.asked[0]
    assert shown.text.strip().endswith("Grey rain")
    assert shown.ephemeral_to == person
    assert len(engine.requests) == 1


@both
async def test_a_quiz_by_command_gives_its_answers_to_who_asks_below_it(
    platform: PlatformName, sandbox: Sandbox, tmp_path: Path
) -> None:
    async with (
        CompletionsServer(answers=[says(" Nothing of the kind.")], window=2048).running() as engine,
        playing(sandbox, data_dir=tmp_path, engine_url=engine.url) as stage,
    ):
        world = stage.world(platform)
        person, other = stage.people(platform, 2)
        channel = world.add_channel("harbour", members=(world.bot_id, person, other)).id
        world.say(channel, other, "The ferry to Oslo leaves at 9:15.", at=world.clock() - 60)
        await stage.side(platform).run_command(person, channel, "quiz")
        shown = await said(stage, platform, "1 question about", channel)
        below = {"thread": shown.id} if platform == "slack" else {"reply_to": shown.id}
        world.say(channel, other, "answers please", **below)
        solved = await said(
            stage, platform, "1. **9:15**" if platform == "discord" else "*9:15*", channel
        )

    assert "9:15" not in shown.text
    assert "leaves at (…)" in shown.text
    assert shown.id in (solved.thread, solved.reply_to) or platform == "discord"


@both
async def test_a_customers_question_is_answered_from_the_knowledge_channel_for_the_asker_alone(
    platform: PlatformName, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Whoever else reads the channel where it is asked may not be allowed to read the other."""
    answers = [says(" Cables may be returned within 30 days. You also get a free crane.")]
    async with (
        CompletionsServer(answers=answers, window=2048).running() as engine,
        playing(sandbox, data_dir=tmp_path, engine_url=engine.url) as stage,
    ):
        world = stage.world(platform)
        person, other = stage.people(platform, 2)
        general = world.channel_named("general").id
        known = world.add_channel("knowledge", private=True, members=(world.bot_id, person)).id
        told = world.say(known, person, "Cables may be returned within 30 days of delivery.")
        for who in (person, other):
            await stage.side(platform).run_command(
                who, general, "reply", "Hello! How long do we have to return a cable?"
            )
        shown = await said(stage, platform, "within 30 days")
        refused = await said(stage, platform, "no channel #knowledge")

    assert shown.ephemeral_to == person
    assert "of delivery" in shown.text
    assert "crane" not in shown.text
    assert told.id.replace(".", "") in shown.text
    assert "share" not in str(shown.extra)
    assert refused.ephemeral_to == other
    assert "30 days" not in refused.text


def place_in(world: World, channel: str) -> Place:
    return Place(platform=world.platform, workspace=world.home_id, channel=channel)


async def until_kept(stage: Stage, kept: bool, sign: str, conversation: Conversation) -> None:
    """Wait until a turn of a conversation holds some words, or none does any more."""

    async def is_kept() -> bool:
        return any(sign in turn.text for turn in await stage.app.store.turns(conversation))

    async with asyncio.timeout(WITHIN_S):
        while await is_kept() != kept:
            await asyncio.sleep(0.05)


@both
async def test_a_message_is_explained_from_its_menu_in_the_words_that_people_read(
    platform: PlatformName, sandbox: Sandbox, tmp_path: Path
) -> None:
    """A model that reads `<@U1>` explains the mark; and a first word is no order."""
    answers = [says(" They want the ferry to be on time.")]
    async with (
        CompletionsServer(answers=answers, window=2048).running() as engine,
        playing(sandbox, data_dir=tmp_path, engine_url=engine.url) as stage,
    ):
        world = stage.world(platform)
        person, other = (world.members[one] for one in stage.people(platform, 2))
        general = world.channel_named("general").id
        typed = f"Briefly {{text}}: @{other.display} wants less <delay> in #general"
        asked = stage.side(platform).say_as(person.id, general, typed)
        picture = world.say(general, person.id, "", files=[PICTURE])

        done = await stage.choose(platform, person.id, asked, "Explain this")
        shown = await said(stage, platform, "to be on time")
        await stage.choose(platform, person.id, picture, "Explain this")
        usage = await said(stage, platform, "What you would like to understand? For example")
        talk = await stage.app.store.conversation_at(place_in(world, general), shown.id)
        assert talk is not None
        await until_kept(stage, True, "less <delay>", talk)
        world.delete(general, asked.id)
        await until_kept(stage, False, "less <delay>", talk)

    assert done["ok"]
    assert shown.ephemeral_to is None
    (prompt,) = engine.asked
    assert "Explain this simply, in plain words" in prompt
    assert f"Briefly {{text}}: @{other.display} wants less <delay> in #general" in prompt
    assert "/explain" in usage.text


@both
async def test_an_operators_shortcut_comes_and_goes_while_people_talk(
    platform: PlatformName, sandbox: Sandbox, tmp_path: Path
) -> None:
    skills = tmp_path / "skills"
    skills.mkdir()
    async with (
        CompletionsServer(answers=[says(" Grey rain (c) Jay")], window=2048).running() as engine,
        playing(sandbox, data_dir=tmp_path, engine_url=engine.url, skills_dir=skills) as stage,
    ):

        def offered() -> bool:
            if platform == "discord":
                return "Haiku of this" in [one["name"] for one in sandbox.discord.commands]
            return "Haiku of this" in [one.name for one in stage.app.catalogue.shortcuts]

        world = stage.world(platform)
        person = stage.people(platform)[0]
        asked = world.say(world.channel_named("general").id, person, "sad rain on the harbour")
        menus = HAIKU.replace("seen_by", 'shortcut = "Haiku of this"\nseen_by')
        (skills / "haiku.toml").write_text(menus)
        await until(offered)
        await stage.choose(platform, person, asked, "Haiku of this")
        shown = await said(stage, platform, "Grey rain")

        (skills / "haiku.toml").unlink()
        await until(lambda: not offered())
        gone = await stage.choose(platform, person, asked, "Haiku of this")
        if platform == "slack":
            await said(stage, platform, "I don't know this command.")

    assert "Write a glad haiku about this: sad rain on the harbour" in engine.asked[0]
    assert shown.ephemeral_to == person
    assert gone["ok"] == (platform == "slack")
    assert len(engine.requests) == 1
