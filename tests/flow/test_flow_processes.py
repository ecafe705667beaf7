"""`jay run` as operators run it: processes, addresses from the environment, signals."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from fakes.valkey import running_valkey
from processes import answered, environment, jay_run, mention
from stage import until
from vllm_server import RunningVllm

from adapters.sandbox.server import Sandbox

pytestmark = [pytest.mark.vllm, pytest.mark.valkey]


async def test_each_role_in_a_process_of_its_own_answers_on_both_platforms(
    vllm: RunningVllm, tmp_path: Path
) -> None:
    """Nothing but Redis couples them, and nothing in them knows the sandbox."""
    async with Sandbox() as sandbox:
        worlds = (sandbox.slack_world, sandbox.discord_world)
        with running_valkey(tmp_path / "valkey.sock") as valkey:
            env = environment(sandbox, redis_url=valkey.url, engine_url=vllm.url)
            async with (
                jay_run("--only", "slack", env=env, folder=tmp_path) as slack,
                jay_run("--only", "discord", env=env, folder=tmp_path) as discord,
                jay_run("--only", "worker", env=env, folder=tmp_path) as worker,
            ):
                await until(lambda: sandbox.slack.sockets.count > 0)
                await until(lambda: sandbox.discord.gateway.count > 0)
                asked = {world: mention(world) for world in worlds}
                for world in worlds:
                    await until(lambda world=world: answered(world, asked[world]))
                for process in (slack, discord, worker):
                    process.send_signal(signal.SIGTERM)
                ended = [await asyncio.wait_for(one.wait(), 30) for one in (slack, discord, worker)]

    assert ended == [0, 0, 0]
