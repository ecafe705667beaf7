"""Admission in front of the engine."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from fakes.engine import ScriptedEngine
from prometheus_client import REGISTRY

from bot.errors import EngineBroke, EngineBusy
from bot.prompts import Prompt, Waiting
from engine import LimitedEngine


def prompt(session: str = "s", *, salt: str = "w", person: str = "p", priority: int = 0) -> Prompt:
    return Prompt(
        ids=(), max_tokens=50, session=session, salt=salt, person=person, priority=priority
    )


async def read(engine: LimitedEngine, asked: Prompt, done: list[str] | None = None) -> str:
    text = ""
    async with aclosing(engine.stream(asked)) as pieces:
        async for piece in pieces:
            text += piece.text
    if done is not None:
        done.append(f"{asked.salt}/{asked.session}")
    return text


async def until_queued(engine: LimitedEngine, number: int) -> None:
    async with asyncio.timeout(5):
        while engine.queued != number:
            await asyncio.sleep(0)


@pytest.mark.looptime
async def test_no_more_run_at_once_than_allowed_and_all_are_served() -> None:
    inner = ScriptedEngine([" one two three"], delay_s=1.0)
    engine = LimitedEngine(inner, max_running=3, max_waiting=20)

    said = await asyncio.gather(*(read(engine, prompt(str(at))) for at in range(12)))

    assert said == [" one two three"] * 12
    assert inner.most_running == 3
    assert (engine.running, engine.queued) == (0, 0)


@pytest.mark.looptime
async def test_whoever_finds_the_queue_full_is_told_how_many_wait() -> None:
    engine = LimitedEngine(ScriptedEngine([" one"], delay_s=1.0), max_running=1, max_waiting=2)
    running = [asyncio.create_task(read(engine, prompt(str(at)))) for at in range(3)]
    await until_queued(engine, 2)

    with pytest.raises(EngineBusy, match="1 requests run and 2 wait"):
        await read(engine, prompt("late"))

    assert await asyncio.gather(*running) == [" one"] * 3


@pytest.mark.looptime
async def test_one_conversation_with_many_requests_does_not_hold_up_another() -> None:
    """A summary asks thirty things at once; somebody else only says hello."""
    engine = LimitedEngine(ScriptedEngine([" x"], delay_s=1.0), max_running=1, max_waiting=99)
    done: list[str] = []
    many = [asyncio.create_task(read(engine, prompt("long"), done)) for _ in range(10)]
    await until_queued(engine, 9)
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
        await until_queued(engine, at)
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

    assert engine.queued == 0
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
    await until_queued(engine, 1)
    for task in (waiting, first):
        task.cancel()
    await asyncio.gather(first, waiting, return_exceptions=True)

    assert (engine.running, engine.queued, inner.running) == (0, 0, 0)
    assert await read(engine, prompt()) == " one two"


@pytest.mark.looptime
@pytest.mark.parametrize("leaves_first", [True, False])
async def test_one_who_leaves_while_a_place_comes_free_is_passed_over(leaves_first: bool) -> None:
    engine = LimitedEngine(ScriptedEngine([" x"], delay_s=1.0), max_running=1, max_waiting=9)
    running = asyncio.create_task(read(engine, prompt("a")))
    leaving = asyncio.create_task(read(engine, prompt("b")))
    staying = asyncio.create_task(read(engine, prompt("c")))
    await until_queued(engine, 2)
    for task in (leaving, running) if leaves_first else (running, leaving):
        task.cancel()

    assert await staying == " x"
    await asyncio.gather(running, leaving, return_exceptions=True)
    assert (engine.running, engine.queued) == (0, 0)


@pytest.mark.looptime
async def test_a_place_given_to_one_who_leaves_before_taking_it_goes_to_the_next() -> None:
    engine = LimitedEngine(ScriptedEngine([" x y"], delay_s=1.0), max_running=1, max_waiting=9)
    running = engine.stream(prompt("a"))
    await anext(running)
    leaving = asyncio.create_task(read(engine, prompt("b")))
    staying = asyncio.create_task(read(engine, prompt("c")))
    await until_queued(engine, 2)
    await running.aclose()
    leaving.cancel()

    assert await staying == " x y"
    await asyncio.gather(leaving, return_exceptions=True)
    assert (engine.running, engine.queued) == (0, 0)


@pytest.mark.looptime
async def test_whoever_waits_can_be_told_where_and_how_long_by_the_measured_pace() -> None:
    engine = LimitedEngine(ScriptedEngine([" x y"], delay_s=5.0), max_running=2, max_waiting=9)
    first = [asyncio.create_task(read(engine, prompt(f"first {at}"))) for at in range(2)]
    await asyncio.sleep(0.1)
    waiting = [asyncio.create_task(read(engine, prompt(str(at)))) for at in range(5)]
    await until_queued(engine, 5)
    unmeasured = engine.waiting("3")
    await asyncio.gather(*first)
    measured = [engine.waiting(str(at)) for at in range(5)]

    assert unmeasured == Waiting(ahead=3, about_s=None)
    assert measured[:2] == [None, None], "these two have their turn"
    assert measured[2:] == [
        Waiting(ahead=0, about_s=5.0),
        Waiting(ahead=1, about_s=10.0),
        Waiting(ahead=2, about_s=15.0),
    ]
    assert engine.waiting("first 0") is None
    await asyncio.gather(*waiting)


@pytest.mark.looptime
async def test_a_full_queue_turns_the_flood_away_and_not_the_one_who_comes_last() -> None:
    """Whoever asks for much must not use up the room of everybody else."""
    engine = LimitedEngine(ScriptedEngine([" x"], delay_s=1.0), max_running=1, max_waiting=4)
    flood = [asyncio.create_task(read(engine, prompt(f"f{at}", person="flood"))) for at in range(5)]
    await until_queued(engine, 4)
    other = asyncio.create_task(read(engine, prompt("hello", person="other")))
    ends = await asyncio.gather(*flood, return_exceptions=True)

    assert ends[:4] == [" x"] * 4
    assert isinstance(ends[4], EngineBusy)
    assert await other == " x"


@pytest.mark.looptime
async def test_whoever_is_refused_is_told_how_long_the_rest_takes() -> None:
    engine = LimitedEngine(ScriptedEngine([" x"], delay_s=20.0), max_running=1, max_waiting=2)
    refused_before = REGISTRY.get_sample_value("jay_engine_refused_total") or 0
    await read(engine, prompt("measured"))
    running = [asyncio.create_task(read(engine, prompt(str(at)))) for at in range(3)]
    await until_queued(engine, 2)

    with pytest.raises(EngineBusy) as refused:
        await read(engine, prompt("late"))

    assert (refused.value.waiting, refused.value.about_s) == (2, 60.0)
    assert REGISTRY.get_sample_value("jay_engine_waiting") == 2
    assert REGISTRY.get_sample_value("jay_engine_refused_total") == refused_before + 1
    assert refused.value.to_person.startswith(EngineBusy.to_person)
    assert refused.value.to_person.endswith("Before it: 2 replies, about a minute.")
    await asyncio.gather(*running)


@pytest.mark.looptime
async def test_a_hundred_messages_hold_another_persons_one_up_by_a_turn() -> None:
    engine = LimitedEngine(ScriptedEngine([" x"], delay_s=1.0), max_running=1, max_waiting=200)
    flood = [
        asyncio.create_task(read(engine, prompt(f"f{at % 50}", person="flood")))
        for at in range(100)
    ]
    await until_queued(engine, 99)
    began = asyncio.get_running_loop().time()
    await read(engine, prompt("hello", person="other"))

    assert asyncio.get_running_loop().time() - began <= 3.0, "the one that runs, a turn, its own"
    for task in flood:
        task.cancel()
    await asyncio.gather(*flood, return_exceptions=True)
