"""From a model's Markdown to Discord's, in parts within its limit. Pure.

What the model wrote as text shows as that text: Discord's signs in it are
escaped. It can ring for nobody, beside what `allowed_mentions` forbids
already: an invisible space breaks every mention, in code as well.
"""

from __future__ import annotations

import re

from adapters.discord.limits import CONTENT_MAX
from adapters.markdown import Dialect, Mark, Style
from adapters.markdown import render as render_parts

_BREAK = "\u200b"
"""An invisible space: it takes no room, and no mention or fence is read across it."""
_SIGNS = re.compile(r"[\\*_~|`<\[\]]")
_LINE_OPENING = re.compile(r"^(?:[#>+-]|\d+(?=[.)]))")
_URL = re.compile(r"https?://[^\s<>`]+")
_EVERYONE = ("everyone", "here")
_BEGUN = "|".join(word[:length] for word in _EVERYONE for length in range(len(word)))
"""How a word is cut that goes on in the next piece."""
_MENTION = re.compile(rf"<(?=[@#]|\Z)|@(?={'|'.join(_EVERYONE)}|(?:{_BEGUN})\Z)")
_HEADINGS = 3
"""Discord knows no deeper ones."""


def render(markdown: str) -> tuple[str, ...]:
    """Return Markdown in Discord's own writing, in parts of at most 2,000 characters."""
    return render_parts(markdown, DIALECT, limit=CONTENT_MAX)


class DiscordDialect:
    """How Discord wants its text written."""

    rule = "———"

    def measure(self, text: str) -> int:
        """Return a text's length as JavaScript counts it: never less than Discord's server does."""
        return len(text.encode("utf-16-le", "surrogatepass")) // 2

    def escape(self, text: str, *, line_start: bool) -> str:
        """Return a word so that it is shown as it is; an address stays one that can be opened."""
        shown, end = [], 0
        for url in _URL.finditer(text):
            shown += [_escape(text[end : url.start()], line_start=line_start and not end), url[0]]
            end = url.end()
        shown.append(_escape(text[end:], line_start=line_start and not end))
        return without_mentions("".join(shown))

    def escape_code(self, text: str, *, inline: bool) -> str:
        """Return code that neither rings nor ends its fence."""
        if not inline:
            text = text.replace("``", f"`{_BREAK}`")
        return without_mentions(text)

    def style(self, style: Style) -> Mark:
        """Return a style's marks. Italics are `_`, for `*` beside `**` is read otherwise."""
        marks: dict[Style, Mark] = {
            "bold": Mark("**", "**"),
            "italic": Mark("_", "_", _BREAK),
            "strike": Mark("~~", "~~"),
        }
        return marks[style]

    def code(self, text: str) -> Mark:
        """Return as many backticks as the code itself doesn't hold in a row."""
        longest = max((len(run) for run in re.findall("`+", text)), default=0)
        ticks = "`" * (longest + 1)
        opens, closes = text.startswith("`"), text.endswith("`")
        return Mark(ticks + " " * opens, " " * closes + ticks)

    def link(self, url: str) -> Mark:
        """Return a link's marks; its page is not previewed. Discord links no mail addresses."""
        if url.startswith("mailto:"):
            address = url.removeprefix("mailto:")
            return Mark("", f" ({self.escape(address, line_start=False)})")
        return Mark("[", f"](<{_address(url)}>)")

    def autolink(self, url: str) -> str:
        """Return an address that can be opened, without a preview."""
        if url.startswith("mailto:"):
            return self.escape(url.removeprefix("mailto:"), line_start=False)
        return f"<{_address(url)}>"

    def heading(self, level: int) -> tuple[str, tuple[Style, ...]]:
        """Return a heading's opening; the deeper ones are bold lines."""
        return ("#" * level + " ", ()) if level <= _HEADINGS else ("", ("bold",))

    def list_marker(self, number: int | None, depth: int) -> str:
        """Return what opens a list item."""
        return "- " if number is None else f"{number}. "

    def list_indent(self, number: int | None, depth: int) -> str:
        """Return what sets an item's further lines in."""
        return " " * len(self.list_marker(number, depth))

    def quote(self, depth: int) -> str:
        """Return what opens a quote's lines. Discord knows one level; deeper ones show a sign."""
        return "> " if depth == 1 else "\\> "

    def fence(self, language: str) -> Mark:
        """Return what stands around a code block."""
        return Mark(f"```{language}\n", "\n```")


DIALECT: Dialect = DiscordDialect()


def without_mentions(text: str) -> str:
    """Break every mention in a text: of people, roles, channels, and of everyone."""
    return _MENTION.sub(lambda sign: sign[0] + _BREAK, text)


def _escape(text: str, *, line_start: bool) -> str:
    escaped = _SIGNS.sub(lambda sign: f"\\{sign[0]}", text)
    if line_start and (opening := _LINE_OPENING.match(escaped)):
        sign = opening[0]
        escaped = f"\\{escaped}" if not sign[0].isdigit() else _after_number(escaped, len(sign))
    return escaped


def _after_number(text: str, length: int) -> str:
    return f"{text[:length]}\\{text[length:]}"


def _address(url: str) -> str:
    """Return an address that ends where it should and names nobody."""
    for sign, code in (("<", "%3C"), (">", "%3E"), (" ", "%20"), ("@e", "%40e"), ("@h", "%40h")):
        url = url.replace(sign, code)
    return url
