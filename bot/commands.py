"""A command as platforms register it, and as edges are told of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, Protocol, TypeAlias

Where: TypeAlias = Literal["channels", "threads", "direct"]
"""A kind of place in which a command may be used."""


TEXT = "text"
"""Name of the free-text argument of a command that has choices as well."""


class Choice(Protocol):
    """An argument of a command that is one of a few words."""

    @property
    def name(self) -> str:
        """As platforms call it; unlike the command's free text."""

    @property
    def description(self) -> str:
        """What it decides, in at most 100 characters."""

    @property
    def values(self) -> Sequence[str]:
        """The words, at most 25; no other choice of the command has one of them."""


class SlashCommand(Protocol):
    """A command as platforms register it.

    Operators may add commands and take them away while Jay runs: who holds a list of them
    looks into it anew each time.
    """

    @property
    def name(self) -> str:
        """Without the slash: `summarize`."""

    @property
    def description(self) -> str:
        """What it does, in at most 100 characters."""

    @property
    def argument(self) -> str:
        """Name of its one free-text argument; empty: it has none."""

    @property
    def argument_description(self) -> str:
        """What the argument takes, in at most 100 characters."""

    @property
    def required(self) -> bool:
        """Whether the argument must be given."""

    @property
    def private(self) -> bool:
        """Whether only who uses it sees the answer."""

    @property
    def choices(self) -> Sequence[Choice]:
        """Arguments that may stand before the free text."""

    @property
    def where(self) -> Collection[Where]:
        """Where it may be used."""


class MessageShortcut(Protocol):
    """A command that people choose from a message's menu."""

    @property
    def name(self) -> str:
        """What stands in the menu, in at most 24 characters."""

    @property
    def id(self) -> str:
        """By what Slack tells of it, made of the name alone: `summarize_from_here`."""

    @property
    def command(self) -> str:
        """The slash command that it stands for."""

    @property
    def text(self) -> str:
        """What would be typed behind it, to be filled in by `str.format`.

        `{at}` is when the message was sent, Unix seconds; `{text}` what it says.
        """

    @property
    def holds_words(self) -> bool:
        """Whether that holds what the message says, and must go when the message goes."""

    @property
    def thread(self) -> bool:
        """Whether it is about the thread that hangs on the message."""
