"""The client and the launcher against a real vLLM."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from vllm_server import RunningVllm, core_pid, free_port, server_pid

from bot.errors import EngineWontStart, PromptRefused
from bot.prompts import Finish, Piece, Prompt, Sampling
from engine import open_engine
from engine.client import VllmEngine
from engine.errors import LIBRARY_ERRORS
from engine.launcher import serve
from engine.tokenizer import LocalCodec, ServedCodec, choose_codec

pytestmark = pytest.mark.vllm

FREE = Sampling(temperature=1.0, top_p=1.0)
GREEDY = Sampling(temperature=0.0, top_p=1.0)
RUNNING_AT_ONCE = 64
END_OF_TEXT = 0
"""`--max-num-seqs`, as `engine/arguments` sets it for a model of this size."""
HARD_TEXTS = [
    "",
    " ",
    "  two  spaces ",
    "[human]: Hello\n###\n",
    "naïve Zwölf 12.5 € 😀 \u200b",
    "<|endoftext|>",
    "a<|endoftext|>b",
    "\n\n\t\r\n",
    "日本語 русский",
]


@asynccontextmanager
async def connected(vllm: RunningVllm, *, retries: int = 3) -> AsyncIterator[VllmEngine]:
    async with open_engine(
        vllm.url, model="", api_key="", idle_timeout_s=30.0, retries=retries
    ) as engine:
        yield engine


async def ask(engine: VllmEngine, text: str, **fields: object) -> Prompt:
    (ids,) = await engine.encode([text])
    return replace(Prompt(ids=ids, max_tokens=12, sampling=GREEDY), **fields)  # type: ignore[arg-type]


async def collect(engine: VllmEngine, prompt: Prompt) -> tuple[str, tuple[int, ...], Finish]:
    pieces: list[Piece] = [piece async for piece in engine.stream(prompt)]
    finish = pieces[-1].finish
    assert finish is not None
    ids = tuple(one for piece in pieces for one in piece.ids)
    return "".join(piece.text for piece in pieces), ids, finish


async def until_idle(vllm: RunningVllm, *, within_s: float) -> float:
    began = time.monotonic()
    while await asyncio.to_thread(vllm.metric, "vllm:num_requests_running"):
        assert time.monotonic() - began < within_s, "the engine still generates"
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def test_it_serves_the_checkpoint_under_its_name(vllm: RunningVllm) -> None:
    async with connected(vllm) as engine:
        model = await engine.model()

    assert (model.name, model.window) == ("tiny", 512)
    assert model.revision == str(vllm.checkpoint)


def test_its_core_is_a_fork_of_its_server(vllm: RunningVllm) -> None:
    """An interpreter of its own would have its stack elsewhere, and would have taken long."""

    def stack(pid: int) -> str:
        lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
        return next(line.split("-")[1] for line in lines if line.endswith("[stack]"))

    assert stack(core_pid(vllm.url)) == stack(server_pid(vllm.url))


async def test_a_stream_gives_text_ids_and_cost(vllm: RunningVllm) -> None:
    async with connected(vllm) as engine:
        prompt = await ask(engine, "[human]: Hello")
        text, ids, finish = await collect(engine, prompt)

    assert text
    assert len(ids) == 12 == finish.reply_tokens
    assert (finish.reason, finish.prompt_tokens) == ("length", len(prompt.ids))


@pytest.mark.parametrize("sampling", [GREEDY, Sampling(temperature=0.7, top_p=0.9)])
async def test_probabilities_come_with_the_same_words_that_come_without(
    vllm: RunningVllm, sampling: Sampling
) -> None:
    """They are asked for with every reply, and must change none."""
    async with connected(vllm) as engine:
        prompt = await ask(engine, "[human]: Hello", max_tokens=40, sampling=sampling)
        pieces = [piece async for piece in engine.stream(prompt)]
    ids = [one for piece in pieces for one in piece.ids]
    drawn = [one for piece in pieces for one in piece.drawn]
    logprobs = [logprob for one in drawn for logprob in one.logprobs]

    assert len(logprobs) == len(ids)
    assert len(ids) == 40 or ids[-1] == END_OF_TEXT
    assert all(logprob <= 0 for logprob in logprobs)
    assert sum(one.chars for one in drawn) == len("".join(piece.text for piece in pieces))
    if sampling is GREEDY:
        plain = await without_probabilities(vllm, prompt)
        assert plain == ("".join(piece.text for piece in pieces), ids)


async def without_probabilities(vllm: RunningVllm, prompt: Prompt) -> tuple[str, list[int]]:
    body = {
        "model": "tiny",
        "prompt": list(prompt.ids),
        "max_tokens": prompt.max_tokens,
        "temperature": 0.0,
        "return_token_ids": True,
    }
    async with httpx.AsyncClient(timeout=30.0) as client:
        answer = await client.post(f"{vllm.url}/completions", json=body)
    (choice,) = answer.json()["choices"]
    return choice["text"], choice["token_ids"]


async def test_a_stop_string_ends_the_reply_and_is_not_shown(vllm: RunningVllm) -> None:
    async with connected(vllm) as engine:
        prompt = await ask(engine, "[human]: Hello", max_tokens=40)
        free, _ids, _finish = await collect(engine, prompt)
        stop = free[len(free) // 2 :][:2]
        text, _ids, finish = await collect(engine, replace(prompt, stop=(stop,)))

    assert text == free[: free.index(stop)]
    assert finish.reason == "stop"


async def test_a_stop_token_ends_the_reply(vllm: RunningVllm) -> None:
    async with connected(vllm) as engine:
        prompt = await ask(engine, "[human]: Hello")
        _text, ids, _finish = await collect(engine, prompt)
        _text, again, finish = await collect(engine, replace(prompt, stop_ids=(ids[5],)))

    assert finish.reason == "stop"
    assert again == ids[: ids.index(ids[5]) + 1]


async def test_half_a_reply_taken_up_again_ends_like_the_whole(vllm: RunningVllm) -> None:
    """What `Generation` asks after a break must be what the engine would have said."""
    async with connected(vllm) as engine:
        prompt = await ask(engine, "[human]: What is the time in Oslo?", max_tokens=24)
        _text, ids, _finish = await collect(engine, prompt)
        rest = replace(prompt, ids=(*prompt.ids, *ids[:10]), max_tokens=14)
        _text, again, _finish = await collect(engine, rest)

    assert again == ids[10:]


async def test_closing_a_stream_aborts_what_runs(vllm: RunningVllm) -> None:
    """A person pressed Stop; the processor is wanted by others."""

    async def counted() -> tuple[float, float]:
        names = ("vllm:generation_tokens_total", "vllm:request_success_total")
        made, ended = [await asyncio.to_thread(vllm.metric, name) for name in names]
        return made, ended

    async with connected(vllm) as engine:
        prompt = await ask(engine, "[human]: Hello", max_tokens=490)
        _text, ids, _finish = await collect(engine, prompt)
        await until_idle(vllm, within_s=5.0)
        made, ended = await counted()
        with vllm.slowed():
            for _ in range(8):
                async with aclosing(engine.stream(prompt)) as stream:
                    await anext(stream)
                # It works a hundredth of the time, and needs some steps to hear of it.
                await until_idle(vllm, within_s=30.0)
        made_now, ended_now = await counted()

    assert ended_now == ended  # Nothing is counted that did not come to its end.
    # The likeliest tokens are the same each time: left alone, all eight would be as long.
    assert made_now - made < 8 * len(ids) / 2


async def test_cancelling_whoever_reads_aborts_too(vllm: RunningVllm) -> None:
    async with connected(vllm) as engine:
        prompt = await ask(engine, "[human]: Hello", max_tokens=490)
        begun = asyncio.Event()

        async def read() -> None:
            async with aclosing(engine.stream(prompt)) as stream:
                async for _piece in stream:
                    begun.set()

        reading = asyncio.create_task(read())
        await asyncio.wait_for(begun.wait(), 30)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await until_idle(vllm, within_s=1.0)


async def test_both_tokenizers_give_the_same_ids(vllm: RunningVllm) -> None:
    """A prompt's budget is exact only if they do."""
    async with connected(vllm) as engine:
        model = await engine.model()
        served = ServedCodec(engine._client, root=vllm.url.removesuffix("/v1"), model=model.name)
        local = await choose_codec(served, folder=model.revision)
        by_server, by_file = await served.encode(HARD_TEXTS), await local.encode(HARD_TEXTS)
        decoded = [await served.decode(ids) for ids in by_server]

    assert isinstance(local, LocalCodec)
    assert by_server == by_file
    assert decoded == HARD_TEXTS
    assert [await local.decode(ids) for ids in by_file] == HARD_TEXTS


async def test_the_prefix_cache_answers_for_the_same_workspace_alone(vllm: RunningVllm) -> None:
    """One workspace must not learn by timing what another has said."""
    async with connected(vllm) as engine:
        prompt = await ask(engine, "[human]: Hello Jay. " * 20, salt=f"T{time.time()}")
        costs = [await collect(engine, prompt) for _ in range(2)]
        other = await collect(engine, replace(prompt, salt="another"))

    cached = [finish.cached_tokens for _text, _ids, finish in (*costs, other)]
    assert cached[0] == cached[2] == 0
    assert cached[1] >= len(prompt.ids) - 64


async def test_eight_replies_run_side_by_side(vllm: RunningVllm) -> None:
    async with connected(vllm) as engine:
        prompts = [await ask(engine, f"[human]: {at}", priority=at % 2) for at in range(8)]
        alone = await collect(engine, prompts[3])
        together = await asyncio.gather(*(collect(engine, prompt) for prompt in prompts))

    assert all(finish.reply_tokens == 12 for _text, _ids, finish in together)
    assert together[3][0] == alone[0]


async def test_a_prompt_longer_than_the_window_is_refused(vllm: RunningVllm) -> None:
    async with connected(vllm) as engine:
        with pytest.raises(PromptRefused):
            await collect(engine, Prompt(ids=(5,) * 600, max_tokens=5))


async def test_urgent_requests_are_served_first(vllm: RunningVllm) -> None:
    """A summary of a thousand messages must not hold up a word of chat."""
    order: list[str] = []

    async def note(name: str, prompt: Prompt) -> None:
        await collect(engine, prompt)
        order.append(name)

    async with (
        connected(vllm) as engine,
        httpx.AsyncClient(base_url=vllm.url, timeout=60) as http,
        asyncio.timeout(60),
    ):
        short = await ask(engine, "[human]: Hello", priority=1)
        # One call of many prompts, not streamed: this process has no work with it.
        crowd = {"model": "tiny", "prompt": [short.ids] * 5 * RUNNING_AT_ONCE, "priority": 1}
        crowd |= {"max_tokens": 480, "ignore_eos": True}
        crowded = asyncio.create_task(http.post("/completions", json=crowd))
        while await asyncio.to_thread(vllm.metric, "vllm:num_requests_waiting") < RUNNING_AT_ONCE:
            assert not crowded.done()
        # The same request twice, the urgent one later: by arrival it would be last.
        routine = asyncio.create_task(note("routine", short))
        await asyncio.sleep(0.05)
        await note("urgent", replace(short, priority=0))
        await routine
        crowded.cancel()

    assert order == ["urgent", "routine"]


async def test_vllm_says_200_while_a_request_still_waits(vllm: RunningVllm) -> None:
    """By this a replica that hangs is told from one that is busy."""
    async with (
        connected(vllm) as engine,
        httpx.AsyncClient(base_url=vllm.url, timeout=60) as http,
        asyncio.timeout(60),
    ):
        ids = (await ask(engine, "[human]: Hello")).ids
        asked = {"model": "tiny", "prompt": [ids] * 5 * RUNNING_AT_ONCE, "ignore_eos": True}
        crowd = asyncio.create_task(http.post("/completions", json=asked | {"max_tokens": 480}))
        while await asyncio.to_thread(vllm.metric, "vllm:num_requests_waiting") < RUNNING_AT_ONCE:
            assert not crowd.done()
        last = {"model": "tiny", "prompt": ids, "stream": True, "priority": 9}
        async with http.stream("POST", "/completions", json=last) as response:
            waiting = await asyncio.to_thread(vllm.metric, "vllm:num_requests_waiting")
        crowd.cancel()
        await asyncio.gather(crowd, return_exceptions=True)

    assert response.status_code == 200
    assert waiting > 1, "by its priority it has its turn when nothing else waits"


async def test_a_second_launcher_uses_the_engine_that_runs(
    vllm: RunningVllm, tmp_path: object
) -> None:
    port = int(vllm.url.removesuffix("/v1").rpartition(":")[2])
    told: list[str] = []
    async with serve(
        vllm.checkpoint, port=port, log_path=vllm.log_path, on_progress=told.append
    ) as url:
        async with asyncio.timeout(10):
            while not told:
                await asyncio.sleep(0.02)

    assert url == vllm.url
    assert "using it" in told[0]


async def test_killed_in_the_middle_the_reply_goes_on_after_the_restart(
    vllm: RunningVllm,
) -> None:
    """The launcher starts it anew; the client goes on where the reply was."""
    async with open_engine(
        vllm.url, model="", api_key="", idle_timeout_s=30.0, retries=3, restart_wait_s=500.0
    ) as engine:
        prompt = await ask(engine, "[human]: Hello", max_tokens=480)
        whole = [piece async for piece in engine.stream(prompt)]
        pieces: list[Piece] = []
        async for piece in engine.stream(prompt):
            pieces.append(piece)
            if len(pieces) == 5:
                await asyncio.to_thread(vllm.kill_server)
        finish = pieces[-1].finish
        assert finish is not None

    assert finish.reply_tokens == whole[-1].finish.reply_tokens  # type: ignore[union-attr]
    assert sum(len(piece.ids) for piece in pieces) == finish.reply_tokens
    async with asyncio.timeout(60):
        while not any("Starting it again" in line for line in vllm.progress):
            await asyncio.sleep(0.05)
    await asyncio.to_thread(vllm.wait_until_up)


async def test_damaged_weights_are_told_in_a_line(vllm: RunningVllm, tmp_path: object) -> None:
    from pathlib import Path
    from shutil import copytree

    folder = Path(str(tmp_path)) / "damaged"
    copytree(vllm.checkpoint, folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(b"\xff" * 64 + weights.read_bytes()[64:])

    with pytest.raises(EngineWontStart, match="damaged"):
        async with serve(
            folder, port=free_port(), log_path=folder / "engine.log", on_progress=print
        ):
            await asyncio.sleep(300)


async def test_no_error_of_a_library_leaves_the_room(vllm: RunningVllm) -> None:
    async with connected(vllm, retries=0) as engine:
        for prompt in (Prompt(ids=(99_999,), max_tokens=5), Prompt(ids=(1,), max_tokens=5_000)):
            try:
                await collect(engine, prompt)
            except LIBRARY_ERRORS as error:
                pytest.fail(f"{type(error)} left the room")
            except PromptRefused:
                continue
            pytest.fail("it was not refused")
