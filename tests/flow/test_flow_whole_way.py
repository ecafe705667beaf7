"""From what a person types to Jay's reply, on real parts alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from stage import Stage, playing, until
from vllm_server import RunningVllm

from adapters.sandbox.records import File
from adapters.sandbox.server import Sandbox
from bot.conversations import Conversation, Turn
from bot.messages import PLATFORMS, Place, PlatformName

pytestmark = [pytest.mark.vllm, pytest.mark.valkey]

both = pytest.mark.parametrize("platform", PLATFORMS)
TALKS = 5
"""Begun at most until each question got words of the model."""


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as opened:
        yield opened


@pytest.fixture
async def stage(sandbox: Sandbox, vllm: RunningVllm, tmp_path: Path) -> AsyncIterator[Stage]:
    async with playing(sandbox, data_dir=tmp_path, engine_url=vllm.url) as opened:
        yield opened


def conversation_on(platform: PlatformName, stage: Stage, root: str) -> Conversation:
    world = stage.world(platform)
    return Conversation(
        platform=platform,
        workspace=world.home_id,
        channel=world.channel_named("general").id,
        root=root,
    )


@both
async def test_what_people_send_never_stops_jay(platform: PlatformName, stage: Stage) -> None:
    """Whoever writes next would wait for ever."""
    world = stage.world(platform)
    person = stage.people(platform)[0]
    channel = world.channel_named("general").id
    gone = world.add_member("gone", "Gone Away")
    world.join(channel, gone.id)
    gone.deleted = True
    file = File(id="F1", name="plan.pdf", mimetype="application/pdf", size=10)
    say_to_jay = f"<@{world.bot_id}>"

    asked = [
        world.say(channel, person, say_to_jay),
        world.say(channel, person, f"{say_to_jay} 🎉🎉🎉"),
        world.say(channel, person, say_to_jay, files=[file]),
        world.say(channel, gone.id, f"{say_to_jay} still here?"),
    ]
    if platform == "slack":
        asked.append(world.say(channel, person, f"{say_to_jay} {'long words ' * 3_600}"))
    world.say(channel, world.bot_id, f"{say_to_jay} talking to myself")
    asked.append(world.say(channel, person, f"{say_to_jay} and a plain one"))

    for message in asked:
        assert (await stage.answered(platform, message)).text
    own = [one for one in world.messages(channel) if one.text.endswith("talking to myself")]
    assert stage.replies(platform, own[0]) == []


@both
async def test_twenty_people_at_once_are_all_answered_and_batched(
    platform: PlatformName, sandbox: Sandbox, vllm: RunningVllm, tmp_path: Path
) -> None:
    """One after another, the last of them would wait twenty times as long."""

    def made() -> tuple[float, float]:
        """Tokens that were generated, and in how many steps of the engine."""
        tokens = vllm.metric("vllm:generation_tokens_total")
        return tokens, vllm.metric("vllm:iteration_tokens_total_count")

    async with playing(sandbox, data_dir=tmp_path, engine_url=vllm.url, max_tokens=200) as stage:
        people = stage.people(platform, 20)
        await stage.answered(platform, stage.mention(platform, "hello", person=people[0]))
        await until(lambda: stage.app.engine.running == 0)
        before = await asyncio.to_thread(made)
        with vllm.paused():
            asked = [
                stage.mention(platform, f"question {at}", person=people[at % len(people)])
                for at in range(20)
            ]
            await until(lambda: stage.app.engine.running == 20)
        for message in asked:
            await stage.answered(platform, message)
        answers = [len(stage.replies(platform, message)) for message in asked]
    after = await asyncio.to_thread(made)
    tokens, steps = after[0] - before[0], after[1] - before[1]

    # One after another, each step would make one token.
    assert tokens > 5 * steps, (tokens, steps)
    assert answers == [1] * 20


@both
async def test_memory_survives_a_restart(
    platform: PlatformName, sandbox: Sandbox, vllm: RunningVllm, tmp_path: Path
) -> None:
    for at in range(TALKS):
        told = await talk_with_a_restart(
            platform, sandbox, data_dir=tmp_path / str(at), engine_url=vllm.url
        )
        if len(told) == 4:
            break

    assert [turn.role for turn in told] == ["person", "jay", "person", "jay"]
    assert "Ada" in told[0].text
    made = [turn.made for turn in told if turn.made]
    assert made[1].prompt_tokens > made[0].prompt_tokens + 10


async def talk_with_a_restart(
    platform: PlatformName, sandbox: Sandbox, *, data_dir: Path, engine_url: str
) -> Sequence[Turn]:
    """Return what is remembered of two questions; a tiny model may have no words for one."""
    async with playing(sandbox, data_dir=data_dir, engine_url=engine_url) as before:
        first = before.mention(platform, "my name is Ada and I like ferries")
        reply = await before.answered(platform, first)
        conversation = conversation_on(platform, before, first.id)
        await until_settled(before, conversation, asked=1)

    async with playing(sandbox, data_dir=data_dir, engine_url=engine_url) as after:
        world = after.world(platform)
        person = after.people(platform)[0]
        if platform == "slack":
            world.say(first.channel, person, "what is my name?", thread=first.id)
        else:
            world.say(first.channel, person, "what is my name?", reply_to=reply.id)
        return await until_settled(after, conversation, asked=2)


async def until_settled(stage: Stage, conversation: Conversation, *, asked: int) -> Sequence[Turn]:
    """Wait until so many questions are settled, each in one step with its answer."""
    async with asyncio.timeout(60):
        while True:
            turns = await stage.app.store.turns(conversation)
            if sum(turn.role == "person" for turn in turns) == asked:
                return turns
            await asyncio.sleep(0.05)


@both
async def test_where_jay_may_not_write_the_person_hears_it_in_private(
    platform: PlatformName, stage: Stage
) -> None:
    """They would otherwise think that Jay ignores them."""
    world = stage.world(platform)
    world.channel_named("general").writable_by_bot = False
    person = stage.people(platform)[0]

    asked = stage.mention(platform, "hello?")

    def told() -> bool:
        private = [
            one
            for channel in world.channels.values()
            if channel.kind == "direct" and person in channel.members
            for one in world.messages(channel.id)
            if one.author == world.bot_id
        ]
        seen = [one for one in world.messages(asked.channel) if one.ephemeral_to == person]
        return bool(private or seen or asked.reactions)

    await until(told)


@both
async def test_an_edit_and_a_deletion_reach_the_memory(
    platform: PlatformName, stage: Stage
) -> None:
    """What somebody took back must not come up in a summary."""
    world = stage.world(platform)
    channel, person = world.channel_named("general").id, stage.people(platform)[0]
    kept = world.say(channel, person, "the code is 1234")
    taken = world.say(channel, person, "the password is hunter2")
    place = Place(platform=platform, workspace=world.home_id, channel=channel)

    async def texts() -> list[str]:
        return [one.text for one in await stage.app.store.messages(place, limit=500)]

    async with asyncio.timeout(20):
        while "the password is hunter2" not in await texts():
            await asyncio.sleep(0.05)
        world.edit(channel, kept.id, "the code is 5678")
        world.delete(channel, taken.id)
        while "the password is hunter2" in await texts() or "the code is 5678" not in await texts():
            await asyncio.sleep(0.05)

    assert "the code is 1234" not in await texts()


async def test_the_same_event_twice_is_answered_once(stage: Stage) -> None:
    """Slack delivers a mention as two events, and repeats what it thinks lost."""
    asked = stage.mention("slack", "hello once")
    await stage.answered("slack", asked)
    stage.sandbox.faults.signal("slack", "drop_sockets")
    second = stage.mention("slack", "hello again")
    await stage.answered("slack", second)

    assert len(stage.replies("slack", asked)) == 1
    assert len(stage.replies("slack", second)) == 1
