"""Digests: summaries that somebody ordered for certain times, and the part of the store that has them.

A digest is kept under its channel, with when it is due next. Whoever finds it
due puts its command into the mailbox where it is told (once, for the command's
id is made of the digest and the time) and then moves it on to the next time.
Any number of workers may do so at once, and any of them may die in between.
The contract tests of both stores are in `tests/contracts/test_store_digests.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.messages import Person, Place, PlatformName


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One standing order."""

    digest_id: str
    number: int
    """What its owner calls it, from 1; it keeps it for life."""
    person: Person
    """Whose it is."""
    about: Place
    """The channel that it sums up. Where it waits for a join: the place where it was ordered."""
    to: Place
    """Where it is told: a direct message, or the channel itself."""
    schedule: str
    """When, in the words that `bot.skills.schedules` reads; or `when I join`."""
    zone: str = ""
    """The clock of the schedule by its IANA name; empty: UTC, for want of a better one."""
    form: Literal["bullets", "paragraph", "decisions", "topics"] = "bullets"
    channel_name: str = ""
    """Of the channel, without `#`; empty where the platform told none."""
    made_at: float = 0.0
    """Unix seconds."""
    due: float = 0.0
    """When it is made next, Unix seconds; 0.0: not by the clock."""
    covered: float = 0.0
    """Up to when the last one told, Unix seconds."""
    skipped: int = 0
    """Times since then at which it was not made, for Jay was away."""


class Digests(Protocol):
    """Part of the store. Every method is one atomic step, and safe to repeat."""

    async def keep_digest(self, digest: Digest, *, most: int) -> bool:
        """Keep a digest; False, and nothing is kept, where its channel has `most` others."""

    async def digests_of(self, platform: PlatformName, person_id: str) -> Sequence[Digest]:
        """Return a person's digests by their numbers. Not atomic over channels."""

    async def drop_digest(self, digest: Digest) -> bool:
        """Drop a digest; False if it was gone already."""

    async def due_digests(self, *, until: float, limit: int) -> Sequence[Digest]:
        """Return digests that are due at a time or before, those first that have waited longest.

        Args:
            until: Unix seconds.
            limit: at most so many of each shard.
        """

    async def move_digest(self, digest: Digest, *, was_due: float) -> bool:
        """Put a digest's record in place of that which was due at a time.

        False, and nothing is done, if it is due at another time by now, or was dropped.
        """
