"""Summaries by the clock: ordered, listed and stopped by `/summarize`, and made when they are due.

`/summarize every weekday 9:00` orders one for oneself, with `here` for the
channel. A digest tells what was said since the one before it, the very way of
any other summary. Whoever ordered it must still be able to read the channel
whenever it is made: if not, they are told so once, and it ends.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from bot.digests import Digest
from bot.messages import ChannelJoined, Command, DigestRun, Person, Place
from bot.skills.asking import Asked, read_asked
from bot.skills.ranges import Range
from bot.skills.schedules import (
    EXAMPLES,
    JOINS,
    WHEN_I_JOIN,
    NoSchedule,
    Schedule,
    begins_schedule,
    parse_schedule,
    zone_of,
)
from bot.skills.skill import (
    CHANNEL_FULL,
    DropDigest,
    Find,
    KeepDigest,
    ListDigests,
    NameOf,
    Outcome,
    OwnDigests,
    Request,
    Steps,
    clock,
    find,
)
from bot.skills.summarize import NO_CHANNEL, ONE_CHANNEL, sum_up

DIGEST = "digest"
MOST_OWN = 10
"""Digests of one person."""
MOST_THERE = 20
"""Digests of one channel, whoever's: each reads it anew."""
WEEK_S = 7 * 86_400.0
"""So far back goes what a joiner is told."""
LIST = re.compile(r"(?:(?:list|show)(?: my)? |my )?digests?")
STOP = re.compile(r"(?:stop|end|cancel)(?: (?:my )?digests?)?(?: (?:number |no\.? ?|#)?(\S.*))?")
_HERE = re.compile(r"(?<!\w)(?:here|to this channel)(?!\w)", re.IGNORECASE)
_TO_ME = re.compile(r"(?<!\w)to me(?!\w)", re.IGNORECASE)

NOT_HERE = (
    "A digest sums up a channel: name it, as in `/summarize #general every weekday 9:00`, "
    "or ask for it there."
)
NOT_READ = "I can't see that you are in this channel, so I can't keep a digest of it for you."
ELSEWHERE = (
    "Others here might not be allowed to read #{name}, so a digest of it goes to you alone: "
    "leave “here” away."
)
IN_PRIVATE = (
    "Others here need not know of your digests, nor of channels that they may not read. "
    "Ask me by the command `/summarize`, or in a direct message."
)
TOO_MANY = "You have {most} digests, as many as I keep for one person. Stop one first."
TOO_MANY_THERE = (
    "People have {most} digests of this channel already, as many as I keep. "
    "Somebody can stop theirs: `/summarize digests`."
)
NO_TALK = "I can't write to you in private, so I can't send you a digest. Try `{text} here`."
NO_JOINS = "Discord doesn't tell me who joins a channel, so I can't know when you do."
ENDED = (
    "Your digest of {what} ({schedule}) has ended: you or I can't read that channel any more. "
    "Once we can, you may ask for it again."
)
NO_CLOCK = " I don't know your clock; name it, as in `{schedule} Europe/Berlin`."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What is asked of digests."""

    kind: str
    """`list`, `stop`, `join` or `keep`."""
    rest: str
    """The number, or the schedule's words."""
    asked: Asked
    here: bool = False


def is_digest_order(text: str, *, surely: bool) -> bool:
    """Tell whether what stands after `summarize` is about digests.

    Args:
        text: those words.
        surely: it is a command, so that a wrong order is worth an answer; else only a right one.
    """
    order = _read_order(text)
    if order is None or surely or order.kind != "keep":
        return order is not None
    return not isinstance(parse_schedule(order.rest), NoSchedule)


def digests(request: Request) -> Steps[Outcome]:
    """Yield what is needed to order, list or stop digests; return what became of it."""
    order = _read_order(request.text)
    alone = request.command or request.place.direct
    if not alone and (order is None or order.kind != "keep" or order.asked.channels):
        return Outcome(text=IN_PRIVATE)
    own = yield from _own_digests(request.person)
    if order is None or order.kind == "list":
        return Outcome(text=_listed(own))
    if order.kind == "stop":
        return (yield from _stop(order, own))
    if len(own) >= MOST_OWN:
        told = TOO_MANY.format(most=MOST_OWN)
        return Outcome(text=f"{told}\n\n{_listed(own)}" if alone else told)
    about = yield from _about(order, request)
    if isinstance(about, str):
        return Outcome(text=about)
    wanted = yield from _wanted(order, request, about)
    if isinstance(wanted, str):
        return Outcome(text=wanted)
    # An order that is tried again, for its first answer was lost, finds its digest kept.
    same = next((one for one in own if _same(one, wanted, here=order.here)), None)
    numbers = {one.number for one in own}
    wanted = replace(wanted, number=next(n for n in range(1, MOST_OWN + 1) if n not in numbers))
    kept = same or (yield from _keep(KeepDigest(digest=wanted, private=not order.here)))
    if kept == CHANNEL_FULL:
        return Outcome(text=TOO_MANY_THERE.format(most=MOST_THERE))
    if not isinstance(kept, Digest):
        return Outcome(text=NO_TALK.format(text=f"/summarize {wanted.schedule}"))
    return Outcome(text=_confirmed(kept))


def digest(request: Request) -> Steps[Outcome]:
    """Yield what is needed to make a digest that is due; return it."""
    run = request.run
    own = yield from _own_digests(request.person)
    kept = next((one for one in own if run and one.digest_id == run.digest_id), None)
    if run is None or kept is None:  # it was stopped in the meantime
        return Outcome(text="")
    channel = run.channel or kept.about.channel
    place = yield from find(Find(near=kept.about, name=channel, person=request.person))
    if place is None:
        if run.channel:
            return Outcome(text="")
        yield DropDigest(digest=kept)
        told = ENDED.format(what=_named(kept), schedule=kept.schedule)
        return Outcome(text=told, whispered=not request.place.direct)
    zone = zone_of(kept.zone)
    asked = Asked(range="", form=kept.form)
    made = yield from sum_up(
        asked, place, _range(kept, run, zone), person=request.person, zone=zone
    )
    head, end = _around(kept, run, (yield from _name_of(place)))
    return replace(made, text="\n\n".join(part for part in (head, made.text, end) if part))


def command_of(kept: Digest, run: DigestRun, *, at: float) -> Command:
    """Return the command that has a digest made; the same for the same time and channel."""
    where = f"-{run.channel}" if run.channel else ""
    return Command(
        place=kept.to,
        message_id=f"digest-{kept.digest_id}{where}-{at:.0f}",
        author=kept.person,
        name=DIGEST,
        text=f"{kept.schedule}, {_named(kept)}",
        sent_at=at,
        run=run,
    )


def joined(own: Sequence[Digest], event: ChannelJoined) -> list[Command]:
    """Return what a join has made of the digests of whoever joined."""
    run = DigestRun(
        digest_id="", since=event.at - WEEK_S, until=event.at, channel=event.place.channel
    )
    return [
        command_of(one, replace(run, digest_id=one.digest_id), at=event.at)
        for one in own
        if one.schedule == WHEN_I_JOIN and one.about.workspace == event.place.workspace
    ]


def _read_order(text: str) -> _Order | None:
    here = bool(_HERE.search(text))
    asked = read_asked(_TO_ME.sub(" ", _HERE.sub(" ", text)))
    words = " ".join(asked.range.lower().split())
    if LIST.fullmatch(words):
        return _Order(kind="list", rest="", asked=asked)
    if match := STOP.fullmatch(words):
        return _Order(kind="stop", rest=match[1] or "", asked=asked)
    if JOINS.fullmatch(words):
        return _Order(kind="join", rest=WHEN_I_JOIN, asked=asked)
    if begins_schedule(words):
        return _Order(kind="keep", rest=asked.range, asked=asked, here=here)
    return None


def _stop(order: _Order, own: tuple[Digest, ...]) -> Steps[Outcome]:
    wanted = [one for one in own if order.rest in ("all", str(one.number))]
    if not order.rest and len(own) == 1:
        wanted = list(own)
    if not wanted:
        if not own:
            return Outcome(text=_listed(own))
        which = f"You have no digest {order.rest[:20]}" if order.rest else "Which one"
        end = "." if order.rest else "?"
        return Outcome(text=f"{which}{end} Say one of these numbers:\n\n{_listed(own)}")
    for one in wanted:
        yield DropDigest(digest=one)
    stopped = "\n".join(f"- {_line(one)}" for one in wanted)
    return Outcome(text=f"Stopped:\n\n{stopped}")


def _about(order: _Order, request: Request) -> Steps[Place | str]:
    """Return the channel that is meant, or why there can be no digest of it."""
    if order.kind == "join":
        return NO_JOINS if request.place.platform == "discord" else request.place
    channels = order.asked.channels
    if len(channels) > 1:
        return ONE_CHANNEL
    if not channels and request.place.direct:
        return NOT_HERE
    name = channels[0] if channels else request.place.channel
    found = yield from find(Find(near=request.place, name=name, person=request.person))
    if found is None:
        return NO_CHANNEL.format(name=name) if channels else NOT_READ
    if order.here and found.channel != request.place.channel:
        return ELSEWHERE.format(name=name)
    return found


def _wanted(order: _Order, request: Request, about: Place) -> Steps[Digest | str]:
    """Return the digest that is ordered, but for its number; or what is wrong with the order."""
    schedule: Schedule | None = None
    if order.kind == "keep":
        read = parse_schedule(order.rest)
        if isinstance(read, NoSchedule):
            return read.told
        schedule = read
    zone = (schedule and schedule.zone) or (yield from clock(request.person))
    new = Digest(
        digest_id=secrets.token_hex(6),
        number=1,
        person=request.person,
        about=about,
        to=replace(about, thread=""),
        schedule=schedule.said if schedule else WHEN_I_JOIN,
        zone=zone,
        form=order.asked.form,
        channel_name=(yield from _name_of(about)) if schedule else "",
        made_at=request.now,
    )
    if schedule is None:
        return new
    here = zone_of(zone)
    return replace(
        new,
        due=schedule.next(request.now, here),
        # The first one goes back to where one before it would have ended.
        covered=schedule.last(request.now, here),
    )


def _same(one: Digest, other: Digest, *, here: bool) -> bool:
    def order(of: Digest) -> tuple[str, ...]:
        channel = of.about.channel if of.due else ""
        return (of.about.platform, of.about.workspace, channel, of.schedule, of.zone, of.form)

    return order(one) == order(other) and one.to.direct != here


def _range(kept: Digest, run: DigestRun, zone: tzinfo) -> Range:
    if run.channel:
        return Range(asked="the last week", since=run.since, until=run.until)
    begin, end = (datetime.fromtimestamp(at, zone) for at in (run.since, run.until))
    said = f"from {_moment(begin)} to {_moment(end)} ({kept.zone or 'UTC'} time)"
    return Range(asked=said, since=run.since, until=run.until)


def _around(kept: Digest, run: DigestRun, name: str) -> tuple[str, str]:
    """Return what stands before a digest's summary, and behind it."""
    what = f"#{name}" if name else _named(kept)
    if run.channel:
        return f"**You joined {what}: its last week**", ""
    whose = "" if kept.to.direct else f", set up by {kept.person.name}"
    head = f"**Digest of {what}**, {kept.schedule}{whose}"
    many = "One digest" if run.skipped == 1 else f"{run.skipped:,} digests"
    skipped = (
        f"_{many} before this one fell away, for I was not there; this one goes back to them._"
    )
    return head, skipped if run.skipped else ""


def _confirmed(kept: Digest) -> str:
    end = f"`/summarize digests` lists yours, `/summarize stop {kept.number}` ends it."
    if not kept.due:
        return (
            "Whenever you join a channel that I am in, I'll send you a summary of its last week. "
            f"{end}"
        )
    to = "I'll send you" if kept.to.direct else "I'll post here"
    first = datetime.fromtimestamp(kept.due, zone_of(kept.zone))
    no_clock = "" if kept.zone else NO_CLOCK.format(schedule=kept.schedule)
    return (
        f"{kept.schedule.capitalize()} ({kept.zone or 'UTC'} time) {to} a summary of "
        f"{_named(kept)}, the first on {_moment(first)}.{no_clock} {end}"
    )


def _listed(own: tuple[Digest, ...]) -> str:
    if not own:
        return f"You have no digests. Ask for one: `/summarize {EXAMPLES[1:]}."
    lines = "\n".join(f"- **{one.number}**: {_line(one)}" for one in own)
    return f"{lines}\n\n`/summarize stop {own[0].number}` ends the first."


def _line(one: Digest) -> str:
    if not one.due:
        return f"{WHEN_I_JOIN} a channel, to you"
    to = "to you" if one.to.direct else "to the channel"
    at = datetime.fromtimestamp(one.due, zone_of(one.zone))
    form = "" if one.form == "bullets" else f", as {one.form}"
    return (
        f"{one.schedule} ({one.zone or 'UTC'} time), {_named(one)}{form}, {to}, next {_moment(at)}"
    )


def _named(one: Digest) -> str:
    return f"#{one.channel_name}" if one.channel_name else "a channel"


def _moment(at: datetime) -> str:
    return f"{at:%a} {at.day} {at:%b %H:%M}"


def _own_digests(person: Person) -> Steps[tuple[Digest, ...]]:
    """Yield `ListDigests` and return a person's digests."""
    answer = yield ListDigests(person=person)
    if not isinstance(answer, OwnDigests):
        raise TypeError(f"a ListDigests is answered by OwnDigests, not {answer!r}")
    return answer.digests


def _keep(step: KeepDigest) -> Steps[Digest | str]:
    """Yield a `KeepDigest` and return the digest as it is kept, or why it isn't."""
    answer = yield step
    if not isinstance(answer, Digest | str):
        raise TypeError(f"a KeepDigest is answered by a digest or a reason, not {answer!r}")
    return answer


def _name_of(place: Place) -> Steps[str]:
    """Yield `NameOf` and return a channel's name."""
    answer = yield NameOf(place=place)
    if not isinstance(answer, str):
        raise TypeError(f"a NameOf is answered by a name, not {answer!r}")
    return answer
