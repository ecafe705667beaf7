from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from adapters.sandbox.faults import Faults
from adapters.sandbox.slack import Pace, SlackSide
from adapters.sandbox.slack.limits import Limits
from adapters.sandbox.world import SlackIds, World


class Clock:
    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> World:
    made = World("slack", SlackIds(), clock)
    made.home_id, made.home_name = "T0HARBOUR", "Harbour Labs"
    jay = made.add_member("jay", "Jay", bot=True)
    made.bot_id = jay.id
    maya = made.add_member("maya", "Maya Lindqvist")
    tom = made.add_member("tom", "Tom Okafor")
    gone = made.add_member("gone", "Gone Person")
    gone.deleted = True
    everyone = (jay.id, maya.id, tom.id)
    made.add_channel("general", members=everyone)
    made.add_channel("releases", members=everyone, writable_by_bot=False)
    made.add_channel("outside", members=(maya.id, tom.id))
    made.add_channel("board", members=(maya.id,), private=True)
    return made


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def pace() -> Pace:
    return Pace(ack_s=0.2, retries_s=(0.0, 0.01, 0.02))


Serve = Callable[..., object]


async def serve(side: SlackSide) -> web.AppRunner:
    app = web.Application()
    app.add_routes(side.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    side.serve_at(f"http://127.0.0.1:{runner.addresses[0][1]}")
    return runner


@pytest.fixture
async def slack(world: World, faults: Faults, clock: Clock, pace: Pace) -> AsyncIterator[SlackSide]:
    side = SlackSide(world, faults, limits=Limits(clock), pace=pace)
    runner = await serve(side)
    yield side
    await side.close()
    await runner.cleanup()


@pytest.fixture
def client(slack: SlackSide) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
