"""Reads what range of messages a person asks for. Pure.

`last 50`, `today`, `3 hours`, `since monday 9:00`, `from 12 nov to 14 nov
18:00`, `since I was last here`. Days and times are those of the person's
clock. A bare time or weekday is the latest one that is past; what lies ahead,
or ends before it begins, is no range, and the person is told so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

from bot.skills.moments import read_moment

DEFAULT_LAST = 100
MOST = 1_000
"""The most messages of one summary: as many as the platforms' histories are read back."""
EXAMPLES = (
    "`last 50`, `today`, `3 hours`, `since monday 9:00`, `from 12 nov to 14 nov 18:00` "
    "or `since I was last here`"
)
UNITS_S = {
    "minute": 60.0,
    "min": 60.0,
    "hour": 3_600.0,
    "day": 86_400.0,
    "week": 7 * 86_400.0,
}
MY_LAST = re.compile(
    r"since (?:i was (?:last )?here|i left|my last (?:message|visit))(?: last)?"
    r"|(?:what )?(?:did )?i miss(?:ed)?"
)
LAST = re.compile(r"(?:the )?(?:last |newest )?(\d{1,9})(?: messages?)?")
SPAN = re.compile(rf"(?:the )?(?:last |past )?(\d{{0,4}}) ?({'|'.join(UNITS_S)})s?")
SINCE = re.compile(r"(?:since|after) (.+)")
FROM_TO = re.compile(r"(?:from|between) (.+?) (?:to|until|till|and) (.+)")
CALENDAR = re.compile(r"[a-z]|\d[:.]\d")

Why = Literal["unknown", "ahead", "backwards"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Which messages: those sent from `since` on and before `until`, the newest `limit` of them."""

    asked: str
    """The range in words, as it was understood."""
    limit: int = MOST
    """The most that are read."""
    count: int = 0
    """The newest so many are asked for; 0: all."""
    since: float = 0.0
    """Unix seconds; 0.0: any age."""
    until: float = float("inf")
    """Unix seconds; this moment itself is outside."""
    after_mine: bool = False
    """Only what came after the person's own last message there."""
    zone: str = ""
    """The clock by which days and times were read; empty where none were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoRange:
    """The words make no range."""

    why: Why
    told: str
    """What the person is told, with examples."""


def needs_clock(text: str) -> bool:
    """Tell whether a range speaks of days or times, so that the person's clock matters."""
    asked = _plain(text)
    counts = LAST.fullmatch(asked) or SPAN.fullmatch(asked) or MY_LAST.fullmatch(asked)
    return bool(asked) and not counts


def parse_range(text: str, *, now: float, zone: tzinfo = UTC) -> Range | NoRange:
    """Read a range.

    Args:
        text: what stood after the command; empty means the newest `DEFAULT_LAST`.
        now: Unix seconds.
        zone: the clock of whoever asks.
    """
    asked = _plain(text)
    if MY_LAST.fullmatch(asked):
        return Range(asked="since your last message here", until=now, after_mine=True)
    if not asked or (match := LAST.fullmatch(asked)):
        count = int(match[1]) if asked and match else DEFAULT_LAST
        said = f"the last {count:,} message{'s' * (count != 1)}"
        return Range(asked=said, limit=min(count, MOST), count=count) if count else _unknown(text)
    if match := SPAN.fullmatch(asked):
        return _span(int(match[1] or 1), match[2], now) or _unknown(text)
    here = datetime.fromtimestamp(now, zone)
    if match := FROM_TO.fullmatch(asked):
        return _between(text, match[1], match[2], here)
    if match := SINCE.fullmatch(asked):
        begin = read_moment(match[1], now=here)
        if begin is None:
            return _unknown(text)
        # A message was sent, though this machine's clock may lag behind the platform's.
        if begin.at > here and not match[1].startswith("@"):
            return _ahead(begin.at, here)
        return _range(f"since {_said(begin.at)}", begin.at, None, here)
    day = read_moment(asked, now=here)
    if day is None or day.exact:
        return _unknown(text)
    if day.at > here:
        return _ahead(day.at, here)
    name = asked if asked in ("today", "yesterday") else f"{day.at:%a} {day.at.day} {day.at:%b %Y}"
    return _range(name, day.at, day.ends, here)


def _span(count: int, unit: str, now: float) -> Range | None:
    if not count:
        return None
    unit = {"min": "minute"}.get(unit, unit)
    since = max(0.0, now - count * UNITS_S[unit])
    said = f"the last {f'{count} ' if count != 1 else ''}{unit}{'s' * (count != 1)}"
    return Range(asked=said, since=since)


def _between(text: str, first: str, second: str, here: datetime) -> Range | NoRange:
    begin = read_moment(first, now=here)
    if begin is None:
        return _unknown(text)
    if begin.at > here:
        return _ahead(begin.at, here)
    end = read_moment(second, now=here, after=begin.at)
    if end is None:
        return _unknown(text)
    until = end.at if end.exact else end.ends
    if until <= begin.at:
        said = f"{_said(begin.at)} comes after {_said(until)}"
        return NoRange(why="backwards", told=f"{said}: a range goes from the earlier to the later.")
    # People say "to friday", and mean friday as well.
    last = until if end.exact else until - timedelta(minutes=1)
    return _range(f"from {_said(begin.at)} to {_said(last)}", begin.at, until, here)


def _range(asked: str, begin: datetime, end: datetime | None, here: datetime) -> Range:
    return Range(
        asked=asked,
        since=max(0.0, begin.timestamp()),
        until=end.timestamp() if end is not None else float("inf"),
        zone=str(here.tzinfo),
    )


def _said(at: datetime) -> str:
    return f"{at:%a} {at.day} {at:%b %Y %H:%M}"


def _ahead(at: datetime, here: datetime) -> NoRange:
    told = f"{_said(at)} is still to come (it is {_said(here)} {here.tzinfo}). Try {EXAMPLES}."
    return NoRange(why="ahead", told=told)


def _unknown(text: str) -> NoRange:
    said = " ".join(text.split())
    short = said if len(said) <= 60 else f"{said[:60]}…"
    return NoRange(why="unknown", told=f"I don't know the range “{short}”. Try {EXAMPLES}.")


def _plain(text: str) -> str:
    return " ".join(text.lower().replace(",", " ").replace("?", " ").split())
