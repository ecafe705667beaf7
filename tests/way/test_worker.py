from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fakes.talk import DIRECT, in_thread, message

MakeWay = Callable[..., Any]
pytestmark = [pytest.mark.looptime]


async def until(true: Callable[[], bool], *, within_s: float = 120.0) -> None:
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.1)


async def test_twenty_people_in_twenty_threads_are_all_answered(make_way: MakeWay) -> None:
    way = make_way(*[" Yes.\n###"] * 20)
    async with way.working():
        for at in range(20):
            await way.hear(message(f"question {at}", message_id=f"{at}.5", mentions_jay=True))
        await until(lambda: len(way.surface.texts) == 20)

    assert way.surface.texts == ["Yes."] * 20


async def test_one_conversation_is_answered_in_the_order_it_was_said(make_way: MakeWay) -> None:
    way = make_way(*[" Yes.\n###"] * 9)
    async with way.working():
        await way.hear(message("one", message_id="1.0", mentions_jay=True))
        await until(lambda: len(way.surface.texts) == 1)
        await way.hear(message("three", message_id="3.0", place=in_thread("1.0")))
        await way.hear(message("two", message_id="2.0", place=in_thread("1.0")))
        await until(lambda: len(way.surface.texts) >= 2 and "three" in way.engine.prompts[-1])

    last = way.engine.prompts[-1]
    assert last.index("one") < last.index("two") < last.index("three")


async def test_a_crash_on_one_message_apologises_and_leaves_the_rest_working(
    make_way: MakeWay,
) -> None:
    """One poisoned message must not silence a workspace."""
    way = make_way(" Fine.\n###")
    way.engine.fail_after(0, RuntimeError("a bug"))
    async with way.working():
        await way.hear(message("poison", message_id="1.0", place=DIRECT))
        await until(lambda: len(way.surface.whispers) == 1)
        await way.hear(message("hello", message_id="2.0", place=DIRECT))
        await until(lambda: way.surface.texts == ["Fine."])


async def test_draining_lets_a_running_reply_end_and_begins_nothing_new(make_way: MakeWay) -> None:
    way = make_way(" one two three four\n###", " never\n###")
    way.engine.delay_s = 0.3
    worker = way.worker()
    task = asyncio.create_task(worker.run())
    await way.hear(message("hello", message_id="1.0", place=DIRECT))
    await until(lambda: bool(way.engine.prompts))
    worker.drain()
    await way.hear(message("more", message_id="2.0", mentions_jay=True))
    await asyncio.wait_for(task, 30)

    assert way.surface.texts == ["one two three four"]
