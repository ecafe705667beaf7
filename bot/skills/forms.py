"""How the points of a summary are laid out: bullets, a paragraph, decisions, topics. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from bot import grounding
from bot.messages import IncomingMessage
from bot.skills.asking import Form
from bot.skills.points import Point
from bot.skills.quoting import bullets, day

MOST_POINTS: Mapping[Form, int] = {"bullets": 12, "paragraph": 6, "decisions": 20, "topics": 14}
"""That are shown. More is read by nobody."""
LEAST_OF_TOPIC = 2
_DECISION = re.compile(
    r"\b(?:decided?|decision|agreed?|approved?|settled|chosen|chose|postponed|cancelled|canceled"
    r"|resolved|rejected|(?:is|was|are|were|has|have been) moved|moved to"
    r"|we(?:'ll| will)? (?:go|keep|stay|drop|switch|use|ship)|going with)\b",
    re.IGNORECASE,
)
_ACTION = re.compile(
    r"\b(?:todo|to-do|action item|i(?:'ll| will)|(?:can|could|will|would) you|please|(?:needs?|has|have) to"
    r"|must|should|takes? care|(?:is|are) (?:on it|responsible)|by (?:today|tomorrow|tonight|noon"
    r"|monday|tuesday|wednesday|thursday|friday|\d{1,2}))\b|\bowner:|\[ \]",
    re.IGNORECASE,
)


def settles(message: IncomingMessage) -> bool:
    """Tell whether a message seems to hold a decision or a task for somebody."""
    return _is_decision(message) or _is_action(message)


def lay_out(form: Form, points: Sequence[Point], links: Mapping[str, str]) -> str:
    """Return the points as Markdown, each with the address of its message.

    Args:
        form: how.
        points: in the order in which they were said.
        links: by message id; empty where the platform told none.
    """
    match form:
        case "bullets":
            return bullets(_item(one, links) for one in points)
        case "paragraph":
            return " ".join(_sentence(one, links) for one in points)
        case "decisions":
            return _decisions(points, links)
        case "topics":
            return "\n\n".join(
                f"**{name}**\n{bullets(_item(one, links) for one in inside)}"
                for name, inside in topics(points)
            )


def topics(points: Sequence[Point]) -> list[tuple[str, list[Point]]]:
    """Group points by the words that they share, the largest group first, the rest last."""
    left = list(points)
    found: list[tuple[str, list[Point]]] = []
    while left:
        counts = Counter(word for one in left for word in sorted(_themes(one)))
        word, count = max(counts.items(), key=lambda item: (item[1], len(item[0]), item[0]),
                          default=("", 0))  # fmt: skip
        if count < LEAST_OF_TOPIC:
            break
        found.append((word.capitalize(), [one for one in left if word in _themes(one)]))
        left = [one for one in left if word not in _themes(one)]
    return [*found, *([("Also said" if found else "What was said", left)] if left else [])]


def _decisions(points: Sequence[Point], links: Mapping[str, str]) -> str:
    decided = [one for one in points if _is_decision(one.source)]
    to_do = [one for one in points if not _is_decision(one.source)]
    parts = [("Decisions", decided, "I found none."), ("Action items", to_do, "I found none.")]
    return "\n\n".join(
        f"**{name}**\n{bullets(_item(one, links) for one in inside) or none}"
        for name, inside, none in parts
    )


def _is_decision(message: IncomingMessage) -> bool:
    return bool(_DECISION.search(message.text)) and not message.text.rstrip().endswith("?")


def _is_action(message: IncomingMessage) -> bool:
    return bool(_ACTION.search(message.text))


def _item(point: Point, links: Mapping[str, str]) -> str:
    where = _where(point, links)
    if point.quoted:
        return f"**{point.source.author.name}**, {where}: {point.text}"
    return f"{point.text} ({where})"


def _sentence(point: Point, links: Mapping[str, str]) -> str:
    said = f"{point.source.author.name} wrote: “{point.text}”" if point.quoted else point.text
    return f"{said} ({_where(point, links)})"


def _where(point: Point, links: Mapping[str, str]) -> str:
    when, link = day(point.source.sent_at), links.get(point.source.message_id, "")
    return f"[{when}]({link})" if link else when


def _themes(point: Point) -> set[str]:
    """Return the words that could name what a point is about."""
    names = set(grounding.words(point.source.author.name))
    return {
        word
        for word in grounding.content_words(point.text)
        if len(word) > 3 and word.isalpha() and word not in names
    }
