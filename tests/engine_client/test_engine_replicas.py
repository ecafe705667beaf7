"""Several engines behind the real vllm-router: one dies, hangs, is away or is another.

What only needs engines that answer or don't has stand-ins behind the router;
that a killed reply goes on as it would have gone on needs real ones.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.completions import CUT, SILENCE, CompletionsServer, Refusal, Stream, says
from replicas import routing
from structlog.testing import capture_logs
from vllm_server import RunningVllm, free_port, server_pid

from bot.errors import EngineBroke, EngineUnreachable, PromptRefused
from bot.ports import Engine
from bot.prompts import Piece, Prompt, Sampling
from engine import open_engine
from engine.client import VllmEngine

ASK = Prompt(ids=tuple(map(ord, "say:")), max_tokens=100, session="slack:T:C:1")
GREEDY = Sampling(temperature=0.0, top_p=1.0)
SESSIONS = [f"slack:T1:C1:{at}" for at in range(40)]
"""The odds that all of them fall to one of two replicas are one in 10¹¹."""


@asynccontextmanager
async def behind_router(
    folder: Path, *answers: Stream | Refusal, count: int = 2, **client: float
) -> AsyncIterator[tuple[VllmEngine, list[CompletionsServer], AsyncExitStack]]:
    """A client of a router before stand-ins that all answer the same; each can be taken away."""
    servers = [CompletionsServer(list(answers)) for _ in range(count)]
    async with AsyncExitStack() as running:
        for server in servers:
            await running.enter_async_context(server.running())
        given = {"idle_timeout_s": 5.0, "retries": 3, "restart_wait_s": 20.0} | client
        async with (
            routing([server.url for server in servers], folder / "router.log") as url,
            open_engine(url, model="", api_key="", **given) as engine,  # type: ignore[arg-type]
        ):
            yield engine, servers, running


async def whole(engine: Engine, prompt: Prompt = ASK) -> str:
    async with aclosing(engine.stream(prompt)) as pieces:
        return "".join([piece.text async for piece in pieces])


async def test_a_conversation_stays_with_one_replica_and_conversations_are_spread(
    tmp_path: Path,
) -> None:
    """Its prefix cache would else answer every other time."""
    async with behind_router(tmp_path, says(" Hi.")) as (engine, servers, _):
        for session in SESSIONS * 2:
            await whole(engine, replace(ASK, session=session))

    asked = [[headers["X-Session-ID"] for headers in server.headers] for server in servers]
    assert all(asked)
    assert not set(asked[0]) & set(asked[1])


async def test_all_that_jay_asks_of_vllm_comes_through_the_router(tmp_path: Path) -> None:
    """It reads a request into its own form first, and what it did not know would be lost."""
    prompt = replace(
        ASK, stop=("\n###",), stop_ids=(7,), salt="T1", priority=1, sampling=Sampling(top_k=5)
    )
    async with CompletionsServer([says(" Hi.")]).running() as alone:
        async with open_engine(
            alone.url, model="", api_key="", idle_timeout_s=5.0, retries=0
        ) as engine:
            await whole(engine, prompt)
    async with behind_router(tmp_path, says(" Hi."), count=1) as (engine, (routed,), _):
        await whole(engine, prompt)

    (direct,), (through,) = alone.requests, routed.requests
    assert {name: through[name] for name in direct} == direct


async def test_no_word_of_anybody_stands_in_the_routers_log(tmp_path: Path) -> None:
    async with behind_router(tmp_path, says(" Planted reply.")) as (engine, servers, _):
        await engine.encode(["planted words"])
        await whole(engine)

    assert [text for server in servers for text in server.tokenized] == ["planted words"]
    assert "lanted" not in (tmp_path / "router.log").read_text()


@pytest.mark.parametrize("end", [CUT, SILENCE])
async def test_a_reply_that_breaks_through_the_router_is_taken_up_again(
    tmp_path: Path, end: str
) -> None:
    async with behind_router(
        tmp_path, says(" Once", " upon", end=end), says(" a time."), count=1, idle_timeout_s=0.3
    ) as (engine, (server,), _):
        text = await whole(engine)

    assert text == " Once upon a time."
    assert server.asked == ["say:", "say: Once upon"]


async def test_a_replica_that_is_gone_is_passed_over_and_taken_up_again(tmp_path: Path) -> None:
    port = free_port()
    stays, leaves = CompletionsServer([says(" a")]), CompletionsServer([says(" b")])
    async with stays.running(), AsyncExitStack() as stack:
        async with leaves.running(port=port):
            urls = [stays.url, leaves.url]
            url = await stack.enter_async_context(routing(urls, tmp_path / "router.log"))
            client = open_engine(url, model="", api_key="", idle_timeout_s=5.0, retries=3)
            engine = await stack.enter_async_context(client)
            await engine.model()
        said = [await whole(engine, replace(ASK, session=one)) for one in SESSIONS]
        ids = await engine.encode([str(at) for at in range(10)])
        async with leaves.running(port=port), asyncio.timeout(30):
            back = list[str]()
            while " b" not in back:
                back = [await whole(engine, replace(ASK, session=one)) for one in SESSIONS]

    assert said == [" a"] * len(SESSIONS)
    assert len(ids) == 10


async def test_with_all_replicas_gone_the_person_is_told_in_time(tmp_path: Path) -> None:
    async with behind_router(tmp_path, says(" Hi."), restart_wait_s=1.0) as (engine, _, running):
        await engine.model()
        await running.aclose()
        began = time.monotonic()
        with pytest.raises(EngineUnreachable):
            await whole(engine)
        with pytest.raises(EngineUnreachable):
            await engine.encode(["x"])
        with pytest.raises(EngineUnreachable):
            await engine.model()

    assert time.monotonic() - began < 20


async def test_a_reply_begun_when_the_router_dies_ends_as_broken(tmp_path: Path) -> None:
    async with CompletionsServer([says(" half", end=SILENCE)]).running() as server:
        async with AsyncExitStack() as router:
            url = await router.enter_async_context(routing([server.url], tmp_path / "router.log"))
            async with open_engine(
                url, model="", api_key="", idle_timeout_s=5.0, retries=1, restart_wait_s=0.5
            ) as engine:
                stream = engine.stream(ASK)
                first = await anext(stream)
                await router.aclose()
                with pytest.raises(EngineBroke):
                    await anext(stream)

    assert first.text == " half"


async def test_prompts_that_are_refused_keep_no_replica_from_others(tmp_path: Path) -> None:
    """The router opens its circuit breaker after two failures; a refusal must be none."""
    refused = [Refusal(400, "too long")] * 6
    async with behind_router(tmp_path, *refused, says(" Hi."), count=1) as (engine, _, _running):
        for _ in refused:
            with pytest.raises(PromptRefused, match="too long"):
                await whole(engine)
        assert await whole(engine) == " Hi."


async def test_the_command_runs_the_router_and_tells_the_address() -> None:
    port = free_port()
    async with CompletionsServer([says(" Hi.")]).running() as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from bot.cli import main; main()", "engine", "route"),
            *(server.url, "--port", str(port), "--metrics-port", str(free_port())),
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            line = await asyncio.wait_for(process.stdout.readline(), 60)
            url = line.decode().strip().removeprefix("ENGINE_URL=")
            async with (
                open_engine(url, model="", api_key="", idle_timeout_s=5.0, retries=0) as engine,
                asyncio.timeout(30),
            ):
                text = ""
                while not text:
                    with suppress(EngineUnreachable):
                        text = await whole(engine)
                    await asyncio.sleep(0.05)
        finally:
            process.kill()
            await process.wait()

    assert url == f"http://127.0.0.1:{port}/v1"
    assert text == " Hi."


# --- real engines ---


@asynccontextmanager
async def behind(
    *replicas: RunningVllm, folder: Path, idle_timeout_s: float = 30.0
) -> AsyncIterator[VllmEngine]:
    async with routing([one.url for one in replicas], folder / "router.log") as url:
        async with open_engine(
            url, model="", api_key="", idle_timeout_s=idle_timeout_s, retries=3
        ) as engine:
            yield engine


COUNTED_WITHIN_LOOKS = 30
DISTURBED_AFTER_PIECES = 10


async def greedy(engine: VllmEngine, session: str) -> Prompt:
    (ids,) = await engine.encode(["[human]: What is the time in Oslo?\n###\n[robot]:"])
    return Prompt(ids=ids, max_tokens=400, sampling=GREEDY, session=session)


async def reaches(engine: VllmEngine, session: str, replica: RunningVllm) -> bool:
    """Whether the router sends this session to this replica now."""
    before = await asyncio.to_thread(replica.metric, "vllm:request_success_total")
    await whole(engine, replace(await greedy(engine, session), max_tokens=1))
    # An engine counts a request a moment after it has answered it.
    for _ in range(COUNTED_WITHIN_LOOKS):
        if await asyncio.to_thread(replica.metric, "vllm:request_success_total") > before:
            return True
        await asyncio.sleep(0.1)
    return False


async def session_at(engine: VllmEngine, replica: RunningVllm) -> str:
    for session in SESSIONS:
        if await reaches(engine, session, replica):
            return session
    raise AssertionError("no session reaches the replica")


async def disturbed(
    engine: VllmEngine, prompt: Prompt, replica: RunningVllm, by: signal.Signals
) -> list[Piece]:
    """Read a whole reply whose replica gets a signal after ten pieces."""
    pieces = list[Piece]()
    pid = server_pid(replica.url)
    try:
        with replica.slowed(), capture_logs() as logs:
            async with aclosing(engine.stream(prompt)) as stream:
                async for piece in stream:
                    pieces.append(piece)
                    if len(pieces) == DISTURBED_AFTER_PIECES:
                        os.kill(pid, by)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    await asyncio.to_thread(replica.wait_until_up)
    (again,) = [one for one in logs if one["event"] == "client.again"]
    assert DISTURBED_AFTER_PIECES <= again["after_tokens"] < sum(len(one.ids) for one in pieces)
    return pieces


@pytest.mark.vllm
async def test_a_replica_killed_in_mid_reply_is_not_noticed_and_is_taken_up_when_it_is_back(
    vllm: RunningVllm, second_vllm: RunningVllm, tmp_path: Path
) -> None:
    """The visible message just goes on, as the model would have gone on."""
    async with behind(vllm, second_vllm, folder=tmp_path) as engine:
        session = await session_at(engine, second_vllm)
        prompt = await greedy(engine, session)
        undisturbed = await whole(engine, prompt)
        pieces = await disturbed(engine, prompt, second_vllm, signal.SIGKILL)
        async with asyncio.timeout(30):
            while not await reaches(engine, session, second_vllm):
                await asyncio.sleep(0.2)

    assert "".join(piece.text for piece in pieces) == undisturbed
    assert pieces[-1].finish is not None
    assert pieces[-1].finish.reply_tokens == sum(len(piece.ids) for piece in pieces)


@pytest.mark.vllm
async def test_a_replica_that_hangs_in_mid_reply_is_left_for_another(
    vllm: RunningVllm, second_vllm: RunningVllm, tmp_path: Path
) -> None:
    """A stopped process takes connections and says nothing."""
    async with behind(vllm, second_vllm, folder=tmp_path, idle_timeout_s=8.0) as engine:
        prompt = await greedy(engine, await session_at(engine, second_vllm))
        undisturbed = await whole(engine, prompt)
        pieces = await disturbed(engine, prompt, second_vllm, signal.SIGSTOP)

    assert "".join(piece.text for piece in pieces) == undisturbed
