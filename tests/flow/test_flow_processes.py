"""`jay run` as operators run it: processes, addresses from the environment, signals."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fakes.valkey import running_valkey
from stage import until
from vllm_server import RunningVllm

from adapters.sandbox.server import Sandbox
from adapters.sandbox.world import World

pytestmark = [pytest.mark.vllm, pytest.mark.valkey]


def environment(sandbox: Sandbox, *, redis_url: str, engine_url: str) -> dict[str, str]:
    return {
        **os.environ,
        "SLACK_BOT_TOKEN": sandbox.slack.bot_token,
        "SLACK_APP_TOKEN": sandbox.slack.app_token,
        "SLACK_API_URL": sandbox.slack.api_url,
        "DISCORD_BOT_TOKEN": sandbox.discord.bot_token,
        "DISCORD_API_URL": sandbox.discord.api_url,
        "DISCORD_GATEWAY_URL": sandbox.discord.gateway_url,
        "REDIS_URL": redis_url,
        "ENGINE_URL": engine_url,
        "JAY_STATUS_PORT": "0",
        "JAY_REPLIES__MAX_TOKENS": "24",
    }


@asynccontextmanager
async def jay_run(*arguments: str, env: dict[str, str], folder: Path) -> AsyncIterator[Process]:
    log_path = folder / f"jay-{'-'.join(arguments)}.log"
    with log_path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("jay"),
            "run",
            *arguments,
            cwd=folder,
            env=env,
            stdout=DEVNULL,
            stderr=log,
        )
    try:
        yield process
    except BaseException:
        print(log_path.read_text()[-4_000:])
        raise
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def mention(world: World) -> str:
    general = world.channel_named("general")
    person = next(
        one for one in world.members.values() if one.id in general.members and not one.bot
    )
    return world.say(general.id, person.id, f"<@{world.bot_id}> hello").id


def answered(world: World, to: str) -> bool:
    return any(
        one.author == world.bot_id and to in (one.thread, one.reply_to)
        for one in world.messages(world.channel_named("general").id)
    )


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
