"""What people are told while the engine has no place for their reply."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fakes.surface import MemorySurface
from fakes.talk import message

from bot.messages import Person, Place
from bot.ports import Pace

MakeWay = Callable[..., Any]
pytestmark = [pytest.mark.looptime]

PLATFORMS = pytest.mark.parametrize("platform", ["slack", "discord"])


def mention(at: int, *, platform: str = "slack", workspace: str = "T1", person: str = "") -> Any:
    """Somebody mentions Jay, each in a channel and conversation of their own."""
    return message(
        f"question {at}",
        message_id=f"{at}.0",
        place=Place(platform=platform, workspace=workspace, channel=f"C{at}"),  # type: ignore[arg-type]
        author=Person(id=person or f"U{at}", name="Ana"),
        mentions_jay=True,
    )


def longest_story(surface: MemorySurface) -> list[str]:
    """What the message read one after another that was written most often."""
    stories = [
        [text for _verb, written, text in surface.writes if written == message_id]
        for message_id in surface.shown
    ]
    return max(stories, key=len)


async def until(true: Callable[[], bool], *, within_s: float = 600.0) -> None:
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.1)


@PLATFORMS
async def test_whoever_waits_reads_their_place_and_the_wait_until_the_reply_takes_it(
    make_way: MakeWay, platform: str
) -> None:
    """Silence for a minute reads like a bot that is broken."""
    way = make_way(" One two.\n###", places=1)
    way.engine.delay_s = 4.0
    async with way.working():
        for at in range(4):
            await way.hear(mention(at, platform=platform))
        await until(lambda: way.surface.texts == ["One two."] * 4)
        story = longest_story(way.surface)

    assert story[:-2] == [
        "_2 replies before yours…_",
        "_1 reply before yours, about 20 seconds…_",
        "_Yours is the next reply, about 10 seconds…_",
        "_Thinking…_",
    ]
    assert story[-1] == "One two."


async def test_whoever_is_answered_soon_reads_nothing_of_a_queue(make_way: MakeWay) -> None:
    way = make_way(" Yes.\n###", places=1)
    way.engine.delay_s = 0.5
    async with way.working():
        for at in range(3):
            await way.hear(mention(at))
        await until(lambda: way.surface.texts == ["Yes."] * 3)

    assert all("before yours" not in text for _verb, _id, text in way.surface.writes)


async def test_whoever_finds_no_room_is_told_so_with_what_to_do_and_can_ask_again(
    make_way: MakeWay,
) -> None:
    """A message that nobody answers and nobody speaks of is lost."""
    way = make_way(" Yes.\n###", places=1, queue=1)
    way.engine.delay_s = 5.0
    async with way.working():
        for at in range(3):
            await way.hear(mention(at))
        await until(lambda: any("send it again" in text for text in way.surface.texts))
        await until(lambda: len(way.surface.texts) == 3)
        await until(lambda: way.surface.texts.count("Yes.") == 2)
        (told,) = [text for text in way.surface.texts if text != "Yes."]
        await way.hear(mention(9))
        await until(lambda: way.surface.texts.count("Yes.") == 3)

    assert told == (
        "_I'm asked more than I can answer just now. Please send it again in a while. "
        "Waiting already: 1._"
    )


async def test_one_person_with_a_hundred_messages_does_not_hold_up_another(
    make_way: MakeWay,
) -> None:
    way = make_way(" Yes.\n###", places=1, queue=50, conversations=100)
    way.engine.delay_s = 1.0
    async with way.working():
        for at in range(100):
            await way.hear(mention(at, person="flood"))
        await until(lambda: way.limited.queued == 50)
        began = asyncio.get_running_loop().time()
        await way.hear(mention(500, person="other"))
        await until(lambda: any("question 500" in prompt for prompt in way.engine.prompts))
        waited_s = asyncio.get_running_loop().time() - began

    assert waited_s <= 4.0


async def test_private_talks_outside_of_workspaces_take_turns_as_workspaces_do(
    make_way: MakeWay,
) -> None:
    """Discord's direct messages have no workspace; they are not all of one."""
    way = make_way(" Yes.\n###")
    async with way.working():
        for at in range(2):
            place = Place(platform="discord", workspace="", channel=f"D{at}", direct=True)
            await way.hear(message("hello", message_id=f"{at}.0", place=place))
        await until(lambda: len(way.engine.requests) == 2)

    assert {one.salt for one in way.engine.requests} == {"D0", "D1"}
    assert {one.person for one in way.engine.requests} == {"U1"}


async def test_where_a_channel_has_more_to_write_than_it_may_no_write_is_spent_on_waiting(
    make_way: MakeWay,
) -> None:
    """A hundred people wait in one channel; their replies come first."""
    way = make_way(
        " Yes.\n###",
        places=1,
        conversations=100,
        surface=MemorySurface(pace=Pace(writes=1, per_s=5.0)),
    )
    way.engine.delay_s = 4.0
    async with way.working():
        for at in range(30):
            await way.hear(message(f"question {at}", message_id=f"{at}.5", mentions_jay=True))
        await until(lambda: way.surface.texts.count("Yes.") == 30)
        took_s = asyncio.get_running_loop().time()

    lines = [text for _verb, _id, text in way.surface.writes if text.endswith("…_")]
    assert len(lines) <= 6
    assert took_s <= 30 * 5.0 + 35.0
