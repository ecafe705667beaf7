"""Roles and permissions: what the world's plain flags become in Discord's own terms.

A private channel hides itself from everyone but its members; a channel that the bot may
not read or write in denies that to the bot's role. What a member may do follows from the
overwrites by Discord's own order (everyone, roles, member), so that a client that
computes it comes to the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from adapters.sandbox.records import Channel, Json
from adapters.sandbox.world import World

CREATE_INVITE = 1 << 0
ADMINISTRATOR = 1 << 3
ADD_REACTIONS = 1 << 6
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
MANAGE_MESSAGES = 1 << 13
EMBED_LINKS = 1 << 14
ATTACH_FILES = 1 << 15
READ_HISTORY = 1 << 16
MENTION_EVERYONE = 1 << 17
EXTERNAL_EMOJI = 1 << 18
CHANGE_NICKNAME = 1 << 26
USE_COMMANDS = 1 << 31
CREATE_PUBLIC_THREADS = 1 << 35
CREATE_PRIVATE_THREADS = 1 << 36
SEND_IN_THREADS = 1 << 38
ALL = (1 << 50) - 1

EVERYONE = (
    CREATE_INVITE
    | ADD_REACTIONS
    | VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_HISTORY
    | MENTION_EVERYONE
    | EXTERNAL_EMOJI
    | CHANGE_NICKNAME
    | USE_COMMANDS
    | CREATE_PUBLIC_THREADS
    | CREATE_PRIVATE_THREADS
    | SEND_IN_THREADS
)
"""What a fresh server gives to @everyone; yes, pinging everyone is among it."""
WRITING = SEND_MESSAGES | SEND_IN_THREADS | CREATE_PUBLIC_THREADS | CREATE_PRIVATE_THREADS
DIRECT = (
    VIEW_CHANNEL | SEND_MESSAGES | EMBED_LINKS | ATTACH_FILES | READ_HISTORY | ADD_REACTIONS
    | EXTERNAL_EMOJI | USE_COMMANDS
)  # fmt: skip
_KEEPERS = 3
_ROLE_OFFSET = 0x20_0000
"""Role ids stand this far above the guild's, out of reach of its running numbers."""


def keepers_role(world: World) -> str:
    """Return the id of the mentionable role that a few people have."""
    return str(int(world.home_id) + _ROLE_OFFSET + 1)


def bot_role(world: World) -> str:
    """Return the id of the role that came with the bot."""
    return str(int(world.home_id) + _ROLE_OFFSET + 2)


def owner(world: World) -> str:
    """Return the server's owner: the first person in it."""
    people = [member.id for member in world.members.values() if not member.bot]
    return people[0] if people else world.bot_id


def roles_of(world: World, member: str) -> list[str]:
    """Return the ids of a member's roles, without @everyone."""
    if member == world.bot_id:
        return [bot_role(world)]
    people = [one.id for one in world.members.values() if not one.bot][:_KEEPERS]
    return [keepers_role(world)] if member in people else []


def roles(world: World) -> list[Json]:
    """Return the role objects of the server."""
    bot = world.members.get(world.bot_id)
    return [
        _role(world.home_id, "@everyone", 0, EVERYONE),
        _role(keepers_role(world), "Keepers", 1, 0) | {"mentionable": True, "hoist": True},
        _role(bot_role(world), bot.display if bot else "Bot", 2, EVERYONE)
        | {"managed": True, "tags": {"bot_id": world.bot_id, "integration_id": world.bot_id}},
    ]


def overwrites(world: World, channel: Channel) -> list[Json]:
    """Return a channel's permission overwrites."""
    found: list[Json] = []
    if channel.private:
        found.append(_overwrite(world.home_id, 0, deny=VIEW_CHANNEL))
        found += [
            _overwrite(member, 1, allow=VIEW_CHANNEL)
            for member in sorted(channel.members)
            if member != world.bot_id or channel.readable_by_bot
        ]
    denied = 0 if channel.readable_by_bot else VIEW_CHANNEL
    if not channel.writable_by_bot:
        denied |= WRITING
    if denied:
        found.append(_overwrite(bot_role(world), 0, deny=denied))
    return found


def allowed(world: World, member: str, channel: Channel) -> int:
    """Return the permission bits that a member has in a channel, 0 where it is hidden."""
    if channel.kind == "direct":
        return DIRECT if member in channel.members else 0
    place = world.channels.get(channel.parent or "", channel)
    if member == owner(world):
        return ALL
    own_roles = {world.home_id, *roles_of(world, member)}
    bits = 0
    for role in roles(world):
        if role["id"] in own_roles:
            bits |= int(role["permissions"])
    bits = _apply(bits, overwrites(world, place), member, own_roles, world.home_id)
    if not bits & VIEW_CHANNEL:
        return 0
    sending = SEND_IN_THREADS if channel.kind == "thread" else SEND_MESSAGES
    if not bits & sending:
        bits &= ~(MENTION_EVERYONE | EMBED_LINKS | ATTACH_FILES)
    return bits


def _apply(
    bits: int, rules: list[Json], member: str, own_roles: Iterable[str], everyone: str
) -> int:
    for ids in ({everyone}, {*own_roles} - {everyone}, {member}):
        deny = allow = 0
        for rule in rules:
            if rule["id"] in ids:
                deny |= int(rule["deny"])
                allow |= int(rule["allow"])
        bits = bits & ~deny | allow
    return bits


def _overwrite(subject: str, kind: int, *, allow: int = 0, deny: int = 0) -> Json:
    return {"id": subject, "type": kind, "allow": str(allow), "deny": str(deny)}


def _role(role_id: str, name: str, position: int, permissions: int) -> Json:
    return {
        "id": role_id,
        "name": name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "icon": None,
        "unicode_emoji": None,
        "position": position,
        "permissions": str(permissions),
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }
