"""What Slack allows: sizes, counts and paces, as its documentation states them.

`adapters/sandbox/slack/limits.py` states them a second time, on purpose, so that
one end checks the other.
"""

from __future__ import annotations

from bot.paces import Pace, SharedPace

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
UPDATES = SharedPace(making_per_s=30 / 60, last_per_s=42 / 60, burst=8, posts=False)
"""A workspace allows fifty `chat.update`s in any minute; some of them are for last words alone."""
APPENDS = SharedPace(making_per_s=72 / 60, last_per_s=90 / 60, burst=8, posts=False)
"""And a hundred `chat.appendStream`s."""
