r"""The little language in which seeded conversations are written (seeds/*.md). Pure.

    = general                       a channel; an indented line below it is its topic
    @ w-3                           a day: `w` working days, `d` days from today, `today`
    09:05 maya Morning all.         a message; under `today` minutes back from now: `-95`
    09:07 > tom A reply.            to the last message without an arrow
    09:08 >> ines In the thread.    Discord: in the thread opened with `# Its title`
       ^ tada maya tom              a reaction to the message above
       + plan.pdf application/pdf 81200     a file on it
       ~ What it says since it was edited.

In a text, `{day w+2}`, `{date w+2}`, `{wd w+2}` and `{month w+2}` stand for that day's
name; `s+0` is the Saturday that is at least three days ahead. `\n` is a line break.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field

_LINE = re.compile(r"(\d\d:\d\d|-\d+) (>{0,2}) ?(\w+) (.+)")
_DATE = re.compile(r"\{(day|date|wd|month) ([wds][+-]\d+)\}")
_MONTHS = (
    "January February March April May June July August September October November December"
).split()
_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


@dataclass(slots=True, kw_only=True)
class Line:
    """One message of a script."""

    channel: str
    day: str
    time: str
    author: str
    text: str
    depth: int
    """0 for a message of its own, 1 for a reply, 2 for one inside a named thread."""
    reactions: list[tuple[str, list[str]]] = field(default_factory=list)
    files: list[tuple[str, str, int]] = field(default_factory=list)
    edited: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """A parsed script: the messages in the order they are written, and the topics."""

    lines: list[Line]
    topics: dict[str, str]


def parse(source: str) -> Script:
    """Return what a script says. Raises ValueError with the line that is none."""
    lines: list[Line] = []
    topics: dict[str, str] = {}
    channel, day = "", ""
    for number, raw in enumerate(source.splitlines(), 1):
        match = _LINE.fullmatch(raw)
        if match is not None:
            time, arrows, author, text = match.groups()
            said = text.replace("\\n", "\n")
            made = Line(
                channel=channel, day=day, time=time, author=author, text=said, depth=len(arrows)
            )
            lines.append(made)
        elif raw.startswith("= "):
            channel, day = raw[2:], ""
        elif raw.startswith("@ "):
            day = raw[2:]
        elif raw.startswith("  ") and not day:
            topics[channel] = raw.strip()
        elif raw.startswith("   ") and lines:
            _add(lines[-1], raw.strip(), number)
        elif raw:
            raise ValueError(f"line {number} of the script is not understood: {raw}")
    return Script(lines, topics)


def day_of(name: str, today: dt.date) -> dt.date:
    """Return the date of `w-3`, `d+4`, `s+0` or `today`."""
    if name == "today":
        return today
    unit, count = name[0], int(name[1:])
    if unit == "d":
        return today + dt.timedelta(days=count)
    if unit == "s":
        ahead = (5 - today.weekday()) % 7
        return today + dt.timedelta(days=ahead + (7 if ahead < 3 else 0) + count)
    date, step = today, 1 if count > 0 else -1
    while count:
        date += dt.timedelta(days=step)
        if date.weekday() < 5:
            count -= step
    return date


def with_dates(text: str, today: dt.date) -> str:
    """Return a text in which the names of days are filled in."""

    def named(match: re.Match[str]) -> str:
        date = day_of(match[2], today)
        month = _MONTHS[date.month - 1]
        weekday = _WEEKDAYS[date.weekday()]
        return {
            "day": f"{weekday} {date.day} {month}",
            "date": f"{date.day} {month}",
            "wd": weekday,
            "month": month,
        }[match[1]]

    return _DATE.sub(named, text)


def _add(line: Line, note: str, number: int) -> None:
    sign, _, rest = note.partition(" ")
    if sign == "^":
        emoji, *names = rest.split()
        line.reactions.append((emoji, names))
    elif sign == "+":
        name, mimetype, size = rest.rsplit(" ", 2)
        line.files.append((name, mimetype, int(size)))
    elif sign == "~":
        line.edited = rest
    elif sign == "#":
        line.title = rest
    else:
        raise ValueError(f"line {number} of the script is not understood: {note}")
