"""Inline Markdown → words, each with the marks that it stands in.

A word is what is not cut while it fits. What stands before it (`glue`) tells
whether a part may end there: nothing, spaces, or a line break.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from markdown_it.token import Token

from adapters.markdown.dialect import Dialect, Mark, Style

STYLES: dict[str, Style] = {"strong": "bold", "em": "italic", "s": "strike"}
_RUN = re.compile(r"\s+|\S+")
LINKABLE = ("http://", "https://", "mailto:")


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """One stretch of marked text. Two with equal marks side by side stay two."""

    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word and how it stands there."""

    text: str
    glue: str = ""
    kind: Literal["text", "code", "written"] = "text"
    """`written` is in the dialect's own writing already, and short."""
    spans: tuple[Span, ...] = ()
    """The marks around it, the outermost first."""


class InlineReader:
    """Reads one block's inline tokens at a time."""

    def __init__(self, dialect: Dialect, share: int) -> None:
        """Take the dialect, and what marks around a word may measure together."""
        self._dialect, self._share = dialect, share
        self._glue = ""
        self._open: list[tuple[str, Span]] = []

    def read(self, tokens: Sequence[Token], styles: Sequence[Style] = ()) -> Iterator[Word]:
        """Yield the words of a block, all of them in these styles."""
        self._glue, self._open = "", []
        for style in styles:
            self._enter(style, self._dialect.style(style))
        first = True
        for word in self._all(tokens):
            yield Word(text=word.text, kind=word.kind, spans=word.spans) if first else word
            first = False

    def _all(self, tokens: Sequence[Token]) -> Iterator[Word]:
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if token.type == "link_open":
                end = _link_end(tokens, at)
                url = str(token.attrs.get("href", ""))
                yield from self._link(url, tokens[at + 1 : end])
                at = end
            else:
                yield from self._one(token)
            at += 1

    def _one(self, token: Token) -> Iterator[Word]:
        name = token.type.rpartition("_")[0]
        if token.type in ("softbreak", "hardbreak"):
            self._glue = "\n"
        elif token.type == "code_inline":
            self._enter("code", self._dialect.code(token.content))
            yield from self._words(token.content, "code")
            self._open.pop()
        elif token.type == "image":
            label = [Token("text", "", 0, content=plain(token.children or ()))]
            yield from self._link(str(token.attrs.get("src", "")), label)
        elif name in STYLES and token.nesting > 0:
            self._enter(STYLES[name], self._dialect.style(STYLES[name]))
        elif name in STYLES:
            self._open.pop()
        else:
            yield from self._words(token.content)

    def _link(self, url: str, label: Sequence[Token]) -> Iterator[Word]:
        shown = plain(label).strip()
        if not url or any(name == "link" for name, _ in self._open):
            yield from self._all(label)
        elif not url.startswith(LINKABLE):
            yield from self._all(label)
            yield from self._words(f" ({url})" if shown else url)
        elif shown in ("", url) and self._measure(written := self._dialect.autolink(url)):
            yield self._word(written, "written")
        elif shown in ("", url):
            yield from self._words(url)
        else:
            yield from self._labelled(url, label)

    def _labelled(self, url: str, label: Sequence[Token]) -> Iterator[Word]:
        mark = self._dialect.link(url)
        if self._measure(mark.open + mark.close):
            self._enter("link", mark)
            yield from self._all(label)
            self._open.pop()
        else:
            yield from self._all(label)
            yield from self._words(f" ({url})")

    def _words(self, text: str, kind: Literal["text", "code"] = "text") -> Iterator[Word]:
        for run in _RUN.findall(text):
            if run.isspace():
                spaces = run.replace("\t", "    ")
                self._glue = "\n" if "\n" in self._glue + spaces else self._glue + spaces
            else:
                yield self._word(run, kind)

    def _word(self, text: str, kind: Literal["text", "code", "written"]) -> Word:
        glue, self._glue = self._glue, ""
        if not self._open:
            return Word(text=text, glue=glue, kind="text" if kind == "code" else kind)
        spans = tuple(dict.fromkeys(span for _, span in self._open))
        marks = "".join(f"{one.mark.open}{one.mark.close}{one.mark.pad * 2}" for one in spans)
        if not self._measure(marks):
            return Word(text=text, glue=glue, kind="text" if kind == "code" else kind)
        return Word(text=text, glue=glue, kind=kind, spans=spans)

    def _enter(self, name: str, mark: Mark) -> None:
        """Open a span; one inside another of its name changes nothing."""
        doubled = next((span for other, span in self._open if other == name), None)
        self._open.append((name, doubled or Span(mark)))

    def _measure(self, text: str) -> bool:
        return self._dialect.measure(text) <= self._share


def plain(tokens: Sequence[Token]) -> str:
    """Return inline tokens as text without marks; links keep their addresses."""
    written: list[str] = []
    url = ""
    for token in tokens:
        if token.type == "link_open":
            url = str(token.attrs.get("href", ""))
        elif token.type == "link_close":
            written.append("" if "".join(written).endswith(url) else f" ({url})")
        elif token.type in ("softbreak", "hardbreak"):
            written.append(" ")
        elif token.type == "image":
            written.append(plain(token.children or ()) or str(token.attrs.get("src", "")))
        else:
            written.append(token.content)
    return "".join(written)


def _link_end(tokens: Sequence[Token], at: int) -> int:
    level = tokens[at].level
    return next(
        n
        for n in range(at + 1, len(tokens))
        if tokens[n].type == "link_close" and tokens[n].level == level
    )
