"""Reads a range of a place whole: the log, filled and put right by the platform's history.

The log holds what Jay heard. What was said before Jay came, or while it could
not hear, is in the platform's history; so are bots' messages, which are
counted and never kept. What the log holds and a complete history doesn't show
was deleted.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from bot.errors import MayNotWrite, MessageGone, PlatformError
from bot.histories import History
from bot.messages import IncomingMessage, MessageChanged, MessageDeleted, Person, Place
from bot.ports import Store, Surface
from bot.skills import Found, Read

log = structlog.get_logger(__name__)

LOG_MAX = 10_000
"""Logged messages that are looked through."""
UNSETTLED_S = 15.0
"""What was said just now may not be in the platform's history yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads for one reply."""

    store: Store
    surface: Surface
    clock: Callable[[], float] = time.time

    async def read(self, step: Read) -> Found:
        """Do a `Read`.

        Raises:
            StoreError: the store can't be had.
        """
        since, after_at = step.since, 0.0
        try:
            if step.after is not None:
                after_at = await self._last_of(step.after, step)
                since = max(since, after_at)
            history = await self._history(step, since)
        except (MayNotWrite, MessageGone) as error:
            log.info("reading.closed", channel=step.place.channel, error=str(error))
            return Found(may_read=False)
        if history is not None:
            await self._fill(step.place, history, since, step.until)
        logged = await self.store.messages(step.place, limit=step.count, since=since)
        told = (
            {one.message_id: one for one in history.messages if one.author.bot} if history else {}
        )
        known = told | {one.message_id: one for one in logged if one.sent_at < step.until}
        if step.after is not None:
            mine = step.after.id
            known = {
                key: one
                for key, one in known.items()
                if one.sent_at > after_at or (one.sent_at == after_at and one.author.id != mine)
            }
        newest = sorted(known.values(), key=lambda one: (one.sent_at, one.message_id))[
            -step.count :
        ]
        begin = newest[0].sent_at if len(newest) == step.count else since
        gone = await self.store.count_deleted(step.place, since=begin, until=step.until)
        return Found(
            messages=tuple(newest),
            whole=len(logged) < step.count and (history is None or history.whole),
            heard_only=history is None,
            deleted=gone,
            after_at=after_at,
        )

    async def standing(self, messages: tuple[IncomingMessage, ...]) -> list[IncomingMessage]:
        """Return those messages that still read as they did.

        Raises:
            StoreError: the store can't be had.
        """
        by_channel = defaultdict[Place, list[str]](list)
        for one in messages:
            by_channel[replace(one.place, thread="")].append(one.message_id)
        now: set[tuple[str, str, str]] = set()
        for channel, ids in by_channel.items():
            found = await self.store.standing(channel, ids, revision=sys.maxsize)
            now |= {
                (channel.channel, key, one.text) for key, one in found.items() if one is not None
            }
        return [one for one in messages if (one.place.channel, one.message_id, one.text) in now]

    async def _history(self, step: Read, since: float) -> History | None:
        """Return the platform's history; None where it can't be had just now."""
        try:
            return await self.surface.read_range(
                step.place, limit=step.limit, since=since, until=step.until
            )
        except (MayNotWrite, MessageGone):
            raise
        except PlatformError as error:
            log.warning("reading.no_history", channel=step.place.channel, error=str(error))
            return None

    async def _fill(self, place: Place, history: History, since: float, until: float) -> None:
        """Bring the log up to what a history shows."""
        said = [one for one in history.messages if not one.author.bot]
        before = await self.store.messages(place, limit=LOG_MAX, since=since)
        await self.store.log_history(said)
        logged = {one.message_id: one for one in before}
        for one in said:
            if (
                one.edited_at
                and one.message_id in logged
                and logged[one.message_id].text != one.text
            ):
                await self.store.change(
                    MessageChanged(
                        place=one.place,
                        message_id=one.message_id,
                        text=one.text,
                        changed_at=one.edited_at,
                    )
                )
        settled = min(until, self.clock() - UNSETTLED_S)
        for one in missing(before, history, until=settled):
            await self.store.delete(MessageDeleted(place=one.place, message_id=one.message_id))

    async def _last_of(self, person: Person, step: Read) -> float:
        """Return when a person last said something there that was not meant for Jay; 0.0: never."""
        logged = await self.store.messages(step.place, limit=LOG_MAX)
        if not (last := _newest_of(person, logged, step.until)):
            history = await self._history(step, 0.0)
            last = _newest_of(person, history.messages if history else (), step.until)
        return last


def missing(
    logged: Sequence[IncomingMessage], history: History, *, until: float
) -> list[IncomingMessage]:
    """Return the logged messages that a history should show and doesn't. Pure."""
    shown = {one.message_id for one in history.messages}
    unseen = [
        one
        for one in logged
        if one.message_id not in shown and history.begins <= one.sent_at < until
    ]
    outside = [one for one in unseen if not one.place.thread]
    # A root that is gone from the channel's history leaves no thread behind.
    known = history.threads | {one.message_id for one in outside}
    return [
        *outside,
        *(
            one
            for one in unseen
            if one.place.thread in known or (one.place.thread and history.gone(one.place.thread))
        ),
    ]


def _newest_of(person: Person, messages: Sequence[IncomingMessage], until: float) -> float:
    mine = (
        one.sent_at
        for one in messages
        if one.author.id == person.id and not one.mentions_jay and one.sent_at < until
    )
    return max(mine, default=0.0)
