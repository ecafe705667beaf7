"""Cuts what was said into stretches that the model can sum up, at message boundaries. Pure.

A thread is one line of talk and the channel outside of its threads another;
each is cut by itself. Where a cut falls depends on the messages around it
only: a message whose id hashes to an anchor ends its stretch. So a range that
begins later or ends later is cut in the same places, and what was noted of
those stretches still holds.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.messages import IncomingMessage
from bot.skills.quoting import line

MOST_TOKENS = 320
"""Of a stretch: a small model loses the thread of more."""
MOST_LINES = 6
"""As many as the bundled model was taught to sum up."""
ANCHOR_EVERY = 18
"""One in so many lines is an anchor: three full stretches from one to the next."""
LONGEST_LINE = 1_200
"""Characters; a longer message is read in parts."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(Generic[Item]):
    """One line of a stretch."""

    of: Item
    """What it stands for: a message, or a point of an earlier round."""
    key: str
    """What its hash is taken of."""
    text: str
    """As the model reads it."""


def lines_of(messages: Iterable[IncomingMessage]) -> list[list[Line[IncomingMessage]]]:
    """Return each line of talk: the channel outside of threads, then each thread with its root."""
    said = list(messages)
    threads: defaultdict[str, list[IncomingMessage]] = defaultdict(list)
    for one in said:
        if one.place.thread:
            threads[one.place.thread].append(one)
    outside: list[IncomingMessage] = []
    for one in said:
        if one.place.thread:
            continue
        threads.get(one.message_id, outside).append(one)
    talks = [outside, *threads.values()]
    return [
        [part for one in sorted(talk, key=_order) for part in _parts(one)] for talk in talks if talk
    ]


def cut(talk: Sequence[Line[Item]], tokens: Sequence[int], *, room: int) -> list[list[Line[Item]]]:
    """Cut a line of talk into stretches.

    Args:
        talk: its lines, in order.
        tokens: what each of them takes.
        room: the most tokens that a stretch may take, if that is less than `MOST_TOKENS`. A
            single line that takes more is a stretch by itself.
    """
    most = min(MOST_TOKENS, room)
    stretches: list[list[Line[Item]]] = []
    now: list[Line[Item]] = []
    held = 0
    for one, size in zip(talk, tokens, strict=True):
        if now and (len(now) >= MOST_LINES or held + size > most):
            stretches.append(now)
            now, held = [], 0
        now.append(one)
        held += size
        if _is_anchor(one.key):
            stretches.append(now)
            now, held = [], 0
    return [*stretches, now] if now else stretches


def _parts(message: IncomingMessage) -> list[Line[IncomingMessage]]:
    """Return a message as lines: mostly one, a long one in parts that end between words."""
    whole = line(message)
    head = f"- {message.author.name}: "
    words, parts = whole.removeprefix(head).split(" "), [""]
    for word in words:
        if len(parts[-1]) + len(word) >= LONGEST_LINE and parts[-1]:
            parts.append("")
        while len(word) > LONGEST_LINE:
            parts[-1], word = word[:LONGEST_LINE], word[LONGEST_LINE:]
            parts.append("")
        parts[-1] = f"{parts[-1]} {word}" if parts[-1] else word
    return [
        Line(of=message, key=f"{message.message_id}.{at}" if at else message.message_id,
             text=f"{head}{part}")
        for at, part in enumerate(parts)
    ]  # fmt: skip


def _is_anchor(key: str) -> bool:
    digest = hashlib.sha256(key.encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:4]) % ANCHOR_EVERY == 0


def _order(message: IncomingMessage) -> tuple[float, str]:
    return (message.sent_at, message.message_id)
