"""What the Slack adapter's tests share: a served sandbox, an ear, a running edge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aiohttp import web
from pydantic import SecretStr

from adapters.sandbox.slack import SlackSide
from adapters.slack import SlackEdge
from adapters.slack.sockets import Patience
from bot.commands import MessageShortcut, SlashCommand
from bot.errors import StoreUnreachable
from bot.messages import Event, Place
from bot.ports import Missed, Target, nothing_missed
from bot.settings import SlackSettings
from bot.skills import COMMANDS

PATIENCE = Patience(retry_s=(0.01,), ping_s=0.05, look_s=0.005, deaf_s=2.0)


async def serve(side: SlackSide) -> web.AppRunner:
    app = web.Application()
    app.add_routes(side.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    side.serve_at(f"http://127.0.0.1:{runner.addresses[0][1]}")
    return runner


def settings_for(side: SlackSide, **other: object) -> SlackSettings:
    given = {
        "bot_token": SecretStr(side.bot_token),
        "app_token": SecretStr(side.app_token),
        "api_url": side.api_url,
    }
    return SlackSettings.model_validate(given | other)


@dataclass
class Ear:
    """Hears events as the intake does; fails as often as it is told."""

    events: list[Event] = field(default_factory=list)
    failures: int = 0
    tries: int = 0

    async def hear(self, event: Event) -> None:
        self.tries += 1
        if self.failures:
            self.failures -= 1
            raise StoreUnreachable("the store is away")
        self.events.append(event)

    async def next(self, count: int = 1) -> list[Event]:
        await until(lambda: len(self.events) >= count)
        return self.events[:count]


@dataclass
class Running:
    edge: SlackEdge
    task: asyncio.Task[None]


async def start(
    settings: SlackSettings,
    ear: Ear,
    *,
    patience: Patience = PATIENCE,
    missed: Missed = nothing_missed,
    commands: Sequence[SlashCommand] = COMMANDS,
    shortcuts: Sequence[MessageShortcut] = (),
) -> Running:
    edge = SlackEdge(
        settings,
        hear=ear.hear,
        commands=commands,
        shortcuts=shortcuts,
        patience=patience,
        missed=missed,
    )
    task = asyncio.create_task(edge.run())
    await until(lambda: edge.ready or task.done())
    return Running(edge, task)


async def stop(running: Running) -> None:
    running.task.cancel()
    await asyncio.gather(running.task, return_exceptions=True)


async def until(condition: Callable[[], object], timeout_s: float = 5.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.005)


def target(channel: str, *, reply_to: str = "", thread: str = "", **other: object) -> Target:
    place = Place(
        platform="slack",
        workspace="T0HARBOUR",
        channel=channel,
        thread=thread,
        direct=bool(other.pop("direct", False)),
    )
    return Target(place=place, reply_to=reply_to, **other)  # type: ignore[arg-type]
