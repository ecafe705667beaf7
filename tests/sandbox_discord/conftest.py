"""A small server, served over a real socket, and the real discord.py that logs in to it."""

import time
from collections.abc import AsyncIterator

import discord
import pytest
import yarl
from aiohttp import web
from sandbox_discord_client import Bot

from adapters.sandbox.discord import DiscordSide, Limits, Pace
from adapters.sandbox.faults import Faults
from adapters.sandbox.world import DiscordIds, World


class Clock:
    """The real time, and what a test adds to it; or one that stands still."""

    ahead_s = 0.0
    frozen: float | None = None

    def __call__(self) -> float:
        return time.time() + self.ahead_s if self.frozen is None else self.frozen


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
    made.add_member("gone", "Gone Person", at=long_ago).deleted = True
    people = (jay.id, owner.id, maya.id, tom.id)
    made.add_channel("general", members=people, at=long_ago)
    made.add_channel("rules", members=people, writable_by_bot=False, at=long_ago)
    made.add_channel("outside", members=people, readable_by_bot=False, at=long_ago)
    made.add_channel("keepers", members=(maya.id,), private=True, at=long_ago)
    return made


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def pace() -> Pace:
    return Pace(identifies=50)


@pytest.fixture
def limits(clock: Clock) -> Limits:
    return Limits(clock)


@pytest.fixture
async def side(
    world: World, faults: Faults, pace: Pace, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[DiscordSide]:
    made = DiscordSide(world, faults, pace=pace, limits=limits)
    app = web.Application()
    app.add_routes(made.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.serve_at(f"http://127.0.0.1:{runner.addresses[0][1]}")
    monkeypatch.setattr(discord.http.Route, "BASE", made.api_url)
    gateway = yarl.URL(made.gateway_url)
    monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", gateway)
    yield made
    await made.close()
    await runner.cleanup()


@pytest.fixture
async def bot(side: DiscordSide) -> AsyncIterator[Bot]:
    async with Bot.logged_in(side) as made:
        yield made


@pytest.fixture
def maya(world: World) -> str:
    return world.member_named("maya").id


@pytest.fixture
def general(world: World) -> str:
    return world.channel_named("general").id


@pytest.fixture
def channel(bot: Bot, general: str) -> discord.TextChannel:
    return bot.get_channel(int(general))
