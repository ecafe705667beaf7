from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fakes.talk import DIRECT, in_thread, message
from structlog.testing import capture_logs

from bot.conversations import Reply
from bot.errors import JayError, MessageGone, PlatformUnreachable, TokenRefused
from bot.tries import is_given_up

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


SORRY = f"_{JayError.to_person}_"


async def test_a_crash_that_does_not_come_again_is_answered_after_all(make_way: MakeWay) -> None:
    way = make_way(" Fine.\n###")
    way.engine.fail_after(0, RuntimeError("a bug"))
    async with way.working():
        await way.hear(message("hello", place=DIRECT))
        await until(lambda: way.surface.texts == ["Fine."])

    assert await way.store.parked() == []


async def test_a_poisoned_message_is_put_aside_with_an_apology_and_the_rest_answered(
    make_way: MakeWay,
) -> None:
    """One poisoned message must not silence a workspace, nor take its neighbours along."""
    way = make_way(" Fine.\n###")
    way.engine.poison = "venom"
    await way.hear(message("before", message_id="1.0", place=DIRECT))
    await way.hear(message("venom", message_id="2.0", place=DIRECT))
    await way.hear(message("after", message_id="3.0", place=DIRECT))
    async with way.working():
        await until(lambda: sorted(way.surface.texts) == ["Fine.", "Fine.", SORRY])

    (parked,) = await way.store.parked()
    assert parked.mail.text == "venom"
    assert ["before" in prompt for prompt in way.engine.prompts] == [True, True]
    assert "after" in way.engine.prompts[-1]


async def test_what_was_put_aside_can_be_answered_again(make_way: MakeWay) -> None:
    """Whoever mended the bug wants the person answered."""
    way = make_way(" At last.\n###")
    way.engine.poison = "venom"
    async with way.working():
        await way.hear(message("venom", place=DIRECT))
        await until(lambda: way.surface.texts == [SORRY])
        way.engine.poison = ""
        (parked,) = await way.store.parked()
        assert await way.store.take_up(parked)
        await until(lambda: way.surface.texts == [SORRY, "At last."])

    assert await way.store.parked() == []


async def test_a_refused_token_keeps_the_mail_until_it_is_restored(make_way: MakeWay) -> None:
    """An administrator may need a day for it; nothing is lost or given up meanwhile."""
    way = make_way(" Here I am.\n###")
    way.surface.errors = [TokenRefused("token_revoked")] * 20
    worker = way.worker()
    task = asyncio.create_task(worker.run())
    await way.hear(message("hello", place=DIRECT))
    await until(lambda: len(way.surface.errors) == 10)
    assert worker.refused == {"slack"}
    await until(lambda: way.surface.texts == ["Here I am."], within_s=600)
    await until(lambda: not worker.refused)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert await way.store.parked() == []


def at_fault(lines: list[Any]) -> list[str]:
    return [line["event"] for line in lines if line["log_level"] in ("warning", "error")]


async def test_a_token_that_is_revoked_in_mid_reply_is_told_once_and_the_reply_goes_on_later(
    make_way: MakeWay,
) -> None:
    """Whoever reads the log needs the one line; the person gets the rest when it is mended."""
    way = make_way(" one two three four\n###")
    way.engine.delay_s, way.engine.goes_on = 1.0, True
    with capture_logs() as lines:
        async with way.working() as worker:
            await way.hear(message("hello", place=DIRECT))
            await until(lambda: bool(way.surface.texts))
            way.surface.errors = [TokenRefused("token_revoked")] * 5
            await until(lambda: worker.refused == {"slack"})
            await until(lambda: way.surface.texts == ["one two three four"])

    assert at_fault(lines) == ["worker.reply_failed"]


async def test_a_post_that_an_outage_left_unanswered_stands_there_once(make_way: MakeWay) -> None:
    way = make_way(" Here I am.\n###")
    way.surface.lost_answers = [PlatformUnreachable("502")]
    async with way.working():
        await way.hear(message("hello", place=DIRECT))
        await until(lambda: not way.surface.lost_answers)
        way.surface.errors = [PlatformUnreachable("502")] * 6
        await until(lambda: not way.surface.errors)
        await until(lambda: way.surface.closed != set(), within_s=600)

    assert way.surface.texts == ["Here I am."]


@pytest.mark.parametrize(
    ("tries", "failures", "given_up"), [(19, 4, False), (20, 0, True), (5, 5, True)]
)
def test_dead_workers_count_less_than_errors(tries: int, failures: int, given_up: bool) -> None:
    """A store that froze and machines that restart must not make Jay give up on people."""
    begun = Reply(reply_id="r", answers=("1.0",), tries=tries, failures=failures)

    assert is_given_up(begun, 5) is given_up


async def test_a_channel_that_is_deleted_in_mid_reply_ends_it_in_one_line(
    make_way: MakeWay,
) -> None:
    way = make_way(" one two three four\n###")
    way.engine.delay_s = 1.0
    with capture_logs() as lines:
        async with way.working():
            await way.hear(message("hello", place=DIRECT))
            await until(lambda: bool(way.surface.texts))
            way.surface.shown.clear()
            way.surface.errors = [MessageGone("channel_not_found")] * 5
            await until(lambda: way.engine.running == 0)
            await asyncio.sleep(1.0)
            assert await way.store.claim(worker="w", lease_s=9.0, wait_s=0.0) is None

    assert at_fault(lines) == ["delivery.gone"]
    assert await way.store.parked() == []


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
