"""Socket Mode: a connection that is kept alive, told to be deaf when it is, and rebuilt.

slack_sdk pings, reconnects, and follows Slack when it rotates connections. What
it does not do: give up on a refused token, and leave an address that no longer
works. So it is watched from outside; when nothing was connected for a while, the
client is thrown away and a new one made. Whatever new connection there is, the
owner is told since when something may have been missed: Slack repeats an event
for some minutes only, and nothing tells for how long it found nobody.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.envelopes import is_sound
from adapters.slack.errors import translated
from bot.errors import PlatformError, TokenRefused, TooFast
from bot.ports import Missed, nothing_missed

log = structlog.get_logger(__name__)

APP_TOKEN_HINT = (
    "SLACK_APP_TOKEN must be an app-level token (xapp-…) with the scope connections:write: make "
    "one under Basic Information › App-Level Tokens"
)
OTHERS_HINT = (
    "Another process has a socket with this SLACK_APP_TOKEN, and Slack gives each of them a part "
    "of the events. If it is no Jay with the same REDIS_URL, stop it or make it an app of its own."
)
LONGEST_WAIT_S = 60.0
CLOSE_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long what is waited for. The defaults are for Slack; tests have less time."""

    retry_s: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0, 30.0)
    """Between tries while Slack can't be reached; the last is repeated."""
    ping_s: float = 5.0
    """Between pings; four without an answer make a connection deaf."""
    look_s: float = 1.0
    """Between looks at the connection."""
    deaf_s: float = 40.0
    """Without a connection for so long, everything is made anew."""


class _Client(SocketModeClient):
    """slack_sdk's client, told by its owner to stop when its token is refused."""

    refused: TokenRefused | None = None

    async def issue_new_wss_url(self) -> str:
        """Ask for an address; remember a refusal, which slack_sdk would only log."""
        try:
            return await ask_address(self.web_client, self.app_token)
        except TokenRefused as error:
            self.refused = error
            raise
        except TooFast as error:
            await asyncio.sleep(min(error.retry_after_s, LONGEST_WAIT_S))
            raise
        except PlatformError as error:
            log.warning("slack.no_socket", error=str(error))
            raise

    async def run_message_listeners(self, message: dict[str, object], raw_message: str) -> None:
        """Pass over an envelope that holds no object: slack_sdk stumbles over it."""
        if isinstance(message.get("payload", {}), dict):
            await super().run_message_listeners(message, raw_message)


class SocketListeners:
    """Several sockets of one app, of which Slack picks one for each event."""

    def __init__(self, listeners: Sequence[SocketListener]) -> None:
        """Take them, unopened."""
        self._listeners = listeners

    @property
    def ready(self) -> bool:
        """Whether events have a way in."""
        return any(one.ready for one in self._listeners)

    async def run(self) -> None:
        """Listen until cancelled.

        Raises:
            TokenRefused: Slack opens no socket for this token.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for one in self._listeners:
                    group.create_task(one.run(), name="slack socket")
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None


class SocketListener:
    """Brings what comes down one socket to a bolt app."""

    def __init__(
        self,
        app: AsyncApp,
        *,
        client: AsyncWebClient,
        app_token: str,
        patience: Patience,
        missed: Missed = nothing_missed,
        own: int = 1,
    ) -> None:
        """Take the app, a Web API client, the token that opens sockets, and whom to tell.

        `own` is how many sockets this process has with it.
        """
        self._own = own
        self._app, self._web, self._token = app, client, app_token
        self._patience, self._missed = patience, missed
        self._heard_until: float | None = None
        """When a connection was last known to be good, Unix seconds."""
        self._client: _Client | None = None

    @property
    def ready(self) -> bool:
        """Whether a connection is open and answers pings."""
        client = self._client
        if client is None or client.closed or client.stale:
            return False
        session, ponged = client.current_session, client.last_ping_pong_time
        answers = ponged is None or time.time() - ponged < 4 * self._patience.ping_s
        return session is not None and not session.closed and answers

    async def run(self) -> None:
        """Listen until cancelled.

        Raises:
            TokenRefused: Slack opens no socket for this token.
        """
        while True:
            await self._listen_until_deaf()
            log.warning("slack.socket_made_anew", deaf_s=self._patience.deaf_s)

    async def _listen_until_deaf(self) -> None:
        client = _Client(
            self._token,
            logger=logging.getLogger("slack_sdk.socket_mode"),
            web_client=self._web,
            ping_interval=self._patience.ping_s,
        )
        client.proxy = self._web.proxy
        client.socket_mode_request_listeners.append(self._heard)
        client.message_listeners.append(self._look_for_others)
        self._client = client
        connecting = asyncio.create_task(_connect(client), name="slack socket")
        try:
            await self._watch(client)
        finally:
            self._client = None
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await _close(client)

    async def _watch(self, client: _Client) -> None:
        loop = asyncio.get_running_loop()
        heard_at, was_ready = loop.time(), False
        session: object = None
        while loop.time() - heard_at < self._patience.deaf_s:
            if client.refused is not None:
                raise client.refused
            if self.ready:
                heard_at = loop.time()
                if client.current_session is not session:
                    session = client.current_session
                    self._missed(self._heard_until)
                self._heard_until = time.time()
            if self.ready != was_ready:
                was_ready = self.ready
                log.info("slack.connected" if was_ready else "slack.disconnected", by="socket")
            await asyncio.sleep(self._patience.look_s)

    async def _look_for_others(
        self, client: AsyncBaseSocketModeClient, message: dict[str, object], _raw: str | None
    ) -> None:
        """Say so where somebody else listens with this token: Slack gives each a part only."""
        count = message.get("num_connections")
        rotates = self._heard_until is not None
        if (
            message.get("type") == "hello"
            and isinstance(count, int)
            and count > self._own
            and not rotates
        ):
            log.warning("slack.others_listen", connections=count, hint=OTHERS_HINT)

    async def _heard(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """Have bolt take an envelope; acked only if bolt answers 200."""
        began = time.time()
        if not is_sound(request.payload):
            log.info("slack.malformed", kind=str(request.type))
            return
        answer = await run_async_bolt_app(self._app, request)
        await send_async_response(client, request, answer, began)


async def ask_address(client: AsyncWebClient, app_token: str) -> str:
    """Ask Slack for the address of a new socket.

    Raises:
        TokenRefused: this token opens none.
        PlatformError: Slack could not be asked.
    """
    try:
        with translated("apps.connections.open"):
            answer = await client.apps_connections_open(app_token=app_token)
    except TokenRefused as error:
        raise TokenRefused(f"{error}. {APP_TOKEN_HINT}") from error
    return str(answer["url"])


async def _connect(client: SocketModeClient) -> None:
    await client.connect()  # type: ignore[no-untyped-call]  # slack_sdk leaves it untyped


async def _close(client: SocketModeClient) -> None:
    await client.close()  # type: ignore[no-untyped-call]  # slack_sdk leaves it untyped
