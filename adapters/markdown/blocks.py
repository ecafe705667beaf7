"""Markdown → blocks: paragraphs, headings and list items as words, fences as lines.

The parser is markdown-it-py, told to lose nothing that a model wrote: HTML is
text, references are no definitions, and a line of dashes under a text makes no
heading (half-written lists would flicker). Blank lines between blocks stay as
the model set them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from adapters.markdown.dialect import Dialect, Style
from adapters.markdown.words import InlineReader, Word, plain

DEEPEST = 60
"""Nesting beyond that is not parsed: the text is then taken as plain lines."""
SHARE = 4
"""Prefixes, marks and addresses may each take this part of the limit, so that words fit."""
TAB = "    "
WIDEST_CELL = 30
"""Table cells are padded up to this; a longer one makes only its own row longer."""
LONGEST_LANGUAGE = 20

_parser = MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST}).enable(
    ["table", "strikethrough"]
)
_parser.disable(["lheading", "reference"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A paragraph, a heading or a list item's text."""

    gap: str
    """Stands between it and the block before, in the same part."""
    words: tuple[Word, ...]
    first: str
    """Stands before its first line."""
    rest: str
    """Stands before its further lines."""
    whole: bool
    """Rather begins a new part than being cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A code block, or a table drawn as one."""

    gap: str
    language: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A line across."""

    gap: str


Block = Flow | Fence | Rule


def read_blocks(markdown: str, dialect: Dialect, limit: int) -> Iterator[Block]:
    """Yield the blocks of a text that have something to show."""
    text = markdown.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    tokens = _parser.parse(text)
    if max((token.level for token in tokens), default=0) >= DEEPEST - 1:
        inline = Token("inline", "", 0, children=[Token("text", "", 0, content=text)])
        tokens = [Token("paragraph_open", "p", 1), inline, Token("paragraph_close", "p", -1)]
    return _Reader(dialect, limit).read(tokens)


@dataclass(slots=True)
class _Quote:
    prefix: str


@dataclass(slots=True)
class _Item:
    marker: str
    indent: str


class _Reader:
    """Walks the tokens and keeps the quotes and list items that are open."""

    def __init__(self, dialect: Dialect, limit: int) -> None:
        self._dialect = dialect
        self._share = limit // SHARE
        self._inline = InlineReader(dialect, self._share)
        self._open: list[_Quote | _Item] = []
        self._lists = 0
        self._end = 0
        self._last_quote: _Quote | None = None

    def read(self, tokens: Sequence[Token]) -> Iterator[Block]:
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if token.type == "table_open":
                end = _closing(tokens, at)
                yield from self._table(token, tokens[at:end])
                at = end
            elif token.type in ("paragraph_open", "heading_open"):
                yield from self._flow(token, tokens[at + 1])
                at += 2
            elif token.type in ("fence", "code_block"):
                yield from self._fence(token, token.info, token.content.split("\n"))
            elif token.type == "hr":
                yield Rule(gap=self._gap(token))
            else:
                self._enter_or_leave(token)
            at += 1

    def _enter_or_leave(self, token: Token) -> None:
        if token.type.endswith("_list_open"):
            self._lists += 1
        elif token.type.endswith("_list_close"):
            self._lists -= 1
        elif token.type == "blockquote_open":
            depth = 1 + sum(isinstance(one, _Quote) for one in self._open)
            self._open.append(_Quote(self._dialect.quote(depth)))
        elif token.type == "list_item_open":
            number = int(token.info) if token.info else None
            depth = self._lists - 1
            marker = self._dialect.list_marker(number, depth)
            self._open.append(_Item(marker, self._dialect.list_indent(number, depth)))
        elif token.type in ("blockquote_close", "list_item_close"):
            self._open.pop()

    def _flow(self, token: Token, inline: Token) -> Iterator[Flow]:
        before, styles = "", tuple[Style, ...]()
        heading = token.type == "heading_open"
        if heading:
            before, styles = self._dialect.heading(int(token.tag[1]))
        words = tuple(self._inline.read(inline.children or (), styles))
        if not words:
            return
        gap = self._gap(token)
        first, rest = self._prefixes()
        in_list = any(isinstance(one, _Item) for one in self._open)
        yield Flow(gap=gap, words=words, first=first + before, rest=rest, whole=in_list or heading)

    def _fence(self, token: Token, info: str, lines: Sequence[str]) -> Iterator[Fence]:
        kept = list(lines)
        while kept and not kept[-1].strip():
            kept.pop()
        if kept:
            gap = self._gap(token)
            shown = tuple(line.replace("\t", TAB) for line in kept)
            yield Fence(gap=gap, language=_language(info), lines=shown)

    def _table(self, token: Token, inside: Sequence[Token]) -> Iterator[Fence]:
        rows: list[list[str]] = []
        for one in inside:
            if one.type == "tr_open":
                rows.append([])
            elif one.type == "inline":
                rows[-1].append(plain(one.children or ()))
        yield from self._fence(token, "", _aligned(rows))

    def _gap(self, token: Token) -> str:
        begin, end = token.map or (self._end, self._end)
        apart = begin > self._end
        self._end = end
        outer = next((one for one in self._open if isinstance(one, _Quote)), None)
        same_quote, self._last_quote = outer is self._last_quote, outer
        if not apart:
            return "\n"
        return f"\n{outer.prefix.rstrip()}\n" if outer is not None and same_quote else "\n\n"

    def _prefixes(self) -> tuple[str, str]:
        """Return what stands before the first and the further lines; uses up the markers.

        Quotes come first whatever the order: platforms see them only at a line's start.
        """
        quotes = "".join(one.prefix for one in self._open if isinstance(one, _Quote))
        items = [one for one in self._open if isinstance(one, _Item)]
        first = "".join(one.marker or one.indent for one in items)
        rest = "".join(one.indent for one in items)
        for one in items:
            one.marker = ""
        longest = max(self._dialect.measure(quotes + one) for one in (first, rest))
        if longest > self._share:
            return "", ""
        return quotes + first, quotes + rest


def _closing(tokens: Sequence[Token], at: int) -> int:
    level = tokens[at].level
    return next(
        n for n in range(at + 1, len(tokens)) if tokens[n].level == level and tokens[n].nesting < 0
    )


def _language(info: str) -> str:
    word = info.split()[0] if info.split() else ""
    fits = len(word) <= LONGEST_LANGUAGE and word.isascii()
    return word if fits and all(char.isalnum() or char in "+-#_." for char in word) else ""


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    columns = max((len(row) for row in rows), default=0)
    widths = [
        min(WIDEST_CELL, max((len(row[n]) for row in rows if n < len(row)), default=0))
        for n in range(columns)
    ]
    lines = [
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
        for row in rows
    ]
    lines.insert(1, "-+-".join("-" * width for width in widths))
    return lines
