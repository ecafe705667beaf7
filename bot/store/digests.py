"""The digests: each in the shard of the channel that it sums up, with its due time beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import structlog

from bot.digests import Digest
from bot.errors import StoreVersion
from bot.messages import PlatformName
from bot.store.keys import SHARDS, key, shard_of
from bot.store.records import author_key, channel_id, decode_digest, encode_digest
from bot.store.server import Server, in_order, number_in, records_in

log = structlog.get_logger(__name__)


class KeptDigests(Server):
    """The digests of everybody."""

    async def keep_digest(self, digest: Digest, *, most: int) -> bool:
        """Keep a digest; False, and nothing is kept, where its channel has `most` others."""
        kept = await self._run(
            shard_of(channel_id(digest.about)),
            "keep_digest",
            *_names(digest),
            channel_id(digest.about),
            repr(digest.due),
            most,
            encode_digest(digest),
        )
        return number_in(kept) == 1

    async def digests_of(self, platform: PlatformName, person_id: str) -> Sequence[Digest]:
        """Return a person's digests by their numbers."""
        of = author_key(platform, person_id)
        answers = await in_order(
            self._ask(shard, "HVALS", key("digests", of, shard=shard)) for shard in range(SHARDS)
        )
        return sorted(_readable(answers), key=lambda one: (one.number, one.made_at))

    async def drop_digest(self, digest: Digest) -> bool:
        """Drop a digest; False if it was gone already."""
        of = channel_id(digest.about)
        return number_in(await self._run(shard_of(of), "drop_digest", *_names(digest), of)) == 1

    async def due_digests(self, *, until: float, limit: int) -> Sequence[Digest]:
        """Return digests that are due at a time or before, those first that have waited longest."""
        answers = await self._run_everywhere("due_digests", repr(until), limit)
        return sorted(_readable(answers), key=lambda one: one.due)

    async def move_digest(self, digest: Digest, *, was_due: float) -> bool:
        """Put a digest's record in place of that which was due at a time."""
        moved = await self._run(
            shard_of(channel_id(digest.about)),
            "move_digest",
            *_names(digest),
            repr(was_due),
            repr(digest.due),
            encode_digest(digest),
        )
        return number_in(moved) == 1


def _readable(answers: Iterable[object]) -> Iterator[Digest]:
    """Yield the digests of the shards' answers; one that can't be read holds up no other."""
    for record in chain.from_iterable(map(records_in, answers)):
        try:
            yield decode_digest(record)
        except StoreVersion as error:
            log.warning("store.digest_unreadable", error=str(error))


def _names(digest: Digest) -> tuple[str, str]:
    return author_key(digest.about.platform, digest.person.id), digest.digest_id
