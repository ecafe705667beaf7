"""Events wait here, channel by channel, until the store has them.

The gateway has no ack: what is read from it and dropped is lost. So an event
waits in its channel's lane, in order, and its handling is tried again, slower
and slower, while the store or Discord is away. Reading goes on meanwhile, for
a gateway that isn't read closes.

The lanes together hold a bounded number of events. Beyond it a message isn't
kept itself: its lane notes from where to read back instead, and Discord keeps
the messages until then.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

import structlog

from adapters.discord.limits import earlier
from bot.errors import PlatformError, StoreError, TooFast

log = structlog.get_logger(__name__)

MOST_WAITING = 10_000
"""Events in all lanes. A message is about 2 KB, so this is some 20 MB."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 5.0

READ_BACK = "READ_BACK"
"""Not Discord's: read the channel back from after the message `after`."""
_READABLE = ("MESSAGE_CREATE", "MESSAGE_UPDATE")
"""What a reading back brings as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One event as it came."""

    event: str
    channel: str
    data: Mapping[str, object]


class Lanes:
    """Runs one task a channel that has events."""

    def __init__(
        self, handle: Callable[[Arrival], Awaitable[None]], *, most: int = MOST_WAITING
    ) -> None:
        """Take what handles an event; it may be called again with the same one."""
        self._handle, self._most = handle, most
        self._lanes: dict[str, deque[Arrival]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """How many events have not been handled."""
        return self._waiting

    def put(self, arrival: Arrival) -> None:
        """Let an event wait for its turn. Never blocks."""
        lane = self._lanes.setdefault(arrival.channel, deque())
        if arrival.event in _READABLE and self._waiting >= self._most:
            # The first of a lane may be running now and not see what comes after it.
            if len(lane) > 1 and lane[-1].event == READ_BACK:
                return
            arrival = read_back(
                arrival.channel,
                guild_id=str(arrival.data.get("guild_id") or ""),
                after=earlier(str(arrival.data["id"]), by_s=0.001),
            )
            log.warning("discord.read_back_later", channel=arrival.channel, waiting=self._waiting)
        elif arrival.event != READ_BACK and self._waiting >= 2 * self._most:
            log.error("discord.event_dropped", channel=arrival.channel, kind=arrival.event)
            return
        lane.append(arrival)
        self._waiting += 1
        if arrival.channel not in self._tasks:
            name = f"discord lane {arrival.channel}"
            self._tasks[arrival.channel] = asyncio.create_task(
                self._run(arrival.channel), name=name
            )

    async def close(self, *, within_s: float) -> None:
        """Give what waits so long to be handled, then stop."""
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=within_s)
        if self._waiting:
            log.warning("discord.events_left", waiting=self._waiting)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, channel: str) -> None:
        lane = self._lanes[channel]
        try:
            while lane:
                await self._handle_surely(lane[0])
                lane.popleft()
                self._waiting -= 1
        finally:
            del self._tasks[channel], self._lanes[channel]

    async def _handle_surely(self, arrival: Arrival) -> None:
        """Handle an event, again and again while the store or the platform is away."""
        waits = slower_and_slower()
        while True:
            try:
                await self._handle(arrival)
                return
            except (StoreError, PlatformError, TimeoutError) as error:
                if isinstance(error, PlatformError) and not error.retry:
                    log.warning("discord.event_refused", kind=arrival.event, error=str(error))
                    return
                wait_s = error.retry_after_s if isinstance(error, TooFast) else next(waits)
                log.info("discord.event_waits", kind=arrival.event, wait_s=wait_s)
            except Exception:
                # One event that Jay can't digest must not hold up its channel for ever.
                log.exception("discord.event_failed", kind=arrival.event, channel=arrival.channel)
                return
            await asyncio.sleep(wait_s)


def read_back(channel: str, *, guild_id: str, after: str) -> Arrival:
    """Return the wish to read a channel back from after a message.

    Args:
        channel: which.
        guild_id: its server; empty for a direct message.
        after: a message's id.
    """
    return Arrival(event=READ_BACK, channel=channel, data={"after": after, "guild_id": guild_id})


def slower_and_slower() -> Iterator[float]:
    """Yield the waits between tries, without end."""
    wait_s = FIRST_WAIT_S
    while True:
        yield wait_s
        wait_s = min(LONGEST_WAIT_S, wait_s * 2)
