"""Events by signed HTTP, from the sandbox and from strangers."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
from fakes.slack import Running, serve, settings_for, start, stop, until
from pydantic import SecretStr

from adapters.sandbox.slack import Pace, SlackSide
from adapters.sandbox.slack.limits import Limits
from adapters.slack.limits import BODY_MAX_BYTES


@dataclass
class ByHttp:
    side: SlackSide
    running: Running
    url: str

    def signed(self, body: bytes, *, age_s: float = 0, secret: str = "") -> dict[str, str]:
        """The headers of a signed body."""
        stamp = str(int(time.time() - age_s))
        key = (secret or self.side.signing_secret).encode()
        signed = hmac.new(key, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={signed}",
        }

    async def post(self, body: bytes, *, age_s: float = 0, secret: str = "") -> int:
        return await self.send(body, self.signed(body, age_s=age_s, secret=secret))

    async def send(self, body: bytes, headers: dict[str, str]) -> int:
        async with aiohttp.ClientSession() as session:
            async with session.post(self.url, data=body, headers=headers) as answer:
                return answer.status


@pytest.fixture
async def http(world, faults, ear) -> AsyncIterator[ByHttp]:
    """The edge first, so that its port is known to the sandbox that posts there."""
    asked = SlackSide(world, faults, limits=Limits(time.time, on=False))
    api = await serve(asked)
    settings = settings_for(
        asked,
        app_token=SecretStr(""),
        signing_secret=SecretStr(asked.signing_secret),
        events_port=0,
    )
    running = await start(settings, ear)
    url = f"http://127.0.0.1:{running.edge.port}/slack/events"
    side = SlackSide(
        world,
        faults,
        events_url=url,
        limits=Limits(time.time, on=False),
        pace=Pace(ack_s=2.0, retries_s=(0.0, 0.01, 0.02)),
    )
    side.serve_at(asked.place.url)
    yield ByHttp(side, running, url)
    await stop(running)
    for one in (side, asked):
        await one.close()
    await api.cleanup()


def event(text: str) -> bytes:
    said = {"type": "message", "channel": "C1", "user": "U1", "text": text, "ts": "1.000001"}
    return json.dumps({"type": "event_callback", "team_id": "T1", "event": said}).encode()


async def test_a_signed_event_is_heard(http, ear, maya, general):
    http.side.say_as(maya.id, general, "by http")

    (heard,) = await ear.next()

    assert heard.text == "by http"


async def test_the_address_can_be_verified(http):
    assert await http.side.verify_url()


async def test_a_command_comes_as_a_form(http, ear, maya, general):
    answer = await http.side.run_command(maya.id, general, "answer", "why?")

    assert answer["ok"]
    (heard,) = await ear.next()
    assert (heard.name, heard.text) == ("answer", "why?")


async def test_an_event_that_can_not_be_stored_is_answered_503_and_comes_again(
    http, ear, maya, general
):
    ear.failures = 1
    assert await http.post(event("x")) == 503

    ear.failures = 1
    http.side.say_as(maya.id, general, "keep this")

    await until(lambda: [one.text for one in ear.events] == ["keep this"])


async def test_a_wrong_signature_is_refused(http, ear):
    """Anybody can post to a public address."""
    assert await http.post(event("x"), secret="guessed") == 401
    assert ear.tries == 0


async def test_an_old_request_is_refused(http, ear):
    """It may be one that somebody recorded."""
    assert await http.post(event("x"), age_s=60 * 6) == 401
    assert ear.tries == 0


async def test_a_request_from_the_future_is_refused(http, ear):
    """It would stay good for longer than five minutes."""
    assert await http.post(event("x"), age_s=-60 * 6) == 401
    assert ear.tries == 0


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Slack-Signature", ""),
        ("X-Slack-Signature", "v0="),
        ("X-Slack-Signature", "v0=sch\u00f6n"),
        ("X-Slack-Signature", "v1=" + "0" * 64),
        ("X-Slack-Request-Timestamp", ""),
        ("X-Slack-Request-Timestamp", "yesterday"),
        ("X-Slack-Request-Timestamp", "1e9"),
        ("X-Slack-Request-Timestamp", "9" * 5_000),
        ("X-Slack-Request-Timestamp", "\u0661\u0662"),
    ],
    ids=range(9),
)
async def test_headers_that_sign_nothing_are_refused(http, ear, header, value):
    """A stranger may write anything into them; none of it may be a crash in the log."""
    body = event("x")

    assert await http.send(body, http.signed(body) | {header: value}) == 401
    assert ear.tries == 0


async def test_a_signature_of_another_body_is_refused(http, ear):
    assert await http.send(event("pay me"), http.signed(event("hello"))) == 401
    assert ear.tries == 0


async def test_a_request_that_is_played_again_is_refused(http, ear):
    """Whoever recorded an edit could undo a later one with it."""
    body = event("x")
    headers = http.signed(body)
    assert await http.send(body, headers) == 200

    assert await http.send(body, headers) == 409

    assert ear.tries == 1


async def test_a_request_that_was_not_stored_may_come_again_as_it_was(http, ear):
    """A proxy before Jay may repeat it; nothing was taken from it yet."""
    body = event("x")
    headers = http.signed(body)
    ear.failures = 1
    assert await http.send(body, headers) == 503

    assert await http.send(body, headers) == 200

    assert len(ear.events) == 1


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "application/xml", ""])
async def test_a_content_type_that_slack_never_sends_is_refused(http, ear, kind):
    body = event("x")

    assert await http.send(body, http.signed(body) | {"Content-Type": kind}) == 415
    assert ear.tries == 0


async def test_an_encoding_that_does_not_exist_is_refused(http, ear):
    body = event("x")
    headers = http.signed(body) | {"Content-Type": "application/json; charset=klingon"}

    assert await http.send(body, headers) in (400, 415)
    assert ear.tries == 0


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_only_posts_are_taken(http, ear, method):
    async with aiohttp.ClientSession() as session:
        async with session.request(method, http.url) as answer:
            assert answer.status == 405
    assert ear.tries == 0


async def test_a_body_that_grows_too_large_without_saying_so_is_refused(http, ear):
    """A length that is not announced can't be refused by its header."""

    async def growing() -> AsyncIterator[bytes]:
        for _ in range(BODY_MAX_BYTES // 50_000 + 2):
            yield b"x" * 50_000

    async with aiohttp.ClientSession() as session:
        async with session.post(http.url, data=growing(), headers=http.signed(b"")) as answer:
            assert answer.status == 413
    assert ear.tries == 0


async def test_an_unsigned_request_is_refused(http, ear):
    async with aiohttp.ClientSession() as session:
        async with session.post(http.url, data=event("x")) as answer:
            assert answer.status == 401
    assert ear.tries == 0


async def test_a_body_that_is_too_large_is_refused(http, ear):
    assert await http.post(event("x" * BODY_MAX_BYTES)) == 413
    assert ear.tries == 0


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"{", b'{"type": "event_callback"}', b'{"event": 5}', b"\xff"]
)
async def test_nonsense_does_no_harm(http, ear, body, maya, general):
    assert await http.post(body) in (200, 400, 401, 404)

    http.side.say_as(maya.id, general, "still here")

    (heard,) = await ear.next()
    assert heard.text == "still here"
