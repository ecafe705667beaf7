"""Posting so that the same nonce never stands there twice.

Slack has no idempotent post. So each post carries its nonce as message metadata,
and where a post may have happened already (its answer was lost, or another
worker may have died between posting and putting it on record) the place is
searched for the nonce before anything is posted.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog

from adapters.slack.history import Reader
from bot.errors import MayNotWrite, MessageGone, Rejected, TokenRefused, TooFast

log = structlog.get_logger(__name__)

EVENT_TYPE = "jay_reply"
REMEMBERED_MAX = 10_000
SEARCHED = 200
"""The most messages looked through for a nonce."""
FRESH_S = 10.0
"""A reply to a message younger than this can't be one that a dead worker left: its lease
would still hold (`store.lease_s`, 15 s by default)."""
COMMAND_LIFE_S = 1_800.0
"""A command is answered within half an hour or never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Where a post goes, and after which message."""

    channel: str
    thread: str
    after: str
    """`ts` of the message that it answers; empty for a command."""


def metadata(nonce: str) -> dict[str, object]:
    """Return what tells a post's nonce to whoever asks for metadata."""
    return {"event_type": EVENT_TYPE, "event_payload": {"nonce": nonce}}


class Postings:
    """Remembers which nonces were posted, and looks in Slack where memory may be wrong."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        """Take a clock that goes with Slack's time stamps, Unix seconds."""
        self._clock = clock
        self._posted: OrderedDict[str, str] = OrderedDict()
        """`ts` by nonce; empty where a post was tried and its outcome is unknown."""

    async def once(
        self,
        nonce: str,
        slot: Slot,
        *,
        history: Callable[[], Awaitable[Reader]],
        send: Callable[[], Awaitable[str]],
    ) -> str:
        """Post unless it stands there already; return its `ts`.

        Args:
            nonce: unique for this post.
            slot: where it goes.
            history: gives what reads the place, where that is needed.
            send: posts, and returns the `ts`.

        Raises:
            PlatformError: it could not be posted, or it is unknown whether it was.
        """
        known = self._posted.get(nonce)
        if known:
            return known
        if known is not None or self._may_be_old(slot):
            found = await self._find(nonce, slot, history)
            if found:
                log.info("slack.post_found_again", channel=slot.channel, ts=found)
                self._remember(nonce, found)
                return found
        self._remember(nonce, "")
        try:
            ts = await send()
        except (MayNotWrite, MessageGone, Rejected, TokenRefused, TooFast):
            self._posted.pop(nonce, None)
            raise
        self._remember(nonce, ts)
        return ts

    def _may_be_old(self, slot: Slot) -> bool:
        return not slot.after or self._clock() - float(slot.after) > FRESH_S

    async def _find(self, nonce: str, slot: Slot, history: Callable[[], Awaitable[Reader]]) -> str:
        oldest = slot.after or f"{self._clock() - COMMAND_LIFE_S:.6f}"
        try:
            reader = await history()
            if slot.thread:
                listed = await reader.thread(
                    slot.channel, slot.thread, limit=SEARCHED, oldest=oldest, metadata=True
                )
            else:
                outside = reader.outside_threads(
                    slot.channel, limit=SEARCHED, oldest=oldest, metadata=True
                )
                listed = [one async for one in outside]
        except (MayNotWrite, MessageGone, Rejected, TokenRefused) as error:
            log.info("slack.nonce_not_searched", channel=slot.channel, error=str(error))
            return ""
        known = set(self._posted.values())
        for one in listed:
            ts = str(one.get("ts", ""))
            # A stream gets its metadata when it ends; until then it is known by growing.
            growing = one.get("streaming_state") == "in_progress" and ts not in known
            if _nonce(one) == nonce or (growing and one.get("bot_id") == reader.jay.bot_id):
                return ts
        return ""

    def _remember(self, nonce: str, ts: str) -> None:
        self._posted[nonce] = ts
        self._posted.move_to_end(nonce)
        while len(self._posted) > REMEMBERED_MAX:
            self._posted.popitem(last=False)


def _nonce(message: Mapping[str, object]) -> str:
    held = message.get("metadata")
    if not isinstance(held, dict) or held.get("event_type") != EVENT_TYPE:
        return ""
    payload = held.get("event_payload")
    return str(payload.get("nonce", "")) if isinstance(payload, dict) else ""
