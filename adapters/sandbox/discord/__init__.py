"""The Discord server of the sandbox: REST API v10 and the gateway.

    side.py          `DiscordSide`, which joins the rest and does what people do
    guild.py         what all share: the world, the installed application; refusals.py
    rest.py          the calls (calls.py): reading, posting, threads, commands, callbacks
    checking.py      whether what a bot posts is valid; limits.py its bounds and rates
    gateway.py       the sockets: connection.py, identifying.py, compression.py
    sessions.py      what each client was told, to be resumed; events.py what it is told
    interactions.py  commands and buttons that people use; options.py
    shapes.py        objects as Discord shows them: messages.py, permissions.py, markup.py

Written from discord.com/developers; nothing here knows the adapter that it is used with.
"""

from adapters.sandbox.discord.guild import Pace
from adapters.sandbox.discord.limits import Limits
from adapters.sandbox.discord.side import DiscordSide

__all__ = ["DiscordSide", "Limits", "Pace"]
