"""Reading a whole range back from Discord: a channel, and its threads, which are channels too."""

from __future__ import annotations

from dataclasses import replace

import structlog

from adapters.discord.directory import Directory
from adapters.discord.history import page, read
from adapters.discord.limits import HISTORY_PAGE, id_at
from adapters.discord.payloads import DEFAULT, REPLY, THREAD_STARTER, MessagePayload
from adapters.discord.rest import Rest
from adapters.patience import patiently
from bot.errors import PlatformError
from bot.histories import History
from bot.messages import IncomingMessage, Place

log = structlog.get_logger(__name__)

SAID = (DEFAULT, REPLY, THREAD_STARTER)
THREADS_MAX = 100
"""Threads of a channel that are read, those with the newest messages."""


async def read_range(
    rest: Rest, directory: Directory, place: Place, *, limit: int, since: float, until: float
) -> History:
    """Return what was said in a range, as `bot.histories` promises.

    A thread that Jay may not look into is left out, as is what it holds.

    Raises:
        PlatformError: Jay may not read there, or Discord can't be reached.
    """
    me = await rest.me()
    said, whole, any_there = await _one(rest, directory, place, limit, since, until, me)
    found = {one.message_id: one for one in said}
    if place.thread:
        begins = since if whole and any_there else until
        return _told(found, me, begins=begins, threads=frozenset((place.thread,)), whole=whole)
    begins = since if whole else min((one.sent_at for one in said), default=until)
    listed = {} if place.direct else await directory.threads(place)
    fresh = [one for one, newest in listed.items() if newest >= begins]
    complete = listed.keys() - fresh[THREADS_MAX:]
    whole = whole and len(fresh) <= THREADS_MAX
    for thread in fresh[:THREADS_MAX]:
        inner = replace(place, thread=thread)
        try:
            said, there, _ = await _one(rest, directory, inner, limit, begins, until, me)
        except PlatformError as error:
            if error.retry:
                raise
            log.info("discord.thread_closed", thread=thread, error=str(error))
            complete = complete - {thread}
            continue
        if not there:
            whole, complete = False, complete - {thread}
        # The message that a thread hangs on is the channel's.
        found = {one.message_id: one for one in said} | found
    # Without the permission to read the history Discord shows nothing, and doesn't say so.
    begins = begins if any_there else until
    return _told(found, me, begins=begins, threads=frozenset(complete), whole=whole)


async def _one(
    rest: Rest,
    directory: Directory,
    place: Place,
    limit: int,
    since: float,
    until: float,
    me: str,
) -> tuple[list[IncomingMessage], bool, bool]:
    """Return the newest of one channel's range, whether it is whole, and whether any was there."""
    payloads: list[MessagePayload] = []
    before = "" if until == float("inf") else id_at(until)
    first, there, whole = int(id_at(since)), False, False
    while len(payloads) <= limit:

        async def ask(before: str = before) -> tuple[list[MessagePayload], int, str]:
            got = await page(rest, place.thread or place.channel, "before", before, HISTORY_PAGE)
            return got.messages, got.count, got.oldest

        messages, count, oldest = await patiently(ask, of="discord")
        there = there or bool(count)
        payloads += [
            one
            for one in reversed(messages)
            if int(one.id) >= first and one.author.id != me and one.type in SAID
        ]
        if count < HISTORY_PAGE or not oldest or int(oldest) < first:
            whole = len(payloads) <= limit
            break
        before = oldest
    said = await read(directory, place, payloads[:limit][::-1])
    return said, whole, there


def _told(
    found: dict[str, IncomingMessage],
    me: str,
    *,
    begins: float,
    threads: frozenset[str],
    whole: bool,
) -> History:
    said = sorted(found.values(), key=lambda one: (one.sent_at, one.message_id))
    return History(
        messages=tuple(one for one in said if one.author.id != me),
        begins=begins,
        threads=threads,
        whole=whole,
    )
