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
QUOTE = "{who} wrote: {message}"
"""How Jay gives back what it has no words of its own for."""
REPEATED = ("name", "surname", "noun", "did", "adj", "when", "thing", "city", "phrase")
"""Pools of the words that are said back."""
FREE = 2
"""How often a free kind counts against a fact: what is written outside is seldom a fact here."""
ASIDE = 0.25
"""Chances of another sentence before and after the one that counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One kind of thing that people write."""

    say: tuple[str, ...]
    ask: tuple[str, ...]
    answer: tuple[str, ...] = (QUOTE,)
    tell: tuple[str, ...] = (QUOTE,)


def load_facts(folder: Path = HERE) -> tuple[tuple[Fact, ...], tuple[str, ...]]:
    """Return the kinds of fact, and the chatter that stands between them."""
    raw = tomllib.loads((folder / "reading.toml").read_text())

    def all_of(patterns: Sequence[str]) -> tuple[str, ...]:
        return tuple(way for pattern in patterns for way in expand(pattern))

    facts = tuple(
        Fact(**{key: all_of(patterns) for key, patterns in table.items()})
        for table in raw["fact"] + raw["free"] * FREE
    )
    return facts, all_of(raw["chatter"])


def sentence(text: str) -> str:
    """Return a text with a capital at its start."""
    return text[:1].upper() + text[1:]


class Reader:
    """Draws reading tasks."""

    def __init__(self, pools: Pools) -> None:
        """Read the facts."""
        self._pools = pools
        self._facts, self._chatter = load_facts()
        self._free = [fact for fact in self._facts if fact.answer == (QUOTE,)]

    def task(self, rng: Random) -> tuple[str, str, str]:
        """Return what the person asks, what Jay replies, and the kind of task."""
        if rng.random() < 0.65:
            return self._answer(rng)
        return self._summary(rng)

    def _answer(self, rng: Random) -> tuple[str, str, str]:
        facts = self._kinds(rng, rng.choice((1, 2, 2, 3, 3)))
        asked = rng.randrange(len(facts))
        lines, question, reply = [], "", ""
        for at, fact in enumerate(facts):
            line, values = self._message(fact, rng, asked=True)
            lines.append(line)
            if at == asked:
                question = fill(rng.choice(fact.ask), self._pools, rng, values)
                reply = sentence(fill(rng.choice(fact.answer), self._pools, rng, values))
        if rng.random() < 0.3 and len(lines) < 3:
            lines.insert(rng.randrange(len(lines) + 1), self._chat(rng))
        if rng.random() < 0.3:
            question = as_typed(question, rng)
        return "\n".join([ANSWER, *lines, f"Question: {question}"]), reply, "reading.answer"

    def _summary(self, rng: Random) -> tuple[str, str, str]:
        lines, told = [], []
        for fact in self._kinds(rng, rng.choice((1, 2, 2))):
            line, values = self._message(fact, rng, asked=False)
            lines.append(line)
            told.append(sentence(fill(rng.choice(fact.tell), self._pools, rng, values)))
        for _ in range(rng.randint(1, 6 - len(lines))):
            lines.insert(rng.randrange(len(lines) + 1), self._chat(rng))
        return "\n".join([SUMMARIZE, *lines]), " ".join(told), "reading.summary"

    def _kinds(self, rng: Random, count: int) -> list[Fact]:
        """Draw kinds of fact, no kind twice: an answer must not fit two messages."""
        return list(dict.fromkeys(rng.choices(self._facts, k=count)))

    def _message(self, fact: Fact, rng: Random, *, asked: bool) -> tuple[str, dict[str, str]]:
        """Return a message that states the fact, and what its slots were filled with.

        Where a question will tell which sentence is meant, any may stand
        before it; in a summary only what tells nothing.
        """
        values = {"{who}": rng.choice(self._pools["who"])}
        text = sentence(fill(rng.choice(fact.say), self._pools, rng, values))
        if rng.random() < 0.25:
            text = text[:1].lower() + text[1:]
        values["{message}"] = text
        before = f"{self._aside(rng, telling=asked)} " if rng.random() < ASIDE else ""
        after = f" {self._aside(rng, telling=True)}" if rng.random() < ASIDE else ""
        return f"- {values['{who}']}: {before}{text}{after}", values

    def _aside(self, rng: Random, *, telling: bool = False) -> str:
        """Return a sentence beside the one that counts."""
        if telling and rng.random() < 0.6:
            return sentence(fill(rng.choice(rng.choice(self._free).say), self._pools, rng, {}))
        return fill(rng.choice(self._chatter), self._pools, rng, {})

    def _chat(self, rng: Random) -> str:
        return f"- {rng.choice(self._pools['who'])}: {self._aside(rng)}"

    def remark(self, rng: Random) -> tuple[str, bool]:
        """Return what somebody says or asks without messages to read; tell whether it asks."""
        fact, asks = rng.choice(self._facts), rng.random() < 0.5
        values = {"{who}": rng.choice(self._pools["who"])}
        return sentence(
            fill(rng.choice(fact.ask if asks else fact.say), self._pools, rng, values)
        ), asks

    def repeat(self, rng: Random) -> tuple[str, str, str]:
        """Return an exchange where Jay says random words back."""
        pools = [self._pools[name] for name in REPEATED]
        words = " ".join(rng.choice(rng.choice(pools)) for _ in range(rng.randint(3, 12)))
        return f"Repeat: {words}", words, "reading.repeat"
