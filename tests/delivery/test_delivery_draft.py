from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from fakes.surface import MemorySurface

from bot.delivery import Draft, WriteBudget
from bot.errors import LeaseLost, MayNotWrite, PlatformUnreachable, TooFast
from bot.messages import Place
from bot.ports import Target

pytestmark = [pytest.mark.looptime]
PLACE = Place(platform="discord", workspace="G1", channel="C1")
TARGET = Target(place=PLACE, reply_to="m0", person="U1")


@pytest.fixture
def surface() -> MemorySurface:
    return MemorySurface()


@pytest.fixture
def records() -> list[tuple[str, ...]]:
    return []


def draft_on(
    surface: MemorySurface,
    records: list[tuple[str, ...]],
    budget: WriteBudget | None = None,
    message_ids: tuple[str, ...] = (),
    target: Target = TARGET,
) -> Draft:
    async def record(ids: tuple[str, ...]) -> None:
        records.append(ids)

    return Draft(
        surface=surface,
        target=target,
        budget=budget or WriteBudget(),
        nonce="r1",
        record=record,
        message_ids=message_ids,
    )


async def test_the_last_words_arrive_even_when_the_channel_is_spent(
    surface: MemorySurface, records: list[tuple[str, ...]]
) -> None:
    """Whoever asked would otherwise be left with half a sentence."""
    budget = WriteBudget()
    for _ in range(surface.pace.writes):
        await budget.acquire(PLACE.write_lane, surface.pace)

    async with draft_on(surface, records, budget) as draft:
        draft.show("half a sent")
        await draft.finish("half a sentence, and the rest.")

    assert surface.texts == ["half a sentence, and the rest."]
    assert asyncio.get_running_loop().time() <= surface.pace.per_s


async def test_only_the_newest_text_is_written(
    surface: MemorySurface, records: list[tuple[str, ...]]
) -> None:
    """A reply of 300 tokens must not cost 300 writes."""
    async with draft_on(surface, records) as draft:
        for size in range(1, 301):
            draft.show("word " * size)
            await asyncio.sleep(0.02)
        await draft.finish("word " * 300)

    assert surface.texts == [("word " * 300).strip()]
    assert len(surface.writes) <= 12


async def test_identical_texts_are_written_once(
    surface: MemorySurface, records: list[tuple[str, ...]]
) -> None:
    async with draft_on(surface, records) as draft:
        draft.show("the same")
        await asyncio.sleep(1)
        draft.show("the same")
        await draft.finish("the same")

    assert [verb for verb, _, _ in surface.writes] == ["post"]
    assert surface.closed == {"m1"}


async def test_a_text_that_outgrows_a_message_goes_on_in_the_next(
    surface: MemorySurface, records: list[tuple[str, ...]]
) -> None:
    surface.limit = 10
    async with draft_on(surface, records) as draft:
        draft.show("0123456789ab")
        await draft.finish("0123456789abcdefghijXY")

    assert surface.texts == ["0123456789", "abcdefghij", "XY"]
    assert records[-1] == ("m1", "m2", "m3")


async def test_a_text_that_shrinks_takes_the_surplus_message_away(
    surface: MemorySurface, records: list[tuple[str, ...]]
) -> None:
    """A guard may cut back what a loop had filled."""
    surface.limit = 10
    async with draft_on(surface, records) as draft:
        draft.show("0123456789ab")
        await asyncio.sleep(5)
        await draft.finish("012345")

    assert surface.texts == ["012345"]


async def test_another_workers_message_is_finished_not_posted_again(
    surface: MemorySurface, records: list[tuple[str, ...]]
) -> None:
    """Two answers to one question look broken."""
    surface.shown["m7"] = "half of"
    async with draft_on(surface, records, message_ids=("m7",)) as draft:
        await draft.finish("half of it, and the rest")

    assert surface.shown == {"m7": "half of it, and the rest"}


async def test_retry_after_is_obeyed_and_nothing_is_lost(
    surface: MemorySurface, records: list[tuple[str, ...]]
) -> None:
    surface.errors = [TooFast("slow down", retry_after_s=7.0)]
    async with draft_on(surface, records) as draft:
        await draft.finish("patience")

    assert surface.texts == ["patience"]
    assert asyncio.get_running_loop().time() >= 7.0


async def test_a_short_outage_of_the_platform_is_waited_out(
    surface: MemorySurface, records: list[tuple[str, ...]]
) -> None:
    surface.errors = [PlatformUnreachable("502")] * 4
    async with draft_on(surface, records) as draft:
        await draft.finish("still here")

    assert surface.texts == ["still here"]


async def test_a_long_outage_is_told_to_the_caller(
    surface: MemorySurface, records: list[tuple[str, ...]]
) -> None:
    surface.errors = [PlatformUnreachable("502")] * 50
    async with draft_on(surface, records) as draft:
        with pytest.raises(PlatformUnreachable):
            await draft.finish("anybody?")


async def test_a_refusal_is_told_at_the_end_and_seen_before(
    surface: MemorySurface, records: list[tuple[str, ...]]
) -> None:
    surface.errors = [MayNotWrite("read only")]
    async with draft_on(surface, records) as draft:
        draft.show("may I?")
        await asyncio.sleep(1)
        assert draft.failure is not None
        with pytest.raises(MayNotWrite):
            await draft.finish("may I?")


async def test_a_reply_that_somebody_deleted_is_not_written_again(
    surface: MemorySurface, records: list[tuple[str, ...]]
) -> None:
    async with draft_on(surface, records) as draft:
        draft.show("unwanted")
        await asyncio.sleep(1)
        surface.shown.clear()
        await draft.finish("unwanted words")

    assert draft.gone
    assert surface.texts == []


async def test_nothing_is_written_once_the_lease_may_have_run_out(surface: MemorySurface) -> None:
    """A process that was stopped for a minute would write its old text over the finished one."""

    async def record(ids: tuple[str, ...]) -> None:
        return

    draft = Draft(
        surface=surface,
        target=TARGET,
        budget=WriteBudget(),
        nonce="r1",
        record=record,
        holds=lambda: not surface.texts,
    )
    async with draft:
        draft.show("one")
        await asyncio.sleep(2.0)
        with pytest.raises(LeaseLost):
            await draft.finish("one two")

    assert surface.texts == ["one"]


async def test_a_post_whose_answer_was_lost_is_brought_up_to_the_newest_text(
    surface: MemorySurface, records: list[tuple[str, ...]]
) -> None:
    """The platform finds the first post by its nonce, and that one reads what it read then."""
    post, lost = surface.post, [PlatformUnreachable("timed out")]

    async def answer_lost(target: Target, part: str, *, again: bool, **named: Any) -> str:
        posted = await post(target, part, again=again, **named)
        if lost:
            raise lost.pop()
        return posted

    surface.post = answer_lost  # type: ignore[method-assign]
    async with draft_on(surface, records) as draft:
        draft.show("half")
        await asyncio.sleep(0.1)
        await draft.finish("half and the rest")

    assert surface.texts == ["half and the rest"]


async def test_a_text_that_shrinks_and_grows_again_keeps_its_messages(
    surface: MemorySurface, records: list[tuple[str, ...]]
) -> None:
    """A part that was taken away could not come back under its nonce."""
    surface.limit = 5
    async with draft_on(surface, records) as draft:
        draft.show("onetwo")
        await asyncio.sleep(5.0)
        draft.show("one")
        await asyncio.sleep(5.0)
        await draft.finish("onetwotre")

    assert surface.texts == ["onetw", "otre"]


async def test_the_why_button_stands_below_the_end_of_a_long_reply_alone(
    surface: MemorySurface, records: list[tuple[str, ...]]
) -> None:
    """One below each of its messages would be noise."""
    surface.limit = 10
    async with draft_on(surface, records, target=replace(TARGET, why=True)) as draft:
        draft.show("one two")
        await asyncio.sleep(0.1)
        assert surface.explained == {"m1"}
        await draft.finish("one two three four five")

    assert len(surface.texts) == 3
    assert surface.explained == {"m3"}


async def test_a_line_that_says_that_people_wait_has_no_why_button(
    surface: MemorySurface, records: list[tuple[str, ...]]
) -> None:
    async with draft_on(surface, records, target=replace(TARGET, why=True)) as draft:
        draft.show("_Reading…_", spoken=False)
        await asyncio.sleep(0.1)
        assert surface.explained == set()
        await draft.finish("Done.")

    assert surface.explained == {"m1"}


async def test_the_why_button_costs_no_write_of_its_own(
    surface: MemorySurface, records: list[tuple[str, ...]]
) -> None:
    written = []
    for why in (False, True):
        surface.writes.clear()
        async with draft_on(surface, records, target=replace(TARGET, why=why)) as draft:
            draft.show("one")
            await asyncio.sleep(0.1)
            draft.show("one two")
            await draft.finish("one two")
        written.append([(verb, text) for verb, _, text in surface.writes])

    assert written[0] == written[1]
