from __future__ import annotations

import asyncio

import pytest

from bot.delivery import WriteBudget
from bot.paces import Pace

pytestmark = [pytest.mark.looptime]
PACE = Pace(writes=5, per_s=5.0)


async def test_a_lane_never_gets_more_writes_than_its_pace_allows() -> None:
    budget, loop, taken = WriteBudget(), asyncio.get_running_loop(), list[float]()

    async def writer() -> None:
        await budget.acquire("discord:C1", PACE)
        taken.append(loop.time())

    await asyncio.gather(*(writer() for _ in range(23)))

    windows = [sum(1 for at in taken if start <= at < start + 5.0) for start in taken]
    assert max(windows[5:]) <= 6
    assert loop.time() <= 18.5


async def test_lanes_do_not_wait_for_one_another() -> None:
    """A busy channel would silence the quiet ones."""
    budget = WriteBudget()
    for _ in range(5):
        await budget.acquire("discord:busy", PACE)

    await budget.acquire("discord:quiet", PACE)

    assert asyncio.get_running_loop().time() == 0


async def test_writers_are_served_in_the_order_they_came() -> None:
    budget, served = WriteBudget(), list[int]()

    async def writer(number: int) -> None:
        await budget.acquire("slack:C1", Pace(writes=1, per_s=1.0))
        served.append(number)

    await asyncio.gather(*(writer(number) for number in range(8)))

    assert served == sorted(served)


async def test_a_stopped_lane_rests_for_as_long_as_the_platform_asked() -> None:
    budget = WriteBudget()
    await budget.acquire("slack:C1", PACE)

    budget.stop("slack:C1", PACE, for_s=30.0)
    await budget.acquire("slack:C1", PACE)

    assert asyncio.get_running_loop().time() == pytest.approx(30.0)


async def test_a_cancelled_waiter_does_not_block_the_next() -> None:
    budget = WriteBudget()
    for _ in range(5):
        await budget.acquire("slack:C1", PACE)
    waiter = asyncio.create_task(budget.acquire("slack:C1", PACE))
    await asyncio.sleep(0.1)
    waiter.cancel()

    await budget.acquire("slack:C1", PACE)

    assert asyncio.get_running_loop().time() <= 1.5
