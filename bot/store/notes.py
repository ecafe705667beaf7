"""Notes on stretches of messages, and what is known of messages that are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.messages import Place
from bot.store.keys import key
from bot.store.records import channel_id
from bot.store.server import Server, records_in


class KeptNotes(Server):
    """The notes of every channel."""

    async def notes(self, place: Place, digests: Sequence[str]) -> Mapping[str, str]:
        """Return those notes of a channel that are kept, by digest."""
        if not digests:
            return {}
        names = [key("note", f"{channel_id(place)}:{digest}") for digest in digests]
        found = await self._ask(self._client.mget(names))
        return {
            digest: text.decode()
            for digest, text in zip(digests, found, strict=True)
            if isinstance(text, bytes)
        }

    async def keep_note(
        self, place: Place, digest: str, text: str, *, message_ids: Sequence[str]
    ) -> None:
        """Keep a note, unless one of its messages was deleted in the meantime."""
        said = text.encode("utf-8", "replace")
        await self._run("keep_note", channel_id(place), digest, said, *message_ids)

    async def count_deleted(self, place: Place, *, since: float, until: float) -> int:
        """Return how many logged messages of a place were deleted."""
        before = "+inf" if until == float("inf") else f"({until!r}"
        gone = await self._ask(
            self._client.zrangebyscore(key("deleted", channel_id(place)), repr(since), before)
        )
        parts = [one.decode().split("\n", 1) for one in records_in(gone)]
        return sum(1 for thread, one in parts if place.thread in ("", thread, one))
