"""The messages of a world, by channel and in order.

Kept sorted by id, whatever order they come in: seeds are told into the past. Bounded: a
channel keeps its newest `KEPT_MESSAGES`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator

from adapters.sandbox.ids import Ids
from adapters.sandbox.records import Message

KEPT_MESSAGES = 20_000


class Ledger:
    """Every message that was said, deleted ones included.

    Args:
        ids: Knows how message ids sort.
    """

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._messages: dict[str, dict[str, Message]] = {}
        self._order: dict[str, list[str]] = {}
        self._replies: dict[tuple[str, str], list[str]] = {}

    def add(self, message: Message) -> None:
        """Keep a message; the oldest of its channel goes when there are too many."""
        kept = self._messages.setdefault(message.channel, {})
        order = self._order.setdefault(message.channel, [])
        kept[message.id] = message
        insort(order, message.id, key=self._ids.key)
        if message.thread is not None:
            replies = self._replies.setdefault((message.channel, message.thread), [])
            insort(replies, message.id, key=self._ids.key)
        if len(order) > KEPT_MESSAGES:
            gone = order.pop(0)
            del kept[gone]
            self._replies.pop((message.channel, gone), None)

    def get(self, channel: str, message_id: str) -> Message | None:
        """Return a message, or None."""
        return self._messages.get(channel, {}).get(message_id)

    def newest(self, channel: str) -> str | None:
        """Return the id of a channel's newest message, None where there is none."""
        order = self._order.get(channel)
        return order[-1] if order else None

    def all(self, channel: str) -> Iterator[Message]:
        """Yield the messages of a channel, oldest first."""
        kept = self._messages.get(channel, {})
        for message_id in list(self._order.get(channel, ())):
            yield kept[message_id]

    def between(
        self, channel: str, after: str | None, before: str | None, *, inclusive: bool
    ) -> Iterator[Message]:
        """Yield the messages between two ids (None for no bound), oldest first."""
        order, kept = self._order.get(channel, []), self._messages.get(channel, {})
        key = self._ids.key
        to_the_left, to_the_right = bisect_left, bisect_right
        if not inclusive:
            to_the_left, to_the_right = bisect_right, bisect_left
        start = 0 if after is None else to_the_left(order, key(after), key=key)
        end = len(order) if before is None else to_the_right(order, key(before), key=key)
        for message_id in order[start:end]:
            yield kept[message_id]

    def replies(self, channel: str, root: str) -> Iterator[Message]:
        """Yield the replies of a thread, oldest first, without its root."""
        kept = self._messages.get(channel, {})
        for message_id in list(self._replies.get((channel, root), ())):
            if message_id in kept:
                yield kept[message_id]
