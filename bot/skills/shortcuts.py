"""What people choose from a message's menu: commands with a text that the message gives. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.skills.template import Template

MOST_SHORTCUTS = 5
"""An app has no more of them, on either platform. Slack's guide "Shortcuts and slash commands":
"up to 5 shortcuts". Discord's "Application commands": 5 global message commands, as discord.py
counts them too; the page has been seen to say 15 since."""
LONGEST_NAME = 24
"""Characters, by Slack's app settings; Discord takes 32."""
NO_ROOM = "menus have room for {most}: {names}"
ALIKE = "/{command} has {name!r} in menus, and platforms could not tell the two apart"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageShortcut:
    """A `bot.commands.MessageShortcut`."""

    name: str
    command: str
    text: str
    thread: bool = False

    @property
    def id(self) -> str:
        """By what Slack tells of it; letters beyond ASCII stand in it as their numbers."""
        plain = self.name.lower().encode("ascii", "backslashreplace").decode()
        return re.sub(r"[^a-z0-9]+", "_", plain)

    @property
    def holds_words(self) -> bool:
        """Whether its text holds what the message says."""
        return "{text}" in self.text


SHORTCUTS = (
    MessageShortcut(name="Summarize from here", command="summarize", text="since @{at}"),
    MessageShortcut(
        name="Summarize this thread", command="summarize", text="this thread", thread=True
    ),
)
"""Those made of code. Others come from files."""


def shortcut_of(template: Template) -> MessageShortcut | None:
    """Return what a skill's file puts into menus; None: nothing.

    A colon keeps the first words of the message from being taken for what people type before a
    text: a choice, or a channel of knowledge.
    """
    if not template.shortcut:
        return None
    colon = ": " if template.choices or template.knowledge else ""
    return MessageShortcut(name=template.shortcut, command=template.name, text=f"{colon}{{text}}")


def fit(wanted: Iterable[MessageShortcut]) -> tuple[list[MessageShortcut], dict[str, str]]:
    """Return those that menus have room for, and by their commands why others are left out.

    Args:
        wanted: all that there are, the most important first.
    """
    offered: list[MessageShortcut] = []
    left_out: dict[str, str] = {}
    for one in wanted:
        alike = next((other for other in offered if other.id == one.id), None)
        if alike is not None:
            left_out[one.command] = ALIKE.format(command=alike.command, name=alike.name)
        elif len(offered) == MOST_SHORTCUTS:
            names = ", ".join(other.name for other in offered)
            left_out[one.command] = NO_ROOM.format(most=MOST_SHORTCUTS, names=names)
        else:
            offered.append(one)
    return offered, left_out
