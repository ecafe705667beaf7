"""Socket Mode: the WebSockets that an app opens, and the envelopes sent down them.

Up to ten connections; each envelope goes down one of them and waits for its ack. Which
one, and what happens without an ack, is decided in delivery.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from dataclasses import dataclass, field
from typing import Literal

import structlog
from aiohttp import WSMsgType, web

from adapters.sandbox.records import Json
from adapters.sandbox.slack.limits import SOCKETS_MAX
from adapters.sandbox.slack.workspace import Workspace

log = structlog.get_logger(__name__)

EnvelopeKind = Literal["events_api", "slash_commands", "interactive"]
PING_EVERY_S = 10.0
TICKET_LIFE_S = 60.0
TICKETS_MAX = 200


@dataclass(slots=True, eq=False)
class Connection:
    """One open socket and the envelopes that wait for an ack on it."""

    ws: web.WebSocketResponse
    transport: asyncio.Transport | None
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict)
    leaving: bool = False
    """Told to disconnect: gets nothing more, but may still ack."""


class Sockets:
    """The open connections of an app."""

    def __init__(self, place: Workspace) -> None:
        self._place = place
        self._tickets: dict[str, float] = {}
        self._connections: list[Connection] = []
        self._turn = 0
        self._changed = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """Return the route that clients connect to."""
        return [web.get("/slack/socket", self._serve), web.get("/slack/socket/", self._serve)]

    def open_address(self) -> str:
        """Return a WebSocket address with a ticket that is good for a minute."""
        now = self._place.world.clock()
        self._tickets = {t: at for t, at in self._tickets.items() if now - at < TICKET_LIFE_S}
        while len(self._tickets) >= TICKETS_MAX:
            self._tickets.pop(next(iter(self._tickets)))
        ticket = str(uuid.uuid4())
        self._tickets[ticket] = now
        base = self._place.url.replace("http", "ws", 1)
        return f"{base}/slack/socket/?ticket={ticket}&app_id={self._place.app_id}"

    @property
    def count(self) -> int:
        """How many connections take envelopes now."""
        return len(self._open())

    async def wait_connected(self) -> None:
        """Return as soon as a connection takes envelopes."""
        while not self._open():
            self._changed.clear()
            await self._changed.wait()

    async def send(
        self, kind: EnvelopeKind, payload: Json, *, attempt: int, reason: str, timeout_s: float
    ) -> Json | None:
        """Send an envelope and return the ack's payload, or None where none came in time."""
        connection = self._next()
        if connection is None:
            return None
        envelope = str(uuid.uuid4())
        acked: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        connection.waiting[envelope] = acked
        body: Json = {
            "envelope_id": envelope,
            "payload": payload,
            "type": kind,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            body |= {"retry_attempt": attempt, "retry_reason": reason}
        try:
            async with asyncio.timeout(timeout_s):
                if not self._place.faults.is_on("slack", "deaf_sockets"):
                    await connection.ws.send_json(body)
                return await acked
        except (TimeoutError, ConnectionError):
            return None
        finally:
            connection.waiting.pop(envelope, None)

    async def disconnect(self, reason: str, *, after_s: float) -> None:
        """Ask every connection to go, as Slack does when it rotates them, then close it."""
        told = self._open()
        for connection in told:
            connection.leaving = True
            await _send(connection, {"type": "disconnect", "reason": reason} | _debug_info())
        await asyncio.sleep(after_s)
        for connection in told:
            await connection.ws.close()

    def drop(self) -> None:
        """Cut every connection without a word."""
        for connection in list(self._connections):
            connection.leaving = True
            if connection.transport is not None:
                connection.transport.abort()

    async def close(self) -> None:
        """Close every connection."""
        for connection in list(self._connections):
            with contextlib.suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(1):
                    await connection.ws.close()

    def _open(self) -> list[Connection]:
        return [one for one in self._connections if not one.leaving and not one.ws.closed]

    def _next(self) -> Connection | None:
        usable = self._open()
        if not usable:
            return None
        self._turn += 1
        return usable[self._turn % len(usable)]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        made = self._tickets.pop(request.query.get("ticket", ""), None)
        if made is None or self._place.world.clock() - made > TICKET_LIFE_S:
            return web.Response(status=403, text="invalid ticket")
        ws = web.WebSocketResponse(autoping=False)
        await ws.prepare(request)
        if len(self._open()) >= SOCKETS_MAX:
            body = {"type": "disconnect", "reason": "too_many_websockets"} | _debug_info()
            await ws.send_json(body)
            await ws.close()
            return ws
        connection = Connection(ws, request.transport)
        self._connections.append(connection)
        try:
            await _send(connection, self._hello())
            log.info("sandbox.slack_connected", connection=connection.name, open=self.count)
            self._changed.set()
            await self._listen(connection)
        finally:
            self._connections.remove(connection)
            for acked in connection.waiting.values():
                if not acked.done():
                    acked.set_exception(ConnectionError("the socket was closed"))
        return ws

    async def _listen(self, connection: Connection) -> None:
        silent = 0
        while not connection.ws.closed:
            try:
                message = await connection.ws.receive(timeout=PING_EVERY_S)
            except TimeoutError:
                silent += 1
                if silent > 3:
                    await connection.ws.close()
                    return
                with contextlib.suppress(ConnectionError):
                    await connection.ws.ping(b"Ping from applink")
                continue
            silent = 0
            if message.type is WSMsgType.PING:
                if not self._place.faults.is_on("slack", "deaf_sockets"):
                    await connection.ws.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                _take_ack(connection, message.data)

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._open()),
            "connection_info": {"app_id": self._place.app_id},
        } | _debug_info()


async def _send(connection: Connection, body: Json) -> None:
    with contextlib.suppress(ConnectionError):
        await connection.ws.send_json(body)


def _take_ack(connection: Connection, text: str) -> None:
    try:
        body = json.loads(text)
    except ValueError:
        return
    acked = connection.waiting.get(str(body.get("envelope_id"))) if isinstance(body, dict) else None
    if acked is not None and not acked.done():
        payload = body.get("payload")
        acked.set_result(payload if isinstance(payload, dict) else {})


def _debug_info() -> Json:
    return {
        "debug_info": {
            "host": "applink-sandbox",
            "build_number": 1,
            "approximate_connection_time": 18_060,
        }
    }
