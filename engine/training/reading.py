"""Reading tasks: a few messages with a question, or to sum up, and what is right to say.

The facts are data (`intents/reading.toml`): what somebody writes, how one asks
for it, how the answer stands, how a summary tells it. Each message of a task
takes another fact and other values, so that the answer must be read, not
remembered. Also here: random words said twice, which teach copying.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from engine.training.intents import HERE, Pools
from engine.training.phrasing import as_typed, expand, fill

ANSWER = "Answer from these messages."
SUMMARIZE = "Summarize these messages."


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One kind of thing that people write."""

    say: tuple[str, ...]
    ask: tuple[str, ...]
    answer: tuple[str, ...]
    tell: tuple[str, ...]


def load_facts(folder: Path = HERE) -> tuple[tuple[Fact, ...], tuple[str, ...]]:
    """Return the kinds of fact, and the chatter that stands between them."""
    raw = tomllib.loads((folder / "reading.toml").read_text())

    def all_of(patterns: Sequence[str]) -> tuple[str, ...]:
        return tuple(way for pattern in patterns for way in expand(pattern))

    facts = tuple(
        Fact(**{key: all_of(patterns) for key, patterns in table.items()}) for table in raw["fact"]
    )
    return facts, all_of(raw["chatter"])


class Reader:
    """Draws reading tasks."""

    def __init__(self, pools: Pools) -> None:
        """Read the facts."""
        self._pools = pools
        self._facts, self._chatter = load_facts()

    def task(self, rng: Random) -> tuple[str, str, str]:
        """Return what the person asks, what Jay replies, and the kind of task."""
        if rng.random() < 0.65:
            return self._answer(rng)
        return self._summary(rng)

    def _answer(self, rng: Random) -> tuple[str, str, str]:
        facts = rng.sample(self._facts, rng.choice((1, 1, 2, 3)))
        asked = rng.randrange(len(facts))
        lines, question, reply = [], "", ""
        for at, fact in enumerate(facts):
            values: dict[str, str] = {"{who}": rng.choice(self._pools["who"])}
            lines.append(self._line(rng.choice(fact.say), rng, values))
            if at == asked:
                question = fill(rng.choice(fact.ask), self._pools, rng, values)
                reply = fill(rng.choice(fact.answer), self._pools, rng, values)
        if rng.random() < 0.3 and len(lines) < 3:
            lines.insert(rng.randrange(len(lines) + 1), self._chat(rng))
        if rng.random() < 0.3:
            question = as_typed(question, rng)
        return "\n".join([ANSWER, *lines, f"Question: {question}"]), reply, "reading.answer"

    def _summary(self, rng: Random) -> tuple[str, str, str]:
        count = rng.choice((1, 2, 2))
        facts = rng.sample(self._facts, count)
        lines, told = [], []
        for fact in facts:
            values: dict[str, str] = {"{who}": rng.choice(self._pools["who"])}
            lines.append(self._line(rng.choice(fact.say), rng, values))
            told.append(fill(rng.choice(fact.tell), self._pools, rng, values))
        for _ in range(rng.randint(1, 6 - count)):
            lines.insert(rng.randrange(len(lines) + 1), self._chat(rng))
        return "\n".join([SUMMARIZE, *lines]), " ".join(told), "reading.summary"

    def _line(self, pattern: str, rng: Random, values: dict[str, str]) -> str:
        if rng.random() < 0.25:
            pattern = pattern[:1].lower() + pattern[1:]
        return f"- {values['{who}']}: {fill(pattern, self._pools, rng, values)}"

    def _chat(self, rng: Random) -> str:
        values = {"{who}": rng.choice(self._pools["who"])}
        return self._line(rng.choice(self._chatter), rng, values)

    def repeat(self, rng: Random) -> tuple[str, str, str]:
        """Return an exchange where Jay says random words back."""
        pools = [self._pools[name] for name in ("name", "thing", "food", "city", "day")]
        words = " ".join(rng.choice(rng.choice(pools)) for _ in range(rng.randint(3, 12)))
        return f"Repeat: {words}", words, "reading.repeat"
