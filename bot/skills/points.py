"""Points of a summary: a sentence that one message supports, or that message itself. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot import grounding
from bot.messages import IncomingMessage
from bot.skills.quoting import LONGEST_QUOTE, line

MATTERS = frozenset(
    """decided decision agreed release released deploy deployed rollback rolled fixed broken
    outage incident deadline due ship shipped scheduled moved cancelled approved owner plan
    tomorrow monday tuesday wednesday thursday friday meeting""".split()
)

REPORTING = frozenset(
    """according added announced answered asked confirmed explained mentioned noted reported
    reports says suggested tells told writes wrote""".split()
)
"""Words that a summary may use of any message."""
LEAST_SAID = 2
"""Words with a meaning that a sentence must have of its message, the author's name apart."""
WEIGHTY = 12
"""What a message with a number, or a word that matters, and a few others weighs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One thing that a summary tells."""

    text: str
    source: IncomingMessage
    """The message that it stands on."""
    quoted: bool
    """It is the message's own words."""


def points_of(sources: Sequence[IncomingMessage], said: str) -> list[Point]:
    """Return the sentences that a message supports, each with that message.

    Args:
        sources: the messages that the model read.
        said: what it made of them.
    """
    lines = [line(one) for one in sources]
    found: dict[str, Point] = {}
    for sentence in grounding.sentences(said):
        held = [
            at
            for at, one in enumerate(lines)
            if grounding.supported(sentence, [one]) and _is_said(sentence, one)
        ]
        if not held:
            continue
        source = sources[held[grounding.best_source(sentence, [lines[at] for at in held])]]
        found.setdefault(source.message_id, Point(text=sentence, source=source, quoted=False))
    return list(found.values())


def _is_said(sentence: str, source: str) -> bool:
    """Tell whether each word with a meaning is one of the message's, in whatever form.

    A small model makes up words, and a person can't tell these from what was said. It also
    says no more than who wrote; some of the words must be what they wrote.
    """
    held = set(grounding.words(source))
    stems = {_stem(one) for one in held}
    claims = [one for one in grounding.content_words(sentence) if one not in REPORTING]
    author = set(grounding.words(source.partition(": ")[0]))
    return len(set(claims) - author) >= LEAST_SAID and all(
        word in held or (len(word) > 4 and _stem(word) in stems) for word in claims
    )


def _stem(word: str) -> str:
    """Return what the forms of a word have in common, roughly: `approves`, `approved`."""
    return word[: max(4, len(word) - 3)]


def quoted(message: IncomingMessage) -> Point:
    """Return a message as a point: its own words, shortened."""
    text = " ".join(message.text.split())
    if len(text) > LONGEST_QUOTE:
        text = text[:LONGEST_QUOTE].rsplit(" ", 1)[0] + " …"
    return Point(text=text, source=message, quoted=True)


def filled_up(
    points: Sequence[Point], sources: Sequence[IncomingMessage], *, most: int, every: bool = False
) -> list[Point]:
    """Return points with the messages that they pass over, quoted; at least one.

    Args:
        points: what the model made of the messages.
        sources: the messages.
        most: quotes are added up to so many points, the heaviest messages first.
        every: light messages are quoted too. Else one is only where there is no point at all.
    """
    told = {one.source.message_id for one in points}
    passed = [
        quoted(one)
        for one in sources
        if one.message_id not in told and (every or weight(one) >= WEIGHTY)
    ]
    added = heaviest(passed, max(0, most - len(points)))
    return [*points, *added] or [quoted(weightiest(sources))]


def heaviest(points: Iterable[Point], most: int) -> list[Point]:
    """Return the points whose messages tell most, in their order."""
    every = list(points)
    ranked = sorted(range(len(every)), key=lambda at: (-weight(every[at].source), -at))
    return [every[at] for at in sorted(ranked[:most])]


def weightiest(messages: Iterable[IncomingMessage]) -> IncomingMessage:
    """Return the message that tells most; the newest among equals."""
    return max(messages, key=lambda one: (weight(one), one.sent_at, one.message_id))


def weight(message: IncomingMessage) -> int:
    """Return how much a message seems to tell: facts it names, and its length."""
    said = grounding.content_words(message.text)
    numbers = sum(1 for word in said if any(character.isdigit() for character in word))
    matters = sum(1 for word in said if word in MATTERS)
    questions = message.text.count("?")
    return min(len(said), 25) + 4 * numbers + 6 * matters - 4 * questions
