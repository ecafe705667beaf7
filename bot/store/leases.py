"""Who may write to a conversation: claims, renewals, releases, and the wish to stop.

A conversation with mail and nobody's lease stands in the queue `waiting`, by
since when. A claim takes the first and gives it a fence, a number that grows
with every claim; each script of the holder compares it. Leases stand in
`leased` by when they run out, on the server's clock: whoever claims next puts
those that ran out back into the queue.

Who finds nothing to claim blocks on the list `bell`, into which every wake-up
puts an item, until something comes, a lease runs out, or the wait is over. An
item that gets lost costs only time: the queue is the truth.
"""

from __future__ import annotations

import asyncio

from bot.conversations import Conversation
from bot.errors import StoreError
from bot.ports import Lease
from bot.store.keys import STOP_S, key
from bot.store.server import BLOCK_S, Server, number_in

MICROSECONDS = 1_000_000
SHORTEST_BLOCK_S = 0.01
"""Zero would block for ever."""


class Leases(Server):
    """The queue of conversations and the leases on them."""

    async def claim(self, *, worker: str, lease_s: float, wait_s: float) -> Lease | None:
        """Take the conversation that has waited longest with mail, and nobody's lease."""
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_s
        while True:
            match await self._run("claim", worker, _us(lease_s), repeat=False):
                case [b"", int(lapse_us)]:
                    pass
                case [bytes(found), int(fence)]:
                    conversation = Conversation.parse(found.decode())
                    return Lease(conversation=conversation, fence=fence, worker=worker)
                case answer:
                    raise StoreError(f"claim answered {type(answer).__name__}")
            left_s = until - loop.time()
            if left_s <= 0:
                return None
            lapse_s = lapse_us / MICROSECONDS if lapse_us >= 0 else BLOCK_S
            await self._hear_bell(min(left_s, lapse_s, BLOCK_S))

    async def renew(self, lease: Lease, *, lease_s: float) -> bool:
        """Prolong the lease. Returns True if a person asked to stop since the claim."""
        answer = await self._run("renew", lease.conversation.key, lease.fence, _us(lease_s))
        return number_in(answer) == 1

    async def release(self, lease: Lease) -> None:
        """Give the conversation back; with mail left it is awake again at once.

        The lease is spent then: whatever else is written with it is refused.
        """
        await self._run("release", lease.conversation.key, lease.fence)

    async def ask_stop(self, conversation: Conversation) -> None:
        """Ask the worker that has the conversation to stop its reply. Kept one minute."""
        await self._ask(self._client.set(key("stop", conversation.key), "1", ex=STOP_S))

    async def _hear_bell(self, within_s: float) -> None:
        block_s = max(SHORTEST_BLOCK_S, within_s)
        await self._ask(self._client.blpop([key("bell")], timeout=block_s), blocks_s=block_s)


def _us(seconds: float) -> int:
    return round(seconds * MICROSECONDS)
