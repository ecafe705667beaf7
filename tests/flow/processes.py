"""`jay run` as operators run it, for tests: processes, addresses from the environment."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.sandbox.server import Sandbox
from adapters.sandbox.world import World


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
