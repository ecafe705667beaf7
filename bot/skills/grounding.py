"""Checks what the model claims against the messages that it was given.

A small model invents, and mixes what it read. So a sentence must stand on one
message: its names, numbers and dates must all be there, and most of its other
words as well, near one another where they are in the sentence; a sentence that
says "not" needs a message that does. What fails is not shown. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
LEAST_HELD = 0.65
"""Share of a sentence's words with a meaning that its message must hold."""
NEAR = 3
"""Words with a meaning this far apart in the message may follow one another in the sentence."""
LEAST_NEAR = 0.6
"""Share of a sentence's neighbouring words that must be near in its message."""
REPORTING = frozenset("someone somebody people everyone nobody according asked".split())
"""Words that may open a sentence without standing in the message."""
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


def supported(sentence: str, sources: Iterable[str], *, asked: str = "") -> bool:
    """Tell whether one of the sources holds what the sentence claims.

    Args:
        sentence: one sentence of the model's.
        sources: the texts of the messages, names of their authors included.
        asked: the question that it answers; its words may be repeated.
    """
    claims = content_words(sentence)
    known = set(words(asked))
    return bool(claims) and any(
        _holds(known | set(words(source)), sentence, claims) and _in_its_order(claims, source)
        for source in sources
    )


def _holds(held: set[str], sentence: str, claims: Sequence[str]) -> bool:
    if any(must not in held for must in _musts(sentence)):
        return False
    if NEGATIONS & set(words(sentence)) and not NEGATIONS & held:
        return False
    found = sum(1 for claim in claims if claim in held)
    return found >= LEAST_HELD * len(claims)


def _in_its_order(claims: Sequence[str], source: str) -> bool:
    """Tell whether what stands together in a sentence stands together in its source.

    All the words of "we look at the events" may be in a message that says no such thing.
    The author's name may be combined with anything that they wrote.
    """
    places: dict[str, list[int]] = {}
    for at, word in enumerate(content_words(source.partition(": ")[2] or source)):
        places.setdefault(word, []).append(at)
    told = [claim for claim in claims if claim in places]
    near = [
        any(abs(one - other) <= NEAR for one in places[left] for other in places[right])
        for left, right in pairwise(told)
    ]
    return sum(near) >= LEAST_NEAR * len(near)


def best_source(sentence: str, sources: Sequence[str]) -> int:
    """Return the index of the source that shares most with the sentence."""
    wanted = set(content_words(sentence))
    shared = [len(wanted & set(words(source))) for source in sources]
    return shared.index(max(shared))


def _musts(sentence: str) -> list[str]:
    """Return the words that may not be invented: numbers, and what is written as a name."""
    return [
        _plain(word)
        for word in WORD.findall(sentence)
        if any(character.isdigit() for character in word)
        or (word[0].isupper() and _plain(word) not in PLAIN | REPORTING)
    ]


def _plain(word: str) -> str:
    return re.sub(r"['’]s$", "", word.lower())
