"""An operator's data set: JSON lines, each a conversation that went as it should.

    {"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}
    {"prompt": "…", "completion": "…"}

The two shapes that fine-tuning tools share. A conversation may have many turns
and may open with a `system` message, which takes the persona's place. What is
learned is what the assistant says. All that is wrong is told at once, with the
numbers of the lines, and nothing is skipped unseen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bot.conversations import Turn
from bot.errors import JayError

LEAST = 20
"""Fewer lines teach next to nothing, and leave none to measure it on."""
HELD_OUT_SHARE, LEAST_HELD_OUT = 0.1, 4
"""How many lines are kept from training, to measure on."""
MOST_TOLD = 5
"""So many wrong lines are described; the others are counted."""
ROLES = {"user": "person", "assistant": "jay"}
SHAPE = '{"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}'


class DataError(JayError):
    """A data set that can't be learned from."""

    hint = f'Each line is like {SHAPE} or {{"prompt": "…", "completion": "…"}}.'


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One line of the data."""

    line: int
    """Its number, from 1."""
    turns: tuple[Turn, ...]
    persona: str | None = None
    """The `system` message; None: the line has none."""


def read_examples(path: Path) -> tuple[Example, ...]:
    """Read a data set; empty lines are skipped, and of equal lines one is kept.

    Raises:
        DataError: it can't be read, lines are wrong, or there are too few.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} can't be read: {error}") from error
    found: dict[tuple[str | None, tuple[Turn, ...]], Example] = {}
    wrong = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            example = _read(number, line)
        except ValueError as error:
            wrong.append(f"line {number}: {error}")
        else:
            found.setdefault((example.persona, example.turns), example)
    if wrong:
        more = f"; and {len(wrong) - MOST_TOLD} more" if len(wrong) > MOST_TOLD else ""
        told = "; ".join(wrong[:MOST_TOLD])
        raise DataError(f"{path}: {len(wrong)} of {len(lines)} lines are wrong. {told}{more}")
    if len(found) < LEAST:
        raise DataError(f"{path} has {len(found)} different lines; at least {LEAST} are needed")
    return tuple(found.values())


def split(
    examples: Sequence[Example], *, seed: int
) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """Return the lines to learn from and those to measure on, each in the file's order."""
    count = max(LEAST_HELD_OUT, round(HELD_OUT_SHARE * len(examples)))
    chosen = set(Random(f"held out:{seed}").sample(range(len(examples)), count))
    learned = tuple(one for at, one in enumerate(examples) if at not in chosen)
    return learned, tuple(examples[at] for at in sorted(chosen))


def _read(number: int, line: str) -> Example:
    """Read one line; a `ValueError` says what is wrong with it."""
    try:
        found = json.loads(line)
    except ValueError as error:
        raise ValueError(f"it is no JSON ({error})") from error
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    if found.keys() == {"prompt", "completion"}:
        pairs = [("user", found["prompt"]), ("assistant", found["completion"])]
    elif found.keys() == {"messages"}:
        pairs = list(_messages(found["messages"]))
    else:
        fields = ", ".join(sorted(found)) or "none"
        raise ValueError(f"its fields are {fields}; messages, or prompt and completion, are known")
    for role, content in pairs:
        if not isinstance(content, str) or not content.strip():
            raise ValueError(f"what the {role} says is no text")
    persona = str(pairs.pop(0)[1]) if pairs and pairs[0][0] == "system" else None
    roles = [role for role, _ in pairs]
    if unknown := set(roles) - ROLES.keys():
        raise ValueError(f"the role {sorted(unknown)[0]!r} is not known, or not there")
    if roles[:1] != ["user"] or "assistant" not in roles:
        raise ValueError("a user must speak first, and an assistant after them")
    return Example(line=number, persona=persona, turns=tuple(_turn(*pair) for pair in pairs))


def _messages(found: object) -> Iterator[tuple[str, object]]:
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError("its messages are no list of objects")
    for one in found:
        if one.keys() != {"role", "content"}:
            raise ValueError(f"a message has the fields {', '.join(sorted(one)) or 'none'}")
        yield str(one["role"]), one["content"]


def _turn(role: str, content: object) -> Turn:
    jay = ROLES[role] == "jay"
    return Turn(role="jay" if jay else "person", text=str(content), author="", at=0.0)
