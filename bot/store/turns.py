"""What is settled of a conversation, and the one reply that is in the making."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from bot.conversations import Conversation, Reply, Turn
from bot.ports import Lease
from bot.store.keys import key, shard_of
from bot.store.records import decode_reply, decode_turn, encode_reply, encode_turn
from bot.store.server import Server, records_in


class Turns(Server):
    """Turns, the window's mark and the open reply of every conversation."""

    async def turns(self, conversation: Conversation) -> Sequence[Turn]:
        """Return the settled turns, oldest first."""
        of = conversation.key
        records = await self._run(shard_of(of), "turns", of)
        return [decode_turn(record) for record in records_in(records)]

    async def window_start(self, conversation: Conversation) -> int:
        """Return the mark that `keep_window_start` was last given; 0 before."""
        of = conversation.key
        kept = await self._ask(shard_of(of), "HGET", key("state", of), "window")
        return int(kept) if isinstance(kept, bytes) else 0

    async def keep_window_start(self, lease: Lease, start: int) -> None:
        """Remember a mark of where the prompt's window begins; the store doesn't read it."""
        of = lease.conversation.key
        await self._run(shard_of(of), "keep_window_start", of, lease.fence, start)

    async def open_reply(self, lease: Lease) -> Reply | None:
        """Return the reply that a worker began here and did not settle."""
        of = lease.conversation.key
        record = await self._run(shard_of(of), "open_reply", of, lease.fence)
        return decode_reply(record) if isinstance(record, bytes) else None

    async def save_reply(self, lease: Lease, reply: Reply) -> None:
        """Put a reply in the making on record; its message ids lead back to the conversation."""
        of = lease.conversation.key
        await self._run(
            shard_of(of),
            "save_reply",
            of,
            lease.fence,
            encode_reply(reply),
            "\n".join(reply.answers),
            *reply.message_ids,
        )

    async def settle(self, lease: Lease, *, answered: Sequence[str], turns: Sequence[Turn]) -> None:
        """Append turns, drop the answered mail and the open reply, all at once.

        A turn of a message that was deleted in the meantime is left out; one
        of a message that was edited is kept as it reads now.
        """
        encoded = [part for turn in turns for part in encode_turn(turn)]
        digest = hashlib.sha256(repr((lease.fence, tuple(answered), encoded)).encode()).hexdigest()
        of = lease.conversation.key
        await self._run(
            shard_of(of),
            "settle",
            of,
            lease.fence,
            digest,
            len(answered),
            *answered,
            *encoded,
        )
