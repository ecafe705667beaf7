"""A worker process is told to end in the middle of a reply, as at every deployment."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from fakes.completions import CompletionsServer, Stream, says
from fakes.valkey import running_valkey
from processes import environment, jay_run, mention
from stage import until
from vllm_server import free_port

from adapters.sandbox.server import Sandbox
from adapters.sandbox.world import Message, World

pytestmark = [pytest.mark.valkey]
GRACE_S = 2.0
LEASE_S = 60.0
"""A lease that had to run out would be noticed."""


@dataclass
class SlowServer(CompletionsServer):
    """Takes a while for each chunk, as a large model does."""

    async def _stream(
        self, request: web.Request, response: web.StreamResponse, answer: Stream, prompt: int
    ) -> None:
        for text in answer.chunks[:-1]:
            await super()._stream(request, response, Stream((text,), end="no end"), prompt)
            await asyncio.sleep(0.5)
        await super()._stream(request, response, Stream(answer.chunks[-1:], answer.end), prompt)


def replies(world: World) -> list[Message]:
    general = world.channel_named("general")
    return [
        one
        for one in world.messages(general.id)
        if one.author == world.bot_id and one.thread and not one.deleted
    ]


async def readiness(port: int) -> int:
    async with aiohttp.ClientSession() as session:
        try:
            async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                return answer.status
        except aiohttp.ClientConnectionError:
            return 0


async def until_ready_as(port: int, status: int) -> None:
    async with asyncio.timeout(60):
        while await readiness(port) != status:
            await asyncio.sleep(0.05)


async def test_a_worker_that_ends_hands_its_reply_over_and_says_so(tmp_path: Path) -> None:
    """A rolling update must neither cut replies off nor wait for a lease, nor get new work."""
    story = says(*[f" word{at}" for at in range(200)])
    async with Sandbox() as sandbox, SlowServer([story, says(" The end.")], 9_000).running() as gpu:
        with running_valkey(tmp_path / "valkey.sock") as valkey:
            port = free_port()
            env = environment(sandbox, redis_url=valkey.url, engine_url=gpu.url) | {
                "JAY_WORKER__GRACE_S": str(GRACE_S),
                "JAY_STORE__LEASE_S": str(LEASE_S),
                "JAY_WORKER__CONVERSATIONS": "1",
                "JAY_REPLIES__MAX_TOKENS": "2000",
            }
            first_env = env | {"JAY_STATUS_PORT": str(port)}
            world = sandbox.slack_world
            async with (
                jay_run("--only", "slack", env=env, folder=tmp_path),
                jay_run("--only", "worker", env=first_env, folder=tmp_path) as worker,
            ):
                await until_ready_as(port, 200)
                await until(lambda: sandbox.slack.sockets.count > 0)
                mention(world)
                await until(lambda: any("word3" in one.text for one in replies(world)))

                worker.send_signal(signal.SIGTERM)
                told_at = time.monotonic()
                await until_ready_as(port, 503)
                assert await asyncio.wait_for(worker.wait(), 60) == 0
                ended_s = time.monotonic() - told_at
                (half,) = replies(world)
                async with jay_run("--only", "worker", env=env, folder=tmp_path):
                    await until(lambda: "The end." in replies(world)[0].text)
                    resumed_s = time.monotonic() - told_at

    assert GRACE_S <= ended_s < GRACE_S + 10
    assert resumed_s < LEASE_S - 15
    (whole,) = replies(world)
    assert whole.id == half.id
    assert whole.text.startswith("word0 word1 word2 word3")


async def test_a_process_is_not_ready_before_each_part_works(tmp_path: Path) -> None:
    """A balancer would send it work, or a roll-out end the old one too early."""
    port, engine_port = free_port(), free_port()
    async with Sandbox() as sandbox:
        with running_valkey(tmp_path / "valkey.sock") as valkey:
            engine_url = f"http://127.0.0.1:{engine_port}/v1"
            env = environment(sandbox, redis_url=valkey.url, engine_url=engine_url)
            env |= {"JAY_STATUS_PORT": str(port)}
            async with jay_run("--only", "worker", env=env, folder=tmp_path):
                await until_ready_as(port, 503)
                await asyncio.sleep(0.05)
                assert await readiness(port) == 503
                async with CompletionsServer([says("x")]).running(port=engine_port):
                    await until_ready_as(port, 200)
                    valkey.kill()
                    await until_ready_as(port, 503)
