"""Discord: how Jay hears what is said there, and how it answers.

The only room that knows discord.py. The edge listens to the gateway, the
surface writes by REST; they share no state and may run in different processes.

    edge          the gateway, kept connected → lanes, interactions
    gateway       discord.py's client, told to do no more than listen
    lanes         events wait, in order, until the store has them
    arrivals      an event: looked up, normalised, heard
    interactions  commands: deferred, stored, or answered with why not
    payloads      the parts of Discord's JSON that are read, checked
    normalise     payloads → `bot.messages` (pure)
    directory     which place a channel is, what roles are called
    surface       replies, by `rest` and `answers` (interaction tokens)
    history       reading back
    render        Markdown as Discord shows it (pure)
    limits, errors, install, commands, manifest, checks
"""

from adapters.discord.edge import DiscordEdge
from adapters.discord.surface import DiscordSurface

__all__ = ["DiscordEdge", "DiscordSurface"]
