"""Lanes: order, patience, bounds."""

from __future__ import annotations

import asyncio

import pytest
from discord_listening import until

from adapters.discord.lanes import LONGEST_WAIT_S, READ_BACK, Arrival, Lanes, slower_and_slower
from bot.errors import MayNotWrite, PlatformUnreachable, StoreFull, StoreUnreachable


def arrival(number: int, channel: str = "1", event: str = "MESSAGE_CREATE") -> Arrival:
    return Arrival(event=event, channel=channel, data={"id": str(number << 22), "guild_id": "9"})


class Taker:
    """Takes arrivals, but fails as told first."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.taken: list[Arrival] = []
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, one: Arrival) -> None:
        await self.open.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append(one)

    def numbers(self, channel: str = "1") -> list[int]:
        return [int(str(one.data["id"])) >> 22 for one in self.taken if one.channel == channel]


@pytest.mark.looptime
@pytest.mark.parametrize(
    "error",
    [StoreUnreachable("away"), StoreFull("full"), PlatformUnreachable("away"), TimeoutError()],
)
async def test_what_fails_for_now_is_tried_again_before_what_came_after_it(
    error: Exception,
) -> None:
    taker = Taker(*[error] * 8)
    lanes = Lanes(taker)
    for number in range(3):
        lanes.put(arrival(number))
    await lanes.close(within_s=60)

    assert taker.numbers() == [0, 1, 2]
    assert lanes.waiting == 0


@pytest.mark.parametrize("error", [MayNotWrite("closed"), ZeroDivisionError()])
async def test_what_can_never_be_handled_does_not_hold_up_its_channel(error: Exception) -> None:
    taker = Taker(error)
    lanes = Lanes(taker)
    lanes.put(arrival(0))
    lanes.put(arrival(1))
    await lanes.close(within_s=1)

    assert taker.numbers() == [1]


async def test_one_channel_does_not_wait_for_another() -> None:
    taker = Taker(*[StoreUnreachable("away")] * 1)
    lanes = Lanes(taker)
    lanes.put(arrival(0, "slow"))
    lanes.put(arrival(1, "quick"))
    await until(lambda: taker.numbers("quick") == [1])
    assert taker.numbers("slow") == []
    await lanes.close(within_s=1)

    assert taker.numbers("slow") == [0]


async def test_beyond_the_bound_a_lane_keeps_one_mark_from_where_to_read_back() -> None:
    taker = Taker()
    taker.open.clear()
    lanes = Lanes(taker, most=3)
    for number in range(1, 1_000):
        lanes.put(arrival(number))
    assert lanes.waiting == 4
    taker.open.set()
    await lanes.close(within_s=1)

    *kept, mark = taker.taken
    assert [int(str(one.data["id"])) >> 22 for one in kept] == [1, 2, 3]
    assert mark.event == READ_BACK
    assert mark.data["guild_id"] == "9"
    assert int(str(mark.data["after"])) < 4 << 22


async def test_deletions_are_kept_when_messages_no_longer_are() -> None:
    """Reading back brings messages, but not what was taken away."""
    taker = Taker()
    taker.open.clear()
    lanes = Lanes(taker, most=3)
    for number in range(1, 10):
        lanes.put(arrival(number))
    lanes.put(arrival(1, event="MESSAGE_DELETE"))
    taker.open.set()
    await lanes.close(within_s=1)

    assert taker.taken[-1].event == "MESSAGE_DELETE"


async def test_lanes_hold_no_more_than_twice_their_bound_of_anything() -> None:
    taker = Taker()
    taker.open.clear()
    lanes = Lanes(taker, most=3)
    for number in range(100):
        lanes.put(arrival(number, event="MESSAGE_DELETE"))

    assert lanes.waiting == 6
    taker.open.set()
    await lanes.close(within_s=1)


async def test_closing_does_not_wait_for_a_store_that_stays_away() -> None:
    lanes = Lanes(Taker(*[StoreUnreachable("away")] * 100))
    lanes.put(arrival(0))

    async with asyncio.timeout(1):
        await lanes.close(within_s=0.02)


def test_waits_grow_to_a_bound() -> None:
    waits = slower_and_slower()
    first = [next(waits) for _ in range(12)]

    assert first[:3] == [0.1, 0.2, 0.4]
    assert first[-1] == LONGEST_WAIT_S
