"""What changed in a channel's log, and the vectors that stand beside its messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.changes import Changes
from bot.errors import StoreError
from bot.messages import Place
from bot.store.keys import shard_of
from bot.store.records import channel_id, decode_message
from bot.store.server import Server, records_in

VECTORS_STEP = 500
"""Vectors read or kept in one step; a script holds up everybody while it runs."""


class ChangesOfLog(Server):
    """A `bot.changes.ChangeLog`."""

    async def changes(self, place: Place, *, since: int, limit: int) -> Changes:
        """Return what changed in a channel with its threads, in one atomic step."""
        of = channel_id(place)
        answer = await self._run(shard_of(of), "changes", of, since, limit)
        match answer:
            case [int(anew), int(revision), list() as gone, list() as records]:
                return Changes(
                    messages=[decode_message(one) for one in records_in(records)],
                    gone=[one.decode() for one in records_in(gone)],
                    revision=revision,
                    anew=bool(anew),
                )
            case _:
                raise StoreError(f"changes answered {type(answer).__name__}")

    async def vectors(self, place: Place, message_ids: Sequence[str]) -> Mapping[str, bytes]:
        """Return the vectors of these messages that are there and still right."""
        of, found = channel_id(place), dict[str, bytes]()
        for at in range(0, len(message_ids), VECTORS_STEP):
            step = message_ids[at : at + VECTORS_STEP]
            kept = records_in(await self._run(shard_of(of), "vectors", of, *step))
            found.update((one, vector) for one, vector in zip(step, kept, strict=True) if vector)
        return found

    async def keep_vectors(self, place: Place, vectors: Mapping[str, bytes]) -> None:
        """Keep a vector with each message, as long as it."""
        of, pairs = channel_id(place), list(vectors.items())
        for at in range(0, len(pairs), VECTORS_STEP):
            step = [part for pair in pairs[at : at + VECTORS_STEP] for part in pair]
            await self._run(shard_of(of), "keep_vectors", of, *step)
