"""Several processes share the servers of one bot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from discord_listening import SUMMARIZE, Ear, until
from pydantic import ValidationError

from adapters.discord import DiscordEdge
from bot.settings import DiscordSettings


@asynccontextmanager
async def shard(
    settings: DiscordSettings, at: int, of: int
) -> AsyncIterator[tuple[DiscordEdge, Ear]]:
    ear = Ear()
    given = settings.model_copy(update={"shard_id": at, "shard_count": of})
    made = DiscordEdge(given, hear=ear, commands=(SUMMARIZE,), identify_every_s=0.0)
    running = asyncio.create_task(made.run())
    try:
        await until(lambda: made.ready or running.done())
        yield made, ear
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_server_is_heard_by_its_shard_and_direct_messages_by_the_first(
    settings, side, world, maya, general
):
    """Two that hear the same server would both defer a command."""
    of = 2
    its = (int(world.home_id) >> 22) % of
    async with shard(settings, 0, of) as (_, first), shard(settings, 1, of) as (_, second):
        assert side.gateway.count == of
        direct = world.open_direct(maya, world.bot_id)
        world.say(general, maya, "to the server")
        world.say(direct.id, maya, "to Jay alone")
        await (first, second)[its].message("to the server")
        await first.message("to Jay alone")
        await asyncio.sleep(0.05)

    assert (first, second)[1 - its].texts.count("to the server") == 0
    assert second.texts.count("to Jay alone") == 0


async def test_a_shard_without_a_server_is_ready_all_the_same(settings, side, world):
    """It waits for servers that Jay is yet to be invited to."""
    other = 1 - (int(world.home_id) >> 22) % 2
    async with shard(settings, other, 2) as (edge, _):
        assert edge.ready


def test_a_shard_that_there_is_not_is_refused():
    with pytest.raises(ValidationError, match="below shard_count, 2"):
        DiscordSettings(shard_id=2, shard_count=2)
