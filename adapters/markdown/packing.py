"""Blocks → parts: fills each part with words and lines as long as they fit.

What was packed once stays where it is while text is appended: a part is filled
from its beginning, a word that fits no more begins the next one, and only a
list item or a fence that outgrows the rest of its part moves on as a whole.
Takes time in proportion to the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from adapters.markdown.blocks import Block, Fence, Flow, Rule, read_blocks
from adapters.markdown.clusters import clusters
from adapters.markdown.dialect import Dialect, Mark
from adapters.markdown.words import Span, Word

LEAST_LIMIT = 80
"""A part must have room for marks, prefixes and some words."""
BOUNDLESS = 1 << 40


def render(
    markdown: str, dialect: Dialect, *, limit: int, first_limit: int | None = None
) -> tuple[str, ...]:
    """Return Markdown in a platform's own writing, in parts within its limit.

    Any prefix of a growing text may be given: an unclosed fence is closed, half
    a mark is text. No part is empty; a text with nothing to show has no parts.

    Args:
        markdown: what a model wrote.
        dialect: how the platform writes.
        limit: the most that a part may measure (`dialect.measure`).
        first_limit: the same for the first part, where that differs.

    Raises:
        ValueError: a limit is below 80.
    """
    first = limit if first_limit is None else first_limit
    least = min(limit, first)
    if least < LEAST_LIMIT:
        raise ValueError(f"a part of {least} is too small to cut text into")
    packer = _Packer(dialect, limit=limit, first_limit=first)
    for block in read_blocks(markdown, dialect, least):
        packer.lay(block)
    return packer.finish()


class _Packer:
    """The parts that are full, and the one that is being filled."""

    def __init__(self, dialect: Dialect, *, limit: int, first_limit: int) -> None:
        self._dialect = dialect
        self._limit, self._first_limit = limit, first_limit
        self._parts: list[str] = []
        self._out: list[str] = []
        self._used = 0
        self._open: tuple[Span, ...] = ()

    def lay(self, block: Block) -> None:
        match block:
            case Flow():
                if block.whole and self._out and self._size(block) > self._room:
                    self._turn()
                self._flow(block)
            case Fence():
                self._fence(block)
            case Rule() if self._out:
                rule = block.gap + self._dialect.rule
                if self._dialect.measure(rule) <= self._room:
                    self._write(rule)

    def finish(self) -> tuple[str, ...]:
        self._turn()
        return tuple(self._parts)

    @property
    def _room(self) -> int:
        limit = self._limit if self._parts else self._first_limit
        return limit - self._used

    def _write(self, text: str) -> None:
        if text:
            self._out.append(text)
            self._used += self._dialect.measure(text)

    def _turn(self) -> None:
        """End the part; what is open in it is closed."""
        self._out.append(_closing(self._open))
        text = "".join(self._out).strip()
        if text:
            self._parts.append(text)
        self._out, self._used, self._open = [], 0, ()

    def _end_flow(self) -> None:
        self._write(_closing(self._open))
        self._open = ()

    def _size(self, block: Flow) -> int:
        scratch = _Packer(self._dialect, limit=BOUNDLESS, first_limit=BOUNDLESS)
        scratch._flow(block)
        return scratch._used + self._dialect.measure(block.gap)

    # Words

    def _flow(self, block: Flow) -> None:
        lead: str | None = block.first
        gap = block.gap
        for group in _unbroken(block.words):
            if group[0].glue == "\n":
                lead, gap = block.rest, "\n"
            self._group(group, lead=lead, gap=gap, rest=block.rest)
            lead = None
        self._end_flow()

    def _group(self, group: Sequence[Word], *, lead: str | None, gap: str, rest: str) -> None:
        """Write words that belong together; `lead` begins a new line, `gap` parts it off."""
        before = None if lead is None else (gap if self._out else "") + lead
        if self._fitted(group, before):
            return
        if self._out:
            self._turn()
            before = rest if lead is None else lead
            if self._fitted(group, before):
                return
        for word in group:
            self._cut_word(word, before, rest)
            before = None

    def _cut_word(self, word: Word, before: str | None, rest: str) -> None:
        """Write a word that no part can hold whole, or that goes on from one."""
        left = [word.text] if word.kind == "written" else list(clusters(word.text))
        while left:
            many = self._most(left, partial(self._piece_fits, word, before))
            if not many and self._out:
                self._turn()
                before = rest
                continue
            piece = replace(word, text="".join(left[: max(1, many)]))
            self._put([piece], before)
            left, before, word = left[max(1, many) :], None, replace(word, glue="")

    def _most(self, left: Sequence[str], fits: Callable[[str], bool]) -> int:
        """Return how many of the clusters fit, found by halving."""
        low, high = 0, min(len(left), max(0, self._room))
        while low < high:
            middle = (low + high + 1) // 2
            if fits("".join(left[:middle])):
                low = middle
            else:
                high = middle - 1
        return low

    def _fitted(self, group: Sequence[Word], before: str | None) -> bool:
        fits = self._fits(group, before)
        if fits:
            self._put(group, before)
        return fits

    def _fits(self, group: Sequence[Word], before: str | None) -> bool:
        text, spans = self._written(group, before)
        return self._dialect.measure(text + _closing(spans)) <= self._room

    def _piece_fits(self, word: Word, before: str | None, text: str) -> bool:
        return self._fits([replace(word, text=text)], before)

    def _put(self, group: Sequence[Word], before: str | None) -> None:
        text, self._open = self._written(group, before)
        self._write(text)

    def _written(self, group: Sequence[Word], before: str | None) -> tuple[str, tuple[Span, ...]]:
        """Return words as they go on from what is written, and the spans open after them."""
        spans = self._open
        pieces: list[str] = []
        tail = self._out[-1] if self._out else ""
        if before is not None:
            pieces += (_closing(spans), before)
            spans, tail = (), ""
        for at, word in enumerate(group):
            begins = at == 0 and before is not None
            glue = "" if begins else word.glue
            kept = _common(spans, word.spans)
            closing, opening = _closing(spans[kept:]), _opening(word.spans[kept:])
            shown = self._shown(word, line_start=begins and not opening)
            pad = "" if glue or begins else _pad(spans[kept:], word.spans[kept:], tail, shown)
            pieces += (closing, glue, pad, opening, shown)
            spans, tail = word.spans, shown
        return "".join(pieces), spans

    def _shown(self, word: Word, *, line_start: bool) -> str:
        if word.kind == "code":
            return self._dialect.escape_code(word.text, inline=True)
        if word.kind == "written":
            return word.text
        return self._dialect.escape(word.text, line_start=line_start)

    # Lines

    def _fence(self, block: Fence) -> None:
        measure = self._dialect.measure
        mark = self._fence_mark(block.language)
        lines = [self._dialect.escape_code(line, inline=False) for line in block.lines]
        whole = block.gap + mark.open + "\n".join(lines) + mark.close
        if self._out and measure(whole) > self._room:
            self._turn()
        self._write((block.gap if self._out else "") + mark.open)
        begun = False
        for raw, line in zip(block.lines, lines, strict=True):
            step = f"\n{line}" if begun else line
            if measure(step) + measure(mark.close) > self._room and begun:
                self._reopen(mark)
                step = line
            if measure(step) + measure(mark.close) > self._room:
                self._cut_line(raw, mark)
            else:
                self._write(step)
            begun = True
        self._write(mark.close)

    def _cut_line(self, raw: str, mark: Mark) -> None:
        left = list(clusters(raw))
        fits = partial(self._line_fits, mark)
        while left:
            many = self._most(left, fits)
            if not many:
                self._reopen(mark)
                many = max(1, self._most(left, fits))
            self._write(self._dialect.escape_code("".join(left[:many]), inline=False))
            left = left[many:]

    def _line_fits(self, mark: Mark, raw: str) -> bool:
        line = self._dialect.escape_code(raw, inline=False)
        return self._dialect.measure(line + mark.close) <= self._room

    def _reopen(self, mark: Mark) -> None:
        self._write(mark.close)
        self._turn()
        self._write(mark.open)

    def _fence_mark(self, language: str) -> Mark:
        mark = self._dialect.fence(language)
        least = min(self._limit, self._first_limit)
        if self._dialect.measure(mark.open + mark.close) > least // 4:
            return self._dialect.fence("")
        return mark


def _unbroken(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Yield words in groups that nothing parts: `un` and `believ` and `able`."""
    group: list[Word] = []
    for word in words:
        if group and word.glue:
            yield group
            group = []
        group.append(word)
    if group:
        yield group


def _common(one: Sequence[Span], other: Sequence[Span]) -> int:
    count = 0
    while count < min(len(one), len(other)) and one[count] is other[count]:
        count += 1
    return count


def _opening(spans: Sequence[Span]) -> str:
    return "".join(span.mark.open for span in spans)


def _closing(spans: Sequence[Span]) -> str:
    return "".join(span.mark.close for span in reversed(spans))


def _pads(spans: Sequence[Span]) -> str:
    return "".join(span.mark.pad for span in spans)


def _pad(closed: Sequence[Span], opened: Sequence[Span], tail: str, shown: str) -> str:
    """Return what parts a mark from a letter that touches it."""
    if closed and opened:
        return _pads([*closed, *opened])[:1]
    if closed and shown[:1].isalnum():
        return _pads(closed)[:1]
    if opened and tail[-1:].isalnum():
        return _pads(opened)[:1]
    return ""
