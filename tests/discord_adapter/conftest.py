"""A small Discord server behind a real socket, and Jay's edge and surface pointed at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import discord
import pytest
from aiohttp import web
from discord_listening import ANSWER, SUMMARIZE, Clock, Ear, Listen, until

from adapters.discord import DiscordEdge, DiscordSurface
from adapters.sandbox.discord import DiscordSide, Limits, Pace
from adapters.sandbox.faults import Faults
from adapters.sandbox.world import DiscordIds, World
from bot.messages import Event
from bot.settings import DiscordSettings


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> World:
    made = World("discord", DiscordIds(), clock)
    long_ago = clock() - 86_400
    made.home_id = made.ids.thing("guild", at=long_ago)
    made.home_name = "Open Orchard"
    jay = made.add_member("jay", "Jay", bot=True, at=long_ago)
    made.bot_id = jay.id
    owner = made.add_member("olga", "Olga Owner", at=long_ago)
    maya = made.add_member("maya", "Maya Lindqvist", at=long_ago)
    tom = made.add_member("tom", "Tom Okafor", at=long_ago)
    people = (jay.id, owner.id, maya.id, tom.id)
    made.add_channel("general", members=people, at=long_ago)
    made.add_channel("rules", members=people, writable_by_bot=False, at=long_ago)
    made.add_channel("outside", members=people, readable_by_bot=False, at=long_ago)
    return made


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def limits(clock: Clock) -> Limits:
    return Limits(clock, on=False)


@pytest.fixture
def _discord_py_unchanged() -> Iterator[None]:
    """`install` sets discord.py's globals; the next test may want them as they were."""
    base, gateway = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
    yield
    discord.http.Route.BASE = base
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = gateway


@pytest.fixture
async def side(
    world: World, faults: Faults, limits: Limits, _discord_py_unchanged: None
) -> AsyncIterator[DiscordSide]:
    pace = Pace(callback_s=0.5, identifies=50)
    made = DiscordSide(world, faults, pace=pace, limits=limits)
    app = web.Application()
    app.add_routes(made.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.serve_at(f"http://127.0.0.1:{runner.addresses[0][1]}")
    yield made
    await made.close()
    await runner.cleanup()


@pytest.fixture
def settings(side: DiscordSide) -> DiscordSettings:
    return DiscordSettings(
        bot_token=side.bot_token, api_url=side.api_url, gateway_url=side.gateway_url
    )


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def listen(settings: DiscordSettings, ear: Ear) -> Listen:
    """Run an edge while a block runs."""

    @asynccontextmanager
    async def opened(
        hear: Callable[[Event], Awaitable[None]] | None = None, **options: object
    ) -> AsyncIterator[DiscordEdge]:
        options = {"identify_every_s": 0.0, "commands": (SUMMARIZE, ANSWER)} | options
        made = DiscordEdge(settings, hear=hear or ear, **options)
        running = asyncio.create_task(made.run())
        try:
            await until(lambda: made.ready or running.done())
            if running.done():
                running.result()
            yield made
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    return opened


@pytest.fixture
async def edge(listen: Listen, side: DiscordSide) -> AsyncIterator[DiscordEdge]:
    async with listen() as made:
        await until(lambda: len(side.commands) == 2)
        yield made


@pytest.fixture
async def surface(settings: DiscordSettings) -> AsyncIterator[DiscordSurface]:
    async with DiscordSurface(settings) as made:
        yield made


@pytest.fixture
def maya(world: World) -> str:
    return world.member_named("maya").id


@pytest.fixture
def tom(world: World) -> str:
    return world.member_named("tom").id


@pytest.fixture
def general(world: World) -> str:
    return world.channel_named("general").id


@pytest.fixture
def rules(world: World) -> str:
    return world.channel_named("rules").id
