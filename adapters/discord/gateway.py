"""discord.py's client, told to do no more than listen."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import discord
import structlog

log = structlog.get_logger(__name__)

MESSAGE_EVENTS = (
    "MESSAGE_CREATE",
    "MESSAGE_UPDATE",
    "MESSAGE_DELETE",
    "MESSAGE_DELETE_BULK",
)
EVENTS = (*MESSAGE_EVENTS, "INTERACTION_CREATE", "READY", "RESUMED")
"""What is read; the rest is for discord.py alone."""
_SIGNS = tuple(f'"{event}"' for event in EVENTS)

_BEGINS = ("READY", "RESUMED")
"""What a session can't begin without being read."""

OnEvent: TypeAlias = Callable[[str, Mapping[str, object]], None]


class Gateway(discord.Client):
    """Hands on the events that Jay needs as they came, in their order."""

    def __init__(
        self,
        *,
        on_event: OnEvent,
        on_lost: Callable[[], None],
        before_identify: Callable[[], Awaitable[None]],
        shard_id: int = 0,
        shard_count: int = 1,
    ) -> None:
        """Take whom to tell.

        Args:
            on_event: is given each event of `EVENTS`; it may not block.
            on_lost: is told that the connection is gone; it may not block.
            before_identify: returns when a new session may be begun.
            shard_id: which part of the servers is listened to.
            shard_count: how many parts there are.
        """
        intents = discord.Intents.none()
        intents.guilds = intents.guild_messages = intents.dm_messages = True
        intents.message_content = True
        super().__init__(
            intents=intents,
            shard_id=shard_id,
            shard_count=shard_count,
            allowed_mentions=discord.AllowedMentions.none(),
            enable_debug_events=True,
            # Nothing of what discord.py could keep in memory is read.
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
        )
        parsers = self._connection.parsers
        parsers.update({name: _patient(name, parse) for name, parse in parsers.items()})
        self._on_event, self._on_lost = on_event, on_lost
        self._before_identify = before_identify

    async def on_socket_raw_receive(self, frame: str) -> None:
        """Hand on a frame if it is an event of `EVENTS`. Does not await: order must be kept."""
        if not any(sign in frame for sign in _SIGNS):
            return
        read = json.loads(frame)
        event, data = read.get("t"), read.get("d")
        if event in EVENTS:
            self._on_event(event, data if isinstance(data, dict) else {})

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait as long as needed; discord.py would wait five seconds each time but the first."""
        await self._before_identify()

    async def on_disconnect(self) -> None:
        """Tell that the connection is gone, for now."""
        self._on_lost()

    async def on_error(self, event: str, /, *args: object, **kwargs: object) -> None:
        """Log what went wrong in a handler; discord.py would print it."""
        log.exception("discord.handler_failed", handler=event)


def _patient(name: str, parse: Callable[[Any], object]) -> Callable[[Any], None]:
    """Return discord.py's reader of an event, such that one it can't read costs no connection."""

    def read(data: Any) -> None:
        try:
            parse(data)
        except Exception as error:  # whatever a shape that its reader takes for granted gives
            if name in _BEGINS:
                raise
            log.info("discord.malformed", kind=name, error=type(error).__name__)

    return read
