"""What a summary read and what it left out: counted, and told in its last line. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from bot.messages import IncomingMessage
from bot.skills.ranges import MOST, Range
from bot.skills.skill import Found

BOTS = "from bots"
TO_JAY = "said to me"
NO_TEXT = "without text"
OVER = f"over my cap of {MOST:,}, the oldest"
DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What was read of a range, out of what is in it."""

    read: tuple[IncomingMessage, ...]
    """Oldest first."""
    messages: int
    """That are in the range, read or not. What was deleted isn't in it any more."""
    at_least: bool
    """There may be more of them."""
    threads_read: int
    threads: int
    people: int
    """Who wrote what was read."""
    left: tuple[tuple[str, int], ...]
    """Why so many were left out, in the order in which it is told."""
    heard_only: bool
    """The platform's history could not be had."""


def take_stock(found: Found, wanted: Range) -> Account:
    """Choose what is read of what was found, and count the rest by reason.

    Args:
        found: what is in the place.
        wanted: the range. Where it asks for a number of messages, the newest so many are in it.
    """
    inside = found.messages[-wanted.count :] if wanted.count else found.messages
    newest = inside[-wanted.limit :]
    left = Counter({OVER: len(inside) - len(newest)})
    read: list[IncomingMessage] = []
    for one in newest:
        reason = _why_not(one)
        if reason:
            left[reason] += 1
        else:
            read.append(one)
    left[DELETED] = found.deleted
    return Account(
        read=tuple(read),
        messages=len(inside),
        at_least=not found.whole and len(inside) < (wanted.count or float("inf")),
        threads_read=len({one.place.thread for one in read if one.place.thread}),
        threads=len({one.place.thread for one in inside if one.place.thread}),
        people=len({one.author.id for one in read}),
        left=tuple(
            (reason, left[reason])
            for reason in (BOTS, TO_JAY, NO_TEXT, OVER, DELETED)
            if left[reason]
        ),
        heard_only=found.heard_only,
    )


def tell(account: Account, *, asked: str, zone: tzinfo = UTC, more: tuple[str, ...] = ()) -> str:
    """Return the line that says what was asked, read and left out, in Markdown.

    Args:
        account: what was read.
        asked: the range in words.
        zone: the clock by which times are told; it is named.
        more: further parts of sentences, each without its full stop.
    """
    threads = ""
    if account.threads:
        threads = f" and {account.threads_read} of {_count(account.threads, 'thread')}"
    of = f"{'at least ' if account.at_least else ''}{_count(account.messages, 'message')}"
    told = [f"Asked: {asked}", f"Read {len(account.read):,} of {of}{threads}"]
    if account.read:
        told[-1] += f", by {_count(account.people, 'person', 'people')}, {_span(account, zone)}"
    if account.left:
        told.append(
            "Left out: " + ", ".join(f"{count:,} {reason}" for reason, count in account.left)
        )
    if account.heard_only:
        told.append("The channel's history could not be read just now: this is what I heard myself")
    return "_" + ". ".join([*told, *more]).replace("_", "-") + "._"


def _why_not(message: IncomingMessage) -> str:
    if message.author.bot:
        return BOTS
    if message.mentions_jay:
        return TO_JAY
    return "" if message.text.strip() else NO_TEXT


def _span(account: Account, zone: tzinfo) -> str:
    first, last = (
        datetime.fromtimestamp(one.sent_at, zone) for one in (account.read[0], account.read[-1])
    )
    begin = f"{first.day} {first:%b %H:%M}"
    end = f"{last:%H:%M}" if first.date() == last.date() else f"{last.day} {last:%b %H:%M}"
    return f"{begin} to {end} {zone}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
