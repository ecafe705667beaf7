"""Messages as they are quoted: to the model, and to people. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from bot.messages import IncomingMessage

LONGEST_QUOTE = 240
"""Characters of a message that a quote shows."""


def line(message: IncomingMessage) -> str:
    """Return a message as the model reads it, on one line: `- Name: text`."""
    return f"- {message.author.name}: {' '.join(message.text.split())}"


def quote(message: IncomingMessage, links: Mapping[str, str]) -> str:
    """Return a message as people read it: who, when, what, and its address if it has one."""
    text = " ".join(message.text.split())
    if len(text) > LONGEST_QUOTE:
        text = text[:LONGEST_QUOTE].rsplit(" ", 1)[0] + " …"
    link = links.get(message.message_id)
    when = day(message.sent_at)
    return f"**{message.author.name}**, {f'[{when}]({link})' if link else when}: {text}"


def day(sent_at: float) -> str:
    """Return a date as people write it, in UTC: `12 Nov`."""
    return f"{time.gmtime(sent_at).tm_mday} {time.strftime('%b', time.gmtime(sent_at))}"


def bullets(lines: Iterable[str]) -> str:
    """Return lines as a Markdown list."""
    return "\n".join(f"- {item}" for item in lines)
