"""Markdown → Slack's own markup (`mrkdwn`), or Markdown made safe for native streams.

In both, `&`, `<` and `>` are escaped, so that `<!channel>` and `<@U…>` in a
model's words stay text and ping nobody. The cutting is in `adapters/markdown`.
"""

from __future__ import annotations

from urllib.parse import quote as percent_encode

from adapters.markdown import Dialect, Mark, Style, render
from adapters.slack.limits import MARKDOWN_PART_CHARS, PART_CHARS

BORDER = "\u200b"
"""A zero-width space. Slack sees `*` only at the border of a word."""
LOOKS_LIKE_BACKTICK = "\u02cb"
"""Slack's inline code has no way to hold a backtick."""
BULLETS = ("•", "◦", "▪︎")
ADDRESSES = ("http://", "https://")
URL_SAFE = "/:?#[]@!$&'()*+,;=%~-._"


def escape(text: str) -> str:
    """Return text with Slack's three special characters escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def clean_url(url: str) -> str:
    """Return an address that can't end the link that it stands in."""
    return escape(percent_encode(url, safe=URL_SAFE))


class Mrkdwn:
    """Slack's own markup, for `text`."""

    rule = "———"

    def measure(self, text: str) -> int:
        """Slack counts characters, escapes as they are written."""
        return len(text)

    def escape(self, text: str, *, line_start: bool) -> str:
        """Escape; an escaped `>` at a line's start would still be taken for a quote."""
        return (BORDER if line_start and text.startswith(">") else "") + escape(text)

    def escape_code(self, text: str, *, inline: bool) -> str:
        """Escape, and keep backticks from ending the code."""
        if inline:
            return escape(text.replace("`", LOOKS_LIKE_BACKTICK))
        return escape(text.replace("``", f"`{BORDER}`"))

    def style(self, style: Style) -> Mark:
        """`*bold*`, `_italic_`, `~struck~`."""
        sign = {"bold": "*", "italic": "_", "strike": "~"}[style]
        return Mark(sign, sign, BORDER)

    def code(self, text: str) -> Mark:
        """Backticks."""
        return Mark("`", "`", BORDER)

    def link(self, url: str) -> Mark:
        """`<url|label>`."""
        return Mark(f"<{clean_url(url)}|", ">")

    def autolink(self, url: str) -> str:
        """`<url>`."""
        return f"<{clean_url(url)}>"

    def heading(self, level: int) -> tuple[str, tuple[Style, ...]]:
        """A bold line: Slack has no headings."""
        return "", ("bold",)

    def list_marker(self, number: int | None, depth: int) -> str:
        """A bullet, or the number that the model gave."""
        return f"{BULLETS[depth % len(BULLETS)]} " if number is None else f"{number}. "

    def list_indent(self, number: int | None, depth: int) -> str:
        """As wide as it takes to stand under the text."""
        return "    "

    def quote(self, depth: int) -> str:
        """Slack knows one level."""
        return "> " if depth == 1 else ""

    def fence(self, language: str) -> Mark:
        """Three backticks; Slack would show the language as a line."""
        return Mark("```\n", "\n```")


class StreamMarkdown:
    """Standard Markdown, for `markdown_text`: what is text stays text."""

    rule = "---"
    _special = frozenset("\\`*_~[]!|")
    _in_addresses = frozenset("\\`*~")
    _at_line_start = frozenset("#+-=")

    def measure(self, text: str) -> int:
        """Slack counts characters."""
        return len(text)

    def escape(self, text: str, *, line_start: bool) -> str:
        """Escape what Markdown or Slack would read as a sign."""
        special = self._in_addresses if text.startswith(ADDRESSES) else self._special
        shown = escape("".join(f"\\{one}" if one in special else one for one in text))
        number = text.rstrip(".)")
        if line_start and text[:1] in self._at_line_start:
            return f"\\{shown}"
        if line_start and number != text and number.isdecimal():
            return f"{number}\\{text[len(number) :]}"
        return shown

    def escape_code(self, text: str, *, inline: bool) -> str:
        """Keep backticks from ending the code; Slack's three are escaped here too."""
        return escape(text if inline else text.replace("``", f"`{BORDER}`"))

    def style(self, style: Style) -> Mark:
        """`**bold**`, `*italic*`, `~~struck~~`."""
        sign = {"bold": "**", "italic": "*", "strike": "~~"}[style]
        return Mark(sign, sign)

    def code(self, text: str) -> Mark:
        """More backticks than stand inside."""
        longest = max((len(run) for run in _runs(text, "`")), default=0)
        sign = "`" * (longest + 1)
        return Mark(sign + " ", " " + sign) if longest else Mark(sign, sign)

    def link(self, url: str) -> Mark:
        """`[label](url)`."""
        return Mark("[", f"]({self._address(url)})")

    def autolink(self, url: str) -> str:
        """`[url](url)`: angle brackets belong to Slack."""
        return f"[{self.escape(url, line_start=False)}]({self._address(url)})"

    def heading(self, level: int) -> tuple[str, tuple[Style, ...]]:
        """As in Markdown."""
        return "#" * level + " ", ()

    def list_marker(self, number: int | None, depth: int) -> str:
        """As in Markdown."""
        return "- " if number is None else f"{number}. "

    def list_indent(self, number: int | None, depth: int) -> str:
        """As wide as the marker."""
        return " " * len(self.list_marker(number, depth))

    def quote(self, depth: int) -> str:
        """As in Markdown."""
        return "> "

    def fence(self, language: str) -> Mark:
        """Three backticks."""
        return Mark(f"```{language}\n", "\n```")

    def _address(self, url: str) -> str:
        return clean_url(url).replace("(", "%28").replace(")", "%29")


MRKDWN: Dialect = Mrkdwn()
STREAM_MARKDOWN: Dialect = StreamMarkdown()


def to_mrkdwn(markdown: str) -> tuple[str, ...]:
    """Return Markdown as parts for `text`, each short enough for `chat.update`."""
    return render(markdown, MRKDWN, limit=PART_CHARS)


def to_stream_markdown(markdown: str) -> tuple[str, ...]:
    """Return Markdown as parts for `markdown_text` and native streams."""
    return render(markdown, STREAM_MARKDOWN, limit=MARKDOWN_PART_CHARS)


def _runs(text: str, sign: str) -> list[str]:
    kept = "".join(one if one == sign else " " for one in text)
    return kept.split()
