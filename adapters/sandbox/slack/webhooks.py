"""Signed HTTP: events, commands and interactions posted to the app's own address.

Signed as Slack signs (`v0=` HMAC-SHA256 over version, timestamp and body). One post is
one attempt; when to try again is decided in delivery.py.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp

from adapters.sandbox.records import Json
from adapters.sandbox.slack.workspace import Workspace

ANSWER_MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How the app answered one post."""

    ok: bool
    reason: str = ""
    """Why not, as `X-Slack-Retry-Reason` says it."""
    body: str = ""
    no_retry: bool = False


class Webhooks:
    """Posts to one address of the app.

    Args:
        place: The workspace.
        url: Where the app listens.
    """

    def __init__(self, place: Workspace, url: str) -> None:
        self._place = place
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def post_event(
        self, body: Json, *, attempt: int, reason: str, timeout_s: float
    ) -> Answer:
        """Post an event as JSON, on a retry with the headers that tell so."""
        headers = {"Content-Type": "application/json"}
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason}
        return await self._post(json.dumps(body).encode(), headers, timeout_s)

    async def post_form(self, fields: Json, *, timeout_s: float) -> Answer:
        """Post a slash command or an interaction (`payload=…`) as a form."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self._post(urlencode(fields).encode(), headers, timeout_s)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, body: bytes, headers: dict[str, str], timeout_s: float) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        timestamp = str(int(self._place.world.clock()))
        signed = headers | {
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": sign(self._place.signing_secret, timestamp, body),
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }
        try:
            async with asyncio.timeout(timeout_s):
                async with self._session.post(self._url, data=body, headers=signed) as response:
                    read = await response.content.read(ANSWER_MAX_BYTES)
        except TimeoutError:
            return Answer(ok=False, reason="http_timeout")
        except aiohttp.ClientConnectorError:
            return Answer(ok=False, reason="connection_failed")
        except aiohttp.ClientError:
            return Answer(ok=False, reason="unknown_error")
        return Answer(
            ok=200 <= response.status < 300,
            reason="" if response.status < 300 else "http_error",
            body=read.decode("utf-8", "replace"),
            no_retry=response.headers.get("X-Slack-No-Retry") == "1",
        )


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the `X-Slack-Signature` of a body."""
    signed = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
