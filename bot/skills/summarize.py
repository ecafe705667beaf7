"""`/summarize`: what was said in a range, with what was read to say so.

The range is read whole, cut into stretches, and each stretch summed up by the
model, side by side. A sentence counts where one message of its stretch
supports it; where none is left, the stretch's weightiest message is quoted
instead. Points are summed up again, round after round, until they are few
enough to read; each still stands on one message and carries its address. The
last line always says what was read and what was left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from bot.messages import IncomingMessage, Person, Place
from bot.skills.asking import Asked, read_asked
from bot.skills.chunks import Line, cut, lines_of
from bot.skills.coverage import Account, take_stock, tell
from bot.skills.forms import MOST_POINTS, lay_out, settles
from bot.skills.points import Point, filled_up, heaviest, points_of
from bot.skills.ranges import NoRange, Range, needs_clock, parse_range
from bot.skills.schedules import zone_of
from bot.skills.skill import (
    Done,
    Find,
    Outcome,
    Progress,
    Read,
    Request,
    Steps,
    Task,
    batch,
    cite,
    clock,
    find,
    measure,
    read,
)

INSTRUCTION = "Summarize these messages."
LOOKED_THROUGH = 10_000
"""Messages of a range that are counted; of these the newest are read."""
MOST_ROUNDS = 6
"""Each leaves at most half of the points; a thousand messages take four."""
CLOSED = (
    "I can't read this channel, so there is nothing that I could sum up. "
    "Somebody who manages it can invite me and let me read its history."
)
ONE_CHANNEL = "I sum up one channel at a time: ask for each of them."
IN_PRIVATE = (
    "Others here might not be allowed to read that channel. "
    "Ask me by the command `/summarize`, or in a direct message: then only you see the answer."
)
NO_THREAD = "No thread hangs on this. `/summarize` sums up the channel."
NO_CHANNEL = "There is no channel #{name} that you can read."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Summed:
    """What a range came to."""

    points: list[Point]
    parts: int
    unfinished: int
    """Parts that the model did not sum up."""
    cut: str = ""
    """Why, as in `Done`."""


def summarize(request: Request) -> Steps[Outcome]:
    """Yield what is needed to sum up, return the summary with its coverage line."""
    asked = read_asked(request.text)
    place = yield from _place(asked, request)
    if isinstance(place, str):
        return Outcome(text=place)
    zone: tzinfo = UTC
    if needs_clock(asked.range):
        zone = zone_of((yield from clock(request.person)))
    wanted = _wanted(asked, place, request.now, zone)
    if isinstance(wanted, NoRange):
        return Outcome(text=wanted.told)
    return (yield from sum_up(asked, place, wanted, person=request.person, zone=zone))


def sum_up(
    asked: Asked, place: Place, wanted: Range, *, person: Person, zone: tzinfo
) -> Steps[Outcome]:
    """Sum up a range of a place, with its coverage line.

    Args:
        asked: in what form.
        place: a channel with its threads, or a thread; the person may read it.
        wanted: the range.
        person: who asks.
        zone: the clock by which times are told.
    """
    yield Progress(text="Reading the messages")
    found = yield from read(
        Read(
            place=place,
            limit=wanted.limit,
            since=wanted.since,
            until=wanted.until,
            count=wanted.count or LOOKED_THROUGH,
            after=person if wanted.after_mine else None,
        )
    )
    if not found.may_read:
        return Outcome(text=CLOSED)
    account = take_stock(found, wanted)
    said = _asked_in_words(wanted, found.after_at, zone)
    if not account.read:
        line = tell(account, asked=said, zone=zone)
        return Outcome(text=f"There is nothing to sum up: nobody said anything there.\n\n{line}")
    return (yield from _summed_up(asked, account, said, zone))


def _place(asked: Asked, request: Request) -> Steps[Place | str]:
    """Return the place that is meant, or why it is not read."""
    if not asked.channels and asked.scope == "thread" and not request.place.thread:
        return NO_THREAD
    if not asked.channels:
        return replace(request.place, thread="") if asked.scope == "channel" else request.place
    if len(asked.channels) > 1:
        return ONE_CHANNEL
    if not (request.command or request.place.direct):
        return IN_PRIVATE
    (name,) = asked.channels
    found = yield from find(Find(near=request.place, name=name, person=request.person))
    return found or NO_CHANNEL.format(name=name)


def _summed_up(asked: Asked, account: Account, said: str, zone: tzinfo) -> Steps[Outcome]:
    """Sum up what is read, and tell only what still stands."""
    messages = account.read
    if asked.form == "decisions":
        messages = tuple(one for one in messages if settles(one))
    summed = yield from _map(messages, asked)
    points = summed.points
    most = MOST_POINTS[asked.form]
    if not summed.cut and asked.form != "decisions":
        points = yield from _reduce(points, most=most)
    told = sorted(heaviest(points, most), key=lambda one: one.source.sent_at)
    links = yield from cite(one.source for one in told)
    standing = [one for one in told if one.source.message_id in links]
    more = _notes(summed, hidden=len(points) - len(told), gone=len(told) - len(standing))
    text = lay_out(asked.form, standing, links)
    line = tell(account, asked=said, zone=zone, more=more)
    return Outcome(
        text="\n\n".join(part for part in (text, _ended(summed), line) if part),
        sources=tuple(one.source.message_id for one in standing),
    )


def _map(messages: Sequence[IncomingMessage], asked: Asked) -> Steps[_Summed]:
    """Have each stretch of the messages summed up."""
    talks = lines_of(messages)
    sizes = yield from measure(one.text for talk in talks for one in talk)
    counts, stretches = iter(sizes.tokens), list[list[Line[IncomingMessage]]]()
    for talk in talks:
        stretches += cut(talk, [next(counts) for _ in talk], room=sizes.room // 2)
    stretches.sort(key=lambda stretch: stretch[0].of.sent_at)
    done = yield from batch(
        *(_task([one.text for one in part], _messages(part)) for part in stretches),
        told=f"Summing up {len(messages):,} messages: {{done}} of {{all}} parts",
    )
    points: dict[str, Point] = {}
    for stretch, said in zip(stretches, done.said, strict=True):
        if said is None and done.cut == "stopped":
            continue
        sources = _messages(stretch)
        kept = points_of(sources, said.text) if said is not None else []
        # Messages that settle something were chosen for that; none of them may fall away.
        every = asked.form == "decisions"
        for one in filled_up(kept, sources, most=len(sources) if every else 2, every=every):
            points.setdefault(one.source.message_id, one)
    return _Summed(
        points=list(points.values()),
        parts=len(stretches),
        unfinished=sum(1 for one in done.said if one is None),
        cut=done.cut,
    )


def _reduce(points: list[Point], *, most: int) -> Steps[list[Point]]:
    """Sum points up in rounds until there are few enough, or a round makes them no fewer."""
    for number in range(1, MOST_ROUNDS + 1):
        if len(points) <= most:
            return points
        lines = [
            Line(
                of=one,
                key=f"{one.source.message_id}{one.text}",
                text=f"- {one.source.author.name}: {one.text}",
            )
            for one in points
        ]
        sizes = yield from measure(one.text for one in lines)
        groups = cut(lines, sizes.tokens, room=sizes.room // 2)
        done: Done = yield from batch(
            *(
                _task([one.text for one in group], tuple(one.of.source for one in group))
                for group in groups
            ),
            told=f"Bringing {len(points)} points together, round {number}: {{done}} of {{all}}",
        )
        fewer: list[Point] = []
        for group, said in zip(groups, done.said, strict=True):
            fewer += _fewer([one.of for one in group], said.text if said is not None else "")
        if len(fewer) >= len(points) or done.cut:
            return fewer
        points = fewer
    return points


def _fewer(group: list[Point], said: str) -> list[Point]:
    """Return at most half of a group's points: what the model made of them, else the heaviest."""
    most = (len(group) + 1) // 2
    sources = {one.source.message_id: one.source for one in group}
    kept = points_of(tuple(sources.values()), said)[:most]
    told = {one.source.message_id for one in kept}
    rest = [one for one in group if one.source.message_id not in told]
    kept += heaviest(rest, max(0, (len(group) + 2) // 3 - len(kept)))
    return sorted(kept, key=lambda one: one.source.sent_at)


def _task(lines: Sequence[str], stands_on: tuple[IncomingMessage, ...]) -> Task:
    return Task(instruction=INSTRUCTION, text="\n".join(lines), stands_on=stands_on)


def _messages(stretch: Sequence[Line[IncomingMessage]]) -> tuple[IncomingMessage, ...]:
    """Return the messages of a stretch, each once."""
    return tuple({one.of.message_id: one.of for one in stretch}.values())


def _wanted(asked: Asked, place: Place, now: float, zone: tzinfo) -> Range | NoRange:
    if place.thread and not asked.range:
        return Range(asked="this thread")
    return parse_range(asked.range, now=now, zone=zone)


def _asked_in_words(wanted: Range, after_at: float, zone: tzinfo) -> str:
    if wanted.zone:
        return f"{wanted.asked} ({wanted.zone} time)"
    if wanted.after_mine and after_at:
        at = datetime.fromtimestamp(after_at, zone)
        return f"{wanted.asked}, {at.day} {at:%b %H:%M} {zone}"
    if wanted.after_mine:
        return f"{wanted.asked}; I know of none"
    return wanted.asked


def _notes(summed: _Summed, *, hidden: int, gone: int) -> tuple[str, ...]:
    found = []
    if hidden > 0:
        found.append(f"{hidden:,} lesser points are not shown")
    if gone:
        found.append(f"{gone:,} points fell away: their messages were changed or deleted meanwhile")
    return tuple(found)


def _ended(summed: _Summed) -> str:
    """Return what the person is told of a summary that was cut short."""
    done = summed.parts - summed.unfinished
    if summed.cut == "stopped":
        return f"_Stopped: {done:,} of {summed.parts:,} parts were summed up._"
    if summed.unfinished:
        return (
            f"_My language model broke off: {done:,} of {summed.parts:,} parts are summed up, of "
            f"the others the weightiest messages are quoted. Ask again for the rest; what is done "
            f"is kept._"
        )
    return ""
