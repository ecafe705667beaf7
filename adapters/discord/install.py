"""Sets discord.py up for this process: where the platform is, and what must not be logged.

discord.py keeps both addresses in its modules (`Route.BASE`,
`DiscordWebSocket.DEFAULT_GATEWAY`) and has no other way to tell it: they are
global to the process, and must be set before a client logs in. The edge and
the surface both call this as they open; one process speaks to one Discord.

Its HTTP logger warns of every 429 with the address, and an interaction's
address holds a token. Jay logs the wait itself (`delivery.slowed`).
"""

from __future__ import annotations

import logging

import yarl
from discord import VoiceClient
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.settings import DiscordSettings


def set_up(settings: DiscordSettings) -> None:
    """Let every client of this process speak to the settings' addresses."""
    logging.getLogger("discord.http").setLevel(logging.ERROR)
    VoiceClient.warn_nacl = VoiceClient.warn_dave = False  # Jay doesn't speak
    Route.BASE = settings.api_url.rstrip("/")
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.gateway_url)
