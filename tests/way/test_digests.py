"""Digests on the whole way in memory and in virtual time: made once, told once, late or skipped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from fakes.talk import ANA, BEN, CHANNEL, DIRECT, command, digest, message

from bot.errors import StoreUnreachable
from bot.messages import ChannelJoined
from bot.scheduling import LOOK_EVERY_S, Scheduler, plan

MakeWay = Callable[..., Any]
pytestmark = [pytest.mark.looptime]

DAY = 86_400.0
NINE = 1_764_061_200.0
"""Tuesday, 25 November 2025, 9:00 UTC."""
DAILY = digest(schedule="every day 9:00", due=NINE, covered=NINE - DAY, channel_name="general")


def at(offset: float) -> Any:
    return message(
        f"Ship {offset:.0f} leaves harbour on day {offset:.0f}.",
        message_id=f"{NINE + offset:.1f}",
        author=BEN,
    )


async def look_at(way: Any, *times: float, many: int = 1) -> None:
    """Have workers look at these times, all of them at once, and answer what there is."""
    for now in times:
        schedulers = [Scheduler(store=way.store, clock=lambda now=now: now) for _ in range(many)]
        await asyncio.gather(*(one.look() for one in schedulers))
        await way.answer_all()


def clock_from(start: float) -> Callable[[], float]:
    """Return a clock that goes with the loop's."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    return lambda: start + loop.time() - begun


@asynccontextmanager
async def scheduling(way: Any, *, start: float) -> AsyncIterator[None]:
    """Run a scheduler, and a worker beside it."""
    clock = clock_from(start)
    task = asyncio.create_task(Scheduler(store=way.store, clock=clock).run())
    try:
        async with way.working():
            yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def way(make_way: MakeWay) -> Any:
    made = make_way(" Nothing of the kind.\n###")
    made.surface.readable = {(ANA.id, CHANNEL.channel): CHANNEL}
    made.surface.history_of = [at(-DAY - 60), at(-60), at(60)]
    return made


async def test_a_digest_is_told_at_its_time_and_not_before(way: Any) -> None:
    await way.store.keep_digest(DAILY, most=5)
    async with scheduling(way, start=NINE - 60):
        await asyncio.sleep(58)
        assert way.surface.texts == []

        await asyncio.sleep(2 + 2 * LOOK_EVERY_S)

    (told,) = way.surface.texts
    assert told.startswith("**Digest of #general**, every day 9:00")
    assert "Ship -60 leaves" in told
    assert "Read 1 of 1 message, by 1 person" in told
    assert [one.place for one in way.surface.targets] == [DIRECT]


async def test_however_many_workers_look_each_digest_is_told_once_a_day(way: Any) -> None:
    """People would otherwise get as many as there are workers."""
    await way.store.keep_digest(DAILY, most=5)
    looks = [NINE + day * DAY + late for day in range(3) for late in (-1, 0, 1, 11, 3_600)]

    await look_at(way, *looks, many=5)

    covered = [text.partition("Asked: ")[2].partition(" (UTC")[0] for text in way.surface.texts]
    assert covered == [
        "from Mon 24 Nov 09:00 to Tue 25 Nov 09:00",
        "from Tue 25 Nov 09:00 to Wed 26 Nov 09:00",
        "from Wed 26 Nov 09:00 to Thu 27 Nov 09:00",
    ]
    assert "Ship 60 leaves" in way.surface.texts[1]
    assert "nobody said anything there" in way.surface.texts[2]


async def test_nobody_is_shown_how_far_a_digest_is(way: Any) -> None:
    """The first words ring; they should be the digest's."""
    way.surface.shows_status = False
    way.engine.delay_s = 1.0
    await way.store.keep_digest(DAILY, most=5)

    await look_at(way, NINE)

    assert [verb for verb, _, _ in way.surface.writes] == ["post"]
    assert way.surface.statuses == []


async def test_a_worker_that_dies_before_it_moves_a_digest_on_leaves_one(way: Any) -> None:
    """Its command stands in the mailbox; the next worker finds the digest due still."""
    await way.store.keep_digest(DAILY, most=5)
    move, way.store.move_digest = way.store.move_digest, failing
    with pytest.raises(StoreUnreachable):
        await look_at(way, NINE + 1)
    way.store.move_digest = move
    await way.answer_all()

    await look_at(way, NINE + 2)

    assert len(way.surface.texts) == 1
    (kept,) = await way.store.digests_of("slack", ANA.id)
    assert (kept.due, kept.covered) == (NINE + DAY, NINE)


async def failing(*_: object, **__: object) -> bool:
    raise StoreUnreachable("cut off")


async def test_the_scheduler_outlives_an_outage_of_the_store(way: Any) -> None:
    await way.store.keep_digest(DAILY, most=5)
    due, way.store.due_digests = way.store.due_digests, failing
    async with scheduling(way, start=NINE):
        await asyncio.sleep(30)
        way.store.due_digests = due
        await asyncio.sleep(2 * LOOK_EVERY_S)

    assert len(way.surface.texts) == 1


async def test_a_digest_waits_for_an_engine_that_is_away(way: Any) -> None:
    """Nobody is there to ask again, and the next one would begin where this one ends."""
    way.engine.unreachable = True
    await way.store.keep_digest(DAILY, most=5)
    async with scheduling(way, start=NINE):
        await asyncio.sleep(150)
        assert way.surface.texts == []
        way.engine.unreachable = False
        await asyncio.sleep(30)

    (told,) = way.surface.texts
    assert "Ship -60 leaves" in told


async def test_a_digest_that_was_missed_for_an_hour_is_told_late(way: Any) -> None:
    await way.store.keep_digest(DAILY, most=5)

    await look_at(way, NINE + 3_600)

    (told,) = way.surface.texts
    assert "to Tue 25 Nov 09:00" in told
    assert "fell away" not in told


async def test_one_that_was_missed_for_long_is_skipped_and_the_next_says_so(way: Any) -> None:
    """Nothing that was said in between may be lost."""
    await way.store.keep_digest(DAILY, most=5)
    back = NINE + DAY + 7 * 3_600

    await look_at(way, back, back + 10, back + 20)
    assert way.surface.texts == []
    await look_at(way, NINE + 2 * DAY)

    (told,) = way.surface.texts
    assert "from Mon 24 Nov 09:00 to Thu 27 Nov 09:00" in told
    assert "2 digests before this one fell away" in told
    assert "Read 2 of 2 messages" in told
    (kept,) = await way.store.digests_of("slack", ANA.id)
    assert kept.skipped == 0


def test_a_week_is_late_only_after_a_day_or_so() -> None:
    weekly = replace(DAILY, schedule="every tuesday 9:00")

    assert plan(weekly, now=NINE + 1.5 * DAY).command is not None
    assert plan(weekly, now=NINE + 2 * DAY).command is None
    assert plan(weekly, now=NINE + 2 * DAY).moved.due == NINE + 7 * DAY


async def test_who_may_no_longer_read_is_told_once_and_the_digest_ends(way: Any) -> None:
    await way.store.keep_digest(DAILY, most=5)
    way.surface.readable = {}

    await look_at(way, NINE, NINE + DAY, NINE + 2 * DAY)

    (told,) = way.surface.texts
    assert told.startswith("Your digest of #general (every day 9:00) has ended")
    assert list(await way.store.digests_of("slack", ANA.id)) == []


async def test_that_a_channels_digest_ended_is_whispered_to_whoever_ordered_it(way: Any) -> None:
    await way.store.keep_digest(replace(DAILY, to=CHANNEL), most=5)
    way.surface.readable = {}

    await look_at(way, NINE, NINE + DAY)

    assert way.surface.texts == []
    ((person, told),) = way.surface.whispers
    assert (person, "has ended" in told) == (ANA.id, True)


async def test_who_joins_a_channel_is_told_of_its_last_week_once(way: Any) -> None:
    """Slack delivers an event again where an ack was late."""
    await way.hear(command("summarize", "when I join"))
    await way.answer_all()
    before = len(way.surface.texts)
    joined = ChannelJoined(place=CHANNEL, person=ANA, at=NINE)
    for event in (joined, joined, replace(joined, person=BEN)):
        await way.hear(event)
    await way.answer_all()

    (told,) = way.surface.texts[before:]
    assert told.startswith("**You joined #general: its last week**")
    assert "Read 2 of 2 messages" in told
    assert way.surface.targets[-1].place.channel == "DU1"


async def test_a_digest_is_ordered_told_and_stopped(way: Any) -> None:
    """From the command to the first digest, and no second one."""
    await way.hear(command("summarize", "every day 9:00"))
    await way.answer_all()
    (kept,) = await way.store.digests_of("slack", ANA.id)

    await look_at(way, kept.due)
    await way.hear(replace(command("summarize", "stop 1"), message_id="cmd-stop"))
    await way.answer_all()
    await look_at(way, kept.due + DAY)

    assert sum("**Digest of" in text for text in way.surface.texts) == 1
