"""Showing replies: one visible reply (`Draft`) under one write budget (`WriteBudget`).

Platforms allow about one write a second in a channel; a model speaks faster.
A draft therefore keeps only the newest text, and a lane hands out the right to
write in turn. Nothing here knows a platform: `bot.ports.Surface` does.
"""

from bot.delivery.budget import WriteBudget
from bot.delivery.draft import Draft

__all__ = ["Draft", "WriteBudget"]
