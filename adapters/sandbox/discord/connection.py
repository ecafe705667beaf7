"""One WebSocket of the gateway: hello, identify or resume, heartbeats, events, the end.

It listens on one side and, once it has a session, pumps that session's events on the
other. What a client does wrong closes it with Discord's own code; so does a heartbeat
that stays out, as with a client whose loop is blocked.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from typing import Any

import structlog
from aiohttp import WSMsgType, web

from adapters.sandbox.discord import events, identifying, limits
from adapters.sandbox.discord.compression import Squeeze
from adapters.sandbox.discord.guild import Guild
from adapters.sandbox.discord.identifying import Closed
from adapters.sandbox.discord.sessions import Session, Sessions
from adapters.sandbox.records import Json

log = structlog.get_logger(__name__)

HEARTBEAT, IDENTIFY, PRESENCE, VOICE_STATE, RESUME, RECONNECT = 1, 2, 3, 4, 6, 7
REQUEST_MEMBERS, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 8, 9, 10, 11
_BEFORE_SESSION = (HEARTBEAT, IDENTIFY, RESUME)
_KNOWN = (*_BEFORE_SESSION, PRESENCE, VOICE_STATE, REQUEST_MEMBERS)
_ENDS_SESSION = (1000, 1001)
"""A client that closes with one of these will not resume."""
SEND_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 1.0
ACK_AFTER_S = 0.01
"""A network's way and back."""


class Connection:
    """A client that has connected.

    Args:
        place: The server.
        sessions: Where its session comes from.
        ws: The socket, prepared.
        transport: What is under it, to be cut without a word.
        squeeze: Compresses what is sent, None for plain text.
        resume_url: Where its session can be resumed.
    """

    def __init__(
        self,
        place: Guild,
        sessions: Sessions,
        ws: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        squeeze: Squeeze | None,
        resume_url: str,
    ) -> None:
        self.session: Session | None = None
        self.heartbeats = 0
        self.longest_silence_s = 0.0
        """Between two heartbeats."""
        self._place = place
        self._sessions = sessions
        self._ws = ws
        self._transport = transport
        self._squeeze = squeeze
        self._resume_url = resume_url
        self._sending = asyncio.Lock()
        self._pump: asyncio.Task[None] | None = None
        self._received: deque[float] = deque(maxlen=limits.GATEWAY_SENDS)
        self._deaf = False
        self._sent_away = False

    async def run(self) -> None:
        """Serve the client until it goes or is sent away."""
        interval_ms = int(self._place.pace.heartbeat_s * 1000)
        try:
            await self._send({"op": HELLO, "d": {"heartbeat_interval": interval_ms}})
            await self._listen()
        except Closed as closed:
            log.info("sandbox.discord_closed", code=closed.code, reason=closed.reason)
            await self.close(closed.code, closed.reason)
        finally:
            await self._let_go()

    async def ask_to_reconnect(self) -> None:
        """Send RECONNECT; the client is to come back and resume."""
        await self._send({"op": RECONNECT, "d": None})

    async def invalidate(self, *, resumable: bool) -> None:
        """Send INVALID_SESSION."""
        await self._send({"op": INVALID_SESSION, "d": resumable})

    async def close(self, code: int, reason: str = "") -> None:
        """Close the socket with a code, but don't wait long for the client's farewell."""
        self._sent_away = True
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._ws.close(code=code, message=reason.encode())

    def cut(self) -> None:
        """Cut the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    # What the client says

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        patience_s = self._place.pace.heartbeat_s * 1.5
        heard_at = loop.time()
        while True:
            try:
                message = await self._ws.receive(
                    timeout=max(0.001, heard_at + patience_s - loop.time())
                )
            except TimeoutError:
                if self.session is not None:
                    self._sessions.end(self.session)
                raise Closed(4009, "Session timed out.") from None
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            op, data = self._read(message.data)
            if op == HEARTBEAT:
                self.heartbeats += 1
                self.longest_silence_s = max(self.longest_silence_s, loop.time() - heard_at)
                heard_at = loop.time()
                # An ack that arrives before discord.py has noted its beat is taken for 41 s late.
                await asyncio.sleep(min(ACK_AFTER_S, self._place.pace.heartbeat_s / 20))
                await self._send({"op": HEARTBEAT_ACK, "d": None})
            else:
                await self._serve(op, data)

    def _read(self, given: str | bytes) -> tuple[int, Any]:
        """Return the op and data of a payload. Raises Closed."""
        now = asyncio.get_running_loop().time()
        recent = self._received
        if len(recent) == limits.GATEWAY_SENDS and now - recent[0] < limits.GATEWAY_SENDS_PER_S:
            raise Closed(4008, "You are being rate limited.")
        recent.append(now)
        if len(given) > limits.GATEWAY_PAYLOAD_MAX:
            raise Closed(4002, "Payload exceeds maximum size.")
        try:
            payload = json.loads(given)
        except (ValueError, RecursionError):
            raise Closed(4002, "Error while decoding payload.") from None
        if not isinstance(payload, dict):
            raise Closed(4002, "Error while decoding payload.")
        op = payload.get("op")
        if op not in _KNOWN:
            raise Closed(4001, "Unknown opcode.")
        if self.session is None and op not in _BEFORE_SESSION:
            raise Closed(4003, "Not authenticated.")
        self._check_token()
        return int(op), payload.get("d")

    async def _serve(self, op: int, data: Any) -> None:
        if op == IDENTIFY:
            await self._identify(data)
        elif op == RESUME:
            await self._resume(data)
        elif not isinstance(data, dict):
            raise Closed(4002, "Error while decoding payload.")
        elif op == REQUEST_MEMBERS and self.session is not None:
            chunk = events.members_chunk(self._place, data, self.session.intents)
            if chunk is not None:
                self.session.tell(chunk, bot=self._place.world.bot_id)

    async def _identify(self, data: Any) -> None:
        if self.session is not None:
            raise Closed(4005, "Already authenticated.")
        wanted = identifying.identify(self._place, data)
        session = self._sessions.begin(
            asked=wanted.intents, shard=wanted.shard, resume_url=self._resume_url
        )
        if session is None:
            await self.invalidate(resumable=False)
            return
        self._attach(session, seen=0)
        log.info("sandbox.discord_identified", session=session.id, intents=wanted.intents)

    async def _resume(self, data: Any) -> None:
        if self.session is not None:
            raise Closed(4005, "Already authenticated.")
        wanted = identifying.resume(self._place, data)
        session = self._sessions.find(wanted.session)
        if session is None or session.since(wanted.seq) is None:
            await self.invalidate(resumable=False)
            return
        if wanted.seq > session.seq:
            self._sessions.end(session)
            raise Closed(4007, "Invalid seq.")
        missed = session.seq - wanted.seq
        session.tell(events.resumed(), bot=self._place.world.bot_id)
        self._attach(session, seen=wanted.seq)
        log.info("sandbox.discord_resumed", session=session.id, missed=missed)

    def _check_token(self) -> None:
        if self.session is not None and not self._place.is_token(self._place.bot_token):
            raise Closed(4004, "Authentication failed.")

    # What the client is told

    def _attach(self, session: Session, *, seen: int) -> None:
        if session.holder is not None:
            session.holder()
        session.holder, session.left_at = self.cut, None
        self.session = session
        self._pump = asyncio.create_task(self._tell(session, seen))

    async def _tell(self, session: Session, seen: int) -> None:
        """Send a session's events as they come, from the number that the client has seen."""
        with contextlib.suppress(ConnectionError):
            while True:
                session.news.clear()
                missed = session.since(seen)
                if missed is None:
                    await self.close(4000, "Too far behind.")
                    return
                for seq, text in missed:
                    if not self._place.is_token(self._place.bot_token):
                        await self.close(4004, "Authentication failed.")
                        return
                    await self._send_text(text)
                    seen = seq
                await session.news.wait()

    async def _send(self, payload: Json) -> None:
        with contextlib.suppress(ConnectionError):
            await self._send_text(json.dumps({"t": None, "s": None} | payload))

    async def _send_text(self, text: str) -> None:
        # Deaf for good: what is swallowed here only a resume can bring.
        self._deaf = self._deaf or self._place.faults.is_on("discord", "deaf_sockets")
        if self._deaf:
            return
        async with self._sending:
            try:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    if self._squeeze is None:
                        await self._ws.send_str(text)
                    else:
                        await self._ws.send_bytes(self._squeeze(text))
            except TimeoutError:
                self.cut()
                raise ConnectionError("the client does not read") from None

    async def _let_go(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump
        session = self.session
        if session is None or session.holder != self.cut:
            return
        session.holder = None
        if self._ws.close_code in _ENDS_SESSION and not self._sent_away:
            self._sessions.end(session)
        else:
            self._sessions.leave(session)
