"""Admission: how much the engine is asked at once, who is next, and who must come back later.

vLLM would take everything and let all of it grow slow; and whoever waits inside
it can't be told so. Requests wait here instead, in a bounded queue that is fair
between workspaces and people (`engine/fairness`), and can be asked where they
stand and how long that will take (`engine/throughput`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

import structlog

from bot.errors import EngineBusy
from bot.metrics import ENGINE_REFUSED, ENGINE_WAITING
from bot.ports import Engine
from bot.prompts import Piece, Prompt, ServedModel, Waiting
from engine.fairness import Asker, FairQueue
from engine.throughput import Throughput

log = structlog.get_logger(__name__)

LONGEST_WAIT_S = 600.0
"""Whoever waited that long is told to come back. People see where they stand meanwhile, and may
stop before."""


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
            max_waiting: requests that wait here; beyond it the newest of whoever waits with
                most is refused.
            longest_wait_s: a request that waited that long is refused.
        """
        self._engine = engine
        self._max_running, self._max_waiting = max_running, max_waiting
        self._longest_wait_s = longest_wait_s
        self._running = 0
        self._queue: FairQueue[asyncio.Future[None]] = FairQueue()
        self._throughput = Throughput(places=max_running)
        self._standing: dict[str, int] | None = None
        """The place in the queue of each session's first request; None once the queue changed."""

    @property
    def running(self) -> int:
        """Requests in the engine now."""
        return self._running

    def waiting(self, session: str) -> Waiting | None:
        """Return where the next request of a session stands in the queue; None: none waits."""
        if self._standing is None:
            self._standing = {}
            for ahead, (_turn, asker) in enumerate(self._queue.order()):
                self._standing.setdefault(asker.session, ahead)
        ahead_of_it = self._standing.get(session)
        if ahead_of_it is None:
            return None
        return Waiting(ahead=ahead_of_it, about_s=self._throughput.wait_s(ahead_of_it))

    @property
    def queued(self) -> int:
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
            EngineBusy: there was no room for it in the queue, or it waited too long.
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
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            yield
        finally:
            self._throughput.note(loop.time() - began)
            self._pass_on()

    async def _wait(self, prompt: Prompt) -> None:
        asker = Asker(
            workspace=prompt.salt,
            person=prompt.person,
            session=prompt.session,
            priority=prompt.priority,
        )
        turn = asyncio.get_running_loop().create_future()
        self._queue.push(turn, asker)
        self._queue_changed()
        self._keep_bound()
        try:
            async with asyncio.timeout(self._longest_wait_s):
                await turn
        except (TimeoutError, asyncio.CancelledError) as error:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._pass_on()
            self._queue.remove(turn, asker)
            self._queue_changed()
            if isinstance(error, asyncio.CancelledError):
                raise
            log.warning("load.waited_too_long", waited_s=self._longest_wait_s)
            raise self._busy(f"no turn within {self._longest_wait_s:.0f} s") from error

    def _keep_bound(self) -> None:
        """Refuse whoever the queue has no room for: the newest of whoever waits with most."""
        while len(self._queue) > self._max_waiting:
            turn = self._queue.shed()
            self._queue_changed()
            log.warning("load.refused", running=self._running, waiting=len(self._queue))
            if not turn.done():
                turn.set_exception(
                    self._busy(f"{self._running} requests run and {len(self._queue)} wait already")
                )

    def _queue_changed(self) -> None:
        self._standing = None
        ENGINE_WAITING.set(len(self._queue))

    def _busy(self, why: str) -> EngineBusy:
        ENGINE_REFUSED.inc()
        waiting = len(self._queue)
        return EngineBusy(why, waiting=waiting, about_s=self._throughput.wait_s(waiting))

    def _pass_on(self) -> None:
        """Give a free place to whoever is next, or keep it free."""
        while self._queue:
            turn = self._queue.pop()
            self._queue_changed()
            if not turn.done():
                turn.set_result(None)
                return
        self._running -= 1
