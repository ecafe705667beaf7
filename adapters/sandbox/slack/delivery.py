"""How an event reaches the app: by socket or by signed HTTP, with retries.

Events wait in one bounded line. They leave it in order, but each then waits for its own
ack, so that a slow one holds up none. Without an ack in time it is sent again, up to three
times, on whatever connection there is. While no socket is connected the line waits, as
Slack does for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from dataclasses import dataclass

import structlog

from adapters.sandbox.records import Json
from adapters.sandbox.slack.sockets import EnvelopeKind, Sockets
from adapters.sandbox.slack.webhooks import Webhooks
from adapters.sandbox.slack.workspace import Workspace

log = structlog.get_logger(__name__)

LINE_MAX = 2_000
"""Events that wait; the oldest goes when one more comes."""
IN_FLIGHT_MAX = 200
"""Events that were sent and wait for an ack."""
KEPT_S = 600.0
"""How long an event waits for a connection. (Slack gives up after about an hour.)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How patient the delivery is. Slack waits 3 s, then retries at once, after 1 and 5 min."""

    ack_s: float = 3.0
    retries_s: tuple[float, ...] = (0.0, 1.0, 3.0)


class Delivery:
    """Brings events, commands and interactions to the app.

    Args:
        place: The workspace.
        sockets: Where envelopes go unless there are webhooks.
        webhooks: Where requests go instead, None for Socket Mode.
        pace: The timeouts.
    """

    def __init__(
        self, place: Workspace, sockets: Sockets, webhooks: Webhooks | None, pace: Pace
    ) -> None:
        self._place = place
        self._sockets = sockets
        self._webhooks = webhooks
        self._pace = pace
        self._line: deque[tuple[float, Json]] = deque(maxlen=LINE_MAX)
        self._filled = asyncio.Event()
        self._room = asyncio.Semaphore(IN_FLIGHT_MAX)
        self._sending: set[asyncio.Task[None]] = set()
        self._pump: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether there is a way to the app now."""
        return self._webhooks is not None or self._sockets.count > 0

    def push(self, body: Json) -> None:
        """Put an event into the line. Needs a running event loop."""
        copies = 2 if self._place.faults.is_on("slack", "duplicate_events") else 1
        for _ in range(copies):
            self._line.append((self._place.world.clock(), body))
        self._filled.set()
        if self._pump is None or self._pump.done():
            self._pump = asyncio.get_running_loop().create_task(self._run())

    async def ask(self, kind: EnvelopeKind, payload: Json) -> Json | None:
        """Bring a command or an interaction to the app and return its answer.

        Returns:
            What the ack carried (an empty dict for a bare ack), None where none came.
        """
        if self._webhooks is None:
            return await self._sockets.send(
                kind, payload, attempt=0, reason="", timeout_s=self._pace.ack_s
            )
        fields = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
        answer = await self._webhooks.post_form(fields, timeout_s=self._pace.ack_s)
        if not answer.ok:
            return None
        with contextlib.suppress(ValueError):
            read = json.loads(answer.body)
            return read if isinstance(read, dict) else {}
        return {"text": answer.body} if answer.body.strip() else {}

    async def post_once(self, body: Json) -> str | None:
        """Post a body by HTTP without retry and return what the app answered, if it was 2xx."""
        if self._webhooks is None:
            return None
        answer = await self._webhooks.post_event(
            body, attempt=0, reason="", timeout_s=self._pace.ack_s
        )
        return answer.body if answer.ok else None

    async def close(self) -> None:
        """Stop sending; what waits is dropped."""
        running = [*self._sending, *([self._pump] if self._pump else [])]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self._webhooks is not None:
            await self._webhooks.close()

    async def _run(self) -> None:
        while True:
            while not self._line:
                self._filled.clear()
                await self._filled.wait()
            late = False
            if self._webhooks is None and not self._sockets.count:
                await self._sockets.wait_connected()
                late = True
            await self._room.acquire()
            since, body = self._line.popleft()
            if self._place.world.clock() - since > KEPT_S:
                self._room.release()
                log.warning("sandbox.slack_event_expired", event_id=body.get("event_id"))
                continue
            late = late or self._place.world.clock() - since > self._pace.ack_s
            task = asyncio.create_task(self._deliver(body, first=1 if late else 0))
            self._sending.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._room.release()

    async def _deliver(self, body: Json, *, first: int) -> None:
        reason = "timeout" if first else ""
        for attempt in range(first, len(self._pace.retries_s) + 1):
            if attempt > first:
                await asyncio.sleep(self._pace.retries_s[attempt - 1])
            acked, reason, again = await self._try(body, attempt, reason)
            if acked:
                return
            if not again:
                break
        log.warning("sandbox.slack_event_lost", event_id=body.get("event_id"), reason=reason)

    async def _try(self, body: Json, attempt: int, reason: str) -> tuple[bool, str, bool]:
        if self._webhooks is not None:
            answer = await self._webhooks.post_event(
                body, attempt=attempt, reason=reason, timeout_s=self._pace.ack_s
            )
            return answer.ok, answer.reason, not answer.no_retry
        try:
            async with asyncio.timeout(KEPT_S):
                await self._sockets.wait_connected()
        except TimeoutError:
            return False, "timeout", False
        acked = await self._sockets.send(
            "events_api", body, attempt=attempt, reason=reason, timeout_s=self._pace.ack_s
        )
        return acked is not None, "timeout", True
