"""The live feed: one WebSocket a page, which gets a snapshot and then every event.

What a page asks for (older messages, the registered commands) is answered on the same
socket and through the same queue, so that an answer never overtakes an event that
happened before it, nor the other way round. The queue is bounded: a page that doesn't
keep up is dropped, and begins anew with a fresh snapshot when it reconnects.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from adapters.sandbox.page.guarding import Declined, check_caller, parse_object
from adapters.sandbox.records import Json

log = structlog.get_logger(__name__)

PAGES_MAX = 32
QUEUE_MAX = 1_000
SEND_TIMEOUT_S = 10.0
HEARTBEAT_S = 20.0
ASK_MAX_BYTES = 8 * 1024

Answer = Callable[[Json], Json]


@dataclass(eq=False, slots=True)
class _Page:
    """One open page."""

    socket: web.WebSocketResponse
    queue: asyncio.Queue[str]
    gone: Literal["", "slow", "closed"] = ""


class Feed:
    """Sends what happens to every open page.

    Args:
        snapshot: Returns what a page begins with.
        answer: Answers what a page asks; raises Declined.
        queue_max: How many events may wait for one page.
    """

    def __init__(
        self, snapshot: Callable[[], Json], answer: Answer, *, queue_max: int = QUEUE_MAX
    ) -> None:
        self._snapshot = snapshot
        self._answer = answer
        self._queue_max = queue_max
        self._pages: set[_Page] = set()
        self._closed = False

    def publish(self, event: Json) -> None:
        """Send an event to every page, now and in order; never waits."""
        if not self._pages:
            return
        text = json.dumps(event)
        for page in list(self._pages):
            self._put(page, text)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """GET the WebSocket."""
        try:
            check_caller(request)
            if self._closed or len(self._pages) >= PAGES_MAX:
                raise Declined(503, "too_many", "Too many pages are open.")
        except Declined as declined:
            return declined.response()
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=ASK_MAX_BYTES)
        await socket.prepare(request)
        page = _Page(socket, asyncio.Queue(self._queue_max))
        self._put(page, json.dumps(self._snapshot()))
        self._pages.add(page)
        writer = asyncio.create_task(self._write(page))
        try:
            await self._read(page)
        finally:
            self._pages.discard(page)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return socket

    async def close(self) -> None:
        """Tell every page that the sandbox goes away."""
        self._closed = True
        for page in list(self._pages):
            await self._end(page, "closed")

    async def _read(self, page: _Page) -> None:
        async for received in page.socket:
            if received.type is not WSMsgType.TEXT:
                continue
            asked: Json = {}
            try:
                asked = parse_object(received.data)
                said = self._answer(asked)
            except Declined as declined:
                said = {"error": declined.error, "detail": declined.detail}
            self._put(page, json.dumps(said | {"kind": "answer", "id": asked.get("id")}))

    async def _write(self, page: _Page) -> None:
        """Send what waits until the page is gone or too slow."""
        while not page.gone:
            text = await page.queue.get()
            try:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await page.socket.send_str(text)
            except (TimeoutError, ConnectionError):
                page.gone = page.gone or "slow"
        await self._end(page, page.gone)

    def _put(self, page: _Page, text: str) -> None:
        if page.gone:
            return
        try:
            page.queue.put_nowait(text)
        except asyncio.QueueFull:
            # What waits is out of date anyway: the fresh snapshot replaces it.
            page.gone = "slow"
            while not page.queue.empty():
                page.queue.get_nowait()
            page.queue.put_nowait('{"kind": "behind"}')

    async def _end(self, page: _Page, why: Literal["", "slow", "closed"]) -> None:
        self._pages.discard(page)
        page.gone = page.gone or why
        code = WSCloseCode.GOING_AWAY if why == "closed" else WSCloseCode.TRY_AGAIN_LATER
        log.info("sandbox.page_dropped", why=why)
        # A page that is too slow to hear goodbye is gone all the same.
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(1.0):
                await page.socket.close(code=code, message=why.encode())
