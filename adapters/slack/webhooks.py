"""Events by HTTP, at `/slack/events`: read within bounds, verified, then taken by bolt.

Nothing is parsed before its signature is found good (`signing`). Bolt answers
`url_verification`. What is not stored is answered 503, so that Slack delivers it
again.

| answer | to what |
|---|---|
| 401 | no or another signature, a time stamp more than five minutes away |
| 409 | a request that was taken before |
| 413, 408 | a body above 1 MB; one that takes over ten seconds to come |
| 415, 400 | neither JSON nor a form; nothing that Slack would send |
"""

from __future__ import annotations

import asyncio
import json

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

from adapters.slack.envelopes import is_sound
from adapters.slack.limits import BODY_MAX_BYTES
from adapters.slack.signing import Signatures
from bot.errors import SettingsError
from bot.ports import Missed, nothing_missed

log = structlog.get_logger(__name__)

PATH = "/slack/events"
JSON = "application/json"
KINDS = (JSON, "application/x-www-form-urlencoded")
"""What Slack sends: events, and commands as forms."""
OK = 200
READ_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 3.0


class WebhookListener:
    """Serves the events address to Slack."""

    def __init__(
        self,
        app: AsyncApp,
        *,
        signing_secret: str,
        port: int,
        host: str = "0.0.0.0",
        missed: Missed = nothing_missed,
    ) -> None:
        """Take the app that events go to, what signs them, where to listen, and whom to tell."""
        self._missed = missed
        self._app, self._host, self._wanted_port = app, host, port
        self._signatures = Signatures(signing_secret)
        self.port = 0
        """The port that is served; 0 before."""

    @property
    def ready(self) -> bool:
        """Whether the address is served."""
        return bool(self.port)

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            SettingsError: the port can't be had.
        """
        served = web.Application(client_max_size=BODY_MAX_BYTES)
        served.router.add_post(PATH, self._take)
        runner = web.AppRunner(served, access_log=None, shutdown_timeout=CLOSE_TIMEOUT_S)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, self._host, self._wanted_port).start()
            except OSError as error:
                raise SettingsError(
                    f"SLACK_EVENTS_PORT {self._wanted_port} can't be listened on: {error.strerror}"
                ) from error
            self.port = runner.addresses[0][1]
            log.info("slack.connected", by="http", port=self.port)
            self._missed(None)
            await asyncio.Event().wait()
        finally:
            self.port = 0
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                body = await request.read()
        except TimeoutError:
            return web.Response(status=408)
        if not self._signatures.good(body, request.headers):
            log.warning("slack.bad_signature", remote=request.remote)
            return web.Response(status=401)
        if request.content_type not in KINDS or (request.charset or "utf-8").lower() != "utf-8":
            log.info("slack.wrong_content_type", kind=request.content_type)
            return web.Response(status=415)
        if not self._signatures.use(request.headers):
            log.warning("slack.played_again", remote=request.remote)
            return web.Response(status=409)
        answer = await self._answer(request)
        if answer.status != OK:
            self._signatures.forget(request.headers)
        return answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        try:
            text = await request.text()
            if request.content_type == JSON and not _is_sound(text):
                return web.Response(status=400)
            taken = await to_bolt_request(request)
        except ValueError:
            log.info("slack.unreadable_request", bytes=request.content_length)
            return web.Response(status=400)
        answer: web.StreamResponse = await to_aiohttp_response(
            await self._app.async_dispatch(taken)
        )
        return answer


def _is_sound(text: str) -> bool:
    return is_sound(json.loads(text))
