"""Which channel a person means, and whether they may read it: Discord's own rules, applied.

Source: discord.com/developers, "Permissions", "Permission Overwrites". What the
server's roles allow counts first, then the channel's overwrites for everyone,
for the person's roles together, and for the person.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import TypeAdapter

from adapters.discord.payloads import (
    GuildChannelPayload,
    GuildMemberPayload,
    GuildPayload,
    OverwritePayload,
)
from adapters.discord.rest import Rest
from bot.errors import MayNotWrite, MessageGone
from bot.messages import Place

ADMINISTRATOR, VIEW_CHANNEL, READ_HISTORY = 1 << 3, 1 << 10, 1 << 16
READS = VIEW_CHANNEL | READ_HISTORY
TEXT, ANNOUNCEMENT = 0, 5
"""Types of channels that have a history of their own."""

_GUILD = TypeAdapter(GuildPayload)
_MEMBER = TypeAdapter(GuildMemberPayload)
_CHANNELS = TypeAdapter(list[GuildChannelPayload])


async def find_channel(rest: Rest, near: Place, name: str, *, person: str) -> Place | None:
    """Return the channel of a name or id in a server that a person may read; None if there is none.

    Of several with that name it is the first that they may read.

    Raises:
        PlatformError: Discord can't be reached, or doesn't let Jay ask.
    """
    if not near.workspace:
        return None
    where = {"guild_id": near.workspace}
    guild = await rest.ask(_GUILD, "GET", "/guilds/{guild_id}", where=where)
    channels = await rest.ask(_CHANNELS, "GET", "/guilds/{guild_id}/channels", where=where)
    try:
        member = await rest.ask(
            _MEMBER,
            "GET",
            "/guilds/{guild_id}/members/{user_id}",
            where=where | {"user_id": person},
        )
    except (MayNotWrite, MessageGone):
        return None
    for one in channels:
        if one.type in (TEXT, ANNOUNCEMENT) and name in (one.id, one.name):
            allowed = permissions(guild, member.roles, one.permission_overwrites, person=person)
            if allowed & READS == READS:
                return Place(platform="discord", workspace=near.workspace, channel=one.id)
    return None


def permissions(
    guild: GuildPayload,
    roles: Sequence[str],
    overwrites: Sequence[OverwritePayload],
    *,
    person: str,
) -> int:
    """Return what a person may do in a channel, as Discord's bits. Pure.

    Args:
        guild: the server with its roles; that of everyone has the server's id.
        roles: ids of the person's roles.
        overwrites: the channel's.
        person: the person's id.
    """
    everything = (1 << 53) - 1
    if person == guild.owner_id:
        return everything
    mine = {guild.id, *roles}
    allowed = 0
    for role in guild.roles:
        if role.id in mine:
            allowed |= role.permissions
    if allowed & ADMINISTRATOR:
        return everything
    for subjects in ({guild.id}, set(roles) - {guild.id}, {person}):
        applied = [one for one in overwrites if one.id in subjects]
        for one in applied:
            allowed &= ~one.deny
        for one in applied:
            allowed |= one.allow
    return allowed
