"""What a platform tells of the past, and of the people who ask about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.messages import IncomingMessage, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What a platform showed of a range."""

    messages: tuple[IncomingMessage, ...]
    """Oldest first, each once, bots' too; Jay's own are not among them."""
    begins: float
    """From here on nothing that was said outside of threads is missing, Unix seconds."""
    threads: frozenset[str]
    """Threads of which nothing in the range is missing."""
    whole: bool
    """Nothing that it knows of was left out, for the limit or for the number of threads."""


class Histories(Protocol):
    """Part of a surface. It raises `PlatformError`s only."""

    async def read_range(self, place: Place, *, limit: int, since: float, until: float) -> History:
        """Read back what was said in a place and its threads, the newest first served.

        It waits where the platform asks for it, a few times and within a minute each.

        Args:
            place: a channel with its threads, or one thread.
            limit: at most so many of each thread and of the channel outside of threads.
            since: sent at this time or later, Unix seconds.
            until: sent before this time; may be infinite.

        Raises:
            MayNotWrite: Jay may not read there.
            MessageGone: there is no such place, as far as Jay can see.
        """
        ...

    async def zone(self, person: str) -> str:
        """Return a person's time zone by its IANA name; empty where the platform tells none."""
        ...
