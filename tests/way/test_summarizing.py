"""A summary on the whole way in memory: history, notes, progress, stop, and an engine that dies."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from fakes.channels import draw_state, sum_up
from fakes.engine import EchoingEngine
from fakes.talk import ANA, BEN, CHANNEL, command, in_thread, message

from bot.errors import PlatformUnreachable
from bot.messages import MessageChanged, MessageDeleted, Place, ShareAsked
from bot.skills.summarize import CLOSED

MakeWay = Callable[..., Any]
pytestmark = [pytest.mark.looptime]


def said(count: int, *, begin: int = 1) -> list[Any]:
    return [
        message(
            f"Ship {at} leaves harbour number {at} on day {at}.",
            message_id=f"{1_700_000_000 + at}.0",
            author=BEN,
        )
        for at in range(begin, begin + count)
    ]


async def settle_one(way: Any, *, stop: asyncio.Event | None = None) -> str:
    lease = await way.store.claim(worker="w", lease_s=900.0, wait_s=0.0)
    await way.replier.reply(lease, stop=stop or asyncio.Event())
    await way.store.release(lease)
    return str(way.surface.texts[-1])


def echo(way: Any, **named: Any) -> EchoingEngine:
    way.engine = EchoingEngine(Random(1), **named)
    return way.engine


async def ask(way: Any, text: str, *, number: int = 1) -> None:
    asked = command("summarize", text)
    await way.hear(replace(asked, message_id=f"cmd{number}", sent_at=99.0 + number))


async def test_what_was_summed_up_before_is_not_paid_for_again(make_way: MakeWay) -> None:
    way = make_way()
    engine = echo(way)
    way.surface.history_of = said(500)
    await ask(way, "last 600")
    await settle_one(way)
    first = sum(len(one.ids) for one in engine.requests)
    engine.requests.clear()

    way.surface.history_of = said(520)
    await ask(way, "last 600", number=2)
    text = await settle_one(way)

    assert "Read 520 of 520" in text
    assert 0 < sum(len(one.ids) for one in engine.requests) <= 0.25 * first


@pytest.mark.parametrize("place", [CHANNEL, replace(CHANNEL, workspace="", channel="D9")])
async def test_what_a_summary_asks_waits_under_who_asked_and_where(
    make_way: MakeWay, place: Place
) -> None:
    """Else one person's summaries were nobody's, and private talks shared a prefix cache."""
    way = make_way()
    engine = echo(way)
    way.surface.history_of = [replace(one, place=place) for one in said(12)]
    await way.hear(replace(command("summarize", "last 12"), place=place))
    await settle_one(way)

    assert {(one.person, one.salt) for one in engine.requests} == {
        (ANA.id, place.workspace or place.channel)
    }


async def test_an_edit_is_summed_up_anew(make_way: MakeWay) -> None:
    way = make_way()
    engine = echo(way)
    talk = said(12)
    for one in talk:
        await way.hear(one)
    way.surface.history_of = talk
    await ask(way, "last 12")
    await settle_one(way)
    before = len(engine.requests)

    edit = MessageChanged(
        place=CHANNEL, message_id=talk[4].message_id, text="All ships stay. 77.", changed_at=2e9
    )
    await way.hear(edit)
    way.surface.history_of = [
        replace(one, text=edit.text) if one.message_id == edit.message_id else one for one in talk
    ]
    await ask(way, "last 12", number=2)
    text = await settle_one(way)

    assert len(engine.requests) == before + 1
    assert "Ship 5 " not in text


async def test_a_message_deleted_while_the_model_works_is_not_told(make_way: MakeWay) -> None:
    way = make_way()
    echo(way, delay_s=20.0)
    talk = said(4)
    for one in talk:
        await way.hear(one)
    way.surface.history_of = talk
    await ask(way, "last 4")

    async def delete() -> None:
        await asyncio.sleep(5.0)
        for one in talk[1:]:
            await way.hear(MessageDeleted(place=CHANNEL, message_id=one.message_id))

    text, _ = await asyncio.gather(settle_one(way), delete())

    assert not re.search(r"Ship [234]", text)


async def test_people_see_how_far_it_has_come(make_way: MakeWay) -> None:
    way = make_way()
    echo(way, delay_s=4.0)
    way.surface.history_of = said(600)
    await ask(way, "last 600")
    await settle_one(way)

    told = [part for _, _, part in way.surface.writes]
    steps = [int(found[1]) for one in told if (found := re.search(r": (\d+) of \d+ parts…", one))]
    assert len(set(steps)) >= 3
    assert steps == sorted(steps)


async def test_parts_are_summed_up_side_by_side_within_a_bound(make_way: MakeWay) -> None:
    way = make_way()
    engine = echo(way, delay_s=1.0)
    way.surface.history_of = said(600)
    await ask(way, "last 600")
    await settle_one(way)

    assert engine.most_running == 32
    assert {one.priority for one in engine.requests} == {1}


async def test_a_stop_in_the_middle_shows_what_is_finished(make_way: MakeWay) -> None:
    way = make_way()
    engine = echo(way, delay_s=10.0)
    way.surface.history_of = said(600)
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(15.0, stop.set)
    await ask(way, "last 600")
    text = await settle_one(way, stop=stop)

    assert re.search(r"Stopped: 32 of \d+ parts were summed up", text)
    assert "- " in text
    assert engine.running == 0
    assert asyncio.get_running_loop().time() < 20.0


async def test_a_stop_before_the_model_is_asked_stops(make_way: MakeWay) -> None:
    way = make_way()
    stop = asyncio.Event()
    stop.set()
    way.surface.history_of = said(20)
    await ask(way, "last 20")

    assert "topped" in await settle_one(way, stop=stop)


async def test_an_engine_that_dies_in_the_middle_leaves_what_is_finished(
    make_way: MakeWay,
) -> None:
    way = make_way()
    engine = echo(way, die_after=40)
    way.surface.history_of = said(600)
    await ask(way, "last 600")
    text = await settle_one(way)
    assert re.search(r"broke off: 40 of \d+ parts are summed up", text)
    assert "Read 600 of 600 messages" in text

    engine.die_after = 10_000
    engine.requests.clear()
    await ask(way, "last 600", number=2)
    again = await settle_one(way)

    assert "broke off" not in again
    assert not any(f"Ship {at} " in engine_prompt(engine, 0) for at in range(1, 7))


def engine_prompt(engine: EchoingEngine, number: int) -> str:
    return "".join(engine._texts[one] for one in engine.requests[number].ids)


async def test_a_private_summary_is_shared_once_by_whoever_asked(make_way: MakeWay) -> None:
    way = make_way()
    echo(way)
    way.surface.history_of = said(3)
    await ask(way, "last 3")
    private = await settle_one(way)
    for number in range(2):
        await way.hear(
            ShareAsked(
                place=CHANNEL, message_id="m1", press_id=f"p{number}", author=ANA, at=200.0 + number
            )
        )
        await settle_one(way)

    shared = [one for one in way.surface.texts if "Shared by Ana" in one]
    assert shared == [f"{private}\n\n_Shared by Ana._"]
    assert [one.private for one in way.surface.targets] == [True, False]


async def test_sharing_what_nobody_knows_does_nothing(make_way: MakeWay) -> None:
    way = make_way()
    await way.hear(ShareAsked(place=CHANNEL, message_id="m9", press_id="p", author=ANA, at=1.0))

    assert await way.store.claim(worker="w", lease_s=5.0, wait_s=0.0) is None


async def test_a_history_that_can_t_be_had_is_told_and_what_was_heard_serves(
    make_way: MakeWay,
) -> None:
    way = make_way()
    echo(way)
    for one in said(5):
        await way.hear(one)
    way.surface.history_errors = [PlatformUnreachable("502")]
    await ask(way, "last 5")
    text = await settle_one(way)

    assert "Read 5 of 5 messages" in text
    assert "what I heard myself" in text


async def test_a_channel_that_is_closed_to_jay_is_not_told_from_memory(make_way: MakeWay) -> None:
    """Jay heard it once; since then it was shut out."""
    way = make_way()
    for one in said(5):
        await way.hear(one)
    way.surface.closed_to_jay = {CHANNEL.channel}
    await ask(way, "last 5")

    assert await settle_one(way) == CLOSED


async def test_since_i_was_last_here_begins_after_the_persons_own_last_words(
    make_way: MakeWay,
) -> None:
    way = make_way()
    echo(way)
    mine = message("I am off, see you on day 9.", message_id="1700000005.5", author=ANA)
    asked = message("summarize 5", message_id="1700000008.5", mentions_jay=True)
    talk = [*said(10), mine, asked]
    way.surface.history_of = sorted(talk, key=lambda one: one.sent_at)
    await ask(way, "since I was last here")
    text = await settle_one(way)

    assert "since your last message here, 14 Nov 22:13 UTC" in text
    assert "Read 5 of 6 messages" in text
    assert "1 said to me" in text


async def test_who_never_wrote_there_is_told_so(make_way: MakeWay) -> None:
    way = make_way()
    echo(way)
    way.surface.history_of = said(10)
    await ask(way, "what did I miss")
    text = await settle_one(way)

    assert "I know of none" in text
    assert "Read 10 of 10 messages" in text


async def test_a_deletion_that_nobody_heard_is_seen_and_counted(make_way: MakeWay) -> None:
    way = make_way()
    echo(way)
    root, *rest = said(6)
    reply = message(
        "Quietly taken back.", message_id="1700000009.0", place=in_thread("1700000001.0")
    )
    for one in (root, *rest, reply):
        await way.hear(one)
    way.surface.history_of = [root, *rest[:-1]]
    await ask(way, "last 50")
    text = await settle_one(way)

    assert "Quietly" not in text
    assert "Ship 6 " not in text
    assert "Read 5 of 5 messages" in text
    assert "2 deleted" in text


async def test_the_same_range_asked_again_costs_nothing() -> None:
    """The same range asked again costs nothing while nothing has changed."""
    state = await draw_state(Random(3), messages=200, threads=8)
    engine = EchoingEngine(Random(4))
    first = await sum_up(state, "last 200", engine=engine)
    asked = len(engine.requests)
    again = await sum_up(state, "last 200", engine=engine)

    assert len(engine.requests) == asked
    assert again.text == first.text
