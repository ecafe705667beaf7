"""Who may write to a conversation: claims, renewals, releases, and the wish to stop.

A conversation with mail and nobody's lease stands in the queue `waiting`, by
since when. A claim takes the first and gives it a fence, a number that grows
with every claim; each script of the holder compares it. Leases stand in
`leased` by when they run out, on the server's clock: whoever claims next puts
those that ran out back into the queue.

Each shard has both of its own. A claim asks the shards that the `Bell` names;
who finds nothing waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.conversations import Conversation
from bot.errors import StoreError, StoreUnreachable
from bot.ports import Lease
from bot.store.keys import SHARDS, STOP_S, key, shard_of
from bot.store.server import Server, number_in

MICROSECONDS = 1_000_000


class Leases(Server):
    """The queues of conversations and the leases on them."""

    async def claim(self, *, worker: str, lease_s: float, wait_s: float) -> Lease | None:
        """Take the conversation that has waited longest in its shard; the shards take turns."""
        until = asyncio.get_running_loop().time() + wait_s
        shards = self._bell.due(all_of_them=wait_s <= 0)
        while True:
            if lease := await self._claim_in_one_of(shards, worker, lease_s):
                return lease
            if asyncio.get_running_loop().time() >= until:
                return None
            shards = await self._bell.wait(until)

    async def renew(self, lease: Lease, *, lease_s: float) -> bool:
        """Prolong the lease. Returns True if a person asked to stop since the claim."""
        of = lease.conversation.key
        return number_in(await self._run(shard_of(of), "renew", of, lease.fence, _us(lease_s))) == 1

    async def release(self, lease: Lease) -> None:
        """Give the conversation back; with mail left it is awake again at once.

        The lease is spent then: whatever else is written with it is refused.
        """
        of = lease.conversation.key
        await self._run(shard_of(of), "release", of, lease.fence)

    async def ask_stop(self, conversation: Conversation) -> None:
        """Ask the worker that has the conversation to stop its reply. Kept one minute."""
        of = conversation.key
        await self._ask(shard_of(of), "SET", key("stop", of), "1", "EX", STOP_S)

    async def _claim_in_one_of(
        self, shards: Sequence[int], worker: str, lease_s: float
    ) -> Lease | None:
        """Return the first lease that is to be had.

        A server of several that is away holds nobody up whose shard lies elsewhere: it is met
        once, and its shards are put off.
        """
        away: set[int] = set()
        for shard in shards:
            if shard in away:
                continue
            try:
                lease = await self._claim_in(shard, worker, lease_s)
            except StoreUnreachable:
                away |= await self._beside(shard)
                if len(away) == SHARDS:
                    raise
                for one in away:
                    self._bell.asking(one)
                continue
            if lease is not None:
                return lease
        return None

    async def _claim_in(self, shard: int, worker: str, lease_s: float) -> Lease | None:
        self._bell.asking(shard)
        match await self._run(shard, "claim", worker, _us(lease_s), repeat=False):
            case [b"", int(lapse_us)]:
                if lapse_us >= 0:
                    self._bell.ask_again(shard, in_s=lapse_us / MICROSECONDS)
                return None
            case [bytes(found), int(fence)]:
                self._bell.ask_again(shard, in_s=0.0)
                conversation = Conversation.parse(found.decode())
                return Lease(conversation=conversation, fence=fence, worker=worker)
            case answer:
                raise StoreError(f"claim answered {type(answer).__name__}")


def _us(seconds: float) -> int:
    return round(seconds * MICROSECONDS)
