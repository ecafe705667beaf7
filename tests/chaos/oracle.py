"""Compares what people said with what they saw. Pure: a history in, a verdict out.

`said` comes from whoever spoke, `seen` from the platforms' own records, `settled`
from the store. A message is answered when a settled reply covers it and that
reply stands on the platform.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

PLACEHOLDER_ENDS = ("…_",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message that was meant for Jay."""

    conversation: str
    message_id: str
    at: float
    heard: bool = True
    """False: no bot could have known of it; see `collecting`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A turn as the store has it."""

    role: Literal["person", "jay"]
    message_ids: tuple[str, ...]
    texts: tuple[str, ...] = ()
    """Jay's: the ways in which it may stand on the platform."""
    began_at: float = 0.0
    """Jay's: when the mail that it answers was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A message of Jay's that stands on the platform."""

    conversation: str
    message_id: str
    text: str
    at: float
    nonce: str = ""
    apology: bool = False
    """It says that the engine can't be had; no turn of Jay's is kept of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that is known of a run."""

    said: Sequence[Said]
    settled: Mapping[str, Sequence[Settled]]
    seen: Sequence[Seen]
    stored_at: Mapping[str, float] = field(default_factory=dict)
    """Message id to when the store took it."""
    left: Sequence[str] = ()
    """Conversations with a reply that was begun and never settled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the oracle found; each entry says which message, and why."""

    lost: tuple[str, ...]
    unheard: tuple[str, ...]
    """Not answered either, but no bot could have known of them."""
    excused: tuple[str, ...]
    """Replies that are an apology, or end in one: the engine was away, or had no words. That is an
    answer, if a poor one."""
    doubled: tuple[str, ...]
    misordered: tuple[str, ...]
    half: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.doubled or self.misordered or self.half)


def judge(history: History) -> Verdict:
    """Return what went wrong."""
    seen: dict[str, list[Seen]] = defaultdict(list)
    for one in history.seen:
        seen[one.conversation].append(one)
    covered = {
        message_id
        for key, turns in history.settled.items()
        for message_id in _covered(turns, seen[key])
    }
    missing = [one for one in history.said if not _is_answered(one, covered, history, seen)]
    return Verdict(
        lost=tuple(_name(one) for one in missing if one.heard),
        unheard=tuple(_name(one) for one in missing if not one.heard),
        excused=tuple(
            f"{one.conversation} reply {one.message_id}: {one.text!r}"
            for one in history.seen
            if one.apology
        ),
        doubled=(*_twice_settled(history), *_twice_shown(history)),
        misordered=tuple(_misordered(history)),
        half=(*_half(history), *(f"{key}: a reply is still open" for key in history.left)),
    )


def _name(one: Said) -> str:
    return f"{one.conversation} message {one.message_id}"


def _covered(turns: Sequence[Settled], seen: Sequence[Seen]) -> set[str]:
    """Return the people's messages before a reply of Jay's that stands there."""
    standing = {one.message_id for one in seen}
    covered: set[str] = set()
    waiting: set[str] = set()
    for turn in turns:
        if turn.role == "person":
            waiting.update(turn.message_ids)
        elif turn.message_ids and standing.issuperset(turn.message_ids):
            covered |= waiting
            waiting = set()
        else:
            waiting = set()
    return covered


def _is_answered(
    one: Said, covered: set[str], history: History, seen: Mapping[str, Sequence[Seen]]
) -> bool:
    if one.message_id in covered:
        return True
    turns = history.settled.get(one.conversation, ())
    kept = any(one.message_id in turn.message_ids for turn in turns if turn.role == "person")
    sorry = any(shown.apology and shown.at >= one.at for shown in seen[one.conversation])
    return kept and sorry


def _twice_settled(history: History) -> list[str]:
    counts = Counter(
        (key, message_id)
        for key, turns in history.settled.items()
        for turn in turns
        if turn.role == "person"
        for message_id in turn.message_ids
    )
    return [
        f"{key} message {which}: settled {n} times" for (key, which), n in counts.items() if n > 1
    ]


def _twice_shown(history: History) -> list[str]:
    """Return replies that stand twice, and those that belong to no settled turn."""
    nonces = Counter(one.nonce for one in history.seen if one.nonce)
    twice = [f"nonce {nonce}: stands {n} times" for nonce, n in nonces.items() if n > 1]
    known = {
        message_id
        for turns in history.settled.values()
        for turn in turns
        if turn.role == "jay"
        for message_id in turn.message_ids
    }
    return twice + [
        f"{one.conversation} reply {one.message_id}: no turn has it: {one.text[:60]!r}"
        for one in history.seen
        if one.message_id not in known and not one.apology and not _is_placeholder(one.text)
    ]


def _misordered(history: History) -> list[str]:
    """Return messages that were answered after a later one, though they were there in time."""
    said_at = {one.message_id: one.at for one in history.said}
    wrong = []
    for key, turns in history.settled.items():
        shown = [turn.message_ids[0] for turn in turns if turn.role == "jay" and turn.message_ids]
        if shown != sorted(shown, key=float):
            wrong.append(f"{key}: replies stand in another order than they were made")
        earlier: list[tuple[float, float]] = []
        group: list[float] = []
        for turn in turns:
            if turn.role == "jay":
                earlier += [(at, turn.began_at) for at in group]
                group = []
                continue
            for message_id in turn.message_ids:
                if (at := said_at.get(message_id)) is None:
                    continue
                stored = history.stored_at.get(message_id, at)
                overtaken = any(other > at and stored < began for other, began in earlier)
                if overtaken or any(other > at for other in group):
                    wrong.append(f"{key} message {message_id}: answered after a later one")
                group.append(at)
    return wrong


def _half(history: History) -> list[str]:
    standing = {one.message_id: one for one in history.seen}
    wrong = [
        f"{one.conversation} reply {one.message_id}: only {one.text!r} stands there"
        for one in history.seen
        if _is_placeholder(one.text)
    ]
    for key, turns in history.settled.items():
        for turn in turns:
            parts = [standing[one].text for one in turn.message_ids if one in standing]
            if turn.role != "jay" or not parts:
                continue
            reads = _plain(" ".join(parts))
            if reads not in {_plain(text) for text in turn.texts}:
                wrong.append(
                    f"{key} reply {turn.message_ids[0]}: {reads!r} stands there, "
                    f"{turn.texts[0]!r} was settled"
                )
    return wrong


def _is_placeholder(text: str) -> bool:
    return not text.strip() or text.rstrip().endswith(PLACEHOLDER_ENDS)


def _plain(text: str) -> str:
    return " ".join(text.split())
