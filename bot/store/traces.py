"""Traces of replies, and which of the messages that they name still stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from bot.errors import StoreError, StoreVersion
from bot.messages import IncomingMessage, Place
from bot.store.keys import key, shard_of
from bot.store.records import channel_id, decode_message, decode_trace, encode_trace
from bot.store.server import Server, records_in
from bot.traces import Trace, Traced

log = structlog.get_logger(__name__)


class KeptTraces(Server):
    """A `bot.traces.Traces`."""

    async def revision(self, place: Place) -> int:
        """Return the number of the last change of a channel's log; 0: there was none."""
        channel = channel_id(place)
        kept = await self._ask(shard_of(channel), "GET", key("revision", channel))
        return int(kept) if isinstance(kept, bytes) else 0

    async def keep_trace(self, trace: Trace) -> None:
        """Keep a trace under the reply's last message."""
        if not trace.message_ids:
            return
        channel = channel_id(trace.place)
        await self._run(
            shard_of(channel),
            "keep_trace",
            channel,
            trace.place.thread,
            trace.person,
            trace.message_ids[-1],
            repr(trace.at),
            encode_trace(trace),
        )

    async def trace(self, place: Place, message_id: str) -> Trace | None:
        """Return the trace of the reply whose last message this is, if there is one still."""
        channel = channel_id(place)
        name = key("trace", f"{channel}:{message_id}")
        kept = await self._ask(shard_of(channel), "GET", name)
        if not isinstance(kept, bytes):
            return None
        try:
            return decode_trace(kept)
        except StoreVersion as error:
            # Another version wrote it. Nobody needs it so much that it may fail a reply.
            log.info("store.trace_unreadable", error=str(error))
            return None

    async def traced(self, place: Place) -> Sequence[Traced]:
        """Return the replies of a channel with its threads, the newest first."""
        channel = channel_id(place)
        kept = await self._ask(shard_of(channel), "ZREVRANGE", key("traced", channel), 0, -1)
        parts = [one.decode().split("\n", 2) for one in records_in(kept)]
        return [
            Traced(thread=thread, person=person, message_id=message_id)
            for thread, person, message_id in parts
        ]

    async def standing(
        self, place: Place, message_ids: Sequence[str], *, revision: int
    ) -> Mapping[str, IncomingMessage | None]:
        """Return those messages of a channel that read as they did at a revision."""
        if not message_ids:
            return {}
        channel = channel_id(place)
        found = await self._run(shard_of(channel), "standing", channel, revision, *message_ids)
        if not isinstance(found, list):
            raise StoreError(f"a list of messages was expected, not {type(found).__name__}")
        return {
            message_id: decode_message(record) if record else None
            for message_id, record in zip(message_ids, found, strict=True)
            if isinstance(record, bytes)
        }
