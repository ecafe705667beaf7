"""Reading a whole range back from Slack: channel and threads, within its rate limits.

A channel's history doesn't show what was said in threads. It shows the roots,
with when they were last replied to; so roots of before the range are looked at
too, as far back as `BEFORE_PAGES` reach.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import TypeVar

import structlog

from adapters.slack import normalise
from adapters.slack.errors import translated
from adapters.slack.history import Json, Reader, cursor_of, messages_of, seconds_of
from adapters.slack.limits import PAGE
from bot.errors import TooFast
from bot.histories import History
from bot.messages import IncomingMessage, Place

log = structlog.get_logger(__name__)

THREADS_MAX = 100
"""Threads that are read, those with the newest replies; each is a call of its own."""
BEFORE_PAGES = 2
"""Pages of before the range that are searched for roots with replies in it."""
PEOPLE_MAX = 200
"""The most people whose names are asked for; of the others the id stands in."""
PATIENCE = 4
WAIT_MAX_S = 60.0

Answer = TypeVar("Answer")


async def read_range(
    reader: Reader, place: Place, *, limit: int, since: float, until: float
) -> History:
    """Return what was said in a range, as `bot.histories` promises.

    Raises:
        PlatformError: Slack doesn't let Jay read there, or can't be reached.
    """
    found: dict[str, Json] = {}
    threads = [place.thread] if place.thread else []
    begins, whole = since, True
    if not place.thread:
        listed, whole = await _outside(reader, place.channel, limit, since, until)
        found = {str(one.get("ts")): one for one in listed if since <= seconds_of(one) < until}
        begins = since if whole else min(map(seconds_of, found.values()), default=until)
        roots = [one for one in listed if _replied_to(one) >= since]
        roots.sort(key=_replied_to, reverse=True)
        threads = [str(one.get("ts")) for one in roots[:THREADS_MAX]]
        whole = whole and len(roots) <= THREADS_MAX
        begins = begins if listed else until
    for root in threads:
        oldest = f"{since:.6f}" if since > 0 else ""

        async def replies(root: str = root, oldest: str = oldest) -> list[Json]:
            return await reader.thread(place.channel, root, limit=limit + 1, oldest=oldest)

        said = [one for one in await _patiently(replies) if since <= seconds_of(one) < until]
        if len(said) > limit:
            said, whole = said[-limit:], False
        found |= {str(one.get("ts")): one for one in said}
    return History(
        messages=await _read(reader, place, sorted(found.values(), key=seconds_of)),
        begins=begins,
        threads=frozenset(threads),
        whole=whole,
    )


async def _outside(
    reader: Reader, channel: str, limit: int, since: float, until: float
) -> tuple[list[Json], bool]:
    """Return the newest of a channel outside of threads, and whether the range is whole.

    Roots of before the range are among them.
    """
    listed: list[Json] = []
    cursor, before = "", 0
    while True:

        async def page(cursor: str = cursor) -> tuple[list[Json], str]:
            with translated("conversations.history"):
                answer = await reader.client.conversations_history(
                    channel=channel,
                    limit=PAGE,
                    cursor=cursor or None,
                    latest=None if until == float("inf") else f"{until:.6f}",
                )
            return messages_of(answer), cursor_of(answer)

        messages, cursor = await _patiently(page)
        listed += messages
        inside = [one for one in listed if seconds_of(one) >= since]
        if len(inside) > limit:
            return inside[:limit], False
        if not cursor:
            return listed, True
        if len(inside) < len(listed):
            before += 1
            if before > BEFORE_PAGES:
                return listed, True


async def _patiently(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask, and ask again where Slack wants it slower."""
    for _ in range(PATIENCE):
        try:
            return await ask()
        except TooFast as error:
            if error.retry_after_s > WAIT_MAX_S:
                raise
            log.info("slack.reading_slowed", retry_after_s=error.retry_after_s)
            await asyncio.sleep(error.retry_after_s)
    return await ask()


async def _read(reader: Reader, place: Place, said: list[Json]) -> tuple[IncomingMessage, ...]:
    asked = dict.fromkeys(one for each in said for one in normalise.people_of(each))
    names = await reader.people.names(islice(asked, PEOPLE_MAX))
    outside = Place(
        platform="slack",
        workspace=reader.jay.team_id,
        channel=place.channel,
        direct=place.direct,
    )
    read = (normalise.read_message(one, place=outside, jay=reader.jay, names=names) for one in said)
    return tuple(one for one in read if one is not None)


def _replied_to(message: Json) -> float:
    """Return when a message was last replied to in its thread, Unix seconds; -1 if never."""
    latest = str(message.get("latest_reply") or "")
    return seconds_of({"ts": latest}) if latest and message.get("reply_count") else -1.0
