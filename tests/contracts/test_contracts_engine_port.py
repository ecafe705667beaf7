"""What `bot.ports.Engine` promises, kept by the real client, the admission and the scripted twin.

The real client talks to a server over a socket; against a real vLLM it is
tested in tests/engine_client.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import pytest
from fakes.completions import CompletionsServer, says
from fakes.engine import ScriptedEngine

from bot.errors import EngineUnreachable
from bot.ports import Engine
from bot.prompts import Prompt
from engine import LimitedEngine, open_engine

REPLY = " Hello there.\n### and more"


@pytest.fixture(params=["scripted", "client", "limited client"])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    if request.param == "scripted":
        yield ScriptedEngine([REPLY])
        return
    async with (
        CompletionsServer([says(*REPLY.replace(" ", "| ").split("|"))]).running() as server,
        open_engine(server.url, model="", api_key="", idle_timeout_s=2.0, retries=0) as client,
    ):
        limited = request.param == "limited client"
        yield LimitedEngine(client, max_running=1, max_waiting=1) if limited else client


@pytest.fixture(params=["scripted", "client"])
async def nowhere(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    if request.param == "scripted":
        yield ScriptedEngine([REPLY], unreachable=True)
        return
    async with open_engine(
        "http://127.0.0.1:9/v1", model="", api_key="", idle_timeout_s=2.0, retries=0
    ) as client:
        yield client


async def ask(engine: Engine, *, max_tokens: int = 100) -> Prompt:
    (ids,) = await engine.encode(["say:"])
    return Prompt(ids=ids, max_tokens=max_tokens, stop=("\n###",))


async def test_a_model_has_a_name_and_a_window(engine: Engine) -> None:
    model = await engine.model()

    assert model.name
    assert model.window >= 512


async def test_texts_are_encoded_one_by_one_in_their_order(engine: Engine) -> None:
    first, second, empty = await engine.encode(["one two", "three", ""])

    assert [first, second] == await engine.encode(["one two", "three"])
    assert first != second
    assert empty == ()


async def test_a_reply_ends_before_its_stop_string(engine: Engine) -> None:
    pieces = [piece async for piece in engine.stream(await ask(engine))]

    assert "".join(piece.text for piece in pieces) == " Hello there."


async def test_only_the_last_piece_tells_how_it_ended(engine: Engine) -> None:
    prompt = await ask(engine)
    *others, last = [piece async for piece in engine.stream(prompt)]

    assert [piece.finish for piece in others] == [None] * len(others)
    assert last.finish is not None
    assert last.finish.reason == "stop"
    assert last.finish.prompt_tokens == len(prompt.ids)
    assert 0 <= last.finish.cached_tokens <= last.finish.prompt_tokens
    assert last.finish.reply_tokens > 0


async def test_a_stream_may_be_closed_at_any_time_and_the_next_one_runs(engine: Engine) -> None:
    async with aclosing(engine.stream(await ask(engine))) as stream:
        await anext(stream)

    assert [piece async for piece in engine.stream(await ask(engine))]


async def test_nothing_that_answers_is_unreachable(nowhere: Engine) -> None:
    with pytest.raises(EngineUnreachable):
        await nowhere.model()
    with pytest.raises(EngineUnreachable):
        await nowhere.encode(["x"])
    with pytest.raises(EngineUnreachable):
        await anext(nowhere.stream(Prompt(ids=(1,), max_tokens=1)))


async def test_whoever_has_a_place_does_not_wait(engine: Engine) -> None:
    async with aclosing(engine.stream(replace(await ask(engine), session="s"))) as stream:
        await anext(stream)
        assert engine.waiting("s") is None


async def test_each_token_comes_with_its_probability(engine: Engine) -> None:
    """Whoever asks how sure the model was is told of its own words."""
    pieces = [piece async for piece in engine.stream(await ask(engine))]

    assert sum(len(one.ids) for one in pieces) > 0
    for piece in pieces:
        logprobs = [logprob for one in piece.drawn for logprob in one.logprobs]
        assert len(logprobs) == len(piece.ids)
        assert all(logprob <= 0 for logprob in logprobs)
    chars = sum(one.chars for piece in pieces for one in piece.drawn)
    assert chars >= len("".join(piece.text for piece in pieces))
