"""What differs between the platforms' ways of writing: a `Dialect`.

A dialect is plain data and plain functions. `adapters/slack/render.py` and
`adapters/discord/render.py` have one each; nothing else of a platform is known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

Style: TypeAlias = Literal["bold", "italic", "strike"]


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands before and after a stretch of text: `Mark("**", "**")`.

    A stretch that is cut between two parts is closed in the first and opened
    again in the second.
    """

    open: str
    close: str
    pad: str = ""
    """Written between the mark and a letter or digit that touches it from outside,
    for platforms that see a mark only at the border of a word."""


class Dialect(Protocol):
    """How a platform wants its text written.

    `escape` and `escape_code` are given whole words or pieces of them; they may
    not drop anything a person can see.
    """

    @property
    def rule(self) -> str:
        """A line across: `———`."""
        ...

    def measure(self, text: str) -> int:
        """Return how much of a part's limit a text takes, as the platform counts.

        It must add up: `measure(a + b) == measure(a) + measure(b)`.
        """
        ...

    def escape(self, text: str, *, line_start: bool) -> str:
        """Return one word so that it is shown as it is and pings nobody.

        Args:
            text: a word, without whitespace.
            line_start: nothing but a prefix stands before it in its line, so
                `#`, `>`, `-` or `1.` would make it something else.
        """
        ...

    def escape_code(self, text: str, *, inline: bool) -> str:
        """Return text for inside a fence, or inside inline code; it must not end either."""
        ...

    def style(self, style: Style) -> Mark:
        """Return the marks of a style."""
        ...

    def code(self, text: str) -> Mark:
        """Return the marks around inline code that holds this text."""
        ...

    def link(self, url: str) -> Mark:
        """Return the marks that make the text between them a link (http, https or mailto)."""
        ...

    def autolink(self, url: str) -> str:
        """Return a link that shows its own address."""
        ...

    def heading(self, level: int) -> tuple[str, tuple[Style, ...]]:
        """Return what stands before a heading (level 1 to 6), and its text's styles."""
        ...

    def list_marker(self, number: int | None, depth: int) -> str:
        """Return what stands before a list item, with its space.

        Args:
            number: of an ordered list's item; None for a bullet.
            depth: 0 for the outermost list.
        """
        ...

    def list_indent(self, number: int | None, depth: int) -> str:
        """Return what stands before an item's further lines, and before lists inside it."""
        ...

    def quote(self, depth: int) -> str:
        """Return what a quote adds before each line; depth 1 is the outermost."""
        ...

    def fence(self, language: str) -> Mark:
        """Return what opens and closes a code block, line breaks included.

        Args:
            language: one plain word, or empty.
        """
        ...
