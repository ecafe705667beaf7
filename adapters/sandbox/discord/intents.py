"""Gateway intents: which events a session asked for, and who may have a message's content.

Source: discord.com/developers, "Gateway Intents" and "Message Content Intent". Pure.
"""

from __future__ import annotations

from adapters.sandbox.records import Json

GUILDS = 1 << 0
GUILD_MEMBERS = 1 << 1
GUILD_PRESENCES = 1 << 8
GUILD_MESSAGES = 1 << 9
GUILD_REACTIONS = 1 << 10
GUILD_TYPING = 1 << 11
DIRECT_MESSAGES = 1 << 12
DIRECT_REACTIONS = 1 << 13
DIRECT_TYPING = 1 << 14
MESSAGE_CONTENT = 1 << 15
KNOWN = (1 << 26) - 1
"""Bits above this are no intents (4013)."""

PRIVILEGED = {
    "guild_members": GUILD_MEMBERS,
    "presences": GUILD_PRESENCES,
    "message_content": MESSAGE_CONTENT,
}
"""What must be switched on in the developer portal, by the names of the fault switches."""
APPLICATION_FLAGS = {
    "presences": 1 << 13,
    "guild_members": 1 << 15,
    "message_content": 1 << 19,
}
"""The application flags (`GATEWAY_…_LIMITED`) that show a privileged intent as granted."""
_CONTENT: Json = {"content": "", "embeds": [], "attachments": [], "components": []}


def may_have_content(message: Json, bot: str) -> bool:
    """Say whether a bot without the MESSAGE_CONTENT intent gets this message's content.

    It does in direct messages, for its own messages and for those that mention it.
    """
    return (
        "guild_id" not in message
        or message["author"]["id"] == bot
        or any(user["id"] == bot for user in message["mentions"])
    )


def without_content(message: Json, bot: str) -> Json:
    """Return a message as a bot without the MESSAGE_CONTENT intent gets it."""
    kept = message if may_have_content(message, bot) else message | _CONTENT
    referenced = kept.get("referenced_message")
    if not referenced:
        return kept
    where = {"guild_id": message["guild_id"]} if "guild_id" in message else {}
    return kept | {"referenced_message": without_content(referenced | where, bot)}
