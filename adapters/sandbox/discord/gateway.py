"""The gateway: `/discord/gateway`, where the bot hears what happens.

One `Connection` a socket, one `Session` a client; the gateway lets the first in, tells
the second what happened, and does to them what a test or the page asks for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import structlog
from aiohttp import web

from adapters.sandbox.discord.compression import squeeze
from adapters.sandbox.discord.connection import Connection
from adapters.sandbox.discord.events import Dispatch
from adapters.sandbox.discord.guild import Guild
from adapters.sandbox.discord.limits import CONNECTIONS_MAX
from adapters.sandbox.discord.reading import GATEWAY_PATH, gateway_url
from adapters.sandbox.discord.sessions import Sessions
from adapters.sandbox.records import Json

log = structlog.get_logger(__name__)

_VERSION = "10"
_ENCODING = "json"


class Gateway:
    """All connections of the bot.

    Args:
        place: The server.
    """

    def __init__(self, place: Guild) -> None:
        self._place = place
        self._sessions = Sessions(place)
        self._connections: list[Connection] = []

    def routes(self) -> list[web.RouteDef]:
        """Return the route that clients connect to."""
        return [web.get(GATEWAY_PATH, self._serve), web.get(GATEWAY_PATH + "/", self._serve)]

    @property
    def count(self) -> int:
        """How many connections have a session now."""
        return sum(one.session is not None for one in self._connections)

    @property
    def connections(self) -> Sequence[Connection]:
        """Those that are open now."""
        return tuple(self._connections)

    def tell(self, told: Dispatch) -> None:
        """Tell every session an event, connected or not."""
        self._sessions.tell(told)

    def interaction(self, data: Json) -> None:
        """Tell that somebody used a command, button or menu; no intent is needed for it."""
        self.tell(Dispatch(name="INTERACTION_CREATE", data=data))

    def drop(self) -> None:
        """Cut every connection without a word; the sessions can be resumed."""
        for connection in self._open():
            connection.cut()

    async def reconnect(self, *, after_s: float) -> None:
        """Ask every client to come back and resume, then close what is left."""
        told = list(self._open())
        for connection in told:
            await connection.ask_to_reconnect()
        await asyncio.sleep(after_s)
        for connection in told:
            if connection in self._connections:
                await connection.close(4000, "Reconnect.")

    async def invalidate(self, *, resumable: bool) -> None:
        """Tell every client that its session is invalid."""
        if not resumable:
            self._sessions.end_all()
        for connection in self._open():
            await connection.invalidate(resumable=resumable)

    async def close(self, code: int = 1001, reason: str = "Going away.") -> None:
        """Close every connection with a code."""
        await asyncio.gather(*(one.close(code, reason) for one in self._open()))

    def _open(self) -> Iterator[Connection]:
        return iter(list(self._connections))

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if len(self._connections) >= CONNECTIONS_MAX:
            return web.Response(status=429, text="too many connections")
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        if request.query.get("v", _VERSION) != _VERSION:
            await ws.close(code=4012, message=b"Invalid API version.")
            return ws
        try:
            if request.query.get("encoding", _ENCODING) != _ENCODING:
                raise ValueError("encoding")
            stream = squeeze(request.query.get("compress"))
        except ValueError as wanted:
            log.warning("sandbox.discord_gateway_refused", wanted=str(wanted))
            await ws.close(code=4002, message=b"Unsupported encoding or compression.")
            return ws
        resume_url = gateway_url(self._place)
        connection = Connection(
            self._place, self._sessions, ws, request.transport, stream, resume_url
        )
        self._connections.append(connection)
        try:
            await connection.run()
        finally:
            self._connections.remove(connection)
        return ws
