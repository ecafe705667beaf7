"""Reading tasks: a few messages with a question, or to sum up, and what is right to say.

The facts are data (`intents/reading.toml`): what somebody writes, how a summary
tells it, and what can be asked of it, each question with the value that answers
it. Each message of a task holds other values, so that the answer must be read,
not remembered. Of what is written and asked, some ways are held out of
training. Words that a skill would not show, since they are more than a
shortening of the message, are not taught: there the message is quoted. Also here: random words said twice, which teach copying.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from bot import grounding
from engine.training.intents import HERE, CorpusError, Pools
from engine.training.phrasing import as_typed, expand, fill, slots

ANSWER = "Answer from these messages."
SUMMARIZE = "Summarize these messages."
QUOTE = "{who} wrote: {message}"
"""How Jay gives back what it has no words of its own for."""
UNKNOWN = "I don't see that in these messages."
"""What Jay replies to a question that the messages don't answer."""
UNANSWERED = 0.2
"""Share of questions without an answer; a small model that meets many before it reads well gives up
on all. More and more of them, once it read, had it say so more often, and read no worse."""
SUMMARIES = 0.25
"""Share of tasks that ask for a summary."""
FREE = 0.2
"""Chance of a message that is no fact here; much of what is written outside is not."""
SAME_KIND = 0.3
"""Chance that a second message is of the first one's kind: only its names tell them apart."""
ASIDE = 0.2
"""Chances of another sentence before and after the one that counts."""
REPEATED = ("name", "surname", "noun", "did", "adj", "product", "code", "town", "clock", "phrase")
"""Pools of the words that are said back."""
TRIES = 20
"""Draws of a message that shares no value with the others of its task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing that can be asked of a fact."""

    ask: tuple[str, ...]
    held_ask: tuple[str, ...] = ()
    answer: str = QUOTE
    value: str
    """What of the answer tells what was asked, slots unfilled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One kind of thing that people write."""

    say: tuple[str, ...]
    held_say: tuple[str, ...] = ()
    tell: str = QUOTE
    asked: tuple[Question, ...]

    @property
    def quoted(self) -> bool:
        """Tell whether it is only given back, never put in other words."""
        return self.tell == QUOTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Messages, what is wanted of them, and what is right to reply."""

    kind: str
    """`reading.answer`, `reading.quote` (answered by quoting the message), `reading.unknown`
    (not answered by the messages), `reading.summary`."""
    messages: tuple[str, ...]
    """As serving writes them, `- Name: text`."""
    question: str = ""
    reply: str
    value: str = ""
    """What must stand in a right reply; empty for what has no single answer."""

    @property
    def prompt(self) -> str:
        """What the person's turn holds."""
        if not self.question:
            return "\n".join([SUMMARIZE, *self.messages])
        return "\n".join([ANSWER, *self.messages, f"Question: {self.question}"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    fact: Fact
    line: str
    said: str
    """The way it was said, slots unfilled."""
    values: dict[str, str] = field(default_factory=dict)


def load_facts(folder: Path = HERE) -> tuple[tuple[Fact, ...], tuple[str, ...]]:
    """Return the kinds of fact, and the chatter that stands between them.

    Raises:
        CorpusError: a question asks with, or for, what its messages don't hold.
    """
    raw = tomllib.loads((folder / "reading.toml").read_text())
    facts = tuple(_fact(table) for table in (*raw["fact"], *raw["free"]))
    for fact in facts:
        _check(fact)
    return facts, _all_of(raw["chatter"])


def _fact(table: Mapping[str, Any]) -> Fact:
    return Fact(
        say=_all_of(table["say"]),
        held_say=_all_of(table.get("held_say", ())),
        tell=table.get("tell", QUOTE),
        asked=tuple(
            Question(
                ask=_all_of(one["ask"]),
                held_ask=_all_of(one.get("held_ask", ())),
                answer=one.get("answer", QUOTE),
                value=one["value"],
            )
            for one in table["asked"]
        ),
    )


def _all_of(patterns: Sequence[str]) -> tuple[str, ...]:
    return tuple(way for pattern in patterns for way in expand(pattern))


def _check(fact: Fact) -> None:
    """Every way of saying it must hold every value that can be asked with or for."""
    wanted = {"{who}", "{message}"}
    for question in fact.asked:
        texts = (*question.ask, *question.held_ask, question.answer, question.value, fact.tell)
        wanted |= {slot for text in texts for slot, _ in slots(text)}
        if question.value not in question.answer and question.answer != QUOTE:
            raise CorpusError(f"{question.answer!r} does not hold its value {question.value!r}")
    for way in (*fact.say, *fact.held_say):
        held = {"{who}", "{message}"} | {slot for slot, _ in slots(way)}
        if lost := wanted - held:
            raise CorpusError(f"{way!r} lacks {', '.join(sorted(lost))}")


def sentence(text: str) -> str:
    """Return a text with a capital at its start."""
    return text[:1].upper() + text[1:]


class Reader:
    """Draws reading tasks."""

    def __init__(self, pools: Pools, *, held_out: bool = False) -> None:
        """Read the facts.

        Args:
            pools: what slots are filled from.
            held_out: say and ask only in ways that training never does, where a fact has some.
        """
        self._pools = pools
        self._held_out = held_out
        facts, self._chatter = load_facts()
        self._facts = [fact for fact in facts if not fact.quoted]
        self._free = [fact for fact in facts if fact.quoted]

    def task(self, rng: Random) -> Task:
        """Return a task of any kind."""
        return self.summary(rng) if rng.random() < SUMMARIES else self.question(rng)

    def question(self, rng: Random) -> Task:
        """Return a question on one to three messages."""
        messages = self._messages(rng, rng.choice((1, 2, 2, 2, 3)), asked=True)
        asked = rng.choice(messages)
        question = rng.choice(asked.fact.asked)
        lines = [one.line for one in messages]
        if rng.random() < 0.25 and len(lines) < 3:
            lines.insert(rng.randrange(len(lines) + 1), self._chat(rng))
        if rng.random() < UNANSWERED:
            other, values = self._elsewhere(messages, rng)
            text = self._typed(rng, self._ways(other.ask, other.held_ask), values)
            return Task(kind="reading.unknown", messages=tuple(lines), question=text, reply=UNKNOWN)
        reply, quoted = self._reply(question.answer, asked, rng)
        return Task(
            kind="reading.quote" if quoted else "reading.answer",
            messages=tuple(lines),
            question=self._typed(rng, self._ways(question.ask, question.held_ask), asked.values),
            reply=reply,
            value=fill(question.value, self._pools, rng, asked.values),
        )

    def summary(self, rng: Random) -> Task:
        """Return two to six messages to sum up, one or two of which tell something."""
        messages = self._messages(rng, rng.choice((1, 2, 2)), asked=False)
        told = [self._reply(one.fact.tell, one, rng)[0] for one in messages]
        lines = [one.line for one in messages]
        for _ in range(rng.randint(1, 6 - len(lines))):
            lines.insert(rng.randrange(len(lines) + 1), self._chat(rng))
        return Task(kind="reading.summary", messages=tuple(lines), reply=" ".join(told))

    def _reply(self, words: str, message: _Message, rng: Random) -> tuple[str, bool]:
        """Return what to say of a message, and whether that quotes it."""
        reply = sentence(fill(words, self._pools, rng, message.values))
        if words != QUOTE and grounding.supported(reply, [message.line]):
            return reply, False
        quote = fill(QUOTE, self._pools, rng, message.values)
        return quote if quote.endswith((".", "!", "?")) else f"{quote}.", True

    def _ways(self, trained: tuple[str, ...], held: tuple[str, ...]) -> tuple[str, ...]:
        return (self._held_out and held) or trained

    def _typed(self, rng: Random, ways: Sequence[str], values: dict[str, str]) -> str:
        """Return a question; some are typed in a hurry, few with slips in what they name."""
        way, hurry = rng.choice(ways), rng.random()
        text = fill(as_typed(way, rng) if hurry < 0.25 else way, self._pools, rng, values)
        return as_typed(text, rng) if hurry > 0.95 else text

    def _messages(self, rng: Random, count: int, *, asked: bool) -> list[_Message]:
        """Draw messages that share no value, so that a question fits but one of them."""
        found: list[_Message] = []
        used = set[str]()
        while len(found) < count:
            fact = rng.choice(self._free if rng.random() < FREE else self._facts)
            if found and rng.random() < SAME_KIND and _tells_apart(found[0].fact):
                fact = found[0].fact
            elif any(one.fact is fact for one in found):
                continue
            for _ in range(TRIES):
                message = self._message(fact, rng, asked=asked)
                values = {one for one in message.values.values() if not one.isdigit()}
                if not used & values:
                    break
            used |= values
            found.append(message)
        return found

    def _message(self, fact: Fact, rng: Random, *, asked: bool) -> _Message:
        """Return a message that states the fact.

        Where a question will tell which sentence is meant, any may stand
        before it; in a summary only what tells nothing.
        """
        values = {"{who}": rng.choice(self._pools["who"])}
        way = rng.choice(self._ways(fact.say, fact.held_say))
        said = as_typed(way, rng) if rng.random() < 0.2 else way
        text = fill(said, self._pools, rng, values)
        lower = rng.random() < 0.15 and not said.startswith("{")
        text = text[:1].lower() + text[1:] if lower else sentence(text)
        values["{message}"] = text
        before = f"{self._aside(rng, telling=asked)} " if rng.random() < ASIDE else ""
        after = f" {self._aside(rng, telling=True)}" if rng.random() < ASIDE else ""
        line = f"- {values['{who}']}: {before}{text}{after}"
        return _Message(fact=fact, line=line, said=way, values=values)

    def _elsewhere(
        self, messages: Sequence[_Message], rng: Random
    ) -> tuple[Question, dict[str, str]]:
        """Return a question that none of the messages answers, and what its slots hold.

        Half of them ask for something else of what a message names, half
        for what no message names.
        """
        held = {slot for one in messages for slot, _ in slots(one.said)}
        about = rng.choice(messages).values if rng.random() < 0.5 else {}
        for _ in range(TRIES):
            question = rng.choice(rng.choice(self._facts).asked)
            names = {slot for way in question.ask[:1] for slot, _ in slots(way)}
            missed = {slot for slot, _ in slots(question.value)}
            if names and not about:
                return question, {}
            if names and names <= about.keys() and not missed & (held | {"{who}"}):
                return question, dict(about)
        fact = rng.choice([one for one in self._facts if _tells_apart(one)])
        return rng.choice(fact.asked), {}

    def _aside(self, rng: Random, *, telling: bool = False) -> str:
        """Return a sentence beside the one that counts."""
        if telling and rng.random() < 0.5:
            return sentence(fill(rng.choice(rng.choice(self._free).say), self._pools, rng, {}))
        return fill(rng.choice(self._chatter), self._pools, rng, {})

    def _chat(self, rng: Random) -> str:
        return f"- {rng.choice(self._pools['who'])}: {self._aside(rng)}"

    def remark(self, rng: Random) -> tuple[str, bool]:
        """Return what somebody says or asks without messages to read; tell whether it asks."""
        fact, asks = rng.choice((*self._facts, *self._free)), rng.random() < 0.5
        values = {"{who}": rng.choice(self._pools["who"])}
        ways = rng.choice(fact.asked).ask if asks else fact.say
        return sentence(fill(rng.choice(ways), self._pools, rng, values)), asks

    def repeat(self, rng: Random) -> tuple[str, str, str]:
        """Return an exchange where Jay says random words back."""
        pools = [self._pools[name] for name in REPEATED]
        words = " ".join(rng.choice(rng.choice(pools)) for _ in range(rng.randint(3, 12)))
        return f"Repeat: {words}", words, "reading.repeat"


def _tells_apart(fact: Fact) -> bool:
    """Tell whether every question of a fact names something of its message."""
    return all(
        any(slot != "{who}" for slot, _ in slots(way))
        for question in fact.asked
        for way in (*question.ask, *question.held_ask)
    )
