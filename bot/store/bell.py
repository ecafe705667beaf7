"""Which shards to ask for mail, and when: at once where the bell rang, else now and then.

A script that wakes a conversation publishes its shard. What is published may
get lost (a failover, a broken connection), so each shard is asked every two
seconds whatever was heard, and when a lease there runs out: the queues are the
truth, the bell only saves time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog
from redis.exceptions import NoPermissionError, RedisError

from bot.store.keys import BELL, SHARDS
from bot.store.topology import Topology

ASK_EVERY_S = 2.0
AGAIN_AFTER_S = 0.5
FORBIDDEN_REST_S = 60.0
FORBIDDEN = "Replies begin up to two seconds late. See docs/operations.md: A user of its own."
SHARD_NAMES = {str(shard).encode() for shard in range(SHARDS)}

log = structlog.get_logger(__name__)


class Bell:
    """Listens while somebody waits for mail. Times are the event loop's."""

    def __init__(self, topology: Topology) -> None:
        """Begin with every shard to be asked."""
        self._topology = topology
        self._due = [0.0] * SHARDS
        self._rang = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    def due(self, *, all_of_them: bool = False) -> Sequence[int]:
        """Return the shards to be asked now, those first that are due longest."""
        now = asyncio.get_running_loop().time()
        shards = [shard for shard in range(SHARDS) if all_of_them or self._due[shard] <= now]
        return sorted(shards, key=lambda shard: self._due[shard])

    def asking(self, shard: int) -> None:
        """Note that a shard is being asked; what rings from now on is not lost."""
        self._due[shard] = asyncio.get_running_loop().time() + ASK_EVERY_S

    def ask_again(self, shard: int, *, in_s: float) -> None:
        """Have a shard asked in so many seconds, or sooner."""
        due = asyncio.get_running_loop().time() + in_s
        if due < self._due[shard]:
            self._due[shard] = due
            self._rang.set()

    async def wait(self, until: float) -> Sequence[int]:
        """Wait until a shard is due, or until a time of the loop; returns those that are due."""
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen(), name="store bell")
        while True:
            self._rang.clear()
            due = self.due()
            first = min(until, *self._due)
            if due or asyncio.get_running_loop().time() >= until:
                return due
            try:
                async with asyncio.timeout_at(first):
                    await self._rang.wait()
            except TimeoutError:
                continue

    async def close(self) -> None:
        """Listen no longer."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    async def _listen(self) -> None:
        at = 0
        while True:
            try:
                servers = await self._topology.servers()
                at += 1
                async with servers[at % len(servers)].pubsub() as pubsub:
                    await pubsub.subscribe(BELL)
                    while True:
                        told = await pubsub.get_message(timeout=None)
                        if told and told["type"] == "subscribe":
                            self._ask_all()
                        elif told and told["data"] in SHARD_NAMES:
                            self.ask_again(int(told["data"]), in_s=0.0)
            except NoPermissionError as error:
                log.warning("store.bell_forbidden", error=str(error), hint=FORBIDDEN)
                await asyncio.sleep(FORBIDDEN_REST_S)
            except (RedisError, OSError) as error:
                # Whoever asks a shard meets the same trouble, and tells of it.
                log.debug("store.bell_lost", error=type(error).__name__)
                await self._topology.doubt(error)
                self._ask_all()
                await asyncio.sleep(AGAIN_AFTER_S)

    def _ask_all(self) -> None:
        for shard in range(SHARDS):
            self.ask_again(shard, in_s=0.0)
