"""Admission in front of the engine."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from itertools import pairwise

import pytest
from fakes.engine import ScriptedEngine
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import EngineBroke, EngineBusy
from bot.prompts import Prompt
from engine import LimitedEngine
from engine.fairness import Asker, FairQueue


def prompt(session: str = "s", *, salt: str = "w", priority: int = 0) -> Prompt:
    return Prompt(ids=(), max_tokens=50, session=session, salt=salt, priority=priority)


async def read(engine: LimitedEngine, asked: Prompt, done: list[str] | None = None) -> str:
    text = ""
    async with aclosing(engine.stream(asked)) as pieces:
        async for piece in pieces:
            text += piece.text
    if done is not None:
        done.append(f"{asked.salt}/{asked.session}")
    return text


async def until_waiting(engine: LimitedEngine, number: int) -> None:
    async with asyncio.timeout(5):
        while engine.waiting != number:
            await asyncio.sleep(0)


@pytest.mark.looptime
async def test_no_more_run_at_once_than_allowed_and_all_are_served() -> None:
    inner = ScriptedEngine([" one two three"], delay_s=1.0)
    engine = LimitedEngine(inner, max_running=3, max_waiting=20)

    said = await asyncio.gather(*(read(engine, prompt(str(at))) for at in range(12)))

    assert said == [" one two three"] * 12
    assert inner.most_running == 3
    assert (engine.running, engine.waiting) == (0, 0)


@pytest.mark.looptime
async def test_whoever_finds_the_queue_full_is_told_how_many_wait() -> None:
    engine = LimitedEngine(ScriptedEngine([" one"], delay_s=1.0), max_running=1, max_waiting=2)
    running = [asyncio.create_task(read(engine, prompt(str(at)))) for at in range(3)]
    await until_waiting(engine, 2)

    with pytest.raises(EngineBusy, match="1 requests run and 2 wait"):
        await read(engine, prompt("late"))

    assert await asyncio.gather(*running) == [" one"] * 3


@pytest.mark.looptime
async def test_one_conversation_with_many_requests_does_not_hold_up_another() -> None:
    """A summary asks thirty things at once; somebody else only says hello."""
    engine = LimitedEngine(ScriptedEngine([" x"], delay_s=1.0), max_running=1, max_waiting=99)
    done: list[str] = []
    many = [asyncio.create_task(read(engine, prompt("long"), done)) for _ in range(10)]
    await until_waiting(engine, 9)
    await read(engine, prompt("hello"), done)

    assert done.index("w/hello") <= 2
    await asyncio.gather(*many)


@pytest.mark.looptime
async def test_urgent_requests_go_first() -> None:
    engine = LimitedEngine(ScriptedEngine([" x"], delay_s=1.0), max_running=1, max_waiting=99)
    done: list[str] = []
    asked = [prompt("a", priority=1), prompt("b", priority=1), prompt("c", priority=0)]
    tasks = []
    for at, one in enumerate(asked):
        tasks.append(asyncio.create_task(read(engine, one, done)))
        await until_waiting(engine, at)
    await asyncio.gather(*tasks)

    assert done == ["w/a", "w/c", "w/b"]


@pytest.mark.looptime
async def test_whoever_waited_too_long_is_told_and_takes_no_place() -> None:
    engine = LimitedEngine(
        ScriptedEngine([" x"], delay_s=10.0), max_running=1, max_waiting=9, longest_wait_s=5.0
    )
    running = asyncio.create_task(read(engine, prompt("a")))
    await asyncio.sleep(0.1)

    with pytest.raises(EngineBusy, match="within 5 s"):
        await read(engine, prompt("b"))

    assert engine.waiting == 0
    await running


@pytest.mark.looptime
async def test_a_place_is_free_again_however_a_request_ends() -> None:
    """A place that leaks is gone until the next start."""
    inner = ScriptedEngine([" one two"], delay_s=1.0)
    engine = LimitedEngine(inner, max_running=1, max_waiting=9)
    inner.fail_after(1, EngineBroke("gone"))
    with pytest.raises(EngineBroke):
        await read(engine, prompt())
    stream = engine.stream(prompt())
    await anext(stream)
    await stream.aclose()
    first = asyncio.create_task(read(engine, prompt("first")))
    waiting = asyncio.create_task(read(engine, prompt("waits")))
    await until_waiting(engine, 1)
    for task in (waiting, first):
        task.cancel()
    await asyncio.gather(first, waiting, return_exceptions=True)

    assert (engine.running, engine.waiting, inner.running) == (0, 0, 0)
    assert await read(engine, prompt()) == " one two"


@pytest.mark.looptime
@pytest.mark.parametrize("leaves_first", [True, False])
async def test_one_who_leaves_while_a_place_comes_free_is_passed_over(leaves_first: bool) -> None:
    engine = LimitedEngine(ScriptedEngine([" x"], delay_s=1.0), max_running=1, max_waiting=9)
    running = asyncio.create_task(read(engine, prompt("a")))
    leaving = asyncio.create_task(read(engine, prompt("b")))
    staying = asyncio.create_task(read(engine, prompt("c")))
    await until_waiting(engine, 2)
    for task in (leaving, running) if leaves_first else (running, leaving):
        task.cancel()

    assert await staying == " x"
    await asyncio.gather(running, leaving, return_exceptions=True)
    assert (engine.running, engine.waiting) == (0, 0)


@pytest.mark.looptime
async def test_a_place_given_to_one_who_leaves_before_taking_it_goes_to_the_next() -> None:
    engine = LimitedEngine(ScriptedEngine([" x y"], delay_s=1.0), max_running=1, max_waiting=9)
    running = engine.stream(prompt("a"))
    await anext(running)
    leaving = asyncio.create_task(read(engine, prompt("b")))
    staying = asyncio.create_task(read(engine, prompt("c")))
    await until_waiting(engine, 2)
    await running.aclose()
    leaving.cancel()

    assert await staying == " x y"
    await asyncio.gather(leaving, return_exceptions=True)
    assert (engine.running, engine.waiting) == (0, 0)


ASKERS = st.builds(
    Asker,
    priority=st.integers(0, 1),
    workspace=st.sampled_from("ab"),
    session=st.sampled_from("xyz"),
)


@given(st.lists(ASKERS, max_size=25))
def test_everything_that_waits_comes_out_once_and_in_order_within_a_conversation(
    askers: list[Asker],
) -> None:
    queue: FairQueue[int] = FairQueue()
    for number, asker in enumerate(askers):
        queue.push(number, asker)
    out = [queue.pop() for _ in range(len(queue))]

    assert sorted(out) == list(range(len(askers)))
    for asker in set(askers):
        own = [number for number in out if askers[number] == asker]
        assert own == sorted(own)
    assert [askers[number].priority for number in out] == sorted(asker.priority for asker in askers)


@given(st.lists(ASKERS, min_size=1, max_size=25), st.data())
def test_nobody_is_passed_twice_by_the_same_workspace(
    askers: list[Asker], data: st.DataObject
) -> None:
    queue: FairQueue[int] = FairQueue()
    for number, asker in enumerate(askers):
        queue.push(number, asker)
    gone = data.draw(st.sets(st.integers(0, len(askers) - 1)))
    for number in gone:
        assert queue.remove(number, askers[number])
        assert not queue.remove(number, askers[number])
    out = [askers[queue.pop()] for _ in range(len(queue))]

    for priority in (0, 1):
        row = [asker.workspace for asker in out if asker.priority == priority]
        for at, (one, following) in enumerate(pairwise(row)):
            assert one != following or len(set(row[at:])) == 1
