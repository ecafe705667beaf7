"""What is settled of a conversation, and the one reply that is in the making."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from bot.conversations import Conversation, Reply, Turn
from bot.ports import Lease
from bot.store.keys import key
from bot.store.records import decode_reply, decode_turn, encode_reply, encode_turn
from bot.store.server import Server, records_in


class Turns(Server):
    """Turns, the window's mark and the open reply of every conversation."""

    async def turns(self, conversation: Conversation) -> Sequence[Turn]:
        """Return the settled turns, oldest first."""
        records = await self._run("turns", conversation.key)
        return [decode_turn(record) for record in records_in(records)]

    async def window_start(self, conversation: Conversation) -> int:
        """Return the mark that `keep_window_start` was last given; 0 before."""
        kept = await self._ask(self._client.hget(key("state", conversation.key), "window"))
        return int(kept) if kept else 0

    async def keep_window_start(self, lease: Lease, start: int) -> None:
        """Remember a mark of where the prompt's window begins; the store doesn't read it."""
        await self._run("keep_window_start", lease.conversation.key, lease.fence, start)

    async def open_reply(self, lease: Lease) -> Reply | None:
        """Return the reply that a worker began here and did not settle."""
        record = await self._run("open_reply", lease.conversation.key, lease.fence)
        return decode_reply(record) if isinstance(record, bytes) else None

    async def save_reply(self, lease: Lease, reply: Reply) -> None:
        """Put a reply in the making on record; its message ids lead back to the conversation."""
        await self._run(
            "save_reply",
            lease.conversation.key,
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
        await self._run(
            "settle",
            lease.conversation.key,
            lease.fence,
            digest,
            len(answered),
            *answered,
            *encoded,
        )
