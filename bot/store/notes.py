"""Notes on stretches of messages, and what is known of messages that are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.errors import StoreError
from bot.messages import Place
from bot.store.keys import key, shard_of
from bot.store.records import channel_id
from bot.store.server import Server, records_in


class KeptNotes(Server):
    """The notes of every channel."""

    async def notes(self, place: Place, digests: Sequence[str]) -> Mapping[str, str]:
        """Return those notes of a channel that are kept, by digest."""
        if not digests:
            return {}
        channel = channel_id(place)
        names = [key("note", f"{channel}:{digest}") for digest in digests]
        found = await self._ask(shard_of(channel), "MGET", *names)
        if not isinstance(found, list):
            raise StoreError(f"a list of notes was expected, not {type(found).__name__}")
        return {
            digest: text.decode()
            for digest, text in zip(digests, found, strict=True)
            if isinstance(text, bytes)
        }

    async def keep_note(
        self, place: Place, digest: str, text: str, *, message_ids: Sequence[str]
    ) -> None:
        """Keep a note, unless one of its messages was deleted in the meantime."""
        said, channel = text.encode("utf-8", "replace"), channel_id(place)
        await self._run(shard_of(channel), "keep_note", channel, digest, said, *message_ids)

    async def count_deleted(self, place: Place, *, since: float, until: float) -> int:
        """Return how many logged messages of a place were deleted."""
        before = "+inf" if until == float("inf") else f"({until!r}"
        channel = channel_id(place)
        name = key("deleted", channel)
        gone = await self._ask(shard_of(channel), "ZRANGEBYSCORE", name, repr(since), before)
        parts = [one.decode().split("\n", 1) for one in records_in(gone)]
        return sum(1 for thread, one in parts if place.thread in ("", thread, one))
