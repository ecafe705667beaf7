"""What concerns one message is taken in the order in which it came.

Names are asked for between hearing and handing on, so that a deletion could
overtake the message that it deletes, and the message would be kept for good.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager


class Turns:
    """Lets one event at a time pass for each message. Holds no more than what is under way."""

    def __init__(self) -> None:
        """Begin with nothing under way."""
        self._locks: dict[tuple[str, str], tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, event: Mapping[str, object]) -> AsyncIterator[None]:
        """Wait until earlier events of the same message are through."""
        key = message_of(event)
        lock, waiting = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._locks.pop(key)
            if waiting > 1:
                self._locks[key] = (lock, waiting - 1)


def message_of(event: Mapping[str, object]) -> tuple[str, str]:
    """Return the channel and `ts` of the message that an event is about. Pure."""
    inner = event.get("message")
    changed = inner.get("ts") if isinstance(inner, Mapping) else None
    ts = changed or event.get("deleted_ts") or event.get("ts") or ""
    return str(event.get("channel", "")), str(ts)
