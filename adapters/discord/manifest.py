"""What a team does in Discord's developer portal to have a Jay of its own."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

import discord

from bot.commands import MessageShortcut, SlashCommand

PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    read_message_history=True,
    add_reactions=True,
)
"""The least that Jay works with: read, answer, answer in threads, give a sign."""
SCOPES = ("bot", "applications.commands")
INVITE = "https://discord.com/oauth2/authorize"

_STEPS = """\
Discord application for Jay

1. Open https://discord.com/developers/applications, choose New Application and name it Jay.
2. Bot: switch on Message Content Intent under Privileged Gateway Intents. Jay needs no other
   privileged intent.
3. Bot: Reset Token, copy it, and set it where Jay runs:
       DISCORD_BOT_TOKEN=…
4. Invite Jay to your server:
       {invite}
   (permissions {permissions}: {names})
5. Start Jay with `jay run`. It registers its commands by itself:
{commands}
6. `jay doctor` checks the token, the intent and the way to the gateway.
"""


def describe(
    commands: Sequence[SlashCommand],
    *,
    shortcuts: Sequence[MessageShortcut] = (),
    application_id: str = "",
) -> str:
    """Return the steps to a Discord application, with the link that invites it.

    Args:
        commands: the slash commands that Jay registers.
        shortcuts: what it registers for messages' menus.
        application_id: from the portal's General Information page; without one the link
            has a gap to fill.
    """
    return _STEPS.format(
        invite=invite(application_id),
        permissions=PERMISSIONS.value,
        names=", ".join(name.replace("_", " ") for name, on in PERMISSIONS if on),
        commands="\n".join(
            [
                *(f"       /{one.name}  {one.description}" for one in commands),
                *(f"       Apps > {one.name}, in a message's menu" for one in shortcuts),
            ]
        ),
    )


def invite(application_id: str) -> str:
    """Return the link by which somebody who manages a server lets Jay in."""
    query = {
        "client_id": application_id or "APPLICATION_ID",
        "scope": " ".join(SCOPES),
        "permissions": PERMISSIONS.value,
    }
    return f"{INVITE}?{urlencode(query)}"
