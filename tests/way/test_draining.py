"""A worker that is told to stop: what runs may end, what can't is handed over, nothing begins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fakes.talk import DIRECT, in_thread, message

MakeWay = Callable[..., Any]
pytestmark = [pytest.mark.looptime]
STORY = "".join(f" word{at}" for at in range(60)) + "\n###"


async def until(true: Callable[[], bool], *, within_s: float = 60.0) -> None:
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.05)


async def begun(way: Any, *, conversations: int = 8, grace_s: float = 3.0) -> Any:
    """Return a worker in the middle of a reply that takes half a minute, and its task."""
    way.engine.delay_s, way.engine.goes_on = 0.5, True
    worker = way.worker(grace_s=grace_s)
    worker.conversations = conversations
    task = asyncio.create_task(worker.run())
    await way.hear(message("tell me", message_id="1.0", place=DIRECT))
    await until(lambda: bool(way.surface.texts))
    return worker, task


async def test_a_worker_that_is_full_ends_within_its_grace(make_way: MakeWay) -> None:
    """It waited for a free place first, however long the replies took; then came SIGKILL."""
    way = make_way(STORY)
    worker, task = await begun(way, conversations=1)
    await way.hear(message("and me", message_id="2.0", place=in_thread("2.0"), mentions_jay=True))
    await asyncio.sleep(2)
    before = asyncio.get_running_loop().time()
    worker.drain()
    await task

    assert asyncio.get_running_loop().time() - before <= 3.0 + 1.5
    assert len(way.engine.prompts) == 1


async def test_what_the_grace_cuts_off_another_worker_goes_on_with_at_once(
    make_way: MakeWay,
) -> None:
    """At each deployment people would wait until the lease runs out."""
    way = make_way(STORY)
    worker, task = await begun(way)
    worker.drain()
    await task
    shown = way.surface.texts[0]

    lease = await way.store.claim(worker="w2", lease_s=15.0, wait_s=0.0)
    assert lease is not None
    await way.replier.reply(lease, stop=asyncio.Event())

    assert way.surface.texts == [STORY.removesuffix("\n###").strip()]
    assert shown in way.surface.texts[0]
    assert len(way.surface.nonces) == 1


async def test_a_store_that_is_away_does_not_hold_up_the_end(make_way: MakeWay) -> None:
    """A lease that can't be given back runs out by itself."""
    way = make_way(STORY)
    worker, task = await begun(way)
    way.store.release = lambda lease: asyncio.sleep(3_600)
    before = asyncio.get_running_loop().time()
    worker.drain()
    await task

    assert asyncio.get_running_loop().time() - before <= 3.0 + 3.0


async def test_a_write_under_way_is_let_through_before_the_reply_is_handed_over(
    make_way: MakeWay,
) -> None:
    """The next worker comes at once: it could not see a post that still travels, and post again."""
    way = make_way(STORY)
    post = way.surface.post

    async def slowly(*args: Any, **kwargs: Any) -> str:
        await asyncio.sleep(2)
        return await post(*args, **kwargs)

    way.surface.post = slowly
    worker = way.worker(grace_s=0.5)
    way.engine.delay_s, way.engine.goes_on = 0.5, True
    task = asyncio.create_task(worker.run())
    await way.hear(message("tell me", message_id="1.0", place=DIRECT))
    await until(lambda: bool(way.engine.prompts))
    await asyncio.sleep(1)
    worker.drain()
    await task

    lease = await way.store.claim(worker="w2", lease_s=15.0, wait_s=0.0)
    assert lease is not None
    reply = await way.store.open_reply(lease)
    assert reply is not None
    assert reply.message_ids == tuple(way.surface.shown) == ("m1",)


async def test_a_write_without_an_answer_keeps_the_lease_until_it_runs_out(
    make_way: MakeWay,
) -> None:
    """It may still arrive; the next worker then looks for it first."""
    way = make_way(STORY)
    way.surface.post = lambda *args, **kwargs: asyncio.sleep(3_600)
    worker = way.worker(grace_s=0.5)
    way.engine.delay_s, way.engine.goes_on = 0.5, True
    task = asyncio.create_task(worker.run())
    await way.hear(message("tell me", message_id="1.0", place=DIRECT))
    await until(lambda: bool(way.engine.prompts))
    await asyncio.sleep(1)
    before = asyncio.get_running_loop().time()
    worker.drain()
    await task

    assert asyncio.get_running_loop().time() - before <= 0.5 + 3.0 + 1.0
    assert await way.store.claim(worker="w2", lease_s=15.0, wait_s=0.0) is None
