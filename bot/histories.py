"""What a platform tells of the past, and of the people who ask about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bot.messages import IncomingMessage, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What a platform showed of a range."""

    messages: tuple[IncomingMessage, ...]
    """Oldest first, each once, bots' too; Jay's own are not among them."""
    begins: float
    """From here on nothing is missing that was said outside of threads, Unix seconds."""
    threads: frozenset[str]
    """Threads of which nothing is missing from there on: those that were read, and those of
    which it is known that nothing was said in them."""
    gone: Callable[[str], bool] = lambda thread: False
    """Whether a thread that is not among `threads` would be, if it were still there."""
    whole: bool
    """It reaches back to where the range begins, and no thread was left out for their number."""


class Histories(Protocol):
    """Part of a surface. It raises `PlatformError`s only."""

    async def read_range(self, place: Place, *, limit: int, since: float, until: float) -> History:
        """Read back what was said in a place and its threads, the newest first served.

        It waits where the platform asks for it, a few times and within a minute each.

        Args:
            place: a channel with its threads, or one thread.
            limit: at most so many outside of threads, and what threads hold from the oldest of
                these on; at most so many of a single thread.
            since: sent at this time or later, Unix seconds.
            until: sent before this time; may be infinite.

        Raises:
            MayNotWrite: Jay may not read there.
            MessageGone: there is no such place, as far as Jay can see.
        """

    async def zone(self, person: str) -> str:
        """Return a person's time zone by its IANA name; empty where the platform tells none."""

    async def find_channel(self, near: Place, name: str, *, person: str) -> Place | None:
        """Return a channel of the same workspace that a person may read; None if there is none.

        Whether Jay may read it too is only known for certain when it does.

        Args:
            near: a place of the workspace.
            name: the channel's name without `#`, or its id.
            person: id of the person.
        """

    async def name_of(self, place: Place) -> str:
        """Return what people call a channel, without `#`; empty where it has no name."""

    async def open_direct(self, near: Place, person: str) -> Place:
        """Return the place of direct messages with a person.

        Args:
            near: a place of the workspace.
            person: id of the person.

        Raises:
            MayNotWrite: they take no messages.
        """
