"""Claims conversations that have mail, and keeps the lease while each is answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import structlog

from bot.errors import JayError, LeaseLost, StoreError
from bot.metrics import RUNNING
from bot.ports import Lease, Store
from bot.replying import Replier

log = structlog.get_logger(__name__)

CLAIM_WAIT_S = 1.0
"""How long one claim waits; also how soon a lease that ran out is noticed."""
LOOK_EVERY_S = 1.0
"""How often a running reply renews its lease and looks whether it should stop."""
RETRY_AFTER_S = 5.0
"""Rest before mail is tried again that a platform's or the store's outage kept unanswered."""


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
    _draining: asyncio.Event = field(default_factory=asyncio.Event)

    def drain(self) -> None:
        """Begin nothing new; `run` returns when what runs has ended or the grace is over."""
        self._draining.set()

    async def run(self) -> None:
        """Work until `drain` or cancellation. What is cut off is taken up by another worker."""
        slots = asyncio.Semaphore(self.conversations)
        running: set[asyncio.Task[None]] = set()
        try:
            while not self._draining.is_set():
                await slots.acquire()
                lease = await self._claim()
                if lease is None:
                    slots.release()
                    continue
                if self._draining.is_set():
                    await self._release(lease)
                    break
                task = asyncio.create_task(self._answer(lease), name=lease.conversation.key)
                running.add(task)
                task.add_done_callback(running.discard)
                task.add_done_callback(lambda _: slots.release())
            if running:
                await asyncio.wait(running, timeout=self.grace_s)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _claim(self) -> Lease | None:
        try:
            return await self.store.claim(
                worker=self.name, lease_s=self.lease_s, wait_s=CLAIM_WAIT_S
            )
        except StoreError as error:
            log.error("worker.no_store", error=str(error), hint=error.hint)
            await asyncio.sleep(CLAIM_WAIT_S)
            return None

    async def _answer(self, lease: Lease) -> None:
        RUNNING.inc()
        stop = asyncio.Event()
        reply = asyncio.create_task(self.replier.reply(lease, stop=stop))
        try:
            await self._hold(lease, reply, stop)
            if reply.done():
                await asyncio.sleep(await self._look_at(lease, reply))
            await self._release(lease)
        finally:
            reply.cancel()
            await asyncio.gather(reply, return_exceptions=True)
            RUNNING.dec()

    async def _hold(self, lease: Lease, reply: asyncio.Task[None], stop: asyncio.Event) -> None:
        """Keep the lease until the reply has ended or the lease is lost."""
        loop = asyncio.get_running_loop()
        held_until = loop.time() + self.lease_s
        while not reply.done():
            await asyncio.wait({reply}, timeout=LOOK_EVERY_S)
            try:
                if await self.store.renew(lease, lease_s=self.lease_s):
                    stop.set()
                held_until = loop.time() + self.lease_s
            except LeaseLost:
                log.warning("worker.lease_lost", conversation=lease.conversation.key)
                return
            except StoreError:
                if loop.time() > held_until:
                    return

    async def _look_at(self, lease: Lease, reply: asyncio.Task[None]) -> float:
        """Return how long to rest before the conversation may be tried again."""
        try:
            await reply
        except LeaseLost:
            return 0.0
        except JayError as error:
            log.error(
                "worker.reply_failed",
                conversation=lease.conversation.key,
                error=str(error),
                hint=error.hint,
            )
            return RETRY_AFTER_S
        except Exception:
            log.exception("worker.reply_crashed", conversation=lease.conversation.key)
            await self._give_up(lease)
        return 0.0

    async def _give_up(self, lease: Lease) -> None:
        try:
            await self.replier.give_up(lease)
        except JayError as error:
            log.error("worker.not_settled", error=str(error))

    async def _release(self, lease: Lease) -> None:
        try:
            await self.store.release(lease)
        except StoreError as error:
            log.info("worker.not_released", error=str(error))
