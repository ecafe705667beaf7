"""The second entrance: what was said while nobody listened, through the same doors.

Whenever an edge listens anew (after a restart, a dead socket, a session that
can't be resumed) and whenever the store could not take an event, gaps are put
on record: for each place, since when. They are read back from the platform one
after another, at its pace, beside what comes live, and each stays on record
until it has been read, however often the process dies.

What is found goes to the intake like any event; the store knows what it has
seen. Only what is still fresh is answered. Edits are applied as the history
shows them, and what is missing there was deleted.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from bot.conversations import Conversation
from bot.delivery import WriteBudget
from bot.errors import JayError, PlatformError, StoreError, TooFast
from bot.intake import Intake
from bot.messages import (
    Event,
    IncomingMessage,
    MessageChanged,
    MessageDeleted,
    PlatformName,
)
from bot.metrics import CAUGHT_UP
from bot.ports import Gap, Store, Surface, Target

log = structlog.get_logger(__name__)

OVERLAP_S = 120.0
"""Read twice before each gap: a dead connection is noticed after a minute or so."""
KNOWN_MAX = 1_000
"""Logged messages of a place that the history is compared with."""
GAPS_MAX = 10_000
"""More than the store keeps."""
FAILURES_MAX = 3
"""After so many places that can't be read now the whole platform is taken to be away."""
REST_S = 15.0
"""Between tries while the store or the platform is away."""
READ_TIMEOUT_S = 120.0
"""For one place: ten pages, each with its own timeout, and the names in them."""
FOREVER = 1e12
STALE = (
    "I was away when you wrote this, and it was a while ago. "
    "If you still want an answer, ask me again."
)


@dataclass(slots=True, kw_only=True)
class Recovery:
    """Catches up on one platform. `missed` is what its edge is given, `hear` its way in."""

    platform: PlatformName
    store: Store
    surface: Surface
    intake: Intake
    budget: WriteBudget
    fresh_s: float
    """Messages older than that are not answered any more."""
    max_messages: int
    """The most that is read back of one place."""
    tell_stale: bool
    """Whether people are told, once a conversation, that theirs was too old."""
    clock: Callable[[], float] = time.time
    _told: asyncio.Event = field(default_factory=asyncio.Event)
    _since: float = FOREVER
    _looks_around: bool = False

    async def begin(self) -> None:
        """Note where this process begins to listen; before its edge does.

        Raises:
            StoreError: the store can't be had.
        """
        await self.store.note_gap(self.platform, heard_until=FOREVER)

    def missed(self, since: float | None) -> None:
        """Have everything read back since then: an edge's `Missed`."""
        if since is not None:
            self._since = min(self._since, since)
        self._looks_around = True
        self._told.set()

    async def hear(self, event: Event) -> None:
        """Hand an event to the intake; what the store can't take is read back later.

        Raises:
            StoreError: it could not be stored; nothing of it is.
        """
        try:
            await self.intake.hear(event)
        except StoreError:
            self.missed(event.sent_at if isinstance(event, IncomingMessage) else self.clock())
            raise
        if isinstance(event, IncomingMessage) and event.place.direct:
            self._told.set()  # the store puts a gap on record where it is from somebody new

    async def run(self) -> None:
        """Catch up whenever something was missed, until cancelled."""
        while True:
            await self._told.wait()
            self._told.clear()
            try:
                await self._catch_up()
                continue
            except TooFast as error:
                rest_s = max(REST_S, error.retry_after_s)
            except JayError as error:
                log.warning("recovery.waits", platform=self.platform, error=str(error))
                rest_s = REST_S
            except Exception:
                # An answer that nobody foresaw must not end the process that also listens.
                log.exception("recovery.failed", platform=self.platform)
                rest_s = REST_S
            self.missed(None)
            await asyncio.sleep(rest_s)

    async def _catch_up(self) -> None:
        since = self._since
        if since < FOREVER:
            await self.store.note_gap(self.platform, heard_until=since)
            if self._since == since:
                self._since = FOREVER
        if self._looks_around:
            self._looks_around = False
            await self._look_around()
        gaps = await self.store.gaps(self.platform, limit=GAPS_MAX)
        failures: list[PlatformError] = []
        for gap in gaps:
            try:
                await self._close(gap)
            except TooFast:
                raise
            except PlatformError as error:
                failures.append(error)
                if len(failures) >= FAILURES_MAX:
                    break
        if failures:
            raise failures[0]
        if gaps:
            log.info("recovery.caught_up", platform=self.platform, places=len(gaps))

    async def _look_around(self) -> None:
        """Note the places that are new; without that, those where Jay heard anybody serve."""
        fresh = self.clock() - self.fresh_s
        await self._may_read()
        try:
            places = await self.surface.places(since=fresh)
        except PlatformError as error:
            if error.retry:
                raise
            log.warning("recovery.places_unknown", platform=self.platform, error=str(error))
            return
        await self.store.note_places(self.platform, places, since=fresh)

    async def _close(self, gap: Gap) -> None:
        """Read one place back; a place that can't be read holds up no other."""
        where = {"channel": gap.place.channel, "thread": gap.place.thread}
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                await self._read(gap)
        except PlatformError as error:
            if error.retry:
                raise
            log.info("recovery.place_closed", error=str(error), **where)
        except StoreError:
            raise
        except Exception:
            log.exception("recovery.place_failed", **where)
        await self.store.close_gap(gap)

    async def _read(self, gap: Gap) -> None:
        since = gap.since - OVERLAP_S - self.fresh_s
        logged = await self.store.messages(gap.place, limit=KNOWN_MAX, since=since)
        known = {one.message_id for one in logged}
        await self._may_read()
        said = [
            one
            for one in await self.surface.history(gap.place, limit=self.max_messages, since=since)
            if not one.author.bot
        ]
        stale: dict[Conversation, IncomingMessage] = {}
        for message in said:
            await self._take(message, known, stale)
        here = [one for one in logged if one.place.thread == gap.place.thread]
        for message in deleted(here, said, until=gap.since):
            CAUGHT_UP.labels(self.platform, "deleted").inc()
            await self.intake.hear(
                MessageDeleted(place=message.place, message_id=message.message_id)
            )
        for conversation, message in stale.items():
            await self._tell(conversation, message)

    async def _take(
        self,
        message: IncomingMessage,
        known: set[str],
        stale: dict[Conversation, IncomingMessage],
    ) -> None:
        # A known message without a mention was judged when it came: since then Jay may have
        # joined its thread, which doesn't make it Jay's.
        if message.message_id not in known or message.mentions_jay or message.place.direct:
            if self.clock() - message.sent_at <= self.fresh_s:
                await self.intake.hear(message)
            elif conversation := await self.intake.note(message):
                stale[conversation] = message
            if message.message_id not in known:
                CAUGHT_UP.labels(self.platform, "message").inc()
        if message.edited_at:
            await self.intake.hear(
                MessageChanged(
                    place=message.place,
                    message_id=message.message_id,
                    text=message.text,
                    changed_at=message.edited_at,
                )
            )

    async def _tell(self, conversation: Conversation, message: IncomingMessage) -> None:
        """Say once that a message was too old; who can't be told isn't."""
        CAUGHT_UP.labels(self.platform, "stale").inc()
        log.info("recovery.stale", conversation=conversation.key, message=message.message_id)
        if not self.tell_stale:
            return
        target = Target(place=message.place, reply_to=message.message_id, person=message.author.id)
        name = hashlib.sha256(f"{conversation.key}/{message.message_id}".encode()).hexdigest()
        await self.budget.acquire(message.place.write_lane, self.surface.pace)
        try:
            (part,) = self.surface.render(STALE, target=target)
            nonce = f"{name[:16]}.0"
            self.intake.wrote(
                await self.surface.post(target, part, nonce=nonce, last=True, again=True)
            )
        except PlatformError as error:
            log.info("recovery.not_told", message=message.message_id, error=str(error))

    async def _may_read(self) -> None:
        await self.budget.acquire(f"{self.platform}:history", self.surface.read_pace)


def deleted(
    logged: Sequence[IncomingMessage], said: Iterable[IncomingMessage], *, until: float
) -> list[IncomingMessage]:
    """Return which logged messages are missing in what a history shows. Pure.

    Only what lies after the first message that it shows can be missing: what
    came before that may just not have been read.

    Args:
        logged: of one place.
        said: what the history shows there.
        until: sent at this time or earlier, Unix seconds: when the gap began. The deletion of
            what was heard later is heard too.
    """
    shown = {one.message_id: one.sent_at for one in said}
    first = min(shown.values(), default=float("inf"))
    return [one for one in logged if first < one.sent_at <= until and one.message_id not in shown]
