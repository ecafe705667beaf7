"""What was said in the channels: read, filled from history, edited, deleted, forgotten.

A message can stand in the log, in a mailbox and in turns. An edit and a
deletion reach all three, in one step.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from bot.errors import StoreError
from bot.messages import IncomingMessage, MessageChanged, MessageDeleted, Place, PlatformName
from bot.store.keys import SHARDS, shard_of
from bot.store.records import author_key, channel_id, decode_message, encode_mail
from bot.store.server import Server, number_in, records_in

HISTORY_STEP = 500
"""Messages of history logged in one step; a script holds up everybody while it runs."""
FORGET_STEP = 1_000
"""Messages forgotten in one step, for the same reason."""


class Log(Server):
    """The log of every channel."""

    async def messages(
        self, place: Place, *, limit: int, since: float = 0.0
    ) -> Sequence[IncomingMessage]:
        """Return the newest logged messages of a place, oldest first.

        A thread includes the message that it hangs on.
        """
        if limit <= 0:
            return []
        of = channel_id(place)
        begins = repr(float(since))
        records = await self._run(shard_of(of), "messages", of, place.thread, limit, begins)
        found = [decode_message(record) for record in records_in(records)]
        found.sort(key=lambda one: (one.sent_at, one.message_id))
        return found[-limit:]

    async def log_history(self, messages: Sequence[IncomingMessage]) -> int:
        """Log messages that a platform's history gave; returns how many were new."""
        by_shard = defaultdict[int, list[IncomingMessage]](list)
        for message in messages:
            by_shard[shard_of(channel_id(message.place))].append(message)
        new = 0
        for shard, those in by_shard.items():
            for at in range(0, len(those), HISTORY_STEP):
                step = those[at : at + HISTORY_STEP]
                arguments = [argument for message in step for argument in encode_mail(message)]
                new += number_in(await self._run(shard, "log_history", *arguments))
        return new

    async def change(self, changed: MessageChanged) -> None:
        """Apply an edit everywhere; an older one than was applied already is passed over."""
        of = channel_id(changed.place)
        await self._run(
            shard_of(of),
            "change",
            of,
            changed.message_id,
            repr(float(changed.changed_at)),
            changed.text.encode("utf-8", "replace"),
        )

    async def delete(self, deleted: MessageDeleted) -> None:
        """Take a message out everywhere; it does not come back by history or a late delivery."""
        of = channel_id(deleted.place)
        await self._run(shard_of(of), "delete", of, deleted.message_id)

    async def forget_person(self, platform: PlatformName, person_id: str) -> int:
        """Delete all that a person wrote; returns in how many places it stood.

        Each thousand messages are one step; what is cut off is finished by another call.
        """
        of = author_key(platform, person_id)
        return sum([await self._forget_in(shard, of) for shard in range(SHARDS)])

    async def _forget_in(self, shard: int, person: str) -> int:
        count, left = 0, 1
        while left:
            erased = await self._run(shard, "forget", person, FORGET_STEP)
            match erased:
                case [int(here), int(left)]:
                    count += here
                case _:
                    raise StoreError(f"forget answered {type(erased).__name__}")
        return count
