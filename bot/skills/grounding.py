"""Checks what the model claims against the messages that it was given.

A small model invents. Names, numbers and dates in a sentence must stand in
the messages, and most of its other words as well; a sentence that says "not"
needs a message that does. What fails is not shown. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
MOST_OVERLAP = 0.6
"""Share of a sentence's plain words that its sources must hold."""
NEGATIONS = frozenset("no not never none nothing without cannot can't won't don't isn't".split())
PLAIN = frozenset(
    """a about after all also am an and any are as at be been before but by can could did do does
    for from get got had has have he her here him his how i if in into is it its just let like me
    more my now of on one or our out over said says she so some than that the their them then
    there they this to up us was we were what when where which who why will with would you your
    jay""".split()
)
"""Words that carry no claim."""


def words(text: str) -> list[str]:
    """Return a text's words in lower case, without possessive endings."""
    return [_plain(word) for word in WORD.findall(text)]


def content_words(text: str) -> list[str]:
    """Return the words that carry a claim."""
    return [word for word in words(text) if word not in PLAIN]


def sentences(text: str) -> list[str]:
    """Split into sentences at their ends and at line breaks."""
    parts = re.split(r"(?<=[.!?])\s+(?=[A-Z0-9\"'“(])|\n+", text)
    return [part.strip(" -*•\t") for part in parts if part.strip(" -*•\t")]


def supported(sentence: str, sources: Iterable[str]) -> bool:
    """Tell whether the sources hold what the sentence claims.

    Args:
        sentence: one sentence of the model's.
        sources: the texts of the messages, names of their authors included.
    """
    held = Counter[str]()
    for source in sources:
        held.update(words(source))
    claims = content_words(sentence)
    if not claims:
        return False
    if any(must not in held for must in _musts(sentence)):
        return False
    if NEGATIONS & set(words(sentence)) and not NEGATIONS & held.keys():
        return False
    found = sum(1 for claim in claims if claim in held)
    return found >= MOST_OVERLAP * len(claims)


def best_source(sentence: str, sources: Sequence[str]) -> int:
    """Return the index of the source that shares most with the sentence."""
    wanted = set(content_words(sentence))
    shared = [len(wanted & set(words(source))) for source in sources]
    return shared.index(max(shared))


def _musts(sentence: str) -> list[str]:
    """Return the words that may not be invented: numbers, and names inside the sentence."""
    found = WORD.findall(sentence)
    return [
        _plain(word)
        for position, word in enumerate(found)
        if any(character.isdigit() for character in word)
        or (position > 0 and word[0].isupper() and _plain(word) not in PLAIN)
    ]


def _plain(word: str) -> str:
    return re.sub(r"['’]s$", "", word.lower())
