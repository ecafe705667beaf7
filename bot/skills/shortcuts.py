"""What people choose from a message's menu: commands with a text that the message gives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageShortcut:
    """A `bot.ports.MessageShortcut`. Slack takes names of at most 24 characters, Discord of 32."""

    name: str
    command: str
    text: str
    thread: bool = False


SHORTCUTS = (
    MessageShortcut(name="Summarize from here", command="summarize", text="since @{at}"),
    MessageShortcut(
        name="Summarize this thread", command="summarize", text="this thread", thread=True
    ),
)
