"""What channels and roles are: asked of Discord when first needed, kept for a while.

A thread's messages name only the thread, so its parent must be looked up; role
and channel names too. A place that Discord won't describe is taken as it is.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import structlog
from pydantic import TypeAdapter

from adapters.discord.limits import id_at, said_at
from adapters.discord.normalise import Names, direct_place, place_of
from adapters.discord.payloads import (
    ActiveThreadsPayload,
    ChannelPayload,
    PostedPayload,
    RolePayload,
)
from adapters.discord.rest import Rest
from bot.errors import PlatformError
from bot.messages import Place

log = structlog.get_logger(__name__)

KEPT_S = 300.0
"""How long a name may be an old one."""
MOST_CHANNELS = 5_000
MOST_GUILDS = 500
ARCHIVED_MAX = 100
"""Archived threads that one call gives."""

_GUILDS = TypeAdapter(list[PostedPayload])
_THREADS = TypeAdapter(ActiveThreadsPayload)
_CHANNEL = TypeAdapter(ChannelPayload)
_CHANNELS = TypeAdapter(list[ChannelPayload])
_ROLES = TypeAdapter(list[RolePayload])

Kept = TypeVar("Kept")


class _Shelf(Generic[Kept]):
    """Keeps the newest of something by key, for so long and so many."""

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self._most, self._clock = most, clock
        self._kept: OrderedDict[str, tuple[float, Kept]] = OrderedDict()

    def get(self, key: str) -> Kept | None:
        at, kept = self._kept.get(key, (0.0, None))
        return kept if kept is not None and self._clock() - at < KEPT_S else None

    def put(self, key: str, kept: Kept) -> None:
        self._kept[key] = (self._clock(), kept)
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)


class Directory:
    """Looks places and names up by REST."""

    def __init__(self, rest: Rest, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the session to ask with."""
        self._rest = rest
        self._places: _Shelf[Place] = _Shelf(MOST_CHANNELS, clock)
        self._names: _Shelf[Names] = _Shelf(MOST_GUILDS, clock)

    async def place(self, channel_id: str, guild_id: str | None) -> Place:
        """Return the place of a channel.

        Raises:
            PlatformError: Discord can't be reached; a retry may help.
        """
        if not guild_id:
            return direct_place(channel_id)
        place = self._places.get(channel_id)
        if place is None:
            try:
                found = await self._rest.ask(
                    _CHANNEL, "GET", "/channels/{channel_id}", where={"channel_id": channel_id}
                )
                place = place_of(found, guild_id=guild_id)
            except PlatformError as error:
                if error.retry:
                    raise
                log.debug("discord.channel_unknown", channel=channel_id, error=str(error))
                place = Place(platform="discord", workspace=guild_id, channel=channel_id)
            self._places.put(channel_id, place)
        return place

    async def places(self, *, since: float) -> list[Place]:
        """Return the servers' channels and threads that are newer than a time, Unix seconds.

        Raises:
            PlatformError: Discord can't be reached; a retry may help.
        """
        guilds = await self._rest.ask(_GUILDS, "GET", "/users/@me/guilds", where={})
        found: list[Place] = []
        for guild in guilds:
            where = {"guild_id": guild.id}
            channels = await self._rest.ask(
                _CHANNELS, "GET", "/guilds/{guild_id}/channels", where=where
            )
            threads = await self._rest.ask(
                _THREADS, "GET", "/guilds/{guild_id}/threads/active", where=where
            )
            found += [
                place_of(one, guild_id=guild.id)
                for one in (*channels, *threads.threads)
                if int(one.last_message_id or 0) >= int(id_at(since))
            ]
        return found

    async def threads(self, place: Place) -> dict[str, float]:
        """Return a channel's threads with when their newest message was sent, that first.

        Archived ones are among them as far as they are public, the last archived.

        Raises:
            PlatformError: Discord can't be reached; a retry may help.
        """
        active = await self._rest.ask(
            _THREADS,
            "GET",
            "/guilds/{guild_id}/threads/active",
            where={"guild_id": place.workspace},
        )
        found = [one for one in active.threads if one.parent_id == place.channel]
        found += await self._archived(place.channel)
        newest = {one.id: said_at(one.last_message_id or one.id) for one in found}
        return dict(sorted(newest.items(), key=lambda item: item[1], reverse=True))

    async def _archived(self, channel_id: str) -> Sequence[ChannelPayload]:
        """Return a channel's public archived threads, the last archived, at most one page."""
        try:
            archived = await self._rest.ask(
                _THREADS,
                "GET",
                "/channels/{channel_id}/threads/archived/public",
                where={"channel_id": channel_id},
                query={"limit": ARCHIVED_MAX},
            )
        except PlatformError as error:
            if error.retry:
                raise
            log.info("discord.archive_closed", channel=channel_id, error=str(error))
            return ()
        return archived.threads

    async def names(self, guild_id: str | None) -> Names:
        """Return what a server calls its roles and channels.

        Raises:
            PlatformError: Discord can't be reached; a retry may help.
        """
        me = await self._rest.me()
        if not guild_id:
            return Names(me=me)
        names = self._names.get(guild_id)
        if names is None:
            names = await self._ask_names(me, guild_id)
            self._names.put(guild_id, names)
        return names

    async def _ask_names(self, me: str, guild_id: str) -> Names:
        try:
            roles = await self._rest.ask(
                _ROLES, "GET", "/guilds/{guild_id}/roles", where={"guild_id": guild_id}
            )
            channels = await self._rest.ask(
                _CHANNELS, "GET", "/guilds/{guild_id}/channels", where={"guild_id": guild_id}
            )
        except PlatformError as error:
            if error.retry:
                raise
            log.warning("discord.names_unknown", guild=guild_id, error=str(error))
            return Names(me=me)
        return Names(
            me=me,
            my_roles=frozenset(one.id for one in roles if one.tags.bot_id == me),
            roles={one.id: one.name.removeprefix("@") for one in roles},
            channels={one.id: one.name for one in channels if one.name},
        )
