"""What an index needs of the store: what changed since it last looked, and vectors kept there.

The store numbers every change of a channel's log. Whoever has read up to one
asks for what came after it, so that an index is brought up to date by what is
new and nothing else, after a restart and in any process. The contract tests
of both stores are in `tests/contracts/test_store_changes.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.messages import IncomingMessage, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changed in a channel's log since a revision."""

    messages: Sequence[IncomingMessage]
    """As they read now, those first that changed first."""
    gone: Sequence[str]
    """Ids of messages that are no longer there: deleted, forgotten, too old, over the bound."""
    revision: int
    """All up to this one is told; ask with it the next time."""
    anew: bool
    """The reader must forget all that it knows: it starts, or was away for too long."""


class ChangeLog(Protocol):
    """The part of the store that indexes read. Raises what `bot.ports.Store` does."""

    async def changes(self, place: Place, *, since: int, limit: int) -> Changes:
        """Return what changed in a channel with its threads, in one atomic step.

        Args:
            place: any place in the channel.
            since: the revision up to which the reader knows; 0: nothing.
            limit: at most so many messages; with as many, there may be more.
        """
        ...

    async def vectors(self, place: Place, message_ids: Sequence[str]) -> Mapping[str, bytes]:
        """Return what `keep_vectors` was given for these messages, where it is still right.

        An edit or a deletion of a message drops its vector.
        """
        ...

    async def keep_vectors(self, place: Place, vectors: Mapping[str, bytes]) -> None:
        """Keep a vector with each message, as long as it; unknown messages are passed over."""
        ...
