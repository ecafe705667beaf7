"""Reads a moment as people write it: `monday 9:00`, `14:30`, `12 nov 2026`, `2 hours ago`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_CLOCK = re.compile(r"(?:at )?(\d{1,2})(?:[:.](\d{2}))? ?(am|pm|h|o'clock)?")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})?")
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)? (?:of )?([a-z]{3,9})(?: (\d{4}))?")
_MONTH_DAY = re.compile(r"([a-z]{3,9}) (\d{1,2})(?:st|nd|rd|th)?(?: (\d{4}))?")
_UNIX = re.compile(r"@(\d{1,11}(?:\.\d{1,9})?)")
"""Unix seconds, as shortcuts write them for the moment of a message; GNU date reads the same."""
_AGO = re.compile(r"(\d{1,4}|an?|one) (minute|hour|day|week)s? ago")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A point in time, or a day."""

    at: datetime
    """The point; of a day, its midnight."""
    exact: bool
    """A time of day was named; else the whole day is meant."""

    @property
    def ends(self) -> datetime:
        """The midnight after it."""
        next_day = self.at.date() + timedelta(days=1)
        return datetime.combine(next_day, time(), self.at.tzinfo)


def read_moment(text: str, *, now: datetime, after: datetime | None = None) -> Moment | None:
    """Read a moment; None where the words make none.

    Args:
        text: in lower case, words parted by single spaces.
        now: with the time zone of whoever wrote it. A bare time or weekday, and a date without
            a year, is the latest that is not ahead of it.
        after: where it ends a range, the range's beginning: a bare time or weekday is then the
            first after that.
    """
    try:
        return _read(text.strip(), now, after)
    except (ValueError, OverflowError, OSError):  # the 31st of February, the year 0
        return None


def _read(text: str, now: datetime, after: datetime | None) -> Moment | None:
    if text == "now":
        return Moment(at=now, exact=True)
    if match := _UNIX.fullmatch(text):
        return Moment(at=datetime.fromtimestamp(float(match[1]), now.tzinfo), exact=True)
    if match := _AGO.fullmatch(text):
        count = int(match[1]) if match[1].isdecimal() else 1
        return Moment(at=now - timedelta(**{f"{match[2]}s": count}), exact=True)
    for head, tail in _splits(text):
        day = _day(head, now, after) if head else None
        clock = read_clock(tail) if tail else None
        if (head and day is None) or (tail and clock is None):
            continue
        if day is not None:
            return _in_day(day, clock, now, after, weekday=read_weekday(head) is not None)
        if clock is not None:
            return Moment(at=_nearest(clock, now, after), exact=True)
    return None


def _splits(text: str) -> list[tuple[str, str]]:
    """Return every way to part a text into a day and a time; either may be empty."""
    words = text.split(" ")
    return [(" ".join(words[:at]), " ".join(words[at:])) for at in range(len(words), -1, -1)]


def _in_day(
    day: datetime, clock: time | None, now: datetime, after: datetime | None, *, weekday: bool
) -> Moment:
    if clock is None:
        return Moment(at=day, exact=False)
    at = datetime.combine(day.date(), clock, now.tzinfo)
    # "monday 9:00" on a Monday at eight is last week's.
    if weekday and after is None and at > now:
        at = datetime.combine(day.date() - timedelta(days=7), clock, now.tzinfo)
    return Moment(at=at, exact=True)


def _nearest(clock: time, now: datetime, after: datetime | None) -> datetime:
    if after is not None:
        at = datetime.combine(after.date(), clock, now.tzinfo)
        step = timedelta(days=1 if at <= after else 0)
    else:
        at = datetime.combine(now.date(), clock, now.tzinfo)
        step = timedelta(days=-1 if at > now else 0)
    return datetime.combine(at.date() + step, clock, now.tzinfo)


def read_clock(text: str) -> time | None:
    """Read a time of day (`9:00`, `at 5 pm`, `noon`); None where the words make none.

    Raises:
        ValueError: there is no such time: `25:00`.
    """
    named = {"noon": time(12), "midnight": time(0)}
    if text.removeprefix("at ") in named:
        return named[text.removeprefix("at ")]
    match = _CLOCK.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    if match[3] in ("am", "pm"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match[3] == "pm" else 0)
    return time(hour, minute)


def _day(text: str, now: datetime, after: datetime | None) -> datetime | None:
    days = {"today": 0, "yesterday": 1}
    if text in days:
        return _midnight(now, back=days[text])
    if (weekday := read_weekday(text)) is not None:
        if after is not None:
            return _midnight(after, back=-((weekday - after.weekday()) % 7))
        back = (now.weekday() - weekday) % 7
        return _midnight(now, back=7 if text.startswith("last ") and back == 0 else back)
    if match := _ISO.fullmatch(text):
        return datetime(int(match[1]), int(match[2]), int(match[3]), tzinfo=now.tzinfo)
    if match := _DOTTED.fullmatch(text):
        return _date(int(match[1]), int(match[2]), match[3], now)
    if match := _DAY_MONTH.fullmatch(text):
        return _date(int(match[1]), _month(match[2]), match[3], now)
    if match := _MONTH_DAY.fullmatch(text):
        return _date(int(match[2]), _month(match[1]), match[3], now)
    return None


def read_weekday(text: str) -> int | None:
    """Return a weekday's number, Monday is 0; three letters are enough."""
    name = text.removeprefix("last ").removeprefix("on ")
    fits = [at for at, day in enumerate(DAYS) if len(name) >= 3 and day.startswith(name)]
    return fits[0] if len(fits) == 1 else None


def _month(name: str) -> int:
    """Return a month's number; 0, which no date has, for what is none."""
    fits = [at for at, month in enumerate(MONTHS, 1) if month.startswith(name)]
    return fits[0] if len(fits) == 1 else 0


def _date(day: int, month: int, year: str | None, now: datetime) -> datetime | None:
    if not month:
        return None
    if year:
        return datetime(int(year), month, day, tzinfo=now.tzinfo)
    for back in range(5):  # the 29th of February comes every four years
        try:
            at = datetime(now.year - back, month, day, tzinfo=now.tzinfo)
        except ValueError:
            continue
        if at <= now:
            return at
    return None


def _midnight(at: datetime, *, back: int) -> datetime:
    return datetime.combine(at.date() - timedelta(days=back), time(), at.tzinfo)
