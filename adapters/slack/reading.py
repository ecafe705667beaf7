"""Reading a whole range back from Slack: channel and threads, within its rate limits.

A channel's history doesn't show what was said in threads. It shows the roots,
with when they were last replied to; so roots of before the range are looked at
too, as far back as `BEFORE_PAGES` reach.
"""

from __future__ import annotations

from math import inf

from adapters.patience import patiently
from adapters.slack import normalise
from adapters.slack.errors import translated
from adapters.slack.history import Json, Reader, cursor_of, messages_of, seconds_of
from adapters.slack.limits import PAGE
from bot.histories import History
from bot.messages import Place

THREADS_MAX = 100
"""Threads that are read, those with the newest replies; each is a call of its own."""
BEFORE_PAGES = 2
"""Pages of before the range that are searched for roots with replies in it."""


async def read_range(
    reader: Reader, place: Place, *, limit: int, since: float, until: float
) -> History:
    """Return what was said in a range, as `bot.histories` promises.

    Raises:
        PlatformError: Slack doesn't let Jay read there, or can't be reached.
    """
    found: dict[str, Json] = {}
    begins, whole, complete, threads = since, True, {place.thread}, [place.thread]
    # From then on each root is listed, and its thread read whole; never, where one wasn't.
    roots_since = inf
    if not place.thread:
        listed, begins = await _outside(reader, place.channel, limit, since, until)
        found = {_ts(one): one for one in listed if begins <= seconds_of(one) < until}
        going_on = sorted(
            (one for one in listed if _replied_to(one) >= begins), key=_replied_to, reverse=True
        )
        threads = [_ts(one) for one in going_on[:THREADS_MAX]]
        complete = {_ts(one) for one in listed} - {_ts(one) for one in going_on[THREADS_MAX:]}
        whole = begins <= since and len(going_on) <= THREADS_MAX
        if len(going_on) <= THREADS_MAX:
            roots_since = min(map(seconds_of, listed), default=inf)
        begins = begins if listed else until
    for root in threads:
        said = await _inside(reader, place.channel, root, limit, begins, until)
        if len(said) > limit:
            said, whole, complete = said[-limit:], False, complete - {root}
            roots_since = inf
        found |= {_ts(one): one for one in said}
    return History(
        messages=await reader.understood(place, sorted(found.values(), key=seconds_of)),
        begins=begins,
        threads=frozenset(complete),
        gone=lambda root: seconds_of({"ts": root}) >= roots_since,
        whole=whole,
    )


async def _outside(
    reader: Reader, channel: str, limit: int, since: float, until: float
) -> tuple[list[Json], float]:
    """Return the newest of a channel outside of threads, and from when on that is complete.

    Some that are older are among them: their threads may go on in the range.
    """
    listed: list[Json] = []
    cursor, before, begins = "", 0, since
    while before <= BEFORE_PAGES:

        async def page(cursor: str = cursor) -> tuple[list[Json], str]:
            with translated("conversations.history"):
                answer = await reader.client.conversations_history(
                    channel=channel,
                    limit=PAGE,
                    cursor=cursor or None,
                    latest=None if until == float("inf") else f"{until:.6f}",
                )
            return messages_of(answer), cursor_of(answer)

        messages, cursor = await patiently(page, of="slack")
        listed += messages
        inside = [
            one
            for one in listed
            if seconds_of(one) >= begins and normalise.is_said(one, jay=reader.jay)
        ]
        if len(inside) > limit:
            begins = seconds_of(inside[limit - 1])
        before += bool(listed) and seconds_of(listed[-1]) < begins
        if not cursor:
            break
    return listed, begins


async def _inside(
    reader: Reader, channel: str, root: str, limit: int, since: float, until: float
) -> list[Json]:
    """Return the newest of a thread in a range, one more than the limit if there are more."""
    oldest = f"{since:.6f}" if since > 0 else ""

    async def replies() -> list[Json]:
        return await reader.thread(channel, root, limit=limit + 1, oldest=oldest)

    return [one for one in await patiently(replies, of="slack") if since <= seconds_of(one) < until]


def _ts(message: Json) -> str:
    return str(message.get("ts"))


def _replied_to(message: Json) -> float:
    """Return when a message was last replied to in its thread, Unix seconds; -1 if never."""
    latest = str(message.get("latest_reply") or "")
    return seconds_of({"ts": latest}) if latest and message.get("reply_count") else -1.0
