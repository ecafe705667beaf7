"""Reads at what times a person wants something: `every weekday 9:00`, `every mon and thu 14:30`. Pure.

Times of day are those of a clock with its own summer and winter. A time that
the clock skips is made up for by as much later; one that it shows twice counts
once, the first time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from bot.skills.moments import DAYS, read_clock, read_weekday

EXAMPLES = (
    "`every weekday 9:00`, `every day 18:00`, `every monday 9:00 here` or `every tue and thu 14:30`"
)
WHEN_I_JOIN = "when I join"
JOINS = re.compile(r"when(?:ever)? i join(?: (?:a|any) channel)?")
_GROUPS = {
    "day": tuple(range(7)),
    "weekday": tuple(range(5)),
    "workday": tuple(range(5)),
    "working day": tuple(range(5)),
    "weekend": (5, 6),
}
_SINGLE = {"daily": "every day", "weekdays": "every weekday", "weekends": "every weekend"}
_BETWEEN = re.compile(r" ?(?:,| and |&|\+|/) ?(?:and )?")
_ZONE = re.compile(r"(?:^| )\(?([A-Za-z_]+/[A-Za-z_/+-]+\d*|utc|UTC)(?: time)?\)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A time of day on some weekdays."""

    days: tuple[int, ...]
    """Monday is 0; in order, each once, at least one."""
    at: time
    zone: str = ""
    """The clock that was named, by its IANA name; empty: none was."""

    @property
    def said(self) -> str:
        """The schedule in words that `parse_schedule` reads as the same, without the clock."""
        named = next((name for name, days in _GROUPS.items() if days == self.days), "")
        days = named or " and ".join(DAYS[one] for one in self.days)
        return f"every {days} {self.at.hour}:{self.at:%M}"

    def next(self, after: float, clock: tzinfo) -> float:
        """Return the first time after a moment; both Unix seconds."""
        day = datetime.fromtimestamp(after, clock).date() - timedelta(days=1)
        while (found := self._on(day, clock)) is None or found <= after:
            day += timedelta(days=1)
        return found

    def last(self, before: float, clock: tzinfo) -> float:
        """Return the last time at a moment or before it; both Unix seconds."""
        day = datetime.fromtimestamp(before, clock).date() + timedelta(days=1)
        while (found := self._on(day, clock)) is None or found > before:
            day -= timedelta(days=1)
        return found

    def _on(self, day: date, clock: tzinfo) -> float | None:
        """Return the time on a day; None where it is none of the schedule's, or never was."""
        if day.weekday() not in self.days:
            return None
        at = datetime.combine(day, self.at, clock).timestamp()
        # Samoa had no 30 December 2011: what would fall on it belongs to no day.
        return at if datetime.fromtimestamp(at, clock).date() == day else None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSchedule:
    """The words make no schedule."""

    told: str
    """What the person is told, with examples."""


def zone_of(name: str) -> tzinfo:
    """Return a clock by its IANA name; UTC for none and for one that this machine doesn't know."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def begins_schedule(text: str) -> bool:
    """Tell whether words look like a schedule, right or wrong."""
    return bool(re.match(r"(?:every|each|daily|weekdays|weekends)(?!\w)", text.strip().lower()))


def parse_schedule(text: str) -> Schedule | NoSchedule:
    """Read a schedule."""
    said = " ".join(text.split())
    zone = ""
    if match := _ZONE.search(said):
        zone = _known_zones().get(match[1].lower(), "")
        if not zone and any(mark.isdigit() for mark in said[: match.start()]):
            return NoSchedule(told=f"I know no clock “{match[1][:60]}”. Try `Europe/Berlin`.")
        said = said[: match.start()] if zone else said
    words = said.lower().split(" ")
    words = _SINGLE.get(words[0], words[0]).split(" ") + words[1:]
    if words[0] not in ("every", "each"):
        return _unknown(text)
    for at in range(len(words), 1, -1):
        days = _days(" ".join(words[1:at]))
        if days and at == len(words):
            told = f"At what time of day? Try {EXAMPLES}."
            return NoSchedule(told=told)
        clock = _clock(" ".join(words[at:])) if days else None
        if days and clock is not None:
            return Schedule(days=days, at=clock, zone=zone)
    return _unknown(text)


def _days(text: str) -> tuple[int, ...]:
    """Return the weekdays that are named; none where the words name no days."""
    text = text.removesuffix(" at")
    if text.removesuffix("s") in _GROUPS:
        return _GROUPS[text.removesuffix("s")]
    found = set[int]()
    for name in _BETWEEN.split(text):
        day = read_weekday(name.removesuffix("s") if name.endswith("days") else name)
        if day is None or " " in name:
            return ()
        found.add(day)
    return tuple(sorted(found))


def _clock(text: str) -> time | None:
    try:
        return read_clock(text)
    except ValueError:
        return None


@lru_cache(maxsize=1)
def _known_zones() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones()}


def _unknown(text: str) -> NoSchedule:
    said = " ".join(text.split())
    short = said if len(said) <= 60 else f"{said[:60]}…"
    told = f"I don't know the time “{short}”: days of the week and a time of day. Try {EXAMPLES}."
    return NoSchedule(told=told)
