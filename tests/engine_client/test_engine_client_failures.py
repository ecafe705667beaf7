"""The client against a server that breaks, over real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import pytest
from fakes.completions import (
    ABORT,
    CUT,
    DEAF,
    FAILS,
    GARBAGE,
    LENGTH,
    NO_END,
    SILENCE,
    CompletionsServer,
    Refusal,
    Stream,
    says,
)
from openai.types import Completion, CompletionChoice

from bot.errors import (
    EngineBroke,
    EngineBusy,
    EngineError,
    EngineStalled,
    EngineUnreachable,
    PromptRefused,
)
from bot.ports import Engine
from bot.prompts import Finish, Prompt
from engine import open_engine
from engine.client import read_chunk

ASK = Prompt(ids=tuple(map(ord, "say:")), max_tokens=100, stop=("\n###",), session="slack:T:C:1")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def connected(
    *answers: Stream | Refusal, retries: int = 3, **server: object
) -> AsyncIterator[tuple[Engine, CompletionsServer]]:
    async with CompletionsServer(list(answers), **server).running() as running:
        async with opened(running.url, retries=retries) as engine:
            yield engine, running


@asynccontextmanager
async def opened(
    url: str, *, retries: int = 3, restart_wait_s: float = 2.0
) -> AsyncIterator[Engine]:
    async with open_engine(
        url,
        model="",
        api_key="",
        idle_timeout_s=0.25,
        retries=retries,
        restart_wait_s=restart_wait_s,
        first_pause_s=0.001,
    ) as engine:
        yield engine


async def whole(engine: Engine, prompt: Prompt = ASK) -> tuple[str, Finish]:
    text, finish = "", None
    async with aclosing(engine.stream(prompt)) as pieces:
        async for piece in pieces:
            text += piece.text
            finish = piece.finish or finish
    assert finish is not None
    return text, finish


async def test_a_stream_comes_with_its_ids_and_its_cost() -> None:
    async with connected(says(" Hel", "lo.")) as (engine, server):
        pieces = [piece async for piece in engine.stream(ASK)]

    assert [piece.text for piece in pieces] == [" Hel", "lo.", ""]
    assert pieces[0].ids == tuple(map(ord, " Hel"))
    assert pieces[-1].finish == Finish(
        reason="stop", prompt_tokens=4, cached_tokens=2, reply_tokens=7
    )
    assert server.headers[0]["X-Session-ID"] == "slack:T:C:1"


@pytest.mark.parametrize("end", [CUT, ABORT, SILENCE, GARBAGE, NO_END, FAILS])
async def test_a_stream_that_breaks_is_taken_up_again_unseen(end: str) -> None:
    """The person would otherwise be left with half a sentence."""
    async with connected(says(" Once", " upon", end=end), says(" a time.")) as (engine, server):
        text, finish = await whole(engine)

    assert text == " Once upon a time."
    assert server.asked == ["say:", "say: Once upon"]
    assert server.requests[1]["max_tokens"] == 100 - len(" Once upon")
    assert finish.reply_tokens == len(text)
    assert finish.prompt_tokens == 4


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_server_error_before_the_first_word_is_tried_again(status: int) -> None:
    """A router answers so while a replica dies."""
    async with connected(Refusal(status), says(" Hi.")) as (engine, _server):
        text, _finish = await whole(engine)

    assert text == " Hi."


async def test_a_stop_string_that_straddles_the_seam_is_found() -> None:
    """The server sees only its own half of it, and goes on."""
    async with connected(says(" Hi.\n#", end=CUT), says("##\n[human]: more")) as (engine, _):
        text, finish = await whole(engine)

    assert text == " Hi."
    assert finish.reason == "stop"


async def test_text_that_only_begins_like_a_stop_string_is_shown_in_the_end() -> None:
    async with connected(says(" a\n##", end=LENGTH)) as (engine, _server):
        text, finish = await whole(engine)

    assert (text, finish.reason) == (" a\n##", "length")


async def test_a_stop_string_is_cut_off_where_the_server_includes_it() -> None:
    async with connected(says(" Hi.", "\n###")) as (engine, server):
        text, finish = await whole(engine)

    assert (text, finish.reason, finish.cached_tokens) == (" Hi.", "stop", 2)
    assert server.requests[0]["include_stop_str_in_output"] is True


async def test_half_a_character_at_the_seam_is_drawn_again() -> None:
    """vLLM would repeat the whole prompt as text."""
    broken = Stream(chunks=(" a", "xy"), end=CUT, silent=0)
    half = Stream(chunks=("xy",), end=CUT, silent=2)
    async with connected(broken, half, says("!")) as (engine, server):
        text, _finish = await whole(engine)

    assert text == " axy!"
    assert server.asked == ["say:", "say: axy", "say: axy"]


async def test_half_a_character_within_a_chunk_is_dropped_too() -> None:
    """A server with a stream interval sends several tokens at once."""
    async with connected(says(" a\ufffd", end=CUT), says("b.")) as (engine, server):
        text, _finish = await whole(engine)

    assert server.asked[1] == "say: a"
    assert text == " a\ufffdb."


async def test_a_stream_that_breaks_again_and_again_ends_as_broken() -> None:
    async with connected(says(" word", end=CUT), retries=2) as (engine, server):
        with pytest.raises(EngineBroke):
            await whole(engine)

    assert len(server.requests) == 3


async def test_a_stream_that_falls_silent_again_and_again_ends_as_stalled() -> None:
    async with connected(says(" word", end=SILENCE), retries=1) as (engine, server):
        with pytest.raises(EngineStalled):
            await whole(engine)

    assert server.asked == ["say:", "say: word"]


async def test_an_engine_that_does_not_begin_to_answer_is_left_sooner_than_one_that_reads() -> None:
    """A replica that hangs takes connections; vLLM that reads a long prompt has said 200 before."""
    async with CompletionsServer([says(end=DEAF)]).running() as server:
        async with open_engine(
            server.url, model="", api_key="", idle_timeout_s=1.0, retries=0
        ) as engine:
            with pytest.raises(EngineStalled, match="silent 1 s"):
                await whole(engine)


async def test_what_was_said_before_the_failure_stands() -> None:
    async with connected(says(" half", end=CUT), Refusal(500), retries=1) as (engine, _server):
        stream = engine.stream(ASK)
        first = await anext(stream)
        with pytest.raises(EngineBroke):
            await anext(stream)

    assert first.text == " half"


async def test_a_reply_that_breaks_at_its_very_end_is_whole() -> None:
    """Only the usage was lost."""
    async with connected(says("ab", end=CUT)) as (engine, server):
        text, finish = await whole(engine, replace(ASK, max_tokens=2))

    assert (text, finish.reason) == ("ab", "length")
    assert len(server.requests) == 1


async def test_a_full_queue_is_told_at_once() -> None:
    """Waiting in silence is worse than being told to come back."""
    full = Refusal(503, "The engine is currently busy and cannot accept new requests.")
    for answer in (full, Refusal(429), Refusal(408)):
        async with connected(answer) as (engine, server):
            with pytest.raises(EngineBusy):
                await whole(engine)
            assert len(server.requests) == 1


async def test_a_full_queue_in_the_middle_of_a_reply_is_waited_for() -> None:
    async with connected(says(" a", end=CUT), Refusal(429), says(" b.")) as (engine, _server):
        text, _finish = await whole(engine)

    assert text == " a b."


GONE = "Request failed: error sending request for url (http://10.0.0.7:8100/v1/completions)"


@pytest.mark.parametrize(
    ("status", "said"),
    [(500, GONE), (502, "<html>bad gateway"), (503, "No available workers (all circuits open)")],
)
async def test_a_router_without_replicas_is_waited_for_as_an_engine_that_restarts(
    status: int, said: str
) -> None:
    """A start takes longer than the retries of a stream that breaks."""
    nobody = [Refusal(status, said, plain=True)] * 5
    async with connected(*nobody, says(" Hi."), retries=1) as (engine, server):
        await engine.model()
        text, _finish = await whole(engine)

    assert text == " Hi."
    assert len(server.requests) == 6


async def test_a_router_whose_replicas_never_come_is_told_as_unreachable() -> None:
    nobody = Refusal(503, "No available workers", plain=True)
    async with CompletionsServer([nobody]).running() as server:
        async with opened(server.url, retries=1, restart_wait_s=0.05) as engine:
            await engine.model()
            with pytest.raises(EngineUnreachable, match="No available workers"):
                await whole(engine)


async def test_a_reply_that_gets_further_each_time_may_break_more_often() -> None:
    """Of two replicas one dies every half minute; a long reply lives through several."""
    paragraphs = [says(f" This is paragraph {at}.", end=CUT) for at in range(4)]
    async with connected(*paragraphs, says(" The end."), retries=1) as (engine, server):
        text, _finish = await whole(engine, replace(ASK, max_tokens=200))

    assert text.endswith(" paragraph 3. The end.")
    assert len(server.requests) == 5


async def test_token_ids_are_asked_for_again_where_the_engine_has_answered_before() -> None:
    """The message would else be answered by an apology, for a replica that is gone a moment."""
    async with connected(says("x")) as (engine, server):
        await engine.encode(["before"])
        server.refuses_tokens = [Refusal(502), Refusal(503)]
        assert await engine.encode(["after"]) == [tuple(map(ord, "after"))]

    assert server.refuses_tokens == []


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_a_prompt_that_is_refused_is_not_sent_again(status: int) -> None:
    async with connected(Refusal(status, "too long")) as (engine, server):
        with pytest.raises(PromptRefused, match="too long"):
            await whole(engine)

    assert len(server.requests) == 1


async def test_a_wrong_key_is_named() -> None:
    async with connected(Refusal(401)) as (engine, _server):
        with pytest.raises(EngineError, match="ENGINE_API_KEY"):
            await whole(engine)


async def test_nothing_at_the_address_is_unreachable() -> None:
    async with opened(f"http://127.0.0.1:{free_port()}/v1", retries=0) as engine:
        for asked in (engine.model(), engine.encode(["x"]), whole(engine)):
            with pytest.raises(EngineUnreachable):
                await asked


async def test_an_engine_that_was_there_and_is_restarted_goes_on_with_the_reply() -> None:
    """Its start takes half a minute; the person reads half a reply."""
    port = free_port()
    before = CompletionsServer([says(" half", end=CUT)])
    after = CompletionsServer([says(" whole.")])
    shown = ""
    async with opened(f"http://127.0.0.1:{port}/v1", retries=1) as engine:
        async with before.running(port=port):
            stream = engine.stream(ASK)
            shown += (await anext(stream)).text
        again = asyncio.create_task(asyncio.sleep(0.05))
        rest = asyncio.create_task(collect(stream))
        await again
        async with after.running(port=port):
            shown += await rest

    assert shown == " half whole."


async def collect(stream: AsyncIterator[object]) -> str:
    return "".join([piece.text async for piece in stream])  # type: ignore[attr-defined]


async def test_an_engine_that_stays_away_ends_a_begun_reply_as_broken() -> None:
    port = free_port()
    async with opened(f"http://127.0.0.1:{port}/v1", retries=2, restart_wait_s=0.05) as engine:
        async with CompletionsServer([says(" half", end=CUT)]).running(port=port):
            stream = engine.stream(ASK)
            await anext(stream)
        with pytest.raises(EngineBroke):
            await anext(stream)


async def test_a_server_without_priority_is_asked_without_from_then_on() -> None:
    async with connected(says(" Hi."), refuses_priority=True) as (engine, server):
        for _ in range(2):
            text, _finish = await whole(engine, replace(ASK, priority=1))

    assert text == " Hi."
    assert ["priority" in request for request in server.requests] == [False, False]


async def test_a_server_without_token_ids_is_not_taken_up_again() -> None:
    """What would be asked next is not known; a second beginning would be worse."""
    async with connected(says(" word", end=CUT), sends_ids=False) as (engine, server):
        with pytest.raises(EngineBroke, match="token ids"):
            await whole(engine)

    assert len(server.requests) == 1


async def test_closing_the_stream_closes_the_connection() -> None:
    """The engine would go on generating for nobody."""
    async with connected(says(" word", end=SILENCE)) as (engine, server):
        stream = engine.stream(ASK)
        await anext(stream)
        await stream.aclose()
        async with asyncio.timeout(2):
            while not server.closed_early:
                await asyncio.sleep(0.01)


async def test_the_sampling_and_the_salt_are_what_was_asked() -> None:
    async with connected(says(" Hi.")) as (engine, server):
        await whole(engine, replace(ASK, salt="T1", stop_ids=(7,), stop=tuple("abcdef")))

    (sent,) = server.requests
    assert sent["cache_salt"] == "T1"
    assert sent["stop_token_ids"] == [7]
    assert sent["temperature"] == ASK.sampling.temperature
    assert len(sent["stop"]) == 4, "vLLM refuses a fifth"


async def test_a_model_that_is_not_served_is_named_with_those_that_are() -> None:
    async with CompletionsServer([says("x")]).running() as server:
        async with open_engine(
            server.url, model="other", api_key="", idle_timeout_s=1, retries=0
        ) as engine:
            with pytest.raises(EngineError, match=r"stand-in.*'other'"):
                await engine.model()


async def test_a_text_is_encoded_once() -> None:
    """Every reply sends the conversation's turns again."""
    async with connected(says("x")) as (engine, server):
        first = await engine.encode(["a b", "c", "a b"])
        second = await engine.encode(["c", "d"])

    assert first == [tuple(map(ord, "a b")), (ord("c"),), tuple(map(ord, "a b"))]
    assert second == [(ord("c"),), (ord("d"),)]
    assert sorted(server.tokenized) == ["a b", "c", "d"]


@pytest.mark.parametrize(
    "told",
    [None, {}, {"tokens": "a", "token_logprobs": [-1.0]}, {"tokens": ["a"], "token_logprobs": [None]},
     {"tokens": ["a"], "token_logprobs": ["x"]}, {"tokens": [7], "token_logprobs": [-1.0]}],
)  # fmt: skip
def test_probabilities_that_are_none_are_not_told(told: object) -> None:
    """They are for whoever asks why; no reply may fail for want of them."""
    choice = {"index": 0, "text": "a", "finish_reason": None, "token_ids": [5], "logprobs": told}
    event = Completion.construct(choices=[CompletionChoice.construct(**choice)])

    chunk = read_chunk(event)

    assert (chunk.text, chunk.ids, chunk.logprobs) == ("a", (5,), ())
