"""What Slack allows: sizes, counts and paces, as its documentation states them.

`adapters/sandbox/slack/limits.py` states them a second time, on purpose, so that
one end checks the other.
"""

from __future__ import annotations

from bot.errors import TooFast
from bot.ports import Pace

UPDATE_TEXT_MAX = 4_000
"""`chat.update` takes no longer text, so no part is longer either."""
MARKDOWN_TEXT_MAX = 12_000
"""`markdown_text`, and a native stream as a whole."""
PART_CHARS = UPDATE_TEXT_MAX - 100
"""A part in Slack's own markup; with some room in case Slack counts otherwise."""
MARKDOWN_PART_CHARS = MARKDOWN_TEXT_MAX - 500
"""A part of a native stream; what a mend adds must still fit."""
STREAM_LIFE_S = 240.0
"""Slack closes a stream after about five minutes; Jay does before."""
BODY_MAX_BYTES = 1_000_000
"""The largest event that is read. Slack's own stay far below."""
PAGE = 200
"""Messages asked for in one call of the history, as Slack recommends."""

WRITE_PACE = Pace(writes=3, per_s=3.6)
"""One message a second a channel, short bursts above; an edit is counted as fifty a minute."""
READ_PACE = Pace(writes=20, per_s=30.0)
"""Of the fifty `conversations.history` and `.replies` a minute; the rest is for people who ask."""
UPDATES_PER_MINUTE = 36.0
"""Of the fifty `chat.update`s a minute that a workspace allows; the rest is for last words."""
UPDATES_BURST = 8.0


class UpdateAllowance:
    """Shares the workspace's edits among all the replies that are being written.

    A bucket: an edit that is not a reply's last one waits while it is empty; last
    ones are never held back.
    """

    def __init__(self) -> None:
        """Begin with a full bucket."""
        self._left = UPDATES_BURST
        self._filled_at = 0.0

    def take(self, now: float, *, last: bool) -> None:
        """Count an edit.

        Args:
            now: seconds of a clock that only goes forward.
            last: whether these are a reply's last words.

        Raises:
            TooFast: so many replies are being written that this edit has to wait.
        """
        grown = max(0.0, now - self._filled_at) * UPDATES_PER_MINUTE / 60.0
        self._left = min(UPDATES_BURST, self._left + grown)
        self._filled_at = now
        if self._left < 1.0 and not last:
            wait_s = (1.0 - self._left) * 60.0 / UPDATES_PER_MINUTE
            raise TooFast("the workspace's edits are used up", retry_after_s=min(wait_s, 15.0))
        self._left = max(-UPDATES_BURST, self._left - 1.0)
