"""Admission: how much the engine is asked at once, who is next, and who must come back later.

vLLM would take everything and let all of it grow slow; and whoever waits inside
it can't be told so. Requests wait here instead, in a bounded queue that is fair
between workspaces and conversations (`engine/fairness`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

import structlog

from bot.errors import EngineBusy
from bot.ports import Engine
from bot.prompts import Piece, Prompt, ServedModel
from engine.fairness import Asker, FairQueue

log = structlog.get_logger(__name__)

LONGEST_WAIT_S = 120.0
"""Whoever waited that long is told to come back: people have given up long before."""


class LimitedEngine:
    """An engine that is asked no more than `max_running` requests at once."""

    def __init__(
        self,
        engine: Engine,
        *,
        max_running: int,
        max_waiting: int,
        longest_wait_s: float = LONGEST_WAIT_S,
    ) -> None:
        """Stand before an engine.

        Args:
            engine: which one.
            max_running: requests in it at once.
            max_waiting: requests that wait here; beyond it they are refused.
            longest_wait_s: a request that waited that long is refused.
        """
        self._engine = engine
        self._max_running, self._max_waiting = max_running, max_waiting
        self._longest_wait_s = longest_wait_s
        self._running = 0
        self._queue: FairQueue[asyncio.Future[None]] = FairQueue()

    @property
    def running(self) -> int:
        """Requests in the engine now."""
        return self._running

    @property
    def waiting(self) -> int:
        """Requests that wait for their turn."""
        return len(self._queue)

    async def model(self) -> ServedModel:
        """As the engine's own; never waits for a turn."""
        return await self._engine.model()

    async def encode(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """As the engine's own; never waits for a turn."""
        return await self._engine.encode(texts)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """As the engine's own, when its turn has come.

        Raises:
            EngineBusy: too many wait already, or it waited too long.
            EngineError: as the engine's own.
        """
        async with self._turn(prompt), aclosing(self._engine.stream(prompt)) as pieces:
            async for piece in pieces:
                yield piece

    @asynccontextmanager
    async def _turn(self, prompt: Prompt) -> AsyncIterator[None]:
        if self._running < self._max_running:
            self._running += 1
        else:
            await self._wait(prompt)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, prompt: Prompt) -> None:
        ahead = len(self._queue)
        if ahead >= self._max_waiting:
            log.warning("load.refused", running=self._running, waiting=ahead)
            raise EngineBusy(f"{self._running} requests run and {ahead} wait already")
        asker = Asker(priority=prompt.priority, workspace=prompt.salt, session=prompt.session)
        turn = asyncio.get_running_loop().create_future()
        self._queue.push(turn, asker)
        try:
            async with asyncio.timeout(self._longest_wait_s):
                await turn
        except (TimeoutError, asyncio.CancelledError) as error:
            if turn.done() and not turn.cancelled():
                self._pass_on()
            self._queue.remove(turn, asker)
            if isinstance(error, asyncio.CancelledError):
                raise
            log.warning("load.waited_too_long", waited_s=self._longest_wait_s)
            raise EngineBusy(
                f"no turn within {self._longest_wait_s:.0f} s, behind {ahead} others"
            ) from error

    def _pass_on(self) -> None:
        """Give a free place to whoever is next, or keep it free."""
        while self._queue:
            turn = self._queue.pop()
            if not turn.done():
                turn.set_result(None)
                return
        self._running -= 1
