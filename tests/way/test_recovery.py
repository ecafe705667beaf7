"""What was said while nobody listened, with everything in memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from fakes.talk import CHANNEL, DIRECT, in_thread, message

from bot.conversations import in_place
from bot.delivery import WriteBudget
from bot.errors import MessageGone, PlatformUnreachable, StoreUnreachable, TokenRefused, TooFast
from bot.messages import IncomingMessage, Place
from bot.recovery import STALE, Recovery, deleted

MakeWay = Callable[..., Any]
pytestmark = [pytest.mark.looptime]
NOW = float(int(time.time()))
OTHER = Place(platform="slack", workspace="T1", channel="C2")


def said(text: str, *, ago_s: float, **named: Any) -> IncomingMessage:
    return message(text, message_id=f"{NOW - ago_s:.1f}", **named)


def recovery_of(way: Any, **named: Any) -> Recovery:
    return Recovery(
        platform="slack",
        store=way.store,
        surface=way.surface,
        intake=way.intake,
        budget=WriteBudget(),
        **{"fresh_s": 3600.0, "max_messages": 200, "tell_stale": True, **named},
    )


async def until(true: Callable[[], bool], *, within_s: float = 120.0) -> None:
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.1)


@asynccontextmanager
async def back(way: Any, **named: Any) -> AsyncIterator[Recovery]:
    """A process that has just started."""
    recovery = recovery_of(way, **named)
    await recovery.begin()
    running = asyncio.create_task(recovery.run())
    recovery.missed(None)
    try:
        yield recovery
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def caught_up(way: Any, **named: Any) -> None:
    async with back(way, **named):
        async with asyncio.timeout(300):
            await asyncio.sleep(1.0)
            while await way.store.gaps("slack", limit=1):
                await asyncio.sleep(0.1)


async def test_what_was_asked_while_jay_was_away_is_answered_once(make_way: MakeWay) -> None:
    way = make_way(" Yes.\n###")
    before = said("hello", ago_s=900, mentions_jay=True)
    await way.hear(before)
    await way.answer_all()
    missed = said("are you there?", ago_s=300, mentions_jay=True)
    chat = said("lunch?", ago_s=200)
    way.surface.history_of = [before, missed, chat]

    await caught_up(way)
    await caught_up(way)
    await way.answer_all()

    assert way.surface.texts == ["Yes.", "Yes."]
    assert [one.text for one in await way.store.messages(CHANNEL, limit=9)] == [
        "hello",
        "are you there?",
        "lunch?",
    ]


async def test_somebody_new_who_writes_again_gets_an_answer_to_both(make_way: MakeWay) -> None:
    """Discord lists no direct messages: the first one of a person may have found nobody."""
    way = make_way(" Yes.\n###")
    await way.hear(said("lunch?", ago_s=900))
    unheard = said("are you there?", ago_s=60, place=DIRECT)
    heard = said("hello?", ago_s=1, place=DIRECT)
    async with back(way) as recovery:
        await until(lambda: bool(way.surface.reads))
        way.surface.history_of = [unheard, heard]
        await recovery.hear(heard)
        await until(lambda: DIRECT in way.surface.reads)
        await asyncio.sleep(1.0)
        await recovery.hear(said("well?", ago_s=0.5, place=DIRECT))
        await asyncio.sleep(1.0)
    await way.answer_all()

    assert way.surface.reads.count(DIRECT) == 1
    assert [one.text for one in await way.store.turns(in_place(DIRECT, root=""))] == [
        "are you there?",
        "hello?",
        "well?",
        "Yes.",
    ]


async def test_an_answer_in_a_thread_of_jays_is_found(make_way: MakeWay) -> None:
    """Its root may be long ago, and the channel's history doesn't show it."""
    way = make_way(" Yes.\n###")
    asked = said("hello", ago_s=90_000, mentions_jay=True)
    await way.hear(asked)
    await way.answer_all()
    await way.hear(said("something else", ago_s=1_000))
    follow_up = said("and then?", ago_s=60, place=in_thread(asked.message_id))
    way.surface.history_of = [follow_up]

    await caught_up(way)
    await way.answer_all()

    assert len(way.surface.texts) == 2
    assert in_thread(asked.message_id) in way.surface.reads


async def test_what_is_too_old_gets_one_honest_line(make_way: MakeWay) -> None:
    way = make_way(" Yes.\n###")
    await way.hear(said("lunch?", ago_s=9_000))
    first = said("are you there?", ago_s=5_000, place=DIRECT)
    second = said("hello?", ago_s=4_900, place=DIRECT)
    way.surface.sits_in = [DIRECT]
    way.store._first["slack"] = NOW - 9_000
    way.surface.history_of = [first, second]

    await caught_up(way)
    await caught_up(way)
    await way.answer_all()

    assert way.surface.texts == [STALE]
    assert len(await way.store.messages(DIRECT, limit=9)) == 2


async def test_what_is_too_old_gets_nothing_where_that_is_set(make_way: MakeWay) -> None:
    way = make_way()
    await way.hear(said("lunch?", ago_s=9_000))
    way.surface.history_of = [said("hello?", ago_s=8_000, mentions_jay=True)]

    await caught_up(way, tell_stale=False)
    await way.answer_all()

    assert way.surface.texts == []


async def test_edits_and_deletions_of_the_gap_are_applied(make_way: MakeWay) -> None:
    way = make_way()
    kept, changed, gone = (
        said(text, ago_s=ago_s) for text, ago_s in (("a", 500), ("b", 400), ("c", 300))
    )
    thread = said("in a thread", ago_s=250, place=in_thread(kept.message_id))
    for one in (kept, changed, gone, thread):
        await way.hear(one)
    way.surface.history_of = [kept, replace(changed, text="B", edited_at=NOW - 100), thread]

    await caught_up(way)

    texts = [one.text for one in await way.store.messages(CHANNEL, limit=9)]
    assert texts == ["a", "B", "in a thread"]


async def test_what_lies_before_the_part_that_was_read_is_not_taken_for_deleted() -> None:
    logged = [said(text, ago_s=ago_s) for text, ago_s in (("a", 30), ("b", 20), ("c", 10))]

    assert deleted(logged, logged[1:], until=NOW) == []
    assert deleted(logged, logged[:1], until=NOW) == logged[1:]
    assert deleted(logged, logged[:1], until=NOW - 20) == [logged[1]]
    assert deleted(logged, [], until=NOW) == []


async def test_talk_that_was_not_jays_when_it_came_does_not_become_it(make_way: MakeWay) -> None:
    """Jay joined the thread afterwards; reading it again must not make it answer the others."""
    way = make_way(" Yes.\n###")
    thread = in_thread(f"{NOW - 100:.1f}")
    aside = said("what do you think, Tom?", ago_s=90, place=thread)
    asked = said("and Jay?", ago_s=80, place=thread, mentions_jay=True)
    for one in (aside, asked):
        await way.hear(one)
    await way.answer_all()
    way.surface.history_of = [aside, asked]

    await caught_up(way)
    await way.answer_all()

    assert way.surface.texts == ["Yes."]


async def test_a_live_message_does_not_hide_what_came_before_it(make_way: MakeWay) -> None:
    way = make_way(" Yes.\n###")
    await way.hear(said("lunch?", ago_s=3_000))
    live = said("live", ago_s=1)
    way.surface.history_of = [said("hidden", ago_s=600, mentions_jay=True), live]
    async with back(way) as recovery:
        await recovery.hear(live)
        await until(lambda: bool(way.surface.reads))
    await way.answer_all()

    assert "hidden" in way.engine.prompts[0]


async def test_a_process_that_dies_while_it_reads_back_leaves_the_rest_to_the_next(
    make_way: MakeWay,
) -> None:
    way = make_way(" Yes.\n###")
    await way.hear(said("lunch?", ago_s=3_000))
    await recovery_of(way).begin()
    await way.hear(said("live", ago_s=1))
    way.surface.history_of = [said("hidden", ago_s=600, mentions_jay=True)]

    await caught_up(way)
    await way.answer_all()

    assert way.surface.texts == ["Yes."]


async def test_a_place_that_can_not_be_read_holds_up_no_other(make_way: MakeWay) -> None:
    way = make_way(" Yes.\n###")
    await way.hear(said("lunch?", ago_s=900, place=OTHER))
    await way.hear(said("lunch?", ago_s=1_000))
    way.surface.history_of = [said("hidden", ago_s=600, mentions_jay=True)]
    way.surface.history_errors = [MessageGone("channel_not_found")]

    await caught_up(way)
    await way.answer_all()

    assert way.surface.texts == ["Yes."]
    assert way.surface.reads == [CHANNEL]


@pytest.mark.parametrize(
    "error", [PlatformUnreachable("502"), TooFast("slowly", retry_after_s=40.0)]
)
async def test_a_platform_that_is_away_is_asked_again(make_way: MakeWay, error: Any) -> None:
    way = make_way(" Yes.\n###")
    await way.hear(said("lunch?", ago_s=900))
    way.surface.history_of = [said("hidden", ago_s=600, mentions_jay=True)]
    way.surface.history_errors = [error]

    await caught_up(way)
    await way.answer_all()

    assert way.surface.texts == ["Yes."]


async def test_what_the_store_could_not_take_is_read_back(make_way: MakeWay) -> None:
    """Discord delivers once, and Slack gives up after some minutes."""
    way = make_way(" Yes.\n###")
    await way.hear(said("lunch?", ago_s=900))
    lost = said("hidden", ago_s=5, mentions_jay=True)
    way.surface.history_of = [lost]
    async with back(way, fresh_s=3600.0) as recovery:
        await until(lambda: bool(way.surface.reads))
        way.surface.history_of = [lost]
        accept = way.store.accept

        async def away(*_: Any, **__: Any) -> bool:
            raise StoreUnreachable("gone")

        way.store.accept = away
        with pytest.raises(StoreUnreachable):
            await recovery.hear(lost)
        way.store.accept = accept
        await until(lambda: len(way.surface.reads) > 1)
    await way.answer_all()

    assert await way.store.conversation_at(CHANNEL, lost.message_id) == in_place(
        CHANNEL, root=lost.message_id
    )


@pytest.mark.parametrize(
    "error",
    [TokenRefused("missing_scope"), PlatformUnreachable("502"), ValueError("nobody foresaw this")],
    ids=lambda error: type(error).__name__,
)
async def test_a_list_of_places_that_can_not_be_had_loses_no_known_place(
    make_way: MakeWay, error: Exception
) -> None:
    way = make_way(" Yes.\n###")
    await way.hear(said("lunch?", ago_s=900))
    way.surface.history_of = [said("hidden", ago_s=600, mentions_jay=True)]
    way.surface.places_errors = [error]

    await caught_up(way)
    await way.answer_all()

    assert way.surface.texts == ["Yes."]
