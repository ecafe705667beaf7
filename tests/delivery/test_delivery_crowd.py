"""Many replies at once, on a platform that bounds all its lanes together."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest
from fakes.surface import MemorySurface

from bot.delivery import Draft, WriteBudget
from bot.messages import Place
from bot.paces import SharedPace
from bot.ports import Target

pytestmark = [pytest.mark.looptime]


@dataclass
class Crowd:
    """Drafts in channels of their own, and when each write was made."""

    surface: MemorySurface
    budget: WriteBudget = field(default_factory=WriteBudget)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    written_at: list[float] = field(default_factory=list)

    async def draft(self, name: str) -> Draft:
        async def record(ids: tuple[str, ...]) -> None:
            self.written_at.append(asyncio.get_running_loop().time())

        place = Place(platform="slack", workspace="T1", channel=name)
        return await self.stack.enter_async_context(
            Draft(
                surface=self.surface,
                target=Target(place=place, reply_to="m0", person="U1"),
                budget=self.budget,
                nonce=name,
                record=record,
            )
        )

    async def drafts(self, many: int) -> list[Draft]:
        return [await self.draft(f"r{at}") for at in range(many)]

    def most_within(self, window_s: float) -> int:
        return max(
            sum(since <= at < since + window_s for at in self.written_at)
            for since in self.written_at
        )


def crowd(**pace: float) -> Crowd:
    shared = SharedPace(**{"making_per_s": 4.0, "last_per_s": 5.0, "posts": True, **pace})  # type: ignore[arg-type]
    return Crowd(MemorySurface(shared_pace=shared))


async def grow(drafts: list[Draft], *, for_s: float) -> None:
    for step in range(round(for_s / 0.5)):
        for draft in drafts:
            draft.show("word " * (step + 1))
        await asyncio.sleep(0.5)


async def test_all_lanes_together_keep_to_the_platforms_pace_and_all_is_shown() -> None:
    """Discord refuses everything of a bot that calls more than fifty times in a second."""
    people = crowd()
    async with people.stack:
        drafts = await people.drafts(20)
        await grow(drafts, for_s=10)
        await asyncio.gather(*(draft.finish("the end") for draft in drafts))

    assert people.surface.texts == ["the end"] * 20
    assert people.most_within(1.0) <= 6
    assert len(people.written_at) >= 10 * 3


async def test_last_words_go_before_those_of_replies_in_the_making() -> None:
    """Whoever has the whole answer can do something with it."""
    people = crowd()
    async with people.stack:
        drafts = await people.drafts(40)
        growing = asyncio.create_task(grow(drafts[1:], for_s=20))
        drafts[0].show("begun")
        await asyncio.sleep(15)
        before = asyncio.get_running_loop().time()
        await drafts[0].finish("done")
        waited_s = asyncio.get_running_loop().time() - before
        await growing

    assert waited_s < 1.5


async def test_a_reply_whose_edits_would_come_late_is_shown_whole_at_once() -> None:
    """Half a sentence that stands for minutes is worse than none."""
    people = crowd(making_per_s=0.5, last_per_s=0.7, posts=False)
    async with people.stack:
        early, late = await people.drafts(40), await people.draft("late")
        for draft in early:
            draft.show("begun")
        await asyncio.sleep(2)
        for draft in early:
            draft.show("begun, and more")
        await asyncio.sleep(2)
        late.show("begun")
        await asyncio.sleep(20)
        before = asyncio.get_running_loop().time()
        await late.finish("all of it")
        waited_s = asyncio.get_running_loop().time() - before

    assert waited_s < 0.1
    assert [text for _, _, text in people.surface.writes if "all" in text] == ["all of it"]
    assert people.surface.texts.count("begun") + people.surface.texts.count("begun, and more") == 40


async def test_a_place_in_the_queue_that_is_given_up_is_free_again() -> None:
    """Else the replies of an hour ago would hold up those of now."""
    people = crowd(making_per_s=0.5, last_per_s=10.0, posts=False)
    async with people.stack:
        for draft in await people.drafts(50):
            draft.show("begun")
            await asyncio.sleep(0.01)
            draft.show("begun, and more")
        await asyncio.sleep(2)
    shared = people.budget.shared("slack", people.surface.shared_pace)

    assert shared is not None
    assert shared.queue_s() < 10


async def test_a_text_is_rendered_when_its_turn_has_come_and_not_before() -> None:
    """Rendering is most of what a reply costs; here each text is new."""
    people = crowd(making_per_s=1.0, last_per_s=10.0)
    rendered: list[str] = []
    cut = people.surface.render
    people.surface.render = lambda text, *, target: (
        rendered.append(text)
        or cut(  # type: ignore[method-assign,func-returns-value]
            text, target=target
        )
    )
    async with people.stack:
        drafts = await people.drafts(10)
        await grow(drafts, for_s=10)

    assert len(rendered) <= len(people.surface.writes) + len(drafts)
