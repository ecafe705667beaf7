"""A dialect for tests whose marks can be told from text and taken off again."""

from __future__ import annotations

from adapters.markdown import Mark, Style

BOLD, LINK, LABEL, LINK_END, CODE = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004"
BULLET, QUOTE, INDENT, OPEN, CLOSE, RULE = (
    "\ue005",
    "\ue006",
    "\ue007",
    "\ue008",
    "\ue009",
    "\ue00a",
)
AMP = "&amp;"


class PlainDialect:
    rule = RULE

    def measure(self, text: str) -> int:
        return len(text)

    def escape(self, text: str, *, line_start: bool) -> str:
        return text.replace("&", AMP)

    def escape_code(self, text: str, *, inline: bool) -> str:
        return text.replace("&", AMP)

    def style(self, style: Style) -> Mark:
        return Mark(BOLD, BOLD)

    def code(self, text: str) -> Mark:
        return Mark(CODE, CODE)

    def link(self, url: str) -> Mark:
        return Mark(LINK + url + LABEL, LINK_END)

    def autolink(self, url: str) -> str:
        return url.replace("&", AMP)

    def heading(self, level: int) -> tuple[str, tuple[Style, ...]]:
        return "", ("bold",)

    def list_marker(self, number: int | None, depth: int) -> str:
        return BULLET if number is None else f"{BULLET * 2}"

    def list_indent(self, number: int | None, depth: int) -> str:
        return INDENT

    def quote(self, depth: int) -> str:
        return QUOTE

    def fence(self, language: str) -> Mark:
        return Mark(OPEN + language + "\n", "\n" + CLOSE)


def visible(part: str) -> str:
    """A part as a reader sees it, without whitespace and marks."""
    shown = []
    hidden = False
    for char in part:
        if char in (LINK, OPEN):
            hidden = True
        elif hidden and char in (LABEL, "\n"):
            hidden = False
        elif not hidden and not "\ue000" <= char <= "\ue00a" and not char.isspace():
            shown.append(char)
    return "".join(shown).replace(AMP, "&")
