"""From an event of the gateway to the intake: looked up, normalised, heard."""

from __future__ import annotations

import asyncio

import structlog
from pydantic import ValidationError

from adapters.discord import history, normalise
from adapters.discord.directory import Directory
from adapters.discord.lanes import READ_BACK, Arrival
from adapters.discord.payloads import THREAD_STARTER, DeletedPayload, MessagePayload
from adapters.discord.rest import Rest
from bot.messages import Event, MessageDeleted
from bot.ports import Hear

log = structlog.get_logger(__name__)

HEAR_S = 10.0
"""The store's own timeouts are shorter; this one is for whatever hangs."""


class Arrivals:
    """Handles what waits in the lanes. All of it is safe to repeat."""

    def __init__(self, rest: Rest, directory: Directory, *, hear: Hear) -> None:
        """Take what to ask, and whom to tell."""
        self._rest, self._directory, self._hear = rest, directory, hear

    async def take(self, arrival: Arrival) -> None:
        """Have an event stored.

        Raises:
            StoreError: it could not be.
            PlatformError: what is needed to read it could not be asked for.
            TimeoutError: the store hangs.
        """
        try:
            if arrival.event == READ_BACK:
                await self._read_back(arrival)
            elif arrival.event == "MESSAGE_CREATE":
                await self._created(MessagePayload.model_validate(arrival.data))
            elif arrival.event == "MESSAGE_UPDATE":
                await self._updated(MessagePayload.model_validate(arrival.data))
            else:
                await self._deleted(DeletedPayload.model_validate(arrival.data))
        except ValidationError as error:
            log.debug("discord.malformed", kind=arrival.event, count=error.error_count())

    async def _created(self, payload: MessagePayload) -> None:
        if payload.type == THREAD_STARTER:
            # The message that a thread hangs on was heard when it was said.
            return
        place = await self._directory.place(payload.channel_id, payload.guild_id)
        names = await self._names(payload)
        await self._tell(normalise.message(payload, place=place, names=names))

    async def _updated(self, payload: MessagePayload) -> None:
        place = await self._directory.place(payload.channel_id, payload.guild_id)
        names = await self._names(payload)
        await self._tell(normalise.changed(payload, place=place, names=names))

    async def _deleted(self, payload: DeletedPayload) -> None:
        place = await self._directory.place(payload.channel_id, payload.guild_id)
        for message_id in payload.ids or (payload.id,):
            await self._tell(MessageDeleted(place=place, message_id=message_id))

    async def _read_back(self, arrival: Arrival) -> None:
        guild_id = str(arrival.data["guild_id"])
        place = await self._directory.place(arrival.channel, guild_id)
        after = str(arrival.data["after"])
        said = await history.read_after(self._rest, self._directory, place, after=after)
        log.info("discord.read_back", channel=arrival.channel, messages=len(said))
        for message in said:
            await self._tell(message)

    async def _names(self, payload: MessagePayload) -> normalise.Names:
        asks = normalise.needs_names(payload)
        return await self._directory.names(payload.guild_id if asks else None)

    async def _tell(self, event: Event | None) -> None:
        if event is not None:
            async with asyncio.timeout(HEAR_S):
                await self._hear(event)
