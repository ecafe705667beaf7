"""Jay's Slack adapter against the sandbox's Slack, over real sockets."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator

import pytest
from fakes.slack import Ear, Running, serve, settings_for, start, stop

from adapters.sandbox.faults import Faults
from adapters.sandbox.records import Member
from adapters.sandbox.slack import Pace, SlackSide
from adapters.sandbox.slack.limits import Limits
from adapters.sandbox.world import SlackIds, World
from adapters.slack import SlackSurface
from bot.settings import SlackSettings


@pytest.fixture(autouse=True)
def _quiet_libraries() -> None:
    """They log every fault that a test makes on purpose."""
    for name in ("slack_sdk", "slack_sdk.socket_mode", "slack_bolt", "slack_bolt.jay"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@pytest.fixture
def world() -> World:
    made = World("slack", SlackIds(), time.time)
    made.home_id, made.home_name = "T0HARBOUR", "Harbour Labs"
    jay = made.add_member("jay", "Jay", bot=True)
    made.bot_id = jay.id
    maya = made.add_member("maya", "Maya Lindqvist")
    tom = made.add_member("tom", "Tom Okafor")
    robot = made.add_member("deploys", "Deploys", bot=True)
    everyone = (jay.id, maya.id, tom.id, robot.id)
    made.add_channel("general", members=everyone)
    made.add_channel("releases", members=everyone, writable_by_bot=False)
    made.add_channel("outside", members=(maya.id, tom.id))
    return made


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
async def side(world: World, faults: Faults) -> AsyncIterator[SlackSide]:
    made = SlackSide(
        world,
        faults,
        limits=Limits(time.time, on=False),
        pace=Pace(ack_s=0.5, retries_s=(0.0, 0.01, 0.02)),
    )
    runner = await serve(made)
    yield made
    await made.close()
    await runner.cleanup()


@pytest.fixture
def settings(side: SlackSide) -> SlackSettings:
    return settings_for(side)


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
async def edge(settings: SlackSettings, ear: Ear) -> AsyncIterator[Running]:
    running = await start(settings, ear)
    yield running
    await stop(running)


@pytest.fixture
async def surface(settings: SlackSettings) -> AsyncIterator[SlackSurface]:
    async with SlackSurface(settings) as made:
        yield made


@pytest.fixture
def maya(world: World) -> Member:
    return world.member_named("maya")


@pytest.fixture
def general(world: World) -> str:
    return world.channel_named("general").id
