"""What the store keeps beside the messages themselves: notes on stretches of them.

A note is what the model said of some messages. It is kept under a digest of all
that went into it, so that a later summary finds it as long as nothing of that
has changed. It goes when one of its messages is edited or taken back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.messages import Place


class Notes(Protocol):
    """Part of the store. Every method is one atomic step, and safe to repeat."""

    async def notes(self, place: Place, digests: Sequence[str]) -> Mapping[str, str]:
        """Return those notes of a channel that are kept, by digest."""
        ...

    async def keep_note(
        self, place: Place, digest: str, text: str, *, message_ids: Sequence[str]
    ) -> None:
        """Keep a note for a week, or as long as the retention where that is shorter.

        Nothing is kept if one of the messages was deleted in the meantime.

        Args:
            place: whose channel the messages are in.
            digest: a hash of all that the note depends on.
            text: the note.
            message_ids: the messages that it stands on. An edit or a deletion of any of them
                drops it.
        """
        ...

    async def count_deleted(self, place: Place, *, since: float, until: float) -> int:
        """Return how many logged messages of a place were deleted; newer ones than the log keeps.

        Args:
            place: a thread, or a channel with its threads.
            since: sent at this time or later, Unix seconds.
            until: sent before this time.
        """
        ...
