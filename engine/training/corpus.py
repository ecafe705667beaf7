"""Whole dialogues, drawn by seed and number; nothing is stored.

A dialogue goes on until its reader has enough: it opens with a greeting or
straight with a request, follows on where an intent offers it, and keeps what
the person told so that a later question can ask for it back. Some open with a
reading task, for tasks stand first where Jay meets them. Rendering is
`bot.family`'s, so that training sees what serving sends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

from bot.conversations import Turn
from bot.family import Family, render_opening, render_turn
from engine.families import FOLDER, read_family
from engine.training.intents import Intent, Pools, load_intents, load_pools
from engine.training.phrasing import as_typed, called, fill, greeted, led
from engine.training.reading import Reader, Task, sentence

MINI = read_family(FOLDER / "mini.toml")
"""The format of the bundled checkpoint, as serving reads it."""

FOLLOW_ON = 0.4
"""Chance that an intent which can be followed on is."""
TASKS_FIRST = 0.75
"""Share of dialogues that open with a reading task, unless a recipe has another."""
TASK_AGAIN = 0.6
"""Chance of another task after one."""
GREETED_FIRST, GREETED_LATER = 0.25, 0.03
"""Chances that a request opens with a greeting, at the start of a dialogue and in it."""
LED_FIRST, LED_LATER = 0.03, 0.15
"""Chances of a lead-in or something trailing."""
REMARKS = 0.05
"""Chance that somebody says or asks what only the channel knows."""
VERBATIM = ("memory.echo", "memory.last")
"""Intents whose reply gives back the person's words as they are."""
AS_IT_IS = "skills."
"""Intents that no person types: they are what a skill's file asks."""
UNGREETED = (*VERBATIM, AS_IT_IS, "greetings.", "memory.name_told", "smalltalk.gibberish")
"""Intents that a greeting or lead-in would make something else of."""
LONGEST_REPEATED = 60
"""Characters of a message that Jay is taught to say back."""
RECALL, RECALL_UNKNOWN = 0.25, 0.03
"""Chances that the person asks back for something told, and for something never told."""
LAST = "last"
"""The fact of what the person said last."""
REPEATS = 0.06
"""Share of dialogues of random words said twice: nothing teaches copying faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What a person says and what Jay replies."""

    person: str
    jay: str
    intent: str
    value: str = ""
    """What in Jay's reply had to be found in what was said; empty: nothing."""


@dataclass(slots=True)
class _Talk:
    """What a dialogue knows so far."""

    last: str = ""
    """The intent of the last exchange."""
    replied: str = ""
    facts: dict[str, str] = field(default_factory=dict)

    def note(self, exchange: Exchange) -> Exchange:
        """Keep what later exchanges depend on."""
        self.last, self.replied = exchange.intent, exchange.jay
        if len(exchange.person) < LONGEST_REPEATED:
            self.facts[LAST] = exchange.person
        else:
            self.facts.pop(LAST, None)
        return exchange


class Corpus:
    """Endless dialogues; the same number gives the same one."""

    def __init__(
        self,
        *,
        seed: int,
        intents: Sequence[Intent] | None = None,
        pools: Pools | None = None,
        held_out: bool = False,
        tasks_first: float = TASKS_FIRST,
        haste: float = 1.0,
    ) -> None:
        """Read the data files unless intents and pools are given.

        Args:
            seed: other seeds, other dialogues.
            intents: what is said and replied.
            pools: what slots are filled from.
            held_out: draw the phrasings kept from training, where an intent has some.
            tasks_first: share of dialogues that open with a reading task.
            haste: how many times as often as usual people mistype and shout.
        """
        self.seed = seed
        self._tasks_first = tasks_first
        self._haste = haste
        self._held_out = held_out
        self.intents = tuple(intents) if intents is not None else load_intents()
        self.pools = pools if pools is not None else load_pools()
        self._by_name = {intent.name: intent for intent in self.intents}
        self._openers = [one for one in self.intents if one.opens]
        self._weights = list(accumulate(one.weight for one in self._openers))
        self._recalls = [one for one in self.intents if one.recalls]
        self._follows = {
            one.name: [other for other in self.intents if other.follows(one.name)]
            for one in self.intents
        }
        self._reader = Reader(self.pools)

    def dialogue(self, number: int) -> Iterator[Exchange]:
        """Yield the exchanges of one dialogue, without end."""
        rng = Random(f"{self.seed}:{number}")
        talk = _Talk()
        if rng.random() < REPEATS:
            person, jay, intent = self._reader.repeat(rng)
            yield Exchange(person=person, jay=jay, intent=intent)
        elif rng.random() < self._tasks_first:
            yield exchange_of(self._reader.task(rng))
            while rng.random() < TASK_AGAIN:
                yield exchange_of(self._reader.task(rng))
        elif rng.random() < 0.2:
            greeting = self._by_name.get("greetings.hello")
            if greeting is not None:
                yield self._say(greeting, talk, rng)
        while True:
            if rng.random() < REMARKS:
                yield self._remark(talk, rng)
            yield self._say(self._next(talk, rng), talk, rng)

    def _remark(self, talk: _Talk, rng: Random) -> Exchange:
        """Return what is said or asked of the channel's own matters, with a reply to any such."""
        text, asks = self._reader.remark(rng)
        intent = self._by_name["jobs.channel_fact" if asks else "work.statement"]
        person, jay = called(as_typed(text, rng, self._haste), rng), rng.choice(intent.reply)
        return talk.note(Exchange(person=person, jay=jay, intent=intent.name))

    def _next(self, talk: _Talk, rng: Random) -> Intent:
        follows = self._follows.get(talk.last, ())
        if follows and rng.random() < FOLLOW_ON:
            return rng.choice(list(follows))
        known = [one for one in self._recalls if self._is_known(one, talk, rng)]
        if known and rng.random() < RECALL:
            return rng.choice(known)
        unknown = [one for one in self._recalls if self._was_never_told(one, talk)]
        if unknown and rng.random() < RECALL_UNKNOWN:
            return rng.choice(unknown)
        return rng.choices(self._openers, cum_weights=self._weights)[0]

    def _is_known(self, intent: Intent, talk: _Talk, rng: Random) -> bool:
        """Tell whether it was said. What was said last always was, so it counts for less."""
        seldom = intent.recalls == LAST and rng.random() < 0.8
        return intent.recalls in talk.facts and not seldom

    def _was_never_told(self, intent: Intent, talk: _Talk) -> bool:
        """Tell whether nothing of it was said; what was said last is nothing only at first."""
        return intent.recalls not in talk.facts and not (intent.recalls == LAST and talk.last)

    def _say(self, intent: Intent, talk: _Talk, rng: Random) -> Exchange:
        values: dict[str, str] = {}
        unknown = False
        if intent.recalls:
            unknown = intent.recalls not in talk.facts
            if not unknown:
                values[f"{{{intent.recalls}}}"] = talk.facts[intent.recalls]
        phrasings = (self._held_out and intent.held_out) or intent.trained
        person = rng.choice(phrasings)
        if not intent.name.startswith(AS_IT_IS):
            person = called(as_typed(person, rng, self._haste), rng)
        person = fill(person, self.pools, rng, values)
        if rng.random() < 0.08 and values:
            person = person.lower()
        jay = fill(self._reply(intent, talk, rng, unknown=unknown), self.pools, rng, values)
        if not intent.name.startswith(VERBATIM):
            jay = sentence(jay)
        leads = LED_LATER if talk.last else LED_FIRST
        if rng.random() < leads and not intent.name.startswith(UNGREETED):
            person = led(person, rng)
        greets = GREETED_LATER if talk.last else GREETED_FIRST
        if rng.random() < greets and not intent.name.startswith(UNGREETED):
            person, jay = greeted(person, jay, rng)
        if intent.remembers:
            talk.facts[intent.remembers] = values[f"{{{intent.remembers}}}"]
        value = _span(jay, values.values())
        return talk.note(Exchange(person=person, jay=jay, intent=intent.name, value=value))

    def _reply(self, intent: Intent, talk: _Talk, rng: Random, *, unknown: bool) -> str:
        if unknown:
            return rng.choice(intent.otherwise)
        if intent.like:
            others = [
                one for one in self._by_name[intent.like].reply if not talk.replied.endswith(one)
            ]
            lead = rng.choice(intent.reply) + " " if intent.reply else ""
            return lead + rng.choice(others)
        return rng.choice(intent.reply)


def _span(reply: str, values: Iterable[str]) -> str:
    """Return the part of a reply from the first to the last of what it gives back."""
    found = [(at, at + len(one)) for one in values if (at := reply.find(one)) >= 0]
    return reply[min(at for at, _ in found) : max(end for _, end in found)] if found else ""


def exchange_of(task: Task) -> Exchange:
    """Return a reading task as a turn of a person and one of Jay's."""
    return Exchange(person=task.prompt, jay=task.reply, intent=task.kind, value=task.value)


def segments(exchange: Exchange, family: Family = MINI) -> tuple[tuple[str, bool], ...]:
    """Return the segments of an exchange, each with whether Jay says it."""
    person = Turn(role="person", text=exchange.person, author="", at=0.0)
    jay = Turn(role="jay", text=exchange.jay, author="", at=0.0)
    opening, said, closing = render_turn(family, jay)
    asked = tuple((text, False) for text in render_turn(family, person))
    return (*asked, (opening, False), (said, True), (closing, True))


def opening(family: Family = MINI) -> str:
    """Return what stands before the first turn."""
    return render_opening(family, persona="")
