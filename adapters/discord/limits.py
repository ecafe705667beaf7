"""Discord's limits as Jay keeps them.

The sandbox writes the same numbers a second time, on purpose: one end checks
the other. Source: discord.com/developers, "Rate Limits", "Message",
"Application Commands", "Receiving and Responding".
"""

from __future__ import annotations

from bot.paces import Pace, SharedPace

CONTENT_MAX = 2_000
"""Characters of one message."""
NONCE_MAX = 25
COMMAND_DESCRIPTION_MAX = 100
HISTORY_PAGE = 100
"""The most messages of one call."""
HISTORY_MAX = 1_000
"""The most that Jay reads back of one channel: ten calls."""

PACE = Pace(writes=1, per_s=1.25)
"""Discord allows about 5 writes in 5 s to a channel. One each 1.25 s is at most 5 in any
5 s, whatever the moment that its window opens; a bucket of 5 would let 10 through."""

SHARED_PACE = SharedPace(making_per_s=30.0, last_per_s=40.0, burst=5)
"""Of the fifty calls a second that a bot has in all; ten are left for reading back."""
READ_PACE = Pace(writes=10, per_s=1.0)
"""Of the fifty calls a second that a bot has in all."""

CALLBACK_S = 2.5
"""An interaction must have its first answer within 3 s."""
INTERACTION_S = 14.5 * 60
"""An interaction's token is good for 15 minutes; half a minute is left for the way."""

_EPOCH_S = 1_420_070_400
"""Snowflakes count from the first second of 2015."""


def said_at(snowflake: str) -> float:
    """Return when the thing with this id was made, in Unix seconds.

    Raises:
        ValueError: it is no id.
    """
    return (int(snowflake) >> 22) / 1000 + _EPOCH_S


def id_at(at: float) -> str:
    """Return the id that something made at this time would have, Unix seconds."""
    return str(max(0, int((at - _EPOCH_S) * 1000) << 22))


def earlier(snowflake: str, *, by_s: float) -> str:
    """Return an id from so many seconds before another, not below 0."""
    return str(max(0, int(snowflake) - (int(by_s * 1000) << 22)))


def cut(text: str, most: int) -> str:
    """Cut a text to a field's limit, with an ellipsis where something is missing."""
    return text if len(text) <= most else text[: most - 1] + "…"
