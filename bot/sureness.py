"""How sure the model was of its words, from the probabilities of the tokens that it drew.

Tokens are no words: a word is as sure as its least likely token, and what ends
it (a comma, the space before it) counts for nothing. The probabilities are the
model's own, before temperature and penalties.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import exp

from bot.prompts import Drawn, Piece
from bot.traces import MOST_UNSURE, Sureness, Unsure

UNSURE_BELOW = 0.2
"""A word with a token less likely than that is marked: four times in five the model would have
gone on otherwise."""
WORD = re.compile(r"[^\W_]+(?:['’.,-][^\W_]+)*")


@dataclass(slots=True, kw_only=True)
class Listener:
    """Reads one stream. `feed` it pieces, then ask for the `sureness` of what was shown of it."""

    begun: str = ""
    """What was said before the stream; nothing is known of it."""
    _texts: list[str] = field(default_factory=list)
    _drawn: list[Drawn] = field(default_factory=list)

    def feed(self, piece: Piece) -> None:
        """Take a piece in."""
        self._texts.append(piece.text)
        self._drawn += piece.drawn

    def sureness(self, shown: str) -> Sureness | None:
        """Return how sure the model was of a text; None where no probabilities came.

        Args:
            shown: what of the whole is shown, from its first sign on.
        """
        whole = self.begun + "".join(self._texts)
        lead = len(whole) - len(whole.lstrip())
        spans = list(_spans(self._drawn, begin=len(self.begun) - lead, end=len(shown)))
        known = [one for _, _, logprobs in spans for one in logprobs]
        if not known:
            return None
        return Sureness(
            tokens=len(known),
            mean_logprob=round(sum(known) / len(known), 4),
            unsure=_unsure(shown, spans),
        )


_Span = tuple[int, int, tuple[float, ...]]


def _spans(drawn: Sequence[Drawn], *, begin: int, end: int) -> Iterator[_Span]:
    """Yield where tokens stand in what is shown, with their log-probabilities."""
    at = begin
    for one in drawn:
        if at >= end:
            return
        if at + one.chars > 0:
            yield max(0, at), at + one.chars, one.logprobs
        at += one.chars


def _unsure(shown: str, spans: Sequence[_Span]) -> tuple[Unsure, ...]:
    found, first = list[Unsure](), 0
    for word in WORD.finditer(shown):
        while first < len(spans) and spans[first][1] <= word.start():
            first += 1
        least = 0.0
        for start, end, logprobs in spans[first:]:
            if start >= word.end():
                break
            if end > word.start():
                least = min(least, *logprobs, 0.0)
        if exp(least) < UNSURE_BELOW:
            probability = round(exp(least), 4)
            found.append(Unsure(start=word.start(), end=word.end(), probability=probability))
    kept = sorted(found, key=lambda one: one.probability)[:MOST_UNSURE]
    return tuple(sorted(kept, key=lambda one: one.start))
