"""Reads what range of messages a person asks for: `last 50`, `today`, `3 hours`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

DEFAULT_LAST = 100
MOST = 500
"""More messages than that take a small model too long."""
EXAMPLES = "`last 50`, `today`, `yesterday`, `2 hours` or `3 days`"
DAY_S = 86_400.0
UNITS_S = {"minute": 60.0, "hour": 3_600.0, "day": DAY_S, "week": 7 * DAY_S}


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Which messages: at most so many of the newest, not older than `since`."""

    limit: int
    since: float = 0.0
    """Unix seconds; 0.0: any age."""
    asked: str
    """The range in words."""


def parse_range(text: str, *, now: float) -> Range | None:
    """Read a range; None where the words make none.

    Args:
        text: what stood after the command; empty means the newest `DEFAULT_LAST`.
        now: Unix seconds. Days begin at midnight UTC.
    """
    asked = " ".join(text.lower().split())
    if not asked:
        return Range(limit=DEFAULT_LAST, asked=f"the last {DEFAULT_LAST} messages")
    if match := re.fullmatch(r"(?:the )?(?:last )?(\d{1,9})(?: messages?)?", asked):
        count = int(match[1])
        limit = min(max(count, 1), MOST)
        return Range(limit=limit, asked=f"the last {limit} messages") if count else None
    midnight = now - now % DAY_S
    if asked == "today":
        return Range(limit=MOST, since=midnight, asked="today")
    if asked == "yesterday":
        return Range(limit=MOST, since=midnight - DAY_S, asked="since yesterday")
    pattern = rf"(?:the )?(?:last )?(\d{{0,4}}) ?({'|'.join(UNITS_S)})s?"
    if match := re.fullmatch(pattern, asked):
        count = int(match[1] or 1)
        span = f"{count} {match[2]}{'s' if count != 1 else ''}"
        return Range(limit=MOST, since=now - count * UNITS_S[match[2]], asked=f"the last {span}")
    return None
