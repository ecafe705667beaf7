"""Claims conversations that have mail, and keeps the lease while each is answered.

A lease is taken to hold for its length since the last renewal was asked for,
on this machine's monotonic clock, which also runs while the process is stopped.
After that nothing more is written, whatever the store may still say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from bot.errors import (
    EngineError,
    JayError,
    LeaseLost,
    PlatformError,
    PlatformUnreachable,
    Rejected,
    StoreError,
    TokenRefused,
)
from bot.messages import PlatformName
from bot.metrics import RUNNING
from bot.ports import Lease, Store
from bot.replying import Replier

log = structlog.get_logger(__name__)

CLAIM_WAIT_S = 1.0
"""How long one claim waits; also how soon a lease that ran out is noticed."""
LOOK_EVERY_S = 1.0
"""How often a running reply renews its lease and looks whether it should stop."""
LOOKS_PER_S = 150
"""All that run together look no oftener, as long as their leases allow."""
RELEASE_S = 2.0
"""A lease that can't be given back in so long runs out by itself."""
RETRY_AFTER_S = 5.0
"""Rest before mail is tried again that an outage kept unanswered: a platform's, the store's, or the
engine's where nobody waits for the reply."""
CRASHED_REST_S = 1.0
"""Rest before mail is tried again whose reply crashed; others wait behind it."""


@dataclass(slots=True, kw_only=True)
class Worker:
    """Answers up to `conversations` conversations side by side."""

    name: str
    store: Store
    replier: Replier
    conversations: int
    lease_s: float
    grace_s: float
    """How long replies may still take once `drain` was called."""
    refused: set[PlatformName] = field(default_factory=set)
    """Platforms that refused the token when they were last written to."""
    _draining: asyncio.Event = field(default_factory=asyncio.Event)
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    def drain(self) -> None:
        """Begin nothing new; `run` returns when what runs has ended or the grace is over."""
        self._draining.set()

    async def run(self) -> None:
        """Work until `drain` or cancellation. What is cut off is handed over to another worker."""
        running = self._running
        draining = asyncio.create_task(self._draining.wait(), name="draining")
        try:
            while not self._draining.is_set():
                if len(running) >= self.conversations:
                    await asyncio.wait({draining, *running}, return_when=asyncio.FIRST_COMPLETED)
                    continue
                lease = await self._claim()
                if lease is None:
                    continue
                if self._draining.is_set():
                    await self._release(lease)
                    break
                task = asyncio.create_task(self._answer(lease), name=lease.conversation.key)
                running.add(task)
                task.add_done_callback(running.discard)
            if running:
                await asyncio.wait(running, timeout=self.grace_s)
        finally:
            draining.cancel()
            cut_off = tuple(running)
            if cut_off:
                log.info("worker.handing_over", conversations=len(cut_off))
            for task in cut_off:
                task.cancel()
            await asyncio.gather(*cut_off, return_exceptions=True)

    async def _claim(self) -> Lease | None:
        try:
            return await self.store.claim(
                worker=self.name, lease_s=self.lease_s, wait_s=CLAIM_WAIT_S
            )
        except StoreError as error:
            # The store tells of its troubles itself, once.
            log.debug("worker.no_store", error=str(error))
            await asyncio.sleep(CLAIM_WAIT_S)
            return None

    async def _answer(self, lease: Lease) -> None:
        RUNNING.inc()
        stop, hold = asyncio.Event(), _Hold(length_s=self.lease_s)
        reply = asyncio.create_task(self.replier.reply(lease, stop=stop, holds=lambda: hold.holds))
        rested = False
        try:
            await self._keep(lease, hold, reply, stop)
            if reply.done():
                await self._rest(lease, hold, await self._look_at(lease, reply))
                rested = True
        finally:
            reply.cancel()
            (outcome,) = await asyncio.gather(reply, return_exceptions=True)
            # Also where this was cut off: else people would wait until the lease runs out. But
            # a write that may still arrive is waited for that long, so that none stands twice.
            if rested or not isinstance(outcome, PlatformUnreachable):
                await self._release(lease)
            RUNNING.dec()

    async def _keep(
        self, lease: Lease, hold: _Hold, reply: asyncio.Task[None], stop: asyncio.Event
    ) -> None:
        """Keep the lease until the reply has ended or the lease is lost."""
        while not reply.done():
            await asyncio.wait({reply}, timeout=self._look_every_s)
            if not await self._renew(lease, hold, stop):
                log.warning("worker.lease_lost", conversation=lease.conversation.key)
                return

    @property
    def _look_every_s(self) -> float:
        return min(max(LOOK_EVERY_S, len(self._running) / LOOKS_PER_S), self.lease_s / 4)

    async def _renew(self, lease: Lease, hold: _Hold, stop: asyncio.Event) -> bool:
        """Prolong the lease; False once it is lost."""
        asked_at = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(hold.until):
                if await self.store.renew(lease, lease_s=self.lease_s):
                    stop.set()
        except LeaseLost:
            hold.until = asked_at
        except (StoreError, TimeoutError) as error:
            log.info("worker.not_renewed", error=str(error))
        else:
            hold.until = asked_at + self.lease_s
        return hold.holds

    async def _rest(self, lease: Lease, hold: _Hold, rest_s: float) -> None:
        """Let a conversation rest before it is tried again; its lease keeps others off."""
        loop = asyncio.get_running_loop()
        until = loop.time() + rest_s
        while (left_s := until - loop.time()) > 0 and not self._draining.is_set():
            await asyncio.sleep(min(left_s, LOOK_EVERY_S))
            if not await self._renew(lease, hold, asyncio.Event()):
                return

    async def _look_at(self, lease: Lease, reply: asyncio.Task[None]) -> float:
        """Return how long to rest before the conversation may be tried again."""
        platform = lease.conversation.platform
        try:
            await reply
            self.refused.discard(platform)
        except LeaseLost:
            return 0.0
        except Rejected as error:
            # It is this reply that can't be: the try counts.
            log.error("worker.reply_refused", conversation=lease.conversation.key, error=str(error))
            await self._count(self.replier.blame, lease)
            return CRASHED_REST_S
        except JayError as error:
            # A refused token hits every try of every conversation, and so does a store that is
            # away: the first is told once, the second tells itself.
            told = isinstance(error, StoreError) or (
                isinstance(error, TokenRefused) and platform in self.refused
            )
            tell = log.debug if told else log.error
            tell(
                "worker.reply_failed",
                conversation=lease.conversation.key,
                error=str(error),
                hint=error.hint,
            )
            if isinstance(error, TokenRefused):
                self.refused.add(platform)
            if isinstance(error, PlatformError | EngineError):
                await self._count(self.replier.excuse, lease)
            return RETRY_AFTER_S
        except Exception:
            log.exception("worker.reply_crashed", conversation=lease.conversation.key)
            await self._count(self.replier.blame, lease)
            return CRASHED_REST_S
        return 0.0

    async def _count(self, how: Callable[[Lease], Awaitable[None]], lease: Lease) -> None:
        try:
            await how(lease)
        except StoreError as error:
            log.info("worker.try_not_counted", error=str(error))

    async def _release(self, lease: Lease) -> None:
        try:
            async with asyncio.timeout(RELEASE_S):
                await self.store.release(lease)
        except (StoreError, TimeoutError) as error:
            log.info("worker.not_released", error=str(error))


@dataclass(slots=True, kw_only=True)
class _Hold:
    """Until when a lease is known to hold, by the loop's clock."""

    length_s: float
    until: float = field(init=False)

    def __post_init__(self) -> None:
        self.until = asyncio.get_running_loop().time() + self.length_s

    @property
    def holds(self) -> bool:
        return asyncio.get_running_loop().time() < self.until
