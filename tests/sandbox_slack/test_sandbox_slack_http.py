"""Signed HTTP events, received by slack-bolt's own verification."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from adapters.sandbox.faults import Faults
from adapters.sandbox.slack import Pace, SlackSide
from adapters.sandbox.slack.limits import Limits
from adapters.sandbox.world import World


class Receiver:
    """An events endpoint: bolt behind aiohttp, with a few answers that can go wrong first."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], str]] = []
        self.refusals: list[int | float] = []
        self.no_retry = False
        self.app: AsyncApp | None = None
        self.told: list[dict] = []

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.text()
        self.requests.append((dict(request.headers), body))
        if self.refusals:
            refusal = self.refusals.pop(0)
            if isinstance(refusal, float):
                await asyncio.sleep(refusal)
            else:
                headers = {"X-Slack-No-Retry": "1"} if self.no_retry else {}
                return web.Response(status=refusal, headers=headers)
        answer = await self.app.async_dispatch(
            AsyncBoltRequest(body=body, headers=dict(request.headers))
        )
        kind = answer.first_headers().get("content-type", "text/plain").partition(";")[0]
        return web.Response(status=answer.status, text=answer.body, content_type=kind)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/slack/events", made.receive)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    yield made
    await runner.cleanup()


@pytest.fixture
async def slack(
    world: World, faults: Faults, pace: Pace, receiver: Receiver
) -> AsyncIterator[SlackSide]:
    world.clock = time.time
    side = SlackSide(world, faults, events_url=receiver.url, limits=Limits(time.time), pace=pace)
    app = web.Application()
    app.add_routes(side.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    side.serve_at(f"http://127.0.0.1:{runner.addresses[0][1]}")
    quiet = logging.getLogger("bolt-over-http")
    quiet.setLevel(logging.CRITICAL)
    receiver.app = AsyncApp(
        client=AsyncWebClient(token=side.bot_token, base_url=side.api_url, logger=quiet),
        signing_secret=side.signing_secret,
        logger=quiet,
    )

    @receiver.app.event("message")
    async def note(body) -> None:
        receiver.told.append(body)

    yield side
    await side.close()
    await runner.cleanup()


async def until(condition) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
async def spoken(slack, world):
    return lambda: slack.say_as(
        world.member_named("maya").id, world.channel_named("general").id, "hello"
    )


async def test_an_event_is_signed_as_bolt_verifies_it(receiver, slack, spoken):
    """An endpoint that trusts anybody could be told anything."""
    said = spoken()
    await until(lambda: receiver.told)

    assert receiver.told[0]["event"]["ts"] == said.id
    headers, _ = receiver.requests[0]
    assert headers["X-Slack-Signature"].startswith("v0=")
    assert "X-Slack-Retry-Num" not in headers


async def test_a_wrong_secret_is_refused(receiver, slack, spoken):
    """The operator mistyped the signing secret."""
    receiver.app = AsyncApp(token="xoxb-1", signing_secret="other", logger=logging.getLogger("q"))
    logging.getLogger("q").setLevel(logging.CRITICAL)
    spoken()
    await until(lambda: len(receiver.requests) == 4)

    assert receiver.told == []


@pytest.mark.parametrize(("refusal", "reason"), [(500, "http_error"), (0.5, "http_timeout")])
async def test_it_is_tried_again_up_to_three_times(receiver, slack, spoken, refusal, reason):
    """A worker that restarts answers 500 for a moment; nothing may be lost."""
    receiver.refusals = [refusal, 503]
    spoken()
    await until(lambda: receiver.told and len(receiver.requests) == 3)

    numbers = [headers.get("X-Slack-Retry-Num") for headers, _ in receiver.requests]
    reasons = [headers.get("X-Slack-Retry-Reason") for headers, _ in receiver.requests]
    assert numbers == [None, "1", "2"]
    assert reasons == [None, reason, "http_error"]
    assert len({json.loads(body)["event_id"] for _, body in receiver.requests}) == 1


async def test_it_gives_up_after_three_retries_or_when_told_to(receiver, slack, spoken):
    """An endpoint that is broken for good is not hammered."""
    receiver.refusals = [500] * 9
    spoken()
    await until(lambda: len(receiver.requests) == 4)
    await asyncio.sleep(0.05)
    assert len(receiver.requests) == 4

    receiver.no_retry = True
    spoken()
    await asyncio.sleep(0.05)
    assert len(receiver.requests) == 5


async def test_the_address_is_verified_by_a_challenge(receiver, slack):
    """Slack turns on no address that does not answer this."""
    assert await slack.verify_url()

    receiver.refusals = [404]
    assert not await slack.verify_url()


async def test_commands_and_buttons_come_as_forms(receiver, slack, world):
    """The same app must work without sockets."""
    pressed = []

    @receiver.app.command("/summarize")
    async def summarize(ack, body) -> None:
        await ack(f"reading {body['text']}")

    @receiver.app.action("stop")
    async def stop(ack, body) -> None:
        await ack()
        pressed.append(body["actions"][0]["action_id"])

    maya, general = world.member_named("maya").id, world.channel_named("general").id
    answer = await slack.run_command(maya, general, "summarize", "today")
    message = world.say(general, world.bot_id, "busy")
    await slack.press_button(maya, general, message.id, "stop")
    await until(lambda: pressed)

    assert answer["ok"]
    assert world.history(general, seen_by=maya)[0].text == "reading today"
