"""Ranks messages by BM25 (bm25s), the newer first among equals. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import bm25s

from bot.messages import IncomingMessage

TERM = re.compile(r"[^\W_]+")
STOP_TERMS = frozenset(
    """a an and are as at be been by can did do does for from had has have he her his how i in is
    it its me my of on or our she so that the their them they this to was we were what when where
    which who why will with you your us about there any please jay""".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A message and how well it matches."""

    message: IncomingMessage
    score: float


def terms(text: str) -> list[str]:
    """Return a text's search terms: lower case, without stop words, plurals folded."""
    found = (term for term in TERM.findall(text.lower()) if term not in STOP_TERMS)
    return [_fold(term) for term in found]


def rank(question: str, messages: Sequence[IncomingMessage], *, most: int) -> list[Ranked]:
    """Return the messages that share a term with the question, best first.

    Args:
        question: in plain words.
        messages: the candidates, oldest first.
        most: at most so many.
    """
    asked = list(dict.fromkeys(terms(question)))
    texts = [terms(f"{message.author.name} {message.text}") for message in messages]
    known = {term for text in texts for term in text}
    asked = [term for term in asked if term in known]
    if not asked:
        return []
    index = bm25s.BM25()
    index.index([text or [""] for text in texts], show_progress=False)
    scores = index.get_scores(asked)
    order = sorted(range(len(messages)), key=lambda at: (-float(scores[at]), -at))
    return [
        Ranked(message=messages[at], score=float(scores[at]))
        for at in order[:most]
        if scores[at] > 0
    ]


def _fold(term: str) -> str:
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("s", "")):
        if term.endswith(ending) and len(term) - len(ending) >= 3 and not term.endswith("ss"):
            return term[: -len(ending)] + instead
    return term
